package plan_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
)

// asked is a Judge that says no, and keeps what it was asked.
type asked struct{ questions []plan.Question }

func (a *asked) Judge(_ context.Context, q plan.Question) (plan.Answer, error) {
	a.questions = append(a.questions, q)
	return plan.Answer{Why: "not today"}, nil
}

// TestPromotion: a version that is refused stays out of its campaign, is kept,
// and holds up nothing else; metrics of every version are handed over.
func TestPromotion(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	handed := map[string]float64{}
	hook := func(_ context.Context, m plan.VersionMetrics) error {
		mu.Lock()
		defer mu.Unlock()
		if m.Group != "shop" || m.Solution != "arn:aws:personalize:us-east-1:000000000000:solution/shop-taste" || m.Made.IsZero() {
			t.Errorf("metrics of %+v", m)
		}
		handed[m.Version] = m.Metrics["normalized_discounted_cumulative_gain_at_25"]
		return nil
	}
	p := start(t, plan.Options{Metrics: hook})
	p.shop()
	c := declared()
	s := &c.Solutions[0]
	s.Promote = config.Promote{Policy: config.IfBetter, Metric: "normalized_discounted_cumulative_gain_at_25", Threshold: 0.5}
	first := p.walk(p.target, steps(t, c, plan.Order{Purpose: plan.ForApply, Source: source}))

	retrain := func(target *plan.Target, run string) plan.Result {
		t.Helper()
		time.Sleep(1100 * time.Millisecond)
		o := plan.Order{Purpose: plan.ForFull, Solution: "shop-taste", Run: run, Now: time.Now()}
		return p.walk(target, steps(t, c, o))["solutions[0].campaigns[0]"]
	}
	api := personalize.NewFromConfig(p.node.AWS())
	live := func() *string {
		arn := first["solutions[0].campaigns[0]"].ARN
		return must[*personalize.DescribeCampaignOutput](t)(api.DescribeCampaign(t.Context(), &personalize.DescribeCampaignInput{CampaignArn: &arn})).Campaign.SolutionVersionArn
	}
	was := aws.ToString(live())
	if r := retrain(p.target, "no better"); r.Action != plan.Refuse || !r.Done || r.Note == "" || aws.ToString(live()) != was {
		t.Errorf("a version that is no better: %+v, live %s, before %s", r, aws.ToString(live()), was)
	}
	s.Campaigns[0].Call = []byte(`{"name":"shop-home","minProvisionedTPS":4}`)
	if r := retrain(p.target, "no better, more of it"); r.Action != plan.Refuse || len(r.Diffs) != 1 || r.Diffs[0].Member != "minProvisionedTPS" || aws.ToString(live()) != was {
		t.Errorf("another throughput and no other version: %+v", r)
	}
	p.quietBut(steps(t, c, plan.Order{Purpose: plan.ForApply, Run: "again"}), "solutions[0].campaigns[0]", plan.Refuse)

	s.Promote = config.Promote{Policy: config.IfNotWorse, Metric: "normalized_discounted_cumulative_gain_at_25", Threshold: 0.5}
	if r := retrain(p.target, "no worse"); r.Action != plan.Update || aws.ToString(live()) == was {
		t.Errorf("a version that is no worse: %+v", r)
	}
	s.Promote.Metric = "beauty"
	time.Sleep(1100 * time.Millisecond)
	if _, err := walk(t.Context(), p.target, steps(t, c, plan.Order{Purpose: plan.ForFull, Run: "unmeasured"})); attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), `solutions[0].campaigns[0]: `) ||
		!strings.Contains(err.Error(), `has no metric "beauty"; it has coverage`) {
		t.Errorf("a metric that there is none of: %v", err)
	}
	s.Promote = config.Promote{}
	judge := &asked{}
	was = aws.ToString(live())
	if r := retrain(p.open(plan.Options{Judge: judge}), "asked"); r.Action != plan.Refuse || r.Note != "not today" || len(judge.questions) == 0 || judge.questions[0].Live != was {
		t.Errorf("%+v, asked %+v", r, judge.questions)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(handed) != 5 { // the last was of another Target
		t.Errorf("metrics of %d versions: %v", len(handed), handed)
	}
	for version, x := range handed {
		if !(x > 0 && x <= 1) {
			t.Errorf("%s: %g", version, x)
		}
	}
}

// quietBut fails the test unless nothing is to be done, and one step came to an action.
func (p *place) quietBut(s []plan.Step, path string, want plan.Action) {
	p.Helper()
	for at, r := range p.walk(p.target, s) {
		if at == path && r.Action != want || at != path && r.Action != plan.Keep && r.Action != plan.Skip {
			p.Errorf("%s: %s %s %v, want nothing to be done", at, r.Action, r.Note, r.Diffs)
		}
	}
}

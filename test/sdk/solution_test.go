package sdk_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"

	"github.com/attune-io/attune/api/verb"
)

const recipePrefix = "arn:aws:personalize:::recipe/"

// valuedSchema is that of interactions with values.
const valuedSchema = `{"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
{"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},
{"name":"EVENT_VALUE","type":["null","float"]},{"name":"TIMESTAMP","type":"long"}]}`

// valued writes what users bought and viewed: everybody viewed "viewed" and
// bought "bought" with value 1 and "dear" with value 5; the rest differs.
func valued(users int) string {
	var b strings.Builder
	b.WriteString("USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP\n")
	for u := range users {
		at := 1_700_000_000 + 100*u
		row := func(item, typ, value string) { at++; fmt.Fprintf(&b, "u%d,%s,%s,%s,%d\n", u, item, typ, value, at) }
		for i := range 13 {
			row(fmt.Sprintf("v%d", (u+i*7)%40), "View", "")
			row(fmt.Sprintf("b%d", (u+i*7)%40), "buy", fmt.Sprint(1+i%5))
		}
		row("viewed", "View", "")
		if u%4 > 0 {
			row("bought", "Buy", "1")
		}
		if u%4 > 1 {
			row("dear", "Buy", "5")
		}
	}
	return b.String()
}

// TestEventRules shows that a solution learns only from the events it names.
func TestEventRules(t *testing.T) {
	t.Parallel()
	c := newNode(t, "--mode=strict")
	group := c.datasetGroup("rules")
	set := c.dataset(group, "Interactions", valuedSchema)
	const users = 200
	c.good(c.imported(set, "valued", types.ImportModeFull, valued(users)))
	for name, want := range map[string]struct {
		eventType string
		config    *types.SolutionConfig
		best      string
		learned   int64 // interactions
	}{
		"all":       {"", nil, "viewed", users*27 + users*3/4 + users/2},
		"type":      {"BUY", nil, "bought", users*13 + users*3/4 + users/2},
		"threshold": {"Buy", &types.SolutionConfig{EventValueThreshold: aws.String("3")}, "dear", users*7 + users/2},
		"events-config": {"", &types.SolutionConfig{EventsConfig: &types.EventsConfig{EventParametersList: []types.EventParameters{
			{EventType: aws.String("Buy"), EventValueThreshold: aws.Float64(3)}}}}, "dear", users*7 + users/2},
	} {
		in := &personalize.CreateSolutionInput{Name: aws.String("rule-" + name), DatasetGroupArn: &group, RecipeArn: aws.String(recipePrefix + "aws-popularity-count"), SolutionConfig: want.config}
		if want.eventType != "" {
			in.EventType = &want.eventType
		}
		version := c.version(c.solutionOf(in))
		d := must[*personalize.DescribeSolutionVersionOutput](t)(c.control.DescribeSolutionVersion(c.ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: &version}))
		if aws.ToString(d.SolutionVersion.EventType) != want.eventType || !reflect.DeepEqual(d.SolutionVersion.SolutionConfig, want.config) {
			t.Errorf("%s: the version shows %q %+v", name, aws.ToString(d.SolutionVersion.EventType), d.SolutionVersion.SolutionConfig)
		}
		var learned verb.DescribeModelOutput
		if err := verb.Call(c.ctx, c.node.AWS(), "DescribeModel", verb.DescribeModelInput{SolutionVersionArn: version}, &learned); err != nil {
			t.Fatal(err)
		}
		if learned.Manifest.Interactions != want.learned {
			t.Errorf("%s: learned from %d interactions, want %d", name, learned.Manifest.Interactions, want.learned)
		}
		if page := c.recommend(c.campaign("rule-"+name, version), "stranger"); page[0] != want.best {
			t.Errorf("%s: most popular is %v, want %s", name, page, want.best)
		}
	}

	// A type that nobody did leaves too little to learn from.
	nothing := c.solutionOf(&personalize.CreateSolutionInput{Name: aws.String("nothing"), DatasetGroupArn: &group,
		RecipeArn: aws.String(recipePrefix + "aws-popularity-count"), EventType: aws.String("Return")})
	v := must[*personalize.CreateSolutionVersionOutput](t)(c.control.CreateSolutionVersion(c.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: &nothing}))
	if why := c.versionEnds(*v.SolutionVersionArn, "CREATE FAILED"); !strings.Contains(why, "fewer than 1000 interactions after filtering by event type") {
		t.Errorf("a solution without events fails with %q", why)
	}
}

// solutionOf makes a solution and waits until it is ACTIVE.
func (c *clients) solutionOf(in *personalize.CreateSolutionInput) string {
	c.Helper()
	s := must[*personalize.CreateSolutionOutput](c)(c.control.CreateSolution(c.ctx, in))
	c.active("solution", func() (*string, *string, error) {
		d, err := c.control.DescribeSolution(c.ctx, &personalize.DescribeSolutionInput{SolutionArn: s.SolutionArn})
		if err != nil {
			return nil, nil, err
		}
		return d.Solution.Status, nil, nil
	})
	return *s.SolutionArn
}

// versionEnds waits until a version has a status for good, and returns its reason.
func (c *clients) versionEnds(arn, want string) string {
	c.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		status, why, err := c.versionStatus(arn)
		if err != nil {
			c.Fatal(err)
		}
		switch s := aws.ToString(status); s {
		case want:
			return aws.ToString(why)
		case "ACTIVE", "CREATE FAILED", "CREATE STOPPED":
			c.Fatalf("%s is %s (%s), want %s", arn, s, aws.ToString(why), want)
		}
	}
	c.Fatalf("%s is not %s in time", arn, want)
	return ""
}

// TestSolutionEcho shows that Describe gives back what Create was given, and
// that what cannot be trained is refused at once.
func TestSolutionEcho(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("echo")
	config := &types.SolutionConfig{
		AlgorithmHyperParameters:        map[string]string{"hidden_dimension": "48", "bptt": "12", "recency_mask": "true"},
		FeatureTransformationParameters: map[string]string{"max_user_history_length_percentile": "0.9"},
		AutoTrainingConfig:              &types.AutoTrainingConfig{SchedulingExpression: aws.String("rate(3 days)")},
		EventValueThreshold:             aws.String("0.50"),
	}
	base := func(name string) *personalize.CreateSolutionInput {
		return &personalize.CreateSolutionInput{Name: &name, DatasetGroupArn: &group, RecipeArn: aws.String(recipePrefix + "aws-user-personalization")}
	}
	full := base("full")
	full.SolutionConfig, full.EventType, full.PerformAutoTraining = config, aws.String("View"), aws.Bool(true)
	off := base("off")
	off.PerformAutoTraining = aws.Bool(false)
	for _, in := range []*personalize.CreateSolutionInput{full, off, base("default")} {
		arn := c.solutionOf(in)
		s := must[*personalize.DescribeSolutionOutput](t)(c.control.DescribeSolution(c.ctx, &personalize.DescribeSolutionInput{SolutionArn: &arn})).Solution
		if !reflect.DeepEqual(s.SolutionConfig, in.SolutionConfig) || !reflect.DeepEqual(s.EventType, in.EventType) {
			t.Errorf("%s: config %+v, event type %v", *in.Name, s.SolutionConfig, s.EventType)
		}
		if want := in.PerformAutoTraining == nil || *in.PerformAutoTraining; aws.ToBool(s.PerformAutoTraining) != want {
			t.Errorf("%s: performAutoTraining %v, want %v", *in.Name, s.PerformAutoTraining, want)
		}
		if *s.DatasetGroupArn != group || *s.RecipeArn != *in.RecipeArn || *s.Name != *in.Name || s.LatestSolutionVersion != nil {
			t.Errorf("%s: %+v", *in.Name, s)
		}
	}

	for name, bad := range map[string]struct {
		change func(*personalize.CreateSolutionInput)
		says   string
	}{
		"range":   {parameter("hidden_dimension", "31"), "32 to 256"},
		"type":    {parameter("hidden_dimension", "many"), "integer"},
		"unknown": {parameter("depth", "3"), "depth"},
		"feature": {func(in *personalize.CreateSolutionInput) {
			in.SolutionConfig = &types.SolutionConfig{FeatureTransformationParameters: map[string]string{"max_user_history_length_percentile": "2"}}
		}, "max_user_history_length_percentile"},
		"threshold": {func(in *personalize.CreateSolutionInput) {
			in.SolutionConfig = &types.SolutionConfig{EventValueThreshold: aws.String("high")}
		}, "eventValueThreshold"},
		"hpo": {func(in *personalize.CreateSolutionInput) {
			in.PerformHPO, in.RecipeArn = aws.Bool(true), aws.String(recipePrefix+"aws-popularity-count")
		}, "nothing to search for"},
		"automl":    {func(in *personalize.CreateSolutionInput) { in.PerformAutoML = true }, "not both"},
		"no-recipe": {func(in *personalize.CreateSolutionInput) { in.RecipeArn = nil }, "recipeArn is missing"},
		"other": {func(in *personalize.CreateSolutionInput) {
			in.RecipeArn = aws.String(recipePrefix + "aws-ecomm-recommended-for-you")
		}, "use one of aws-popularity-count"},
		"no-group":   {func(in *personalize.CreateSolutionInput) { in.DatasetGroupArn = aws.String(group + "x") }, "echox"},
		"taken-name": {func(in *personalize.CreateSolutionInput) { in.Name = aws.String("full") }, "full"},
	} {
		in := base("bad-" + name)
		bad.change(in)
		_, err := c.control.CreateSolution(c.ctx, in)
		if err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: %v does not say %q", name, err, bad.says)
		}
	}
	none := base("without-data")
	arn := c.solutionOf(none)
	_, err := c.control.CreateSolutionVersion(c.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: &arn})
	refusedAs[*types.InvalidInputException](t, err, "Interactions")
}

func parameter(name, value string) func(*personalize.CreateSolutionInput) {
	return func(in *personalize.CreateSolutionInput) {
		in.SolutionConfig = &types.SolutionConfig{AlgorithmHyperParameters: map[string]string{name: value}}
	}
}

// TestStopTraining stops a training that would take very long, and asks what
// must not be done meanwhile.
func TestStopTraining(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("stop")
	in := &personalize.CreateSolutionInput{Name: aws.String("stop"), DatasetGroupArn: &s.group, RecipeArn: aws.String(recipePrefix + "aws-user-personalization"),
		SolutionConfig: &types.SolutionConfig{AlgorithmHyperParameters: map[string]string{"members": "ials", "hidden_dimension": "256", "ials.iterations": "1000", "ials.solver_steps": "100"}}}
	solution := c.solutionOf(in)
	v := must[*personalize.CreateSolutionVersionOutput](t)(c.control.CreateSolutionVersion(c.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: &solution}))
	version := *v.SolutionVersionArn

	_, err := c.control.GetSolutionMetrics(c.ctx, &personalize.GetSolutionMetricsInput{SolutionVersionArn: &version})
	refusedAs[*types.ResourceInUseException](t, err, "metrics")
	_, err = c.control.CreateCampaign(c.ctx, &personalize.CreateCampaignInput{Name: aws.String("early"), SolutionVersionArn: &version, MinProvisionedTPS: aws.Int32(1)})
	if err == nil {
		t.Error("a version in training was deployed")
	}
	_, err = c.control.DeleteSolution(c.ctx, &personalize.DeleteSolutionInput{SolutionArn: &solution})
	refusedAs[*types.ResourceInUseException](t, err, version)
	soon(t, func() string {
		status, _, err := c.versionStatus(version)
		if err != nil || aws.ToString(status) != "CREATE IN_PROGRESS" {
			return fmt.Sprintf("the training is %s (%v)", aws.ToString(status), err)
		}
		return ""
	})
	latest := must[*personalize.DescribeSolutionOutput](t)(c.control.DescribeSolution(c.ctx, &personalize.DescribeSolutionInput{SolutionArn: &solution})).Solution.LatestSolutionVersion
	if latest == nil || *latest.SolutionVersionArn != version || *latest.Status != "CREATE IN_PROGRESS" {
		t.Errorf("the solution shows %+v as its latest version", latest)
	}

	stop := &personalize.StopSolutionVersionCreationInput{SolutionVersionArn: &version}
	must[*personalize.StopSolutionVersionCreationOutput](t)(c.control.StopSolutionVersionCreation(c.ctx, stop))
	c.versionEnds(version, "CREATE STOPPED")
	_, err = c.control.StopSolutionVersionCreation(c.ctx, stop)
	refusedAs[*types.InvalidInputException](t, err, "CREATE STOPPED")
	// The worker is free again: another training of the same group ends.
	c.version(c.solution("after", s.group, "aws-popularity-count"))
	must[*personalize.DeleteSolutionOutput](t)(c.control.DeleteSolution(c.ctx, &personalize.DeleteSolutionInput{SolutionArn: &solution}))
	c.gone(func() error {
		_, err := c.control.DescribeSolution(c.ctx, &personalize.DescribeSolutionInput{SolutionArn: &solution})
		return err
	})
}

// TestUpdateCampaign shows that one update at a time is made, and what a
// campaign shows before, while and after.
func TestUpdateCampaign(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("update")
	solution := c.solution("update", s.group, "aws-popularity-count")
	first, second := c.version(solution), c.version(solution)
	campaign := c.campaign("update", first)
	update := func(version *string, tps *int32) error {
		_, err := c.control.UpdateCampaign(c.ctx, &personalize.UpdateCampaignInput{CampaignArn: &campaign, SolutionVersionArn: version, MinProvisionedTPS: tps})
		return err
	}
	describe := func() *types.Campaign {
		return must[*personalize.DescribeCampaignOutput](t)(c.control.DescribeCampaign(c.ctx, &personalize.DescribeCampaignInput{CampaignArn: &campaign})).Campaign
	}
	ended := func() {
		t.Helper()
		soon(t, func() string {
			if u := describe().LatestCampaignUpdate; aws.ToString(u.Status) != "ACTIVE" {
				return "the update is " + aws.ToString(u.Status)
			}
			return ""
		})
	}
	if describe().LatestCampaignUpdate != nil {
		t.Error("a new campaign shows an update")
	}
	refused := false // the first update may be over before the second is asked for
	for i := 0; i < 20 && !refused; i++ {
		to := []string{second, first}[i%2]
		if err := update(&to, nil); err != nil {
			t.Fatal(err)
		}
		err := update(nil, aws.Int32(7))
		var busy *types.ResourceInUseException
		if refused = errors.As(err, &busy); !refused && err != nil {
			t.Fatal(err)
		}
		page := c.recommend(campaign, "anybody") // it serves all the while
		if len(page) != 10 {
			t.Errorf("%d items while updating", len(page))
		}
		ended()
		if d := describe(); refused && (*d.SolutionVersionArn != to || *d.MinProvisionedTPS != 1 || *d.LatestCampaignUpdate.SolutionVersionArn != to) {
			t.Errorf("after the update: %+v", d)
		}
	}
	if !refused {
		t.Error("no update was refused while another was under way")
	}
	if err := update(nil, aws.Int32(3)); err != nil {
		t.Fatal(err)
	}
	ended()
	if d := describe(); *d.MinProvisionedTPS != 3 {
		t.Errorf("minProvisionedTPS is %d", *d.MinProvisionedTPS)
	}
	other := c.version(c.solution("other", s.group, "aws-popularity-count"))
	refusedAs[*types.InvalidInputException](t, update(&other, nil), "stays with its solution")
	_, err := c.control.DeleteSolution(c.ctx, &personalize.DeleteSolutionInput{SolutionArn: &solution})
	refusedAs[*types.ResourceInUseException](t, err, campaign)
	must[*personalize.DeleteCampaignOutput](t)(c.control.DeleteCampaign(c.ctx, &personalize.DeleteCampaignInput{CampaignArn: &campaign}))
	c.gone(func() error {
		_, err := c.control.DescribeCampaign(c.ctx, &personalize.DescribeCampaignInput{CampaignArn: &campaign})
		return err
	})
}

package plan_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// judged is a group whose versions are judged.
type judged struct {
	*place
	client     *personalize.Client
	group, set string
}

func judging(p *place) *judged {
	c := personalize.NewFromConfig(p.node.AWS())
	j := &judged{place: p, client: c}
	j.group = *must[*personalize.CreateDatasetGroupOutput](p)(c.CreateDatasetGroup(p.Context(), &personalize.CreateDatasetGroupInput{Name: aws.String("judged")})).DatasetGroupArn
	j.active(func() (*string, error) {
		d, err := c.DescribeDatasetGroup(p.Context(), &personalize.DescribeDatasetGroupInput{DatasetGroupArn: &j.group})
		if err != nil {
			return nil, err
		}
		return d.DatasetGroup.Status, nil
	})
	schema := must[*personalize.CreateSchemaOutput](p)(c.CreateSchema(p.Context(), &personalize.CreateSchemaInput{Name: aws.String("judged"), Schema: aws.String(world.InteractionsSchema)}))
	j.set = *must[*personalize.CreateDatasetOutput](p)(c.CreateDataset(p.Context(), &personalize.CreateDatasetInput{
		Name: aws.String("judged"), DatasetGroupArn: &j.group, DatasetType: aws.String("Interactions"), SchemaArn: schema.SchemaArn})).DatasetArn
	j.active(func() (*string, error) {
		d, err := c.DescribeDataset(p.Context(), &personalize.DescribeDatasetInput{DatasetArn: &j.set})
		if err != nil {
			return nil, err
		}
		return d.Dataset.Status, nil
	})
	return j
}

// active waits for ACTIVE.
func (j *judged) active(status func() (*string, error)) {
	j.Helper()
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(10 * time.Millisecond) {
		switch now := aws.ToString(must[*string](j)(status())); now {
		case "ACTIVE":
			return
		case "CREATE FAILED":
			j.Fatal(now)
		}
	}
	j.Fatal("not ACTIVE in time")
}

func (j *judged) bring(name, text string) {
	j.Helper()
	j.put(name+".csv", text)
	job := must[*personalize.CreateDatasetImportJobOutput](j)(j.client.CreateDatasetImportJob(j.Context(), &personalize.CreateDatasetImportJobInput{
		JobName: &name, DatasetArn: &j.set, RoleArn: aws.String(binary.Role), DataSource: &types.DataSource{DataLocation: aws.String("s3://films/" + name + ".csv")}}))
	j.active(func() (*string, error) {
		d, err := j.client.DescribeDatasetImportJob(j.Context(), &personalize.DescribeDatasetImportJobInput{DatasetImportJobArn: job.DatasetImportJobArn})
		if err != nil {
			return nil, err
		}
		return d.DatasetImportJob.Status, nil
	})
}

func (j *judged) solution(name string, config *types.SolutionConfig) string {
	j.Helper()
	s := must[*personalize.CreateSolutionOutput](j)(j.client.CreateSolution(j.Context(), &personalize.CreateSolutionInput{Name: &name, DatasetGroupArn: &j.group,
		RecipeArn: aws.String("arn:aws:personalize:::recipe/aws-user-personalization"), PerformAutoTraining: aws.Bool(false), SolutionConfig: config}))
	j.active(func() (*string, error) {
		d, err := j.client.DescribeSolution(j.Context(), &personalize.DescribeSolutionInput{SolutionArn: s.SolutionArn})
		if err != nil {
			return nil, err
		}
		return d.Solution.Status, nil
	})
	return *s.SolutionArn
}

func (j *judged) train(solution string) string {
	j.Helper()
	v := must[*personalize.CreateSolutionVersionOutput](j)(j.client.CreateSolutionVersion(j.Context(), &personalize.CreateSolutionVersionInput{SolutionArn: &solution}))
	j.active(func() (*string, error) {
		d, err := j.client.DescribeSolutionVersion(j.Context(), &personalize.DescribeSolutionVersionInput{SolutionVersionArn: v.SolutionVersionArn})
		if err != nil {
			return nil, err
		}
		return d.SolutionVersion.Status, nil
	})
	return *v.SolutionVersionArn
}

// swapped gives every line the item of another: a broken upload of the same size.
func swapped(text string) string {
	head, rest, _ := strings.Cut(text, "\n")
	lines := strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
	order := rand.New(rand.NewPCG(1, 2)).Perm(len(lines))
	out := []string{head}
	for i, line := range lines {
		cells := strings.Split(line, ",")
		cells[1] = strings.Split(lines[order[i]], ",")[1]
		out = append(out, strings.Join(cells, ","))
	}
	return strings.Join(out, "\n") + "\n"
}

// TestJudge lets versions of a running node go live, or not, of which it is
// known how good they are.
func TestJudge(t *testing.T) {
	j := judging(start(t, plan.Options{}))
	var text strings.Builder
	if err := must[*world.World](t)(world.New(world.Spec{Users: 300, Items: 100, Events: 9000, Clusters: 5, Seed: 5})).WriteInteractions(&text); err != nil {
		t.Fatal(err)
	}
	j.bring("good", text.String())
	taste := j.solution("taste", nil)
	good := j.train(taste)
	again := j.train(taste)
	ruined := j.train(j.solution("ruined", &types.SolutionConfig{FeatureTransformationParameters: map[string]string{
		"min_user_history_length_percentile": "0", "max_user_history_length_percentile": "0.01"}}))
	j.bring("swapped", swapped(text.String()))
	broken := j.train(taste)

	// The same node, seen through something that knows no verbs, as the real service.
	behind := must[*url.URL](t)(url.Parse(j.node.URL))
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Host = r.In.Host }}
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/attune/") {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<UnknownOperationException/>")
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	defer plain.Close()
	cfg := j.node.AWS()
	cfg.BaseEndpoint = &plain.URL
	verbless := must[*plan.Target](t)(plan.Open(t.Context(), cfg, plan.Options{}))

	for _, c := range []struct {
		name      string
		target    *plan.Target
		new, live string
		promote   config.Promote
		ok        bool
		says      string
	}{
		{"same data and seed", j.target, again, good, config.Promote{Policy: config.IfNotWorse}, true, "not significantly better or worse"},
		{"same, and has to be better", j.target, again, good, config.Promote{Policy: config.IfBetter}, false, "not significantly better or worse"},
		{"ruined", j.target, ruined, good, config.Promote{Policy: config.IfNotWorse, Level: 0.01}, false, "worse: normalized_discounted_cumulative_gain_at_25"},
		{"ruined, and every version is let in", j.target, ruined, good, config.Promote{Policy: config.Always}, true, ""},
		{"better than the ruined one", j.target, good, ruined, config.Promote{Policy: config.IfBetter, Metric: "precision_at_10", Threshold: 0.05}, true, "better by more than 5 %: precision_at_10"},
		{"broken data", j.target, broken, good, config.Promote{Policy: config.IfNotWorse}, false, "not the same users"},
		{"no test for it", j.target, good, good, config.Promote{Policy: config.IfNotWorse, Metric: "coverage"}, true, "not kept user by user"},
		{"no test for it, broken", j.target, ruined, good, config.Promote{Policy: config.IfBetter, Metric: "coverage", Threshold: 0.9}, false, "much of the data may be missing"},
		{"no verbs, same", verbless, again, good, config.Promote{Policy: config.IfNotWorse}, true, "the endpoint does not compare versions"},
		{"no verbs, ruined", verbless, ruined, good, config.Promote{Policy: config.IfNotWorse}, false, "without a test of significance); the endpoint does not compare versions: 404 Not Found"},
		{"the live one is gone", j.target, good, good + "x", config.Promote{Policy: config.IfBetter}, true, "the live version is gone"},
	} {
		a, err := c.target.Judge(t.Context(), plan.Question{Live: c.live, Candidate: c.new, Promote: c.promote})
		if err != nil || a.OK != c.ok || !strings.Contains(a.Why, c.says) {
			t.Errorf("%s: %+v, %v", c.name, a, err)
		}
	}
	checkNoAnswer(t, j, good)
}

// checkNoAnswer: what is not answered now is asked again, and not decided.
func checkNoAnswer(t *testing.T, j *judged, version string) {
	t.Helper()
	q := plan.Question{Live: version, Candidate: version, Promote: config.Promote{Policy: config.IfNotWorse, Level: 2}}
	if _, err := j.target.Judge(t.Context(), q); attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), "level is 2") {
		t.Errorf("a level of 2: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.target.Judge(ended, q); err == nil || attune.KindOf(err) == attune.Invalid {
		t.Errorf("the caller went away: %v", err)
	}
	training := *must[*personalize.CreateSolutionVersionOutput](t)(j.client.CreateSolutionVersion(t.Context(), &personalize.CreateSolutionVersionInput{
		SolutionArn: aws.String(version[:strings.LastIndexByte(version, '/')])})).SolutionVersionArn
	q.Promote.Level, q.Candidate = 0, training
	if _, err := j.target.Judge(t.Context(), q); attune.KindOf(err) != attune.InUse {
		t.Errorf("still training: %v", err)
	}
}

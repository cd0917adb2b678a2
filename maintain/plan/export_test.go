package plan_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
)

var shopSchedules = plan.Schedules{Import: "cron(0 3 * * ? *)",
	Full:   map[string]string{"shop-taste": "cron(0 4 ? * SUN *)", "shop-segments": "cron(0 4 ? * SUN *)"},
	Update: map[string]string{"shop-taste": "cron(0 4 ? * MON-SAT *)"}}

func readShop(t *testing.T) *config.Config {
	text := must[[]byte](t)(os.ReadFile("testdata/shop.json"))
	return must[*config.Config](t)(config.Read(text, "shop.json"))
}

// TestRoundTrip: an export of what an apply made declares what was applied.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	p := start(t, plan.Options{})
	p.shop()
	p.put("batch/shop/shop-segments/job_config.json", `{"itemId":"i0001"}`+"\n")
	c := readShop(t)
	apply := steps(t, c, plan.Order{Purpose: plan.ForApply, Source: source})
	before := must[*plan.Report](t)(plan.Plan(t.Context(), p.target, "shop", apply))
	for _, s := range before.Steps {
		if s.Action != plan.Create {
			t.Errorf("plan of nothing: %s: %s %s", s.Path, s.Action, s.Note)
		}
	}
	have := p.walk(p.target, apply)
	for _, s := range before.Steps {
		if r := have[s.Path]; r.Action != plan.Create || r.ARN == "" {
			t.Errorf("%s: %+v", s.Path, r)
		}
	}

	text := must[[]byte](t)(p.target.Export(t.Context(), "shop", shopSchedules))
	sameConfig(t, c, must[*config.Config](t)(config.Read(text, "export.json")))
	yaml := must[[]byte](t)(config.YAML(text))
	sameConfig(t, c, must[*config.Config](t)(config.Read(yaml, "export.yaml")))
	for _, word := range []string{"Arn\": \"arn:aws:personalize:us-east-1", "status", "DateTime", "tracking", "latest"} {
		if strings.Contains(string(text), word) {
			t.Errorf("the export has %s:\n%s", word, text)
		}
	}

	r := must[*plan.Report](t)(plan.Plan(t.Context(), p.target, "shop", steps(t, c, plan.Order{Purpose: plan.ForApply, Source: source})))
	if r.Changes() != 0 {
		_ = r.Write(os.Stdout, false)
		t.Error("something is to be changed after an apply")
	}
	drift(t, p, c)

	if _, err := p.target.Export(t.Context(), "shop", plan.Schedules{Full: map[string]string{"nobody": "cron(0 4 ? * SUN *)"}}); attune.KindOf(err) != attune.Invalid {
		t.Errorf("a schedule of no solution: %v", err)
	}
	if _, err := p.target.Export(t.Context(), "nobody", plan.Schedules{}); attune.KindOf(err) != attune.NotFound {
		t.Errorf("an export of nothing: %v", err)
	}
	if _, err := p.target.DestroySteps(t.Context(), c, false); err == nil || !strings.Contains(err.Error(), "filter stray") {
		t.Errorf("a group with what is not declared is destroyed: %v", err)
	}
	p.walk(p.target, must[[]plan.Step](t)(p.target.DestroySteps(t.Context(), c, true)))
	if left := must[[]plan.Step](t)(p.target.DestroySteps(t.Context(), c, true)); len(left) == 0 {
		t.Error("no steps look for what is declared and gone")
	} else {
		for path, r := range p.walk(p.target, left) {
			if r.Note != "is not there" {
				t.Errorf("%s is left: %+v", path, r)
			}
		}
	}
}

// drift changes what exists behind the configuration's back.
func drift(t *testing.T, p *place, c *config.Config) {
	if r := must[*plan.Report](t)(plan.Drift(t.Context(), p.target, c)); r.Changes() != 0 {
		_ = r.Write(os.Stdout, false)
		t.Error("there is drift after an apply")
	}
	api := personalize.NewFromConfig(p.node.AWS())
	arn := func(kind, name string) *string {
		return aws.String("arn:aws:personalize:us-east-1:000000000000:" + kind + "/" + name)
	}
	must[*personalize.CreateFilterOutput](t)(api.CreateFilter(t.Context(), &personalize.CreateFilterInput{Name: aws.String("stray"), DatasetGroupArn: arn("dataset-group", "shop"),
		FilterExpression: aws.String(`INCLUDE ItemID WHERE Items.PRICE < 10`)}))
	must[*personalize.DeleteFilterOutput](t)(api.DeleteFilter(t.Context(), &personalize.DeleteFilterInput{FilterArn: arn("filter", "shop-seen")}))
	must[*personalize.UpdateCampaignOutput](t)(api.UpdateCampaign(t.Context(), &personalize.UpdateCampaignInput{CampaignArn: arn("campaign", "shop-home"), MinProvisionedTPS: aws.Int32(3)}))
	must[*personalize.UntagResourceOutput](t)(api.UntagResource(t.Context(), &personalize.UntagResourceInput{ResourceArn: arn("solution", "shop-taste"), TagKeys: []string{"team"}}))
	var r *plan.Report
	settled(t, "the campaign", func() bool {
		r = must[*plan.Report](t)(plan.Drift(t.Context(), p.target, c))
		return r.Changes() == 4
	})
	var found []string
	for _, s := range r.Steps {
		found = append(found, string(s.Action)+" "+s.Path)
	}
	slices.Sort(found)
	if want := []string{"create filters[0]", "update solutions[2]", "update solutions[2].campaigns[0]"}; !slices.Equal(found, want) || !slices.Equal(r.Undeclared, []string{"filter stray"}) {
		t.Errorf("drift is %v and %v, want %v and the filter stray", found, r.Undeclared, want)
	}
	var shown strings.Builder
	if err := r.Write(&shown, false); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"~ campaign shop-home  solutions[2].campaigns[0]", "    minProvisionedTPS: 3 → 1", `    tags.team: (none) → "taste"`, "+ filter shop-seen", "? filter stray",
		"Dataset group shop in account 000000000000, region us-east-1: 1 to create, 2 to update, 1 not declared."} {
		if !strings.Contains(shown.String(), line) {
			t.Errorf("no line %q in\n%s", line, shown.String())
		}
	}
}

// sameConfig holds two configurations against each other; where they came from in
// their files does not count.
func sameConfig(t *testing.T, want, got *config.Config) {
	t.Helper()
	w, g := plainConfig(t, want), plainConfig(t, got)
	if !reflect.DeepEqual(w, g) {
		wt, _ := json.MarshalIndent(w, "", " ")
		gt, _ := json.MarshalIndent(g, "", " ")
		wl, gl := strings.Split(string(wt), "\n"), strings.Split(string(gt), "\n")
		for i := range min(len(wl), len(gl)) {
			if wl[i] != gl[i] {
				t.Fatalf("line %d: want %s, got %s\n%s", i, wl[i], gl[i], strings.Join(gl[max(0, i-12):min(len(gl), i+5)], "\n"))
			}
		}
		t.Fatalf("%d lines, want %d", len(gl), len(wl))
	}
}

// plainConfig is a configuration as JSON's values, with lists in the order of their names.
func plainConfig(t *testing.T, c *config.Config) any {
	copied := *c
	copied.Warnings = nil
	solutions := slices.Clone(c.Solutions)
	for i := range solutions {
		batch := slices.Clone(solutions[i].Inference)
		slices.SortFunc(batch, func(a, b config.Batch) int { return strings.Compare(string(a.Call), string(b.Call)) })
		for k := range batch {
			batch[k].Path = ""
		}
		solutions[i].Inference = batch
	}
	copied.Solutions = solutions
	text := must[[]byte](t)(json.Marshal(copied))
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return texts(v)
}

// texts reads the JSON in strings, whose spaces do not count.
func texts(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = texts(x)
		}
	case []any:
		for i, x := range v {
			v[i] = texts(x)
		}
	case string:
		var x any
		if strings.HasPrefix(v, "{") && json.Unmarshal([]byte(v), &x) == nil {
			return x
		}
	}
	return v
}

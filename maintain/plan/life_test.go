package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
)

const source = "s3://films/train/shop"

func steps(t *testing.T, c *config.Config, p plan.Order) []plan.Step {
	t.Helper()
	if p.Now.IsZero() {
		p.Now = time.Now()
	}
	return must[[]plan.Step](t)(plan.Steps(c, p))
}

// actions are what steps came to, by path.
func actions(have map[string]plan.Result) map[string]plan.Action {
	m := map[string]plan.Action{}
	for path, r := range have {
		m[path] = r.Action
	}
	return m
}

// quiet fails the test unless nothing is to be done.
func (p *place) quiet(s []plan.Step) {
	p.Helper()
	for path, r := range p.walk(p.target, s) {
		if r.Action != plan.Keep && r.Action != plan.Skip {
			p.Errorf("%s: %s %s %v, want nothing to be done", path, r.Action, r.Note, r.Diffs)
		}
	}
}

// TestLife takes a configuration from nothing to all ACTIVE, again to no change,
// through every kind of change, and away.
func TestLife(t *testing.T) {
	t.Parallel()
	p := start(t, plan.Options{})
	p.shop()
	c := declared()

	began := time.Now()
	have := p.walk(p.target, steps(t, c, plan.Order{Purpose: plan.ForApply, Source: source, Run: "one"}))
	t.Logf("applied %d steps in %s", len(have), time.Since(began).Round(time.Millisecond))
	for path, r := range have {
		if r.Action != plan.Create || r.ARN == "" {
			t.Errorf("%s: %s %s, want create", path, r.Action, r.Note)
		}
	}
	p.quiet(steps(t, c, plan.Order{Purpose: plan.ForApply, Source: source, Run: "two", Now: time.Now().Add(time.Hour)}))

	t.Run("import", func(t *testing.T) {
		time.Sleep(1100 * time.Millisecond) // files are dated in seconds, and an import of a schedule may be a second old
		again := plan.Order{Purpose: plan.ForImport, Source: source, Now: time.Now()}
		p.quiet(steps(t, c, again))
		p.put("train/shop/interactions/b.csv", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\nu0001,i0001,View,1767225600\n")
		have := p.walk(p.target, steps(t, c, again))
		if got := actions(have); got["datasets.interactions.dataset.import"] != plan.Create || got["datasets.items.dataset.import"] != plan.Keep {
			t.Errorf("after a new file of interactions: %v", have)
		}
		p.quiet(steps(t, c, plan.Order{Purpose: plan.ForImport, Source: source, Now: time.Now().Add(time.Minute)}))
	})
	t.Run("retrain", func(t *testing.T) {
		for _, kind := range []plan.Purpose{plan.ForFull, plan.ForUpdate} {
			time.Sleep(1100 * time.Millisecond)
			run := steps(t, c, plan.Order{Purpose: kind, Solution: "shop-taste", Run: string(kind), Now: time.Now()})
			have := p.walk(p.target, run)
			if r := have["solutions[0].solutionVersion"]; r.Action != plan.Create || r.Took == 0 {
				t.Errorf("%s: %+v", kind, r)
			}
			if r := have["solutions[0].campaigns[0]"]; r.Action != plan.Update || len(r.Diffs) != 1 || r.Diffs[0].Member != "solutionVersionArn" {
				t.Errorf("%s: %+v", kind, r)
			}
			time.Sleep(1100 * time.Millisecond)
			p.quiet(run) // the run's own version is found by its name, however old
		}
		have := p.walk(p.target, steps(t, c, plan.Order{Purpose: plan.ForInference, Solution: "shop-taste", Source: source, Now: time.Now()}))
		if r := have["solutions[0].batchInferenceJobs[0]"]; r.Action != plan.Create || !r.Done {
			t.Errorf("batch: %+v", r)
		}
	})
	t.Run("change", func(t *testing.T) { changes(t, p, c) })
	t.Run("destroy", func(t *testing.T) {
		all := must[[]plan.Step](t)(p.target.DestroySteps(t.Context(), c, false))
		declared := steps(t, c, plan.Order{Purpose: plan.ForDestroy})
		if len(all) < len(declared) {
			t.Errorf("%d steps for everything, %d for what is declared", len(all), len(declared))
		}
		p.walk(p.target, all)
		p.walk(p.target, declared)
		for path, r := range p.walk(p.target, declared) {
			if r.Note != "is not there" {
				t.Errorf("%s is still there: %+v", path, r)
			}
		}
		if _, err := p.target.Look(t.Context(), "shop"); err == nil || !strings.Contains(err.Error(), "no dataset group shop") {
			t.Errorf("after everything is gone: %v", err)
		}
	})
}

// changes alters what is declared: what can be changed is, and nothing else.
func changes(t *testing.T, p *place, c *config.Config) {
	again := func() []plan.Step {
		return steps(t, c, plan.Order{Purpose: plan.ForApply, Source: source, Run: "change"})
	}
	only := func(have map[string]plan.Result, want plan.Action, paths ...string) {
		t.Helper()
		got := actions(have)
		for _, path := range paths {
			if got[path] != want {
				t.Errorf("%s: %+v, want %s", path, have[path], want)
			}
			delete(got, path)
		}
		for path, a := range got {
			if a != plan.Keep && a != plan.Skip {
				t.Errorf("%s: %+v, want no change", path, have[path])
			}
		}
	}
	c.Group.Call = []byte(`{"name":"shop","tags":[{"tagKey":"team","tagValue":"series"}]}`)
	s := &c.Solutions[0]
	s.Campaigns[0].Call = []byte(`{"name":"shop-home","minProvisionedTPS":2,"campaignConfig":{"itemExplorationConfig":{"explorationWeight":"0.4"}}}`)
	s.Call = []byte(strings.Replace(string(s.Call), `"performAutoTraining":false,`, `"performAutoTraining":true,`, 1))
	schema := &c.Datasets.Items.Schema
	schema.Name = "shop-items-wide"
	schema.Call = []byte(strings.NewReplacer(`"shop-items"`, `"shop-items-wide"`, `\"fields\": [`, `\"fields\": [{\"name\": \"BRAND\", \"type\": [\"null\", \"string\"], \"categorical\": true},`).Replace(string(schema.Call)))
	have := p.walk(p.target, again())
	if got := have["datasets.items.schema"]; got.Action != plan.Create {
		t.Errorf("schema: %+v", got)
	}
	have["datasets.items.schema"] = plan.Result{Action: plan.Keep}
	only(have, plan.Update, "datasetGroup", "datasets.items.dataset", "solutions[0]", "solutions[0].campaigns[0]")
	p.quiet(again())

	c.Filters[0].Call = []byte(`{"filterExpression":"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"Purchase\")"}`)
	s.Call = []byte(strings.Replace(string(s.Call), `"32"`, `"64"`, 1))
	_, err := walk(t.Context(), p.target, again())
	if err == nil || !strings.Contains(err.Error(), "filterExpression of the filter shop-seen cannot be changed: give it another name, or say --replace") {
		t.Errorf("a changed filter: %v", err)
	}
	replacing := p.open(plan.Options{Replace: true})
	have = p.walk(replacing, again())
	for _, path := range []string{"solutions[0].solutionVersion", "solutions[0].batchInferenceJobs[0]"} {
		if have[path].Action != plan.Create {
			t.Errorf("%s of the new solution: %+v", path, have[path])
		}
		delete(have, path)
	}
	only(have, plan.Replace, "filters[0]", "solutions[0]", "solutions[0].campaigns[0]")
	if arn := have["solutions[0].campaigns[0]"].ARN; !strings.HasSuffix(arn, "campaign/shop-home-2") {
		t.Errorf("the campaign of the replaced solution is %s", arn)
	}
	p.quiet(again()) // what stands in for it is found without being asked to replace
}

package config

import (
	"strings"
	"testing"
	"time"
)

// TestMeaning reads small configurations that are right, and looks at what follows from them.
func TestMeaning(t *testing.T) {
	const scheduled = `,"workflowConfig":{"schedules":{"full":"cron(0 3 * * ? *)"}}`
	for _, c := range []struct {
		name, text string
		call       string // part of the first solution's call; "!x" is not in it
		warning    string // its path and part of its words; "" for none
	}{
		{"no schedule, no word", solution("", ""), "!performAutoTraining", ""},
		{"a schedule", solution("", scheduled), "!performAutoTraining", ""},
		{"only deleted", solution("", `,"workflowConfig":{"schedules":{"full":"delete"}}`), "!performAutoTraining", ""},
		{"asked for", solution(`,"performAutoTraining":true`, ""), `"performAutoTraining":true`, ""},
		{"refused", solution(`,"performAutoTraining":false`, ""), `"performAutoTraining":false`, ""},
		{"both", solution(`,"performAutoTraining":true`, scheduled), `"performAutoTraining":true`, "solutions[0].serviceConfig.performAutoTraining: the service trains by itself"},
		{"both by its plan", solution(`,"solutionConfig":{"autoTrainingConfig":{"schedulingExpression":"rate(3 days)"}}`, scheduled), "!performAutoTraining", "autoTrainingConfig: the service trains by itself"},
		{"dropped", solution(`,"performAutoML":true`, ""), "!performAutoML", "solutions[0].serviceConfig.performAutoML: it is left out"},
		{"empty values", solution(`,"performHPO":false,"eventType":"","tags":[],"solutionConfig":{}`, ""), `{"name":"a","recipeArn":"arn:aws:personalize:::recipe/aws-user-personalization"}`, ""},
		{"a colon too few", strings.Replace(solution("", ""), ":::", "::", 1), `"recipeArn":"arn:aws:personalize:::recipe/aws-user-personalization"`, "recipeArn: the ARN has a colon too few"},
		{"an odd metric", solution("", `,"workflowConfig":{"promote":{"policy":"if-better","metric":"taste"}}`), "", "promote.metric: \"taste\" is no metric"},
	} {
		got, err := Read([]byte(c.text), "c.json")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		call := string(got.Solutions[0].Call)
		if part, not := strings.CutPrefix(c.call, "!"); strings.Contains(call, part) == not {
			t.Errorf("%s: the call is %s", c.name, call)
		}
		if warned := Problems(got.Warnings).Error(); len(got.Warnings) > 1 || (warned == "") != (c.warning == "") || !strings.Contains(warned, c.warning) {
			t.Errorf("%s: warnings %q", c.name, warned)
		}
	}
}

// TestDefaults of a file that says next to nothing.
func TestDefaults(t *testing.T) {
	c, err := Read([]byte(solution("", `,"campaigns":[{"serviceConfig":{"name":"live"}}],"batchInferenceJobs":[{}],"workflowConfig":{"promote":"if-better"}`)), "c.json")
	if err != nil {
		t.Fatal(err)
	}
	s := c.Solutions[0]
	if c.Group.MaxAge != 365*24*time.Hour || c.Group.Import != (Schedule{}) || c.Datasets != nil || c.Tracker != nil ||
		string(s.Version) != `{"trainingMode":"FULL"}` || string(s.Campaigns[0].Call) != `{"name":"live","minProvisionedTPS":1}` ||
		string(s.Inference[0].Call) != `{}` || s.Inference[0].MaxAge != 0 || s.Inference[0].Path != "solutions[0].batchInferenceJobs[0]" ||
		s.Promote != (Promote{IfBetter, "normalized_discounted_cumulative_gain_at_25", 0, 0.05}) {
		t.Errorf("defaults are %+v", c)
	}
	for range c.Datasets.All() {
		t.Error("a dataset where there is none")
	}
}

// TestAdoptedSchema takes a schema beside its dataset, but never guesses.
func TestAdoptedSchema(t *testing.T) {
	const dataset = `{"dataset":{"serviceConfig":{"name":"i"}}}`
	const beside = `"schema":{"serviceConfig":{"name":"s","schema":{"type":"record","name":"I","fields":[{"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"TIMESTAMP","type":"long"}]}}}`
	c, err := Read([]byte(least(`,"datasets":{"interactions":`+dataset+`,`+beside+`}`)), "c.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 1 || c.Warnings[0].Path != "datasets.schema" || c.Datasets.Interactions.Schema.Name != "s" {
		t.Errorf("schema %+v, warnings %v", c.Datasets.Interactions.Schema, c.Warnings)
	}
	got := told(t, least(`,"datasets":{"interactions":`+dataset+`,"users":`+dataset+`,`+beside+`}`), "c.json")
	for _, want := range []string{"datasets.schema: not allowed here", "datasets.interactions.schema: missing", "datasets.users.schema: missing"} {
		if !strings.Contains(got, want) {
			t.Errorf("no word of %q in %s", want, got)
		}
	}
}

func TestLapsed(t *testing.T) {
	c, err := Read([]byte(solution("", `,"workflowConfig":{"schedules":{"full":"cron(0 3 1 1 ? 2030)","update":"rate(1 day)"}}`)), "c.json")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Lapsed(time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)); len(got) != 0 {
		t.Errorf("before: %v", got)
	}
	got := c.Lapsed(time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC))
	if len(got) != 1 || got[0].Path != "solutions[0].workflowConfig.schedules.full" || got[0].File != "c.json" || got[0].Line != 2 || got[0].Column < 100 {
		t.Errorf("after: %v", got)
	}
}

func TestWith(t *testing.T) {
	got, err := With([]byte(`{"name":"a"}`), map[string]any{"solutionArn": "arn:x", "name": "b"})
	if err != nil || string(got) != `{"name":"b","solutionArn":"arn:x"}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := With([]byte(`[]`), nil); err == nil {
		t.Error("a list is no call")
	}
	if _, err := With(nil, map[string]any{"x": func() {}}); err == nil {
		t.Error("a function has no JSON")
	}
}

// TestNothingIsChanged reads one text twice: no default leaks from one into the other.
func TestNothingIsChanged(t *testing.T) {
	text := sample(t, "full.json")
	before := string(text)
	a, err := Read(text, "full.json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Read(text, "full.json")
	if err != nil || string(text) != before || string(a.Solutions[0].Call) != string(b.Solutions[0].Call) {
		t.Errorf("a second reading differs: %v", err)
	}
}

// FuzzRead gives any bytes to both readers: no panic, and an error always has
// problems with places.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{least(""), solution("", ""), "datasetGroup: {serviceConfig: &a {name: films}}\ntags: [*a]\n", `{"a":"\ud800","a":[1e999,-0.0]}`, "? [a]\n", "{", "---\n...\n", bomb()} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, name := range []string{"c.json", "c.yaml", "c"} {
			c, err := Read(text, name)
			if (c == nil) == (err == nil) {
				t.Fatalf("neither a configuration nor an error: %v", err)
			}
			if err != nil {
				told(t, string(text), name)
			}
		}
	})
}

// TestNoAge: what may not be old at all is not what may be of any age.
func TestNoAge(t *testing.T) {
	c, err := Read([]byte(solution("", `,"batchInferenceJobs":[{"workflowConfig":{"maxAge":"0 days"}}]`)), "c.json")
	if err != nil || c.Solutions[0].Inference[0].MaxAge != 1 {
		t.Errorf("%v, %v", c, err)
	}
}

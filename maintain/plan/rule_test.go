package plan

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/personalize"

	"github.com/attune-io/attune"
)

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCompare: only what is declared counts, to any depth, and nothing is as good as empty.
func TestCompare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ want, have, diff string }{
		{`{}`, `{"a":1}`, ""},
		{`{"a":{"b":"1"}}`, `{"a":{"b":"1","c":"2"},"d":3}`, ""},
		{`{"a":{"b":"1"}}`, `{"a":{"b":"2"}}`, `a.b "1" "2"`},
		{`{"a":{"b":{"c":1}}}`, `{}`, `a.b.c 1 `},
		{`{"a":false,"b":0,"c":"","d":[],"e":{"f":[]}}`, `{}`, ""},
		{`{"a":false}`, `{"a":true}`, `a false true`},
		{`{}`, `{"a":true}`, ""},
		{`{"a":[1,2]}`, `{"a":[2,1]}`, `a [1,2] [2,1]`},
		{`{"a":[{"b":1}]}`, `{"a":[{"b":1,"c":2}]}`, ""},
		{`{"a":[{"b":1}]}`, `{"a":[{"b":1},{"b":1}]}`, `a [{"b":1}] [{"b":1},{"b":1}]`},
		{`{"a":"1"}`, `{"a":1}`, `a "1" 1`},
		{`{"a":{"b":1}}`, `{"a":"b"}`, `a {"b":1} "b"`},
		{`{"a":1e2}`, `{"a":100}`, ""},
		{`{"a":"x < y"}`, `{"a":"y"}`, `a "x < y" "y"`},
	} {
		got := ""
		for _, d := range compare(object(t, c.want), object(t, c.have)) {
			got += d.Member + " " + d.Want + " " + d.Have
		}
		if got != c.diff {
			t.Errorf("%s against %s: %q, want %q", c.want, c.have, got, c.diff)
		}
	}
}

// TestFill: what a call has no member for is not dropped in silence.
func TestFill(t *testing.T) {
	t.Parallel()
	in := new(personalize.CreateSolutionInput)
	if err := fill(in, object(t, `{"name":"a","performHPO":true,"solutionConfig":{"hpoConfig":{"hpoResourceConfig":{"maxNumberOfTrainingJobs":"4"}},
		"trainingDataConfig":{"excludedDatasetColumns":{"Items":["PRICE"]}}},"tags":[{"tagKey":"a","tagValue":""}]}`)); err != nil {
		t.Fatal(err)
	}
	if got := jsonText(map[string]any(shape(in))); got != `{"name":"a","performAutoML":false,"performHPO":true,"solutionConfig":{"hpoConfig":{"hpoResourceConfig":{"maxNumberOfTrainingJobs":"4"}},"trainingDataConfig":{"excludedDatasetColumns":{"Items":["PRICE"]}}},"tags":[{"tagKey":"a","tagValue":""}]}` {
		t.Error(got)
	}
	for _, text := range []string{`{"colour":"red"}`, `{"solutionConfig":{"colour":"red"}}`, `{"name":1}`} {
		if err := fill(new(personalize.CreateSolutionInput), object(t, text)); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestCurrent is the table of when a job makes another needless.
func TestCurrent(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	j := func(name, status string, age time.Duration) job {
		return job{Name: name, Status: status, Made: now.Add(-age - time.Minute), Changed: now.Add(-age)}
	}
	const day = 24 * time.Hour
	for what, c := range map[string]struct {
		jobs   []job
		maxAge time.Duration
		want   string
	}{
		"none":                    {nil, 0, ""},
		"any age":                 {[]job{j("a", active, 900*day)}, 0, "a"},
		"young":                   {[]job{j("a", active, day)}, 2 * day, "a"},
		"old":                     {[]job{j("a", active, 3*day)}, 2 * day, ""},
		"as old as may be":        {[]job{j("a", active, 2*day)}, 2 * day, "a"},
		"the newest":              {[]job{j("a", active, 2*day), j("b", active, day)}, 0, "b"},
		"under way, however old":  {[]job{j("a", "CREATE IN_PROGRESS", 9*day)}, day, "a"},
		"a batch job under way":   {[]job{j("a", "IN PROGRESS", 9*day), j("b", "PENDING", 10*day)}, day, "a"},
		"failed":                  {[]job{j("a", failed, time.Hour)}, day, ""},
		"failed, and one before":  {[]job{j("a", failed, time.Hour), j("b", active, 2*time.Hour)}, day, "b"},
		"this run's, failed":      {[]job{j("own", failed, time.Hour), j("b", active, 2*time.Hour)}, day, "own"},
		"this run's, old":         {[]job{j("own", active, 9*day)}, day, "own"},
		"stopped or being so":     {[]job{j("a", stopped, time.Hour), j("b", "CREATE STOPPING", time.Hour)}, day, ""},
		"going away":              {[]job{j("a", "DELETE IN_PROGRESS", time.Hour)}, day, ""},
		"younger than this clock": {[]job{j("a", active, -time.Hour)}, time.Second, "a"},
	} {
		got := ""
		if found := current(c.jobs, func(j job) bool { return j.Name == "own" }, c.maxAge, now); found != nil {
			got = found.Name
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

// TestRole: the real service is not handed a role that nobody gave.
func TestRole(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]string{"": "", "https://personalize.eu-west-1.amazonaws.com": "", "http://127.0.0.1:8787": "arn:aws-cn:iam::123456789012:role/attune"} {
		target := &Target{Endpoint: endpoint, Partition: partition("cn-north-1"), Account: "123456789012"}
		if got, err := target.role(); got != want || (want == "") != (attune.KindOf(err) == attune.Invalid) {
			t.Errorf("%q: %q, %v", endpoint, got, err)
		}
	}
	for region, want := range map[string]string{"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		if got := partition(region); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
}

// TestNumbered: a name with a number is one that can be.
func TestNumbered(t *testing.T) {
	t.Parallel()
	long := "a123456789b123456789c123456789d123456789e123456789f123456789g12"
	if got := numbered(long, 2); len(got) != maxName || got[maxName-2:] != "-2" || !standsFor(got, long) {
		t.Error(got)
	}
	if standsFor("films-10", "films") || standsFor("films", "films") || !standsFor("films-9", "films") {
		t.Error("names that stand for another")
	}
}

package apply_test

import (
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/api/call"
	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/double"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/maintain/plan"
)

// TestElsewhere maintains another node, which it knows by URL and keys only.
func TestElsewhere(t *testing.T) {
	other := newHouse(t)
	t.Setenv("ATTUNE_MAINTAIN_ACCESS_KEY_ID", other.node.Key.ID)
	t.Setenv("ATTUNE_MAINTAIN_SECRET_ACCESS_KEY", other.node.Key.Secret)
	h := newHouse(t, "--maintain-endpoint", other.node.URL)
	mine := h.place
	h.place = other.place
	h.shop(2)
	if at := ask[verb.DescribeMaintainedOutput](h, "DescribeMaintained", struct{}{}); at.Itself || at.Endpoint != other.node.URL {
		t.Errorf("it maintains %+v", at)
	}
	h.succeeded(h.apply(declared(h, nil)).ID)
	if have := h.census(); !maps.Equal(have, whole()) {
		t.Errorf("there is %v, want %v", have, whole())
	}
	h.place = mine
	if have := h.census(); len(have) > 0 {
		t.Errorf("the node that maintains has %v", have)
	}
}

// TestFaults applies to a node that throttles, fails, cuts connections and is
// slow. The run waits it out, and makes everything once.
func TestFaults(t *testing.T) {
	h := newHouse(t, "--mode=strict", "--rate=control=0")
	h.shop(3)
	if err := call.Send(t.Context(), h.node.AWS(), "SetFaults", double.Script{Seed: 11, Rules: []double.Rule{
		{Operation: "CreateSchema", Next: 5, Throttle: true},
		{Operation: "CreateDatasetGroup", Next: 5, Error: &double.Exception{Name: "InternalFailure", Status: 500}},
		{Operation: "CreateDataset", Times: 2, Drop: true},
		{Operation: "Create*", Probability: 0.2, Drop: true},
		{Operation: "Describe*", Probability: 0.2, Throttle: true},
		{Operation: "List*", Probability: 0.2, Error: &double.Exception{Name: "ServiceUnavailable", Status: 503}},
		{Operation: "*", Probability: 0.1, LatencyMS: 200},
	}}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	r := h.succeeded(h.apply(declared(h, nil)).ID)
	if have := h.census(); !maps.Equal(have, whole()) {
		t.Errorf("there is %v, want %v", have, whole())
	}
	looks := 0
	for _, s := range r.Steps {
		looks += s.Attempts
	}
	t.Logf("took %s and %d looks", r.Ended.Sub(r.Started), looks)
}

// TestKills kills the node in the middle of an apply, three times. The run ends
// as if nothing had happened.
func TestKills(t *testing.T) {
	h := newHouse(t)
	h.shop(4)
	r := h.apply(declared(h, nil))
	chance := rand.New(rand.NewPCG(4, 4))
	fell := 0
	for range 3 {
		time.Sleep(time.Duration(chance.IntN(900)) * time.Millisecond)
		if ask[verb.RunOutput](h, "DescribeRun", verb.RunInput{Run: r.ID}).Run.Status == maintain.Running {
			fell++
		}
		h.node.Kill()
		h.start()
		h.place = h.node.AWS()
	}
	began := time.Now()
	h.succeeded(r.ID)
	t.Logf("%d of 3 kills fell into the run; it ended %s after the last start", fell, time.Since(began).Round(time.Millisecond))
	if have := h.census(); !maps.Equal(have, whole()) {
		t.Errorf("there is %v, want %v", have, whole())
	}
	if fell == 0 {
		t.Error("no kill fell into the run")
	}
}

// TestRefresh follows the data of a day from its import to its campaign, once.
func TestRefresh(t *testing.T) {
	h := newHouse(t)
	h.shop(5)
	h.succeeded(h.apply(declared(h, nil)).ID)
	time.Sleep(1100 * time.Millisecond) // objects are dated in whole seconds
	h.shop(6)
	refresh := verb.StartRunInput{Configuration: "shop", Purpose: plan.ForRefresh, BaseDate: "20260301"}
	first := ask[verb.RunOutput](h, "StartRun", refresh).Run
	again := ask[verb.RunOutput](h, "StartRun", refresh).Run
	r := h.succeeded(first.ID)
	if last := ask[verb.RunOutput](h, "StartRun", refresh).Run; again.ID != first.ID || last.ID != first.ID {
		t.Errorf("one date has the runs %s, %s and %s", first.ID, again.ID, last.ID)
	}
	rows := ask[verb.ListRefreshesOutput](h, "ListRefreshes", verb.ListRefreshesInput{Campaign: "home"}).Refreshes
	if len(rows) != 1 {
		t.Fatalf("refreshes: %+v", rows)
	}
	row := rows[0]
	if row.BaseDate != 20260301 || row.ImportStatus != "ACTIVE" || row.VersionStatus != "ACTIVE" || row.CampaignStatus != "ACTIVE" ||
		row.Solution != "taste" || row.VersionArn != arnOf(r, plan.Version) || row.CampaignArn != arnOf(r, plan.Campaign) ||
		row.ImportAt.After(row.VersionAt) || row.VersionAt.After(row.CampaignAt) {
		t.Errorf("%+v", row)
	}
	if want := "arn:aws:personalize:us-east-1:000000000000:dataset-import-job/dataset_import_interactions_20260301"; row.ImportArn != want {
		t.Errorf("the import is %s, want %s", row.ImportArn, want)
	}
	h.deployments(row.VersionArn, h.firstVersion(row.VersionArn))
}

// firstVersion is the campaign's version before the one given.
func (h *house) firstVersion(not string) string {
	h.Helper()
	for _, d := range ask[verb.ListDeploymentsOutput](h, "ListDeployments", verb.CampaignInput{Campaign: "home"}).Deployments {
		if d.Version != not {
			return d.Version
		}
	}
	return ""
}

// TestSchedules lets the hour of imports come, twice: with a newer file, and
// without one.
func TestSchedules(t *testing.T) {
	h := newHouse(t, "--mode=strict", "--rate=control=0")
	h.shop(7)
	text := declared(h, func(root object) {
		root["datasetGroup"].(object)["workflowConfig"] = object{"schedules": object{"import": "cron(0 * * * ? *)"}}
		root["solutions"].([]object)[0]["workflowConfig"] = object{"schedules": object{"full": "cron(0 3 ? * SUN *)"}}
	})
	h.succeeded(h.apply(text).ID)
	names := ask[verb.ListSchedulesOutput](h, "ListSchedules", struct{}{})
	if len(names.Tasks) != 2 {
		t.Fatalf("tasks: %+v", names)
	}
	time.Sleep(1100 * time.Millisecond)
	h.shop(8)
	for hour, imports := range []int{4, 4} { // both files are newer, and then none is
		h.advance(time.Hour)
		var r maintain.Run
		h.eventually("the import of the hour", func() bool {
			n := 0
			for _, x := range ask[verb.ListRunsOutput](h, "ListRuns", maintain.RunsQuery{}).Runs {
				if x.Purpose == plan.ForImport {
					if n++; n == 1 {
						r = x
					}
				}
			}
			return n == hour+1
		})
		h.succeeded(r.ID)
		if r.Cause.Kind != maintain.BySchedule {
			t.Errorf("caused by %+v", r.Cause)
		}
		if n := h.census()["imports"]; n != imports {
			t.Errorf("in hour %d there are %d imports, want %d", hour, n, imports)
		}
	}
	h.succeeded(ask[verb.RunOutput](h, "DestroyConfiguration", verb.DestroyConfigurationInput{Configuration: "shop"}).Run.ID)
	if names = ask[verb.ListSchedulesOutput](h, "ListSchedules", struct{}{}); len(names.Tasks) != 0 {
		t.Errorf("tasks: %+v", names)
	}
}

func (h *house) advance(by time.Duration) {
	h.Helper()
	ask[verb.DescribeClockOutput](h, "AdvanceClock", verb.AdvanceClockInput{Seconds: by.Seconds()})
}

func (h *house) eventually(what string, ok func() bool) {
	h.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatalf("not in time: %s", what)
		}
	}
}

// TestRefused: what cannot be a configuration is refused with all that is wrong,
// and leaves nothing.
func TestRefused(t *testing.T) {
	h := newHouse(t)
	for what, x := range map[string]struct {
		text string
		says []string
	}{
		"not JSON":       {"{", []string{"config.json"}},
		"two mistakes":   {`{"datasetGroup": {"serviceConfig": {"name": "shop", "colour": "red"}}, "filter": []}`, []string{"colour", "filter"}},
		"more than 1 MB": {`{"datasetGroup": {"serviceConfig": {"name": "shop"}}}` + strings.Repeat(" ", 1<<20), []string{"1048576"}},
		"more than 4 MB": {strings.Repeat(" ", 5<<20), []string{"larger than"}},
	} {
		why := h.refused("ApplyConfiguration", verb.ApplyConfigurationInput{Text: x.text, File: "config.json"})
		for _, word := range x.says {
			if !strings.Contains(why, word) {
				t.Errorf("%s: %q does not say %q", what, why, word)
			}
		}
	}
	if runs := ask[verb.ListRunsOutput](h, "ListRuns", maintain.RunsQuery{}).Runs; len(runs) != 0 {
		t.Errorf("runs: %+v", runs)
	}
	if list := ask[verb.ListConfigurationsOutput](h, "ListConfigurations", verb.ListConfigurationsInput{}).Configurations; len(list) != 0 {
		t.Errorf("configurations: %+v", list)
	}
}

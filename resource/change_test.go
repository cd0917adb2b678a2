package resource_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/resource"
)

// TestMoves tries every pair of statuses on every kind against a table written
// down from the service's documentation.
func TestMoves(t *testing.T) {
	const usual = "CP>CI CP>CF CI>A CI>CF A>DP CF>DP DP>DI"
	legal := map[resource.Kind]string{
		resource.DatasetGroup: "CP>CI CP>CF CI>A CI>CF A>DP CF>DP", resource.Schema: "",
		resource.Dataset: usual, resource.ImportJob: "CP>CI CP>CF CI>A CI>CF", resource.EventTracker: usual,
		resource.Solution: usual, resource.SolutionVersion: "CP>CI CP>CF CI>A CI>CF CP>CX CI>CS CS>CX",
		resource.Campaign: usual + " CF>A", resource.Filter: usual,
	}
	short := map[string]resource.Status{
		"CP": resource.CreatePending, "CI": resource.CreateInProgress, "A": resource.Active, "CF": resource.CreateFailed,
		"CS": resource.CreateStopping, "CX": resource.CreateStopped, "DP": resource.DeletePending, "DI": resource.DeleteInProgress,
	}
	s := openSQLite(t)
	g := resource.New(s, names, newClock().Now, nil)
	for kind, table := range legal {
		for from, fs := range short {
			for to, ts := range short {
				r := &resource.Resource{ID: string(kind) + from + to, Kind: kind, Name: from + to, Status: fs, Body: []byte("{}"),
					ARN: attune.ARN("arn:" + string(kind) + from + to)}
				if err := s.Create(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				want := from == to || strings.Contains(" "+table+" ", " "+from+">"+to+" ")
				_, err := g.Change(t.Context(), r.ARN, func(r *resource.Resource) error { r.Status = ts; return nil })
				if (err == nil) != want || err != nil && attune.KindOf(err) != attune.InUse {
					t.Errorf("%s %s > %s: %v, want it allowed: %v", kind, fs, ts, err, want)
				}
			}
		}
	}
}

func TestChange(t *testing.T) {
	h := newHouse(t)
	group := h.group("g")
	before, changes := mustGet(h, group), h.changes
	h.must(h.Change(t.Context(), attune.ARN(group), func(*resource.Resource) error { return nil }))
	if now := mustGet(h, group); now.Version != before.Version || h.changes != changes {
		t.Errorf("a change of nothing made version %d and told %d", now.Version, h.changes-changes)
	}
	own := errors.New("no")
	if _, err := h.Change(t.Context(), attune.ARN(group), func(*resource.Resource) error { return own }); !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
	// Somebody else changes the row between reading and writing: f runs again on the new row.
	runs := 0
	r, err := h.Change(t.Context(), attune.ARN(group), func(r *resource.Resource) error {
		if runs++; runs == 1 {
			other := *r
			other.Status = resource.CreateInProgress
			h.ok(h.store.Update(t.Context(), &other))
		}
		r.Name, r.Group = "stolen", "stolen"
		r.Status = resource.CreateFailed
		return nil
	})
	if err != nil || runs != 2 || r.Status != resource.CreateFailed || r.Name != "g" || r.Group != before.Group {
		t.Errorf("after %d runs: %+v, %v", runs, r, err)
	}
	if h.changes != changes+1 {
		t.Errorf("told %d times", h.changes-changes)
	}
	_, err = h.Change(t.Context(), "arn:aws:personalize:us-east-1:000000000000:campaign/none", func(*resource.Resource) error { return nil })
	h.refused(err, attune.NotFound, "campaign")
}

func TestFailAndRemove(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group := h.group("g")
	r := mustGet(h, group)
	h.ok(h.Registry.Fail(ctx, r.ARN, "another-id", "why"))
	if h.status(group) != resource.CreatePending {
		t.Error("the row of another id failed")
	}
	h.ok(h.Registry.Fail(ctx, r.ARN, r.ID, strings.Repeat("because ", 1000)))
	if b := body[resource.DatasetGroupBody](h, group); h.status(group) != resource.CreateFailed || !strings.HasPrefix(b.FailureReason, "because") || len(b.FailureReason) > 2100 {
		t.Errorf("%s: %.40s", h.status(group), b.FailureReason)
	}
	h.ok(h.Registry.Fail(ctx, r.ARN, r.ID, "again"))
	h.ok(h.Registry.Fail(ctx, r.ARN+"x", r.ID, "gone"))

	h.refused(h.Remove(ctx, r.ARN, r.ID), attune.InUse, "nobody asked")
	h.ok(h.DeleteDatasetGroup(ctx, group))
	h.ok(h.Remove(ctx, r.ARN, "another-id"))
	h.status(group)
	h.ok(h.Remove(ctx, r.ARN, r.ID))
	h.ok(h.Remove(ctx, r.ARN, r.ID))
	if _, err := h.Get(ctx, r.ARN); attune.KindOf(err) != attune.NotFound {
		t.Errorf("still there: %v", err)
	}
}

func TestDeploy(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, _ := h.stocked("films")
	solution, v1 := h.trained("s", group)
	v2 := h.active(h.version(solution))
	_, foreign := h.trained("other", group)
	config := json.RawMessage(`{"itemExplorationConfig":{"explorationWeight":"0.3"}}`)
	arn := h.must(h.CreateCampaign(ctx, "c", resource.CampaignBody{SolutionVersionArn: v1, CampaignConfig: config}))
	c := mustGet(h, arn)
	begin := func(want string) {
		t.Helper()
		if _, v, err := h.BeginDeploy(ctx, c.ARN, c.ID); err != nil || string(v) != want {
			t.Fatalf("deploy %q, %v; want %q", v, err, want)
		}
	}
	begin(v1)
	begin(v1) // after a crash
	h.ok(h.FailDeploy(ctx, c.ARN, c.ID, "no memory"))
	b := body[resource.CampaignBody](h, arn)
	if h.status(arn) != resource.CreateFailed || b.FailureReason != "no memory" || b.MinProvisionedTPS != 1 || b.LatestUpdate != nil {
		t.Fatalf("%s %+v", h.status(arn), b)
	}
	begin("")

	// An update mends it.
	h.ok(h.UpdateCampaign(ctx, arn, resource.CampaignChange{}))
	begin(v1)
	h.ok(h.FinishDeploy(ctx, c.ARN, c.ID, attune.ARN(v1)))
	b = body[resource.CampaignBody](h, arn)
	if h.status(arn) != resource.Active || b.FailureReason != "" || b.LatestUpdate.Status != resource.Active {
		t.Fatalf("%s %+v", h.status(arn), b)
	}

	// The old values are shown until the update is ACTIVE.
	was := mustGet(h, arn)
	h.refused(h.UpdateCampaign(ctx, arn, resource.CampaignChange{SolutionVersionArn: foreign}), attune.Invalid, "stays with its solution")
	h.refused(h.UpdateCampaign(ctx, arn, resource.CampaignChange{SolutionVersionArn: h.version(solution)}), attune.InUse, "wait until it is ACTIVE")
	h.ok(h.UpdateCampaign(ctx, arn, resource.CampaignChange{SolutionVersionArn: v2, MinProvisionedTPS: 5, CampaignConfig: json.RawMessage(`{}`)}))
	for range 2 {
		b = body[resource.CampaignBody](h, arn)
		if h.status(arn) != resource.Active || b.SolutionVersionArn != v1 || b.MinProvisionedTPS != 1 || string(b.CampaignConfig) != string(config) {
			t.Fatalf("during the update: %+v", b)
		}
		if u := b.LatestUpdate; u.SolutionVersionArn != v2 || u.MinProvisionedTPS != 5 || string(u.CampaignConfig) != `{}` || !u.Created.After(was.Updated) {
			t.Fatalf("the update: %+v", u)
		}
		if busy, err := h.Busy(ctx); err != nil || !has(busy, arn) {
			t.Fatalf("busy are %v, %v", busy, err)
		}
		h.refused(h.UpdateCampaign(ctx, arn, resource.CampaignChange{}), attune.InUse, "being updated")
		h.refused(h.DeleteCampaign(ctx, arn), attune.InUse, "being updated")
		begin(v2)
	}
	h.ok(h.FinishDeploy(ctx, c.ARN, c.ID, attune.ARN(v1))) // not what was asked for
	h.ok(h.FinishDeploy(ctx, c.ARN, "another-id", attune.ARN(v2)))
	if b = body[resource.CampaignBody](h, arn); b.SolutionVersionArn != v1 {
		t.Fatalf("%+v", b)
	}
	h.ok(h.FinishDeploy(ctx, c.ARN, c.ID, attune.ARN(v2)))
	b = body[resource.CampaignBody](h, arn)
	if b.SolutionVersionArn != v2 || b.MinProvisionedTPS != 5 || string(b.CampaignConfig) != `{}` || b.LatestUpdate.Status != resource.Active || !mustGet(h, arn).Updated.After(was.Updated) {
		t.Fatalf("after the update: %+v", b)
	}

	// A failed update leaves what was there.
	h.ok(h.UpdateCampaign(ctx, arn, resource.CampaignChange{SolutionVersionArn: v1}))
	begin(v1)
	h.ok(h.FailDeploy(ctx, c.ARN, c.ID, "broken model"))
	b = body[resource.CampaignBody](h, arn)
	if h.status(arn) != resource.Active || b.SolutionVersionArn != v2 || b.FailureReason != "" || b.LatestUpdate.FailureReason != "broken model" || b.LatestUpdate.Status != resource.CreateFailed {
		t.Fatalf("after a failed update: %+v", b)
	}
	begin("")
	h.ok(h.DeleteCampaign(ctx, arn))
	begin("")
	h.erase(arn)
	if r, v, err := h.BeginDeploy(ctx, c.ARN, c.ID); r != nil || v != "" || err != nil {
		t.Errorf("deploying what is gone: %v %s %v", r, v, err)
	}
}

func has(rows []resource.Resource, arn string) bool {
	for i := range rows {
		if string(rows[i].ARN) == arn {
			return true
		}
	}
	return false
}

func TestRefusedCampaigns(t *testing.T) {
	h := newHouse(t)
	group, _ := h.stocked("films")
	_, user := h.trained("s", group)
	sims := h.active(h.version(h.active(h.solution("sims", group, simsRecipe))))
	for _, c := range []struct{ version, config, words string }{
		{user, `{"syncWithLatestSolutionVersion":true}`, "followed by /$LATEST"},
		{user, `{"rankingInfluence":{"POPULARITY":0.5}}`, "rankingInfluence is for aws-semantic-similarity"},
		{user, `{"itemExplorationConfig":{"explorationWeight":"2"}}`, "from 0 to 1"},
		{user, `{"itemExplorationConfig":{"weight":"0.2"}}`, "takes explorationWeight"},
		{sims, `{"itemExplorationConfig":{"explorationWeight":"0.2"}}`, "aws-user-personalization"},
	} {
		b := resource.CampaignBody{SolutionVersionArn: c.version, CampaignConfig: json.RawMessage(c.config)}
		h.refused(not(h.CreateCampaign(t.Context(), "c", b)), attune.Invalid, c.words)
	}
}

func TestIntake(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group := h.active(h.group("films"))
	tracker := h.must(h.CreateEventTracker(ctx, "t", resource.EventTrackerBody{DatasetGroupArn: group}))
	id := body[resource.EventTrackerBody](h, tracker).TrackingID
	by := func() error { _, err := h.ByTracker(ctx, id); return err }
	h.refused(by(), attune.InUse, "CREATE PENDING")
	h.active(tracker)
	h.refused(by(), attune.Invalid, "Interactions dataset")
	set := h.dataset(group, "Interactions", h.schema("i", interactionsAvro))
	h.refused(by(), attune.Invalid, "Interactions dataset")
	_, err := h.ByDataset(ctx, attune.ARN(set), schema.Interactions)
	h.refused(err, attune.InUse, "CREATE PENDING")
	h.active(set)
	in, err := h.ByTracker(ctx, id)
	if err != nil || in.Group != mustGet(h, group).ID || in.Schema(schema.Interactions) == nil || in.Schema(schema.Items) != nil {
		t.Fatalf("%+v, %v", in, err)
	}
	_, err = h.ByDataset(ctx, attune.ARN(set), schema.Items)
	h.refused(err, attune.Invalid, "ITEMS")
	_, err = h.ByDataset(ctx, attune.ARN(set+"X"), schema.Items)
	h.refused(err, attune.NotFound, "dataset")
	_, err = h.ByTracker(ctx, "no-such-tracker")
	h.refused(err, attune.Invalid, "no-such-tracker")
	h.ok(h.DeleteEventTracker(ctx, tracker))
	h.refused(by(), attune.InUse, "DELETE PENDING")
}

func BenchmarkByTracker(b *testing.B) {
	h := newHouse(b)
	group, _ := h.stocked("films")
	tracker := h.active(h.must(h.CreateEventTracker(b.Context(), "t", resource.EventTrackerBody{DatasetGroupArn: group})))
	id := body[resource.EventTrackerBody](h, tracker).TrackingID
	for b.Loop() {
		if _, err := h.ByTracker(b.Context(), id); err != nil {
			b.Fatal(err)
		}
	}
}

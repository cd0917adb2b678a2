package notify_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/notify"
	"github.com/attune-io/attune/resource"
)

// TestStates: every change of state is told, in the words of AWS's solution.
func TestStates(t *testing.T) {
	h := newHouse(t)
	h.run()
	r := h.campaign("films")
	h.become(r, resource.CreateInProgress, time.Second)
	h.become(r, resource.Active, 61*time.Second)
	r.Body = []byte(`{"latestCampaignUpdate":{"status":"CREATE PENDING","creationDateTime":"2026-03-02T00:00:00Z","lastUpdatedDateTime":"2026-03-02T00:00:00Z"}}`)
	h.become(r, resource.Active, 0)
	r.Body = []byte(`{"latestCampaignUpdate":{"status":"ACTIVE","creationDateTime":"2026-03-02T00:00:00Z","lastUpdatedDateTime":"2026-03-02T00:00:07Z"}}`)
	h.become(r, resource.Active, 0)
	h.become(r, resource.DeletePending, time.Second)
	if err := h.store.Delete(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	h.desk.Kick()
	var got []string
	for _, e := range h.told(0, 7) {
		if e.Version != "0" || e.ID == "" || e.Source != "solutions.aws.personalize" || e.DetailType != "Personalize Campaign State Change" ||
			e.Account != "000000000000" || e.Region != "us-east-1" || len(e.Resources) != 1 || e.Resources[0] != string(r.ARN) || e.Time.Nanosecond() != 0 {
			t.Errorf("the envelope is %s", text(t, e))
		}
		got = append(got, strings.ReplaceAll(string(e.Detail), `"Arn":"`+string(r.ARN)+`",`, ""))
	}
	want := []string{
		`{"Status":"CREATING","State":"CREATE PENDING"}`,
		`{"Status":"CREATING","State":"CREATE IN_PROGRESS"}`,
		`{"Status":"ACTIVE","State":"ACTIVE","Duration":62}`,
		`{"Status":"UPDATING","State":"CREATE PENDING","Update":true}`,
		`{"Status":"ACTIVE","State":"ACTIVE","Duration":7,"Update":true}`,
		`{"Status":"DELETING","State":"DELETE PENDING"}`,
		`{"Status":"DELETED"}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// crashing is an outbox whose relay dies after it has published, before it marks.
type crashing struct{ *resource.SQL }

func (c crashing) Drain(ctx context.Context, now func() time.Time, publish func(context.Context, []resource.Change) error) (int, error) {
	return c.SQL.Drain(ctx, now, func(ctx context.Context, all []resource.Change) error {
		return errors.Join(publish(ctx, all), errors.New("killed"))
	})
}

// TestRelayKilled: what was published but not marked is published again after a
// restart, with the same id, and the bus has it once.
func TestRelayKilled(t *testing.T) {
	h := newHouse(t)
	h.deps.Outbox = crashing{h.store}
	h.desk = must[*notify.Desk](t)(notify.Open(t.Context(), h.deps, nil))
	h.run()
	h.campaign("one")
	h.desk.Kick()
	first := h.told(0, 1)[0]
	h.restart()
	h.run()
	h.campaign("two")
	h.desk.Kick()
	all := h.told(0, 2)
	if len(all) != 2 || all[0].ID != first.ID || all[1].ID == first.ID || !strings.Contains(string(all[1].Detail), "campaign/two") {
		t.Errorf("the bus has %s", text(t, all))
	}
}

func TestDetailTypes(t *testing.T) {
	for k, want := range map[resource.Kind]string{
		resource.DatasetGroup: "Personalize Dataset Group State Change", resource.Schema: "Personalize Schema State Change",
		resource.ImportJob: "Personalize Dataset Import Job State Change", resource.SolutionVersion: "Personalize Solution Version State Change",
		resource.BatchSegmentJob: "Personalize Batch Segment Job State Change", resource.EventTracker: "Personalize Event Tracker State Change",
	} {
		if got := notify.DetailTypeOf(k); got != want {
			t.Errorf("%s: %s", k, got)
		}
	}
}

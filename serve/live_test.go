package serve

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/engine/bucket"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/profile"
)

// TestAnswersFollowTheLog runs a real log and a real profile: what is appended
// changes the next answers, filters and metadata.
func TestAnswersFollowTheLog(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	engine, err := nats.Open(t.Context(), "", t.TempDir(), quiet, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	}()
	log, err := event.Open(t.Context(), engine.Client(), attune.WallClock, quiet, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := bucket.Open(t.Context(), "", t.TempDir(), quiet, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := files.Close(); err != nil {
			t.Error(err)
		}
	}()
	store := artifact.New(files.Client(), files.Dir(), "")
	keeper := profile.New(log, store, store, attune.WallClock, quiet, nil, nil)
	const group event.Group = "0123456789abcdef"
	if err := log.Create(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	keeper.Watch(group)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- keeper.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()

	server := New(keeper.View, quiet, nil, nil)
	m, scorer := testModel("softmax", model.SeenLeftOut)
	if err := server.Load(Release{Campaign: campaign, Group: group, Kind: User, Model: m, Scorer: scorer}); err != nil {
		t.Fatal(err)
	}
	tell := func(bodies ...event.Body) {
		t.Helper()
		seq, err := log.Append(t.Context(), group, bodies...)
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); ; {
			if v, ok := keeper.View(group); ok && !v.Seq().Less(seq) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the profile did not come to %s", seq)
			}
			time.Sleep(time.Millisecond)
		}
	}
	answer := func(q Request, want ...string) *Answer {
		t.Helper()
		q.Campaign, q.User = campaign, "u"
		a, err := server.Recommend(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(ids(a), want) {
			t.Errorf("got %v, want %v", ids(a), want)
		}
		return a
	}
	view := func(item string) event.Body {
		return &event.Interaction{User: "u", Session: "s", Item: item, Type: "View", At: time.Unix(1_767_225_600, 0).UTC(), Value: math.NaN()}
	}
	tell(&event.Item{ID: "b1", Properties: `{"genres": "x|y", "price": 3}`}, &event.Item{ID: "a2", Properties: `{"genres": "x"}`})
	answer(Request{N: 3}, "a0", "b0", "a1")
	tell(view("b0"), view("new"))
	answer(Request{N: 3}, "b1", "b2", "a1")
	a := answer(Request{Filter: parse(t, `INCLUDE ItemID WHERE Items.GENRES IN ("x")`), MetadataColumns: []string{"GENRES", "PRICE"}}, "b1", "a2")
	if got := a.Items[0].Metadata; got["GENRES"] != "x|y" || got["PRICE"] != "3" {
		t.Errorf("metadata %v", got)
	}
	tell(view("b1"))
	answer(Request{Filter: parse(t, `INCLUDE ItemID WHERE Items.GENRES IN ("x")`)}, "a2")
}

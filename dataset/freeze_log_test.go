package dataset_test

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/event"
)

// TestFreezeLog freezes a real log with an import in it, twice: as of its end, and as of a place before.
func TestFreezeLog(t *testing.T) {
	ctx, quiet := t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil))
	e, err := nats.Open(ctx, "", t.TempDir(), quiet, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	log, err := event.Open(ctx, e.Client(), attune.WallClock, quiet, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	const group event.Group = "00c0ffee00c0ffee"
	if err := log.Create(ctx, group); err != nil {
		t.Fatal(err)
	}
	bucket := memblob.OpenBucket(nil)
	t.Cleanup(func() { _ = bucket.Close() })
	store := artifact.New(bucket, "", "")
	if _, err := store.Put(ctx, "up/rows.csv", []byte("USER_ID,ITEM_ID,TIMESTAMP\nu1,i1,1767225600\nu2,i2,1767225601\n")); err != nil {
		t.Fatal(err)
	}
	rep, err := dataset.Import(ctx, store, store, dataset.ImportSpec{Type: schema.Interactions, Location: "up", Table: "table/d/i-1",
		Schema: &schema.Schema{Name: "Interactions", Fields: []schema.Field{{Name: "USER_ID", Kind: schema.String},
			{Name: "ITEM_ID", Kind: schema.String}, {Name: "TIMESTAMP", Kind: schema.Long}}}})
	if err != nil {
		t.Fatal(err)
	}
	var before event.Seq
	for i := range 3 {
		before, err = log.Append(ctx, group, &event.Interaction{EventID: fmt.Sprint(i), User: "u3", Session: "s", Item: fmt.Sprintf("i%d", i),
			Type: "Watch", At: time.Unix(1767225602+int64(i), 0), Value: math.NaN()}, &event.Item{ID: "i1", Properties: `{"genres":"a|b"}`})
		if err != nil {
			t.Fatal(err)
		}
	}
	end, err := log.Append(ctx, group, &event.Imported{Dataset: "INTERACTIONS", Table: rep.Table, Mode: event.Full, Rows: rep.Rows, Job: "j"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		upTo event.Seq
		want string
	}{
		{end, "snapshot 3 users × 3 items × 5 events, as of 2026-03-01"},
		{before, "snapshot 1 users × 3 items × 3 events, as of 2026-03-01"},
	} {
		info, err := dataset.Freeze(ctx, log, store, dataset.FreezeSpec{Group: group, UpTo: c.upTo, AsOf: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		snap, err := dataset.Open(ctx, store, info.Name)
		if err != nil || snap.String() != c.want || info.UpTo != c.upTo {
			t.Errorf("%v %+v %v", snap, info, err)
		}
		if n, ok := snap.Items.Row("i1"); !ok || snap.ItemAttributes.Row(n)["GENRES"] != "a|b" {
			t.Errorf("attributes %v", snap.ItemAttributes)
		}
	}
}

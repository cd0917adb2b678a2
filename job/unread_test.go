package job

import (
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/engine/bucket"
)

// newObjects gives an empty store of objects.
func newObjects(t *testing.T) *artifact.Store {
	t.Helper()
	b, err := bucket.Open(t.Context(), "", t.TempDir(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return artifact.New(b.Client(), b.Dir(), "s3/")
}

// TestFilterOutputsUnread: a file that no job wrote is left as it is and named,
// and the others are filtered; a file that fails to be read is an error.
func TestFilterOutputsUnread(t *testing.T) {
	e := (&deletionPlan{Users: []string{"x"}}).erasure()
	objects := newObjects(t)
	d := &deletion{Manager: &Manager{Deps: Deps{Objects: objects}}, report: func(Progress) {}}
	files := []struct{ name, in, want, reason string }{
		{"b/stray.csv", "USER_ID\nx\na \"stray\n", "USER_ID\nx\na \"stray\n", "CSV"},
		{"b/open.csv", "USER_ID\nx\n\"" + strings.Repeat("secret\n", maxOutputRow/7+1000), "", "too long"},
		{"b/good.csv", "USER_ID\nx\ny\n", "USER_ID\ny\n", ""},
	}
	var names []string
	for _, f := range files {
		names = append(names, f.name)
		if _, err := objects.Put(t.Context(), f.name, []byte(f.in)); err != nil {
			t.Fatal(err)
		}
	}
	looked, err := d.eraseOutputs(t.Context(), append(names, "b/gone.csv"), e)
	if err != nil {
		t.Fatal(err)
	}
	// As the steps hand it on.
	text, err := json.Marshal(looked)
	if err != nil {
		t.Fatal(err)
	}
	var read []lookedAt
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	var r Receipt
	r.tell(read)
	if len(r.Outputs) != 1 || r.Outputs[0] != (Rewritten{Name: "b/good.csv", Rows: 2, Erased: 1}) || len(r.Unread) != 2 {
		t.Fatalf("outputs %+v, unread %+v", r.Outputs, r.Unread)
	}
	for i, f := range files {
		if i < 2 && (r.Unread[i].Name != f.name || !strings.Contains(r.Unread[i].Reason, f.reason) || strings.Contains(r.Unread[i].Reason, "secret")) {
			t.Errorf("%s: unread %+v", f.name, r.Unread[i])
		}
		want := f.want
		if want == "" {
			want = f.in
		}
		if got, err := objects.Get(t.Context(), f.name, 64<<20); err != nil || string(got) != want {
			t.Errorf("%s has %d bytes, want %d: %v", f.name, len(got), len(want), err)
		}
	}
	if why := unreadable(io.ErrUnexpectedEOF); why != "" {
		t.Errorf("a failing disk is taken for a file of somebody else: %s", why)
	}
}

// TestBatchPieces: more pieces than a plan holds are refused while they are cut.
func TestBatchPieces(t *testing.T) {
	for _, c := range []struct {
		lines int
		ok    bool
	}{{mostPieces, true}, {mostPieces + 1, false}} {
		m := &Manager{Deps: Deps{Objects: newObjects(t)}}
		text := strings.Repeat("1\n", c.lines)
		if _, err := m.Objects.Put(t.Context(), "b/in", []byte(text)); err != nil {
			t.Fatal(err)
		}
		plan := &batchPlan{Files: []batchFile{{Name: "b/in", Size: int64(len(text))}}}
		n, err := m.cut(t.Context(), plan, 0, pieceBytes, 1)
		if c.ok && (err != nil || n != int64(c.lines) || len(plan.Pieces) != c.lines) {
			t.Errorf("%d lines: %d in %d pieces, %v", c.lines, n, len(plan.Pieces), err)
		}
		if !c.ok && (attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), "several jobs")) {
			t.Errorf("%d lines: %v", c.lines, err)
		}
	}
}

// TestBatchPlanSize: a plan that could not be read is not written.
func TestBatchPlanSize(t *testing.T) {
	store, p := newObjects(t), Planned{Plan: "batch/j"}
	plan := &batchPlan{Files: []batchFile{{Name: strings.Repeat("n", maxPlan-1000)}}}
	if err := putPlan(t.Context(), store, p, plan); err != nil {
		t.Fatal(err)
	}
	if read, err := getPlan(t.Context(), store, p); err != nil || len(read.Files) != 1 {
		t.Fatal(err)
	}
	plan.Files[0].Output = strings.Repeat("o", 1000)
	if err := putPlan(t.Context(), store, p, plan); attune.KindOf(err) != attune.Invalid {
		t.Errorf("a plan larger than maxPlan: %v", err)
	}
}

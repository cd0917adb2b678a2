package job

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/model"
)

func TestCheckpoint(t *testing.T) {
	bucket := memblob.OpenBucket(nil)
	defer bucket.Close()
	var log bytes.Buffer
	const folder = "model/v1/checkpoint/"
	store, logger := artifact.New(bucket, "", ""), slog.New(slog.NewTextHandler(&log, nil))
	state := func(v float32) map[string]model.Tensor {
		return map[string]model.Tensor{"w": {Shape: []int{2}, F32: []float32{v, v}}}
	}
	open := func(every time.Duration) *checkpoint {
		return newCheckpoint(store, logger, folder, every)
	}
	want := func(c *checkpoint, round int, v float32) {
		t.Helper()
		n, s, err := c.Load(t.Context())
		if err != nil || n != round || v != 0 && !slices.Equal(s["w"].F32, []float32{v, v}) || v == 0 && s != nil {
			t.Errorf("round %d, %v, %v; want %d and %g", n, s, err, round, v)
		}
	}
	files := func() (names []string) {
		for info, err := range store.List(t.Context(), folder) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, strings.TrimPrefix(info.Name, folder))
		}
		return names
	}
	save := func(c *checkpoint, round int, v float32) {
		t.Helper()
		if err := c.Save(t.Context(), round, state(v)); err != nil {
			t.Fatal(err)
		}
	}

	first := open(0)
	want(first, 0, 0)
	save(first, 9, 1)
	save(first, 10, 2)
	want(open(0), 10, 2)
	if got := files(); !slices.Equal(got, []string{"10"}) {
		t.Errorf("older states stay: %v", got)
	}

	// A part is another training, and does not show in what it is a part of.
	part := first.Part("ials").(*checkpoint)
	want(part, 0, 0)
	save(part, 99, 3)
	want(open(0).Part("ials").(*checkpoint), 99, 3)
	want(open(0), 10, 2)

	// Another process goes on, and removes what it went on from.
	second := open(0)
	want(second, 10, 2)
	save(second, 11, 4)
	if got := files(); !slices.Equal(got, []string{"11", "ials/99"}) {
		t.Errorf("files %v", got)
	}

	// Too early for another write.
	save(open(time.Hour), 12, 5)
	want(open(0), 11, 4)

	// A damaged state is none, and the log says so.
	if err := store.Delete(t.Context(), folder+"11"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), folder+"11", []byte("no model")); err != nil {
		t.Fatal(err)
	}
	third := open(0)
	want(third, 0, 0)
	if !strings.Contains(log.String(), "begins anew") {
		t.Errorf("log: %s", log.String())
	}
	save(third, 11, 6)
	want(open(0), 11, 6)

	// One that another kernel tier made is none either, and is not found again.
	other := &model.Model{Manifest: model.Manifest{Kernel: "abacus"}, Tensors: state(7)}
	if _, err := model.Save(t.Context(), store, folder+"12", other); err != nil {
		t.Fatal(err)
	}
	want(open(0), 0, 0)
	want(open(0), 11, 6)
}

// TestCheckpointRemovedMeanwhile: one that another attempt removes while it is
// looked at is none, and no failure.
func TestCheckpointRemovedMeanwhile(t *testing.T) {
	bucket := memblob.OpenBucket(nil)
	defer bucket.Close()
	const folder = "model/v1/checkpoint/"
	store := artifact.New(bucket, "", "")
	if _, err := store.Put(t.Context(), folder+"13", []byte("no model")); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(remover(func() { _ = store.Delete(t.Context(), folder+"13") }), nil))
	if n, s, err := newCheckpoint(store, logger, folder, 0).Load(t.Context()); err != nil || n != 0 || s != nil {
		t.Errorf("round %d, %v, %v", n, s, err)
	}
}

// remover is a log that removes something while it is written.
type remover func()

func (r remover) Write(p []byte) (int, error) {
	r()
	return len(p), nil
}

package profile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/event"
)

const group event.Group = "feedbeef00000001"

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// house is a log and a store, real ones, and the keeper over them.
type house struct {
	t     testing.TB
	log   *event.Log
	store *artifact.Store
	dir   string // of the store
	keep  *Keeper
	end   func()
}

func newHouse(t testing.TB) *house {
	t.Helper()
	url := os.Getenv("ATTUNE_TEST_NATS_URL") // of a real server, for these tests alone
	e, err := nats.Open(t.Context(), url, t.TempDir(), quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	l, err := event.Open(t.Context(), e.Client(), attune.WallClock, quiet(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Create(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	if url != "" { // the next test wants an empty log
		t.Cleanup(func() { _ = l.Delete(context.WithoutCancel(t.Context()), group) })
	}
	dir := t.TempDir()
	return &house{t: t, log: l, store: storeIn(t, dir), dir: dir}
}

// run starts a keeper; stop ends it as the end of a process would.
func (h *house) run(logger *slog.Logger, o *Options) {
	h.t.Helper()
	h.keep = New(h.log, h.store, h.store, attune.WallClock, logger, prometheus.NewRegistry(), o)
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	keep := h.keep
	go func() { done <- keep.Run(ctx) }()
	h.end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	})
	h.t.Cleanup(h.end)
}

func (h *house) append(bodies ...event.Body) event.Seq {
	h.t.Helper()
	seq, err := h.log.Append(h.t.Context(), group, bodies...)
	if err != nil {
		h.t.Fatal(err)
	}
	return seq
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(200 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// awaitSeq waits until the group's view has come to a place.
func (h *house) awaitSeq(at event.Seq) *View {
	h.t.Helper()
	var v *View
	await(h.t, fmt.Sprintf("view at %s", at), func() bool {
		var ok bool
		v, ok = h.keep.View(group)
		return ok && !v.Seq().Less(at)
	})
	return v
}

func (h *house) checkpoints() []string {
	names, err := saved(h.t.Context(), h.store, group)
	if err != nil {
		h.t.Fatal(err)
	}
	return names
}

func TestKeeper(t *testing.T) {
	h := newHouse(t)
	h.append(did("u", "s", "a", 1))
	h.run(quiet(), nil)
	if _, ok := h.keep.View(group); ok || h.keep.Ready(group) {
		t.Fatal("a group that nobody watches has a view")
	}
	h.keep.Watch(group)
	h.keep.Watch(group)
	await(t, "ready", func() bool { return h.keep.Ready(group) })
	v := h.awaitSeq(event.Seq{Message: 1})
	wantItems(t, v, "u", "a")
	v = h.awaitSeq(h.append(did("u", "s", "b", 2)))
	wantItems(t, v, "u", "a b")
	h.keep.Forget(group)
	if _, ok := h.keep.View(group); ok {
		t.Fatal("a forgotten group has a view")
	}
}

// TestFullImport replaces imported rows while what was Put stays, and serves
// the old view, with new events, until the new one is complete.
func TestFullImport(t *testing.T) {
	h := newHouse(t)
	makeTable(t, h.store, schema.Interactions, "table/d/1", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP,EVENT_VALUE,DEVICE\nu,old,Watch,1,,\n")
	makeTable(t, h.store, schema.Interactions, "table/d/2", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP,EVENT_VALUE,DEVICE\nu,new,Watch,2,,\n")
	makeTable(t, h.store, schema.Interactions, "table/d/3", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP,EVENT_VALUE,DEVICE\nu,more,Watch,3,,\n")
	makeTable(t, h.store, schema.Items, "table/i/1", "ITEM_ID,GENRE_2,PRICE,ABOUT\nold,X,,\nput,X,,\n")
	makeTable(t, h.store, schema.Items, "table/i/2", "ITEM_ID,GENRE_2,PRICE,ABOUT\nnew,Y,,\n")
	h.run(quiet(), nil)
	h.keep.Watch(group)
	v := h.awaitSeq(h.append(did("u", "s", "put", 5000), &event.Item{ID: "put", Properties: `{"genre2":"P"}`},
		&event.Imported{Dataset: "INTERACTIONS", Table: "table/d/1", Mode: event.Full, Job: "1"},
		&event.Imported{Dataset: "ITEMS", Table: "table/i/1", Mode: event.Full, Job: "2"}))
	wantItems(t, v, "u", "old put")
	n, _ := v.ItemNumber("put")
	if g := v.Items().Get(n, "GENRE_2"); g != "X" {
		t.Errorf("genre of put is %v, want the newer row's", g)
	}
	v = h.awaitSeq(h.append(&event.Imported{Dataset: "INTERACTIONS", Table: "table/d/2", Mode: event.Full, Job: "3"}, did("u", "s", "late", 9000)))
	wantItems(t, v, "u", "new put late")
	v = h.awaitSeq(h.append(&event.Imported{Dataset: "ITEMS", Table: "table/i/2", Mode: event.Full, Job: "4"}))
	if again, _ := v.ItemNumber("put"); again != n {
		t.Errorf("the number of put was %d and is %d", n, again)
	}
	if g := v.Items().Get(n, "GENRE_2"); g != "P" {
		t.Errorf("genre of put is %v, want the put one again", g)
	}
	v = h.awaitSeq(h.append(&event.Imported{Dataset: "INTERACTIONS", Table: "table/d/3", Mode: event.Incremental, Job: "5"}))
	wantItems(t, v, "u", "new more put late")
	v = h.awaitSeq(h.append(&event.Imported{Dataset: "INTERACTIONS", Mode: event.Cleared}, did("u", "s", "after", 9500)))
	wantItems(t, v, "u", "after")
}

// TestStaleAtStart: a view that is stale before the first record comes is
// rebuilt without waiting for one.
func TestStaleAtStart(t *testing.T) {
	h := newHouse(t)
	makeTable(t, h.store, schema.Interactions, "table/d/1", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP,EVENT_VALUE,DEVICE\nu,old,Watch,1,,\n")
	makeTable(t, h.store, schema.Interactions, "table/d/2", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP,EVENT_VALUE,DEVICE\nu,new,Watch,2,,\n")
	end := h.append(&event.Imported{Dataset: "INTERACTIONS", Table: "table/d/1", Mode: event.Full, Job: "1"},
		&event.Imported{Dataset: "INTERACTIONS", Table: "table/d/2", Mode: event.Full, Job: "2"})
	k := New(h.log, h.store, h.store, attune.WallClock, quiet(), nil, nil)
	v := newView(defaultHistory, newVocabulary())
	w := &watch{group: group}
	w.view.Store(v)
	if err := k.reach(t.Context(), group, v, end); err != nil || !v.w.stale {
		t.Fatalf("stale %v, error %v", v.w.stale, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	built, err := k.follow(ctx, w, v)
	if err != nil || built == nil {
		t.Fatalf("following a stale view ended with %v, %v", built, err)
	}
	wantItems(t, built, "u", "new")
}

// TestCheckpoints: a start goes on from the newest checkpoint that is whole.
func TestCheckpoints(t *testing.T) {
	h := newHouse(t)
	o := &Options{Records: 10, Interval: time.Hour}
	h.run(quiet(), o)
	h.keep.Watch(group)
	for i := range 60 {
		h.awaitSeq(h.append(did("u", "s", fmt.Sprint(i), int64(i))))
		if i%20 == 19 {
			await(t, "a checkpoint", func() bool { return len(h.checkpoints()) > 0 })
		}
	}
	h.end()
	names := h.checkpoints()
	if len(names) != keepCheckpoints || !strings.HasSuffix(names[1], "060-0000000000") {
		t.Fatalf("checkpoints %v", names)
	}
	view, _ := h.keep.View(group)
	want := dump(view)

	// Break the newest; the one before must do, with the rest of the log.
	damage(t, h.dir, names[1])
	var logged bytes.Buffer
	h.run(slog.New(slog.NewTextHandler(&logged, nil)), o)
	h.keep.Watch(group)
	v := h.awaitSeq(event.Seq{Message: 60})
	if got := dump(v); got != want {
		t.Errorf("after a restart:\n%s\nwant\n%s", got, want)
	}
	h.end()
	if !strings.Contains(logged.String(), "checkpoint is not used") {
		t.Errorf("the broken checkpoint is not mentioned: %s", logged.String())
	}

	// None at all is no harm either.
	if err := h.store.DeletePrefix(t.Context(), "profile/"); err != nil {
		t.Fatal(err)
	}
	h.run(quiet(), o)
	h.keep.Watch(group)
	if got := dump(h.awaitSeq(event.Seq{Message: 60})); got != want {
		t.Errorf("from the start:\n%s\nwant\n%s", got, want)
	}
	h.keep.Forget(group)
	await(t, "checkpoints gone", func() bool { return len(h.checkpoints()) == 0 })
}

// damage changes a byte of a file behind the store's back, its checksum staying.
func damage(t *testing.T, dir, name string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestBrokenTable: a table that cannot be read holds up its group only, and
// only until an import makes it irrelevant.
func TestBrokenTable(t *testing.T) {
	h := newHouse(t)
	makeTable(t, h.store, schema.Interactions, "table/d/2", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP,EVENT_VALUE,DEVICE\nu,new,Watch,2,,\n")
	h.run(quiet(), nil)
	h.keep.Watch(group)
	v := h.awaitSeq(h.append(did("u", "s", "put", 5000)))
	h.append(&event.Imported{Dataset: "INTERACTIONS", Table: "table/gone", Mode: event.Full, Job: "1"})
	end := h.append(&event.Imported{Dataset: "INTERACTIONS", Table: "table/d/2", Mode: event.Full, Job: "2"})
	wantItems(t, v, "u", "put") // the old view serves meanwhile
	wantItems(t, h.awaitSeq(end), "u", "new put")
}

// TestConcurrentReaders reads while everything is written; the race detector is the judge.
func TestConcurrentReaders(t *testing.T) {
	h := newHouse(t)
	makeTable(t, h.store, schema.Interactions, "table/d/1", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP,EVENT_VALUE,DEVICE\nu1,old,Watch,1,,\n")
	h.run(quiet(), &Options{History: 20, Records: 50})
	h.keep.Watch(group)
	var reads atomic.Int64
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				v, ok := h.keep.View(group)
				if !ok {
					continue
				}
				user := fmt.Sprintf("u%d", n%5)
				last := int64(-1)
				for _, x := range v.History(user) {
					if x.At < last || v.Item(x.Item) == "" || v.TypeName(x.Type) == "" {
						t.Errorf("history of %s: %+v after %d", user, x, last)
						return
					}
					last = x.At
				}
				v.UserAttributes(user)
				v.History("s1")
				v.Items().Get(0, "GENRE")
				_ = v.String()
				reads.Add(1)
			}
		})
	}
	var last event.Seq
	for i := range 400 {
		b := []event.Body{did(fmt.Sprintf("u%d", i%5), fmt.Sprintf("s%d", i%7), fmt.Sprintf("i%d", i%50), int64(i*7919%1000)), did("", fmt.Sprintf("s%d", i%11), "a", int64(i))}
		switch i % 100 {
		case 10:
			b = append(b, &event.Item{ID: "i1", Properties: `{"genre":"a|b"}`}, &event.User{ID: "u1", Properties: `{"age":1}`})
		case 50:
			b = append(b, &event.Imported{Dataset: "INTERACTIONS", Table: "table/d/1", Mode: event.Full, Job: fmt.Sprint(i)})
		}
		last = h.append(b...)
	}
	v := h.awaitSeq(last)
	close(stop)
	readers.Wait()
	if reads.Load() == 0 || len(v.History("u1")) != 20 {
		t.Errorf("%d reads, %d touches", reads.Load(), len(v.History("u1")))
	}
}

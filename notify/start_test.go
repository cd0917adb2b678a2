package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/notify"
	"github.com/attune-io/attune/resource"
)

// runs is a room that maintains: it knows configurations, and one run for a key.
type runs struct {
	mu      sync.Mutex
	busy    bool
	started []string
	byKey   map[string]string
	asked   int
}

func (r *runs) times() int { r.mu.Lock(); defer r.mu.Unlock(); return r.asked }

func (r *runs) start(_ context.Context, s notify.Start) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if s.Config == "unknown" {
		return "", attune.Errorf(attune.NotFound, "there is no configuration %s", s.Config)
	}
	if r.busy {
		return "", attune.Errorf(attune.InUse, "another run is in the way")
	}
	if run := r.byKey[s.Key]; run != "" {
		return run, nil
	}
	run := fmt.Sprintf("run-%d", len(r.started)+1)
	if r.byKey == nil {
		r.byKey = map[string]string{}
	}
	r.byKey[s.Key] = run
	r.started = append(r.started, strings.TrimSpace(s.Config+" "+s.Purpose+" "+s.Event.ID+" "+s.Date))
	return run, nil
}

func (r *runs) list() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.started, ", ")
}

func (r *runs) set(busy bool) { r.mu.Lock(); r.busy = busy; r.mu.Unlock() }

func maintain(config string) notify.Target {
	return notify.Target{Maintain: &notify.Maintain{Config: config, Purpose: "full"}}
}

// ended is what room maintain tells at the end of a run.
func (h *house) ended(run, config string) {
	h.Helper()
	cause := notify.Cause{Run: run, Depth: 1, Configs: []string{config}} // what led to it is not for it to know
	detail := must[[]byte](h)(json.Marshal(map[string]any{"run": run, "configuration": config, "status": "SUCCEEDED", "cause": cause}))
	must[string](h)(h.desk.Put(h.Context(), notify.Event{ID: run + "-end", Source: notify.SourceMaintain, DetailType: "Attune Maintenance Run State Change", Detail: detail}))
}

// TestStart: an event starts one run, however often it is told and whatever is
// restarted; what is in the way is waited for.
func TestStart(t *testing.T) {
	r := &runs{busy: true}
	h := newHouse(t, notify.Options{Start: r.start})
	h.put("etl", etl, maintain("films"))
	h.run()
	h.tell(1)
	h.until("it waits", func() bool { return h.rule("etl").Waiting == 1 })
	r.set(false)
	h.ahead.Add(int64(time.Minute))
	h.until("it started", func() bool { return h.rule("etl").Delivered == 1 })
	h.restart()
	h.run()
	h.ahead.Add(int64(time.Hour))
	h.tell(2)
	h.until("the next started", func() bool { return h.rule("etl").Delivered == 2 })
	if r.list() != "films full etl-1, films full etl-2" {
		t.Errorf("started %s", r.list())
	}
	dated := maintain("films")
	dated.Maintain.BaseDate = "detail.run.date"
	h.put("dated", `{"source":["dated"]}`, dated)
	for i, date := range []string{"2026-03-01T04:00:00Z", "20260302", "soon"} {
		must[string](t)(h.desk.Receive(t.Context(), notify.Event{ID: fmt.Sprint("d", i), Source: "dated", DetailType: "x", Detail: []byte(`{"run":{"date":"` + date + `"}}`)}))
	}
	h.until("two had a date", func() bool { return h.rule("dated").Delivered == 2 && h.rule("dated").Dead == 1 })
	if !strings.HasSuffix(r.list(), "films full d0 20260301, films full d1 20260302") {
		t.Errorf("started %s", r.list())
	}
	h.put("bad", etl, maintain("unknown"))
	h.tell(3)
	h.until("the unknown is a dead letter", func() bool { return h.rule("bad").Dead == 1 })
}

// TestStartCircle: a run does not start itself again, neither by its end nor by
// what it changed, nor by way of another; and it is said why.
func TestStartCircle(t *testing.T) {
	r := &runs{}
	h := newHouse(t, notify.Options{Start: r.start})
	h.put("a-after-etl", etl, maintain("a"))
	h.put("b-after-a", `{"source":["attune.maintain"],"detail":{"configuration":["a"]}}`, maintain("b"))
	h.put("a-after-b", `{"source":["attune.maintain"],"detail":{"configuration":["b"]}}`, maintain("a"))
	h.put("b-after-state", `{"source":["solutions.aws.personalize"],"detail":{"Status":["ACTIVE"]}}`, maintain("b"))
	h.run()
	h.tell(1)
	h.until("a ran", func() bool { return r.list() == "a full etl-1" })
	h.ended("run-1", "a")
	h.until("b ran", func() bool { return r.list() == "a full etl-1, b full run-1-end" })
	// b's run makes a campaign, which would start b again.
	ctx := resource.WithCause(t.Context(), notify.Cause{Run: "run-2", Depth: 1, Configs: []string{"b"}}.String())
	c := &resource.Resource{ID: "c", Kind: resource.Campaign, Name: "c", ARN: "arn:c", Status: resource.CreatePending, Body: []byte(`{}`)}
	if err := h.store.Create(ctx, c); err != nil {
		t.Fatal(err)
	}
	h.become(c, resource.Active, 0)
	h.desk.Kick()
	h.ended("run-2", "b")
	h.until("a is refused", func() bool { return strings.Contains(h.rule("a-after-b").Note, "refused: a circle") })
	h.until("b is refused", func() bool { return strings.Contains(h.rule("b-after-state").Note, "refused: a circle") })
	refused := 0
	for _, e := range h.told(0, 7) {
		if e.DetailType == "Attune Trigger Refused" && strings.Contains(string(e.Detail), `"Reason":"a circle`) {
			refused++
		}
	}
	if refused != 2 || strings.Count(r.list(), ",") != 1 {
		t.Errorf("%d were refused after %s", refused, r.list())
	}
}

// TestStartChain: no more than MaxDepth runs follow from one another.
func TestStartChain(t *testing.T) {
	r := &runs{}
	h := newHouse(t, notify.Options{Start: r.start})
	h.put("r0", etl, maintain("c1"))
	for i := 1; i <= notify.MaxDepth; i++ {
		h.put(fmt.Sprintf("r%d", i), fmt.Sprintf(`{"detail":{"configuration":["c%d"]}}`, i), maintain(fmt.Sprintf("c%d", i+1)))
	}
	h.run()
	h.tell(1)
	for i := 1; i <= notify.MaxDepth; i++ {
		h.until("the next ran", func() bool { return strings.Count(r.list(), "full") == i })
		h.until("it is known", func() bool { return h.rule(fmt.Sprintf("r%d", i-1)).Delivered == 1 })
		h.ended(fmt.Sprintf("run-%d", i), fmt.Sprintf("c%d", i))
	}
	h.until("one more is refused", func() bool {
		return strings.Contains(h.rule(fmt.Sprintf("r%d", notify.MaxDepth)).Note, "8 runs led to event")
	})
}

// TestStartRate: a circle through the outside, where causes are lost, ends.
func TestStartRate(t *testing.T) {
	r := &runs{}
	h := newHouse(t, notify.Options{Start: r.start})
	h.put("etl", etl, maintain("films"))
	h.run()
	for i := range notify.MaxStarts + 5 {
		h.tell(i)
	}
	h.until("all are seen to", func() bool { s := h.rule("etl"); return s.Delivered == notify.MaxStarts && s.Dead == 5 })
	if n := strings.Count(r.list(), "full"); n != notify.MaxStarts || !strings.Contains(h.rule("etl").Note, "within an hour") {
		t.Errorf("%d runs, and the note %q", n, h.rule("etl").Note)
	}
}

// bucket is objects that are seen.
type bucket struct {
	mu      sync.Mutex
	objects []notify.Object
	applied []string
	failing error
	tried   int
}

func (b *bucket) list(_ context.Context, f func(notify.Object) error) error {
	b.mu.Lock()
	all := append([]notify.Object(nil), b.objects...)
	b.mu.Unlock()
	for _, o := range all {
		if err := f(o); err != nil {
			return err
		}
	}
	return nil
}

func (b *bucket) apply(_ context.Context, o notify.Object) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried++
	if b.failing != nil {
		return b.failing
	}
	b.applied = append(b.applied, o.Name()+" "+o.ETag)
	return nil
}

func (b *bucket) put(key, etag string, age time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects = append(b.objects, notify.Object{Bucket: "data", Key: key, ETag: etag, Size: 7, Modified: time.Now().Add(-age)})
}

func (b *bucket) clear() { b.mu.Lock(); b.objects = nil; b.mu.Unlock() }

func (b *bucket) times() int { b.mu.Lock(); defer b.mu.Unlock(); return b.tried }

func (b *bucket) fail(err error) { b.mu.Lock(); b.failing = err; b.mu.Unlock() }

func (b *bucket) list2() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.applied, ", ")
}

// TestObjects: a configuration that appears is told and applied once, also when
// nobody looked at the time, and again when it is another.
func TestObjects(t *testing.T) {
	b := &bucket{failing: attune.Errorf(attune.Unavailable, "not now")}
	h := newHouse(t, notify.Options{Objects: notify.Objects{List: b.list, Apply: b.apply}})
	b.put("train/a/config.json", "e1", time.Hour)
	h.run()
	h.until("it was told", func() bool { last, _ := h.desk.End(t.Context()); return last == 1 })
	h.stop()
	b.fail(nil)
	h.restart()
	h.run()
	h.until("it was applied", func() bool { return b.list2() == "s3://data/train/a/config.json e1" })
	b.clear()
	b.put("train/a/config.json", "e2", 0) // too young to be read
	h.desk.ObjectWritten("data", "train/a/config.json")
	h.until("the next was applied", func() bool { return strings.HasSuffix(b.list2(), ", s3://data/train/a/config.json e2") })
	b.fail(attune.Errorf(attune.Invalid, "one\ntwo"))
	b.put("train/b.yaml", "e3", time.Hour)
	h.desk.ObjectWritten("data", "train/b.yaml")
	all := h.told(0, 4)
	if last := all[3]; last.DetailType != "Attune Configuration Refused" || !strings.Contains(string(last.Detail), `"Description":["one","two"]`) {
		t.Errorf("told %s", text(t, last))
	}
	if first := all[0]; first.ID == "" || first.Source != "aws.s3" || first.DetailType != "Object Created" || !strings.Contains(string(first.Detail), `"object":{"etag":"e1","key":"train/a/config.json","size":7}`) {
		t.Errorf("told %s", text(t, first))
	}
	for key, want := range map[string]bool{"train/x.json": true, "train/a/b.yml": true, "train/x.csv": false, "other/x.json": false} {
		if notify.WantsObject(key) != want {
			t.Errorf("%s: %t", key, !want)
		}
	}
}

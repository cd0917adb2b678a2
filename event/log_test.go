package event_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/event"
)

const group event.Group = "00c0ffee00c0ffee"

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// natsURL names a real server with JetStream, for these tests alone, that they
// run against instead of one of this process.
const natsURL = "ATTUNE_TEST_NATS_URL"

// open starts a server on dir, or dials a real one, and a log over it.
func open(t testing.TB, dir string) (*event.Log, *nats.Engine, *prometheus.Registry) {
	t.Helper()
	e, err := nats.Open(t.Context(), os.Getenv(natsURL), dir, quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	reg := prometheus.NewRegistry()
	l, err := event.Open(t.Context(), e.Client(), attune.WallClock, quiet(), reg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv(natsURL) != "" { // the next test wants an empty log
		t.Cleanup(func() { _ = l.Delete(context.WithoutCancel(t.Context()), group) })
	}
	return l, e, reg
}

func created(t testing.TB) (*event.Log, *prometheus.Registry) {
	t.Helper()
	l, _, reg := open(t, t.TempDir())
	if err := l.Create(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	return l, reg
}

func watch(n int) *event.Interaction {
	return &event.Interaction{EventID: fmt.Sprintf("event-%d", n), User: fmt.Sprintf("user-%d", n%97), Session: "s", Item: fmt.Sprintf("item-%d", n%31),
		Type: "Watch", At: time.UnixMilli(1_767_225_600_000 + int64(n)).UTC(), Value: math.NaN(), Properties: `{"device":"phone"}`}
}

func mustAppend(t testing.TB, l *event.Log, bodies ...event.Body) event.Seq {
	t.Helper()
	seq, err := l.Append(t.Context(), group, bodies...)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

var toEnd = event.Seq{Message: math.MaxUint64, Index: math.MaxUint32}

func readAll(t testing.TB, l *event.Log, after, upTo event.Seq) []event.Record {
	t.Helper()
	var all []event.Record
	for r, err := range l.Read(t.Context(), group, after, upTo) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func id(r event.Record) string { return r.Body.(*event.Interaction).EventID }

func TestAppendReadEnd(t *testing.T) {
	l, _ := created(t)
	if err := l.Create(t.Context(), group); err != nil {
		t.Fatalf("second create: %v", err)
	}
	if end, err := l.End(t.Context(), group); err != nil || end != (event.Seq{}) {
		t.Fatalf("end of an empty log: %s, %v", end, err)
	}
	if got := readAll(t, l, event.Seq{}, toEnd); len(got) != 0 {
		t.Fatalf("an empty log yields %d records", len(got))
	}
	first := mustAppend(t, l, watch(0), watch(1), watch(2))
	last := mustAppend(t, l, watch(3), &event.Item{ID: "i", Properties: "{}"})
	if first != (event.Seq{Message: 1, Index: 2}) || last != (event.Seq{Message: 2, Index: 1}) {
		t.Fatalf("seqs %s and %s", first, last)
	}
	if end, err := l.End(t.Context(), group); err != nil || end != last {
		t.Fatalf("end %s, %v, want %s", end, err, last)
	}
	if n := len(readAll(t, l, event.Seq{}, toEnd)); n != 5 {
		t.Fatalf("%d records, want 5", n)
	}
	part := readAll(t, l, event.Seq{Message: 1, Index: 0}, event.Seq{Message: 2, Index: 0})
	if len(part) != 3 || id(part[0]) != "event-1" || id(part[2]) != "event-3" {
		t.Fatalf("(1.0, 2.0]: %v", part)
	}
	for range l.Read(t.Context(), group, event.Seq{}, toEnd) {
		break // leaving early must not hang or leak
	}
	if err := l.Delete(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	if err := l.Delete(t.Context(), group); err != nil {
		t.Fatalf("second delete: %v", err)
	}
}

func TestErrors(t *testing.T) {
	l, _, _ := open(t, t.TempDir())
	ctx := t.Context()
	want := func(what string, err error, kind attune.Kind) {
		t.Helper()
		if err == nil || attune.KindOf(err) != kind {
			t.Errorf("%s: %v (%s), want %s", what, err, attune.KindOf(err), kind)
		}
	}
	_, err := l.Append(ctx, group, watch(1))
	want("append without a log", err, attune.NotFound)
	_, err = l.End(ctx, group)
	want("end without a log", err, attune.NotFound)
	for _, err := range l.Read(ctx, group, event.Seq{}, toEnd) {
		want("read without a log", err, attune.NotFound)
	}
	want("follow without a log", l.Follow(ctx, group, event.Seq{}, func([]event.Record) error { return nil }), attune.NotFound)
	for _, g := range []event.Group{"", "a.b", "a b", "*", ">", "../x", "A", event.Group(strings.Repeat("a", 65))} {
		want(fmt.Sprintf("create %q", string(g)), l.Create(ctx, g), attune.Invalid)
	}
	if err := l.Create(ctx, group); err != nil {
		t.Fatal(err)
	}
	_, err = l.Append(ctx, group)
	want("append of nothing", err, attune.Invalid)
	_, err = l.Append(ctx, group, watch(1), nil)
	want("append of nil", err, attune.Invalid)
	_, err = l.Append(ctx, group, watch(1), &event.Item{ID: "i", Properties: strings.Repeat("x", 1<<20)})
	want("append of a body over 1 MiB", err, attune.Invalid)
	if n := len(readAll(t, l, event.Seq{}, toEnd)); n != 0 {
		t.Fatalf("%d records of refused appends are in the log", n)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := l.Append(gone, group, watch(1)); !errors.Is(err, context.Canceled) {
		t.Fatalf("append with an ended context: %v", err)
	}
}

// TestLargeAppend writes more than a message holds.
func TestLargeAppend(t *testing.T) {
	l, _ := created(t)
	var bodies []event.Body
	for i := range 40 {
		bodies = append(bodies, &event.Item{ID: fmt.Sprint(i), Properties: strings.Repeat(string(rune('a'+i%26)), 100_000)})
	}
	last := mustAppend(t, l, bodies...)
	all := readAll(t, l, event.Seq{}, toEnd)
	if len(all) != len(bodies) || all[len(all)-1].Seq != last || last.Message < 4 {
		t.Fatalf("%d records, the last at %s, append said %s", len(all), all[len(all)-1].Seq, last)
	}
	for i, r := range all {
		if got, want := *r.Body.(*event.Item), *bodies[i].(*event.Item); got != want {
			t.Fatalf("record %d is not what was appended", i)
		}
	}
}

// TestGroupCommit has many appenders at once: everything once, each where its
// Seq says, and in far fewer messages than appends.
func TestGroupCommit(t *testing.T) {
	l, reg := created(t)
	const appenders, each = 64, 40
	var mu sync.Mutex
	places := map[event.Seq]string{}
	var wg sync.WaitGroup
	for a := range appenders {
		wg.Go(func() {
			for i := range each {
				w := watch(a*each + i)
				seq, err := l.Append(t.Context(), group, w)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				places[seq] = w.EventID
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	all := readAll(t, l, event.Seq{}, toEnd)
	if len(all) != appenders*each || len(places) != len(all) {
		t.Fatalf("%d records at %d places, want %d", len(all), len(places), appenders*each)
	}
	for _, r := range all {
		if places[r.Seq] != id(r) {
			t.Fatalf("at %s is %s, append said %s", r.Seq, id(r), places[r.Seq])
		}
	}
	messages := all[len(all)-1].Seq.Message
	if messages > appenders*each/2 {
		t.Errorf("%d appends took %d messages: they were not grouped", len(all), messages)
	}
	if n, err := testutil.GatherAndCount(reg, "attune_event_appended_records_total"); err != nil || n != 1 {
		t.Errorf("metrics: %d, %v", n, err)
	}
}

// TestThrottled fills the queue while the disk has no chance.
func TestThrottled(t *testing.T) {
	l, _ := created(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	throttled, written := 0, 0
	for range 160 {
		wg.Go(func() {
			_, err := l.Append(t.Context(), group, &event.Item{ID: "i", Properties: strings.Repeat("x", 1_000_000)})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				written++
			case attune.KindOf(err) == attune.Throttled:
				throttled++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(readAll(t, l, event.Seq{}, toEnd)); n != written {
		t.Errorf("%d records in the log, %d were acknowledged", n, written)
	}
	if throttled == 0 {
		t.Skip("the disk kept up with 160 MB at once")
	}
	mustAppend(t, l, watch(1)) // and it recovers
}

// TestAcknowledgedSurvives reads every acknowledged record with a fresh server on the same folder.
func TestAcknowledgedSurvives(t *testing.T) {
	dir := t.TempDir()
	l, e, _ := open(t, dir)
	if err := l.Create(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		mustAppend(t, l, watch(2*i), watch(2*i+1))
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	again, _, _ := open(t, dir)
	if err := again.Create(t.Context(), group); err != nil {
		t.Fatalf("create over what is there: %v", err)
	}
	all := readAll(t, again, event.Seq{}, toEnd)
	if len(all) != 100 {
		t.Fatalf("%d records after a restart, want 100", len(all))
	}
	for i, r := range all {
		if id(r) != fmt.Sprintf("event-%d", i) {
			t.Fatalf("record %d is %s", i, id(r))
		}
	}
}

func TestOffer(t *testing.T) {
	l, reg := created(t)
	for i := range 100 {
		l.Offer(group, &event.Impression{RecommendationID: fmt.Sprint(i), Items: []string{"a"}})
	}
	l.Offer("0123", &event.Impression{}) // no such log
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ctx); err != nil { // what is queued is written even so
		t.Fatal(err)
	}
	if n := len(readAll(t, l, event.Seq{}, toEnd)); n != 100 {
		t.Fatalf("%d impressions in the log, want 100", n)
	}
	for range 20_000 {
		l.Offer(group, &event.Impression{})
	}
	const want = `
# HELP attune_event_impressions_dropped_total Impressions that did not reach the log.
# TYPE attune_event_impressions_dropped_total counter
attune_event_impressions_dropped_total{reason="append"} 1
attune_event_impressions_dropped_total{reason="queue"} 3616
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "attune_event_impressions_dropped_total"); err != nil {
		t.Error(err)
	}
}

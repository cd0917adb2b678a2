package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/event"
)

const (
	// eventsPerCall is the most that PutEvents takes.
	eventsPerCall = 10
	// maxCalls bounds the requests that are signed before a level: they are held in memory, 3 KiB each.
	maxCalls = 40_000
	// fsyncs is how many writes the disk is measured with.
	fsyncs = 400
	// block is what a write to the disk is: one page.
	block = 4 << 10
)

// events measures PutEvents over HTTP and event.Append alone, beside the disk.
func (b *bench) events() error {
	before, err := syncs(b.dir, pick(b, fsyncs, 50))
	if err != nil {
		return err
	}
	levels := []int{1, 8, 64, 256}
	var http, alone []*load
	if err := b.putEvents(levels, &http); err != nil {
		return err
	}
	if err := b.appends(levels, &alone); err != nil {
		return err
	}
	after, err := syncs(b.dir, pick(b, fsyncs, 50))
	if err != nil {
		return err
	}
	bound := max(before.rate(), after.rate())
	disk := newTable("the disk", "write + fsync /s", "p50", "p99")
	disk.add("before", before.rate(), before.at(0.5), before.at(0.99))
	disk.add("after", after.rate(), after.at(0.5), after.at(0.99))
	b.note("The bound: one goroutine that appends 4 KiB to a file and calls fsync, %d times. One connection whose every call waits for the disk cannot be quicker; concurrent calls share an fsync.", pick(b, fsyncs, 50))
	disk.write(b.out)
	b.note("PutEvents over HTTP: signed before, %d events a call, each call answered only when the log is on disk, the profile folding along; closed loop, at most %s a level:",
		eventsPerCall, b.levelTime())
	eventsTable("connections", "calls", levels, http, bound).write(b.out)
	b.note("`event.Append` alone in the measuring process, %d interactions an append, on an embedded NATS as a node has it:", eventsPerCall)
	eventsTable("goroutines", "appends", levels, alone, bound).write(b.out)
	return nil
}

// eventsTable shows a load per level of concurrency, and how many calls shared an fsync of the disk's best rate.
func eventsTable(who, what string, levels []int, loads []*load, bound float64) *table {
	t := newTable(who, what+"/s", "events/s", "p50", "p99", what+" per fsync of the bound")
	for i, l := range loads {
		t.add(levels[i], l.rate(), l.rate()*eventsPerCall, l.at(0.5), l.at(0.99), l.rate()/bound)
	}
	return t
}

// levelTime is how long one level of concurrency is measured.
func (b *bench) levelTime() time.Duration { return pick(b, 6*time.Second, 300*time.Millisecond) }

// putEvents drives a node at each level of concurrency.
func (b *bench) putEvents(levels []int, loads *[]*load) error {
	p, err := b.start(b.folder("events"))
	if err != nil {
		return err
	}
	c := b.client(p)
	group, err := c.group("events")
	if err != nil {
		return err
	}
	if _, err := c.dataset(group); err != nil {
		return err
	}
	tracking, err := c.tracker(group)
	if err != nil {
		return err
	}
	for i, n := range levels {
		b.say("PutEvents over %d connections", n)
		requests := make([][]byte, 0, maxCalls)
		for k := range pick(b, maxCalls, maxCalls/20) {
			number := i*maxCalls + k
			body, err := putEventsBody(tracking, fmt.Sprintf("u%05d", number%10_000), number)
			if err != nil {
				return err
			}
			request, err := signed(b.ctx, c.Key, c.address(), "/events", body)
			if err != nil {
				return err
			}
			requests = append(requests, request)
		}
		l, err := closed(b.ctx, c.address(), &supply{requests: requests, once: true}, n, b.levelTime())
		if err != nil {
			return err
		}
		*loads = append(*loads, l)
	}
	return b.stop(p)
}

// putEventsBody is a call with ten events that no other number has.
func putEventsBody(tracking, user string, number int) ([]byte, error) {
	list := make([]map[string]any, eventsPerCall)
	for i := range list {
		list[i] = map[string]any{
			"eventId": fmt.Sprintf("e-%d-%d", number, i), "eventType": "View",
			"itemId": fmt.Sprintf("i%05d", (number*eventsPerCall+i)%10_000), "sentAt": time.Now().Unix(),
		}
	}
	return json.Marshal(map[string]any{"trackingId": tracking, "userId": user, "sessionId": "s-" + user, "eventList": list})
}

// appends drives event.Append at each level of concurrency.
func (b *bench) appends(levels []int, loads *[]*load) (err error) {
	quiet, reg := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	e, err := nats.Open(b.ctx, "", b.folder("nats"), quiet, reg)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := e.Close(); err == nil {
			err = cerr
		}
	}()
	log, err := event.Open(b.ctx, e.Client(), attune.WallClock, quiet, reg, nil)
	if err != nil {
		return err
	}
	const group = event.Group("bench")
	if err := log.Create(b.ctx, group); err != nil {
		return err
	}
	for _, n := range levels {
		b.say("event.Append from %d goroutines", n)
		l, err := appendFor(b.ctx, log, group, n, b.levelTime())
		if err != nil {
			return err
		}
		*loads = append(*loads, l)
	}
	return nil
}

// appendFor appends from n goroutines for d.
func appendFor(ctx context.Context, log *event.Log, group event.Group, n int, d time.Duration) (*load, error) {
	latencies, errs := make([][]time.Duration, n), make([]error, n)
	var wg sync.WaitGroup
	begin := time.Now()
	for g := range n {
		wg.Go(func() {
			for k := 0; time.Since(begin) < d; k++ {
				bodies := make([]event.Body, eventsPerCall)
				user := fmt.Sprintf("u%05d", g)
				for i := range bodies {
					bodies[i] = &event.Interaction{EventID: fmt.Sprintf("e-%d-%d-%d", g, k, i), User: user, Session: "s-" + user,
						Item: fmt.Sprintf("i%05d", (k*eventsPerCall+i)%10_000), Type: "View", At: begin, Value: math.NaN()}
				}
				sent := time.Now()
				if _, errs[g] = log.Append(ctx, group, bodies...); errs[g] != nil {
					return
				}
				latencies[g] = append(latencies[g], time.Since(sent))
			}
		})
	}
	wg.Wait()
	l := &load{took: time.Since(begin), latency: slices.Concat(latencies...)}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(l.latency)
	return l, nil
}

// syncs measures the disk: n times a page at the end of a file, and fsync.
func syncs(dir string, n int) (_ *load, err error) {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return nil, err
	}
	defer func() {
		f.Close()
		if rerr := os.Remove(f.Name()); err == nil {
			err = rerr
		}
	}()
	var w io.Writer = f
	l, page := &load{}, make([]byte, block)
	begin := time.Now()
	for range n {
		at := time.Now()
		if _, err := w.Write(page); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		l.latency = append(l.latency, time.Since(at))
	}
	l.took = time.Since(begin)
	slices.Sort(l.latency)
	return l, nil
}

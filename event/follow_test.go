package event_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
)

// follower collects event ids and checks that no Seq comes twice or out of order.
type follower struct {
	seen  atomic.Int64
	last  event.Seq
	wrong atomic.Pointer[string]
}

func (f *follower) take(records []event.Record) error {
	for _, r := range records {
		if want := fmt.Sprintf("event-%d", f.seen.Load()); id(r) != want || !f.last.Less(r.Seq) {
			s := fmt.Sprintf("at %s after %s: %s, want %s", r.Seq, f.last, id(r), want)
			f.wrong.CompareAndSwap(nil, &s)
		}
		f.last = r.Seq
		f.seen.Add(1)
	}
	return nil
}

func (f *follower) await(t *testing.T, n int64) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); f.seen.Load() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("followed %d records in 40 s, want %d", f.seen.Load(), n)
		}
	}
	if s := f.wrong.Load(); s != nil {
		t.Fatal(*s)
	}
}

func TestFollow(t *testing.T) {
	l, _ := created(t)
	mustAppend(t, l, watch(0), watch(1))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	var f follower
	go func() { done <- l.Follow(ctx, group, event.Seq{}, f.take) }()
	f.await(t, 2)
	for i := 2; i < 300; i++ {
		mustAppend(t, l, watch(i))
	}
	f.await(t, 300)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("follow ended with %v", err)
	}

	// From inside a message, and only what comes after.
	stop := errors.New("enough")
	err := l.Follow(t.Context(), group, event.Seq{Message: 1, Index: 0}, func(records []event.Record) error {
		if id(records[0]) != "event-1" {
			t.Errorf("after 1.0 comes %s", id(records[0]))
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatalf("follow ended with %v, want f's error", err)
	}
}

func TestFollowDeleted(t *testing.T) {
	l, _ := created(t)
	mustAppend(t, l, watch(0))
	done := make(chan error, 1)
	var f follower
	go func() { done <- l.Follow(t.Context(), group, event.Seq{}, f.take) }()
	f.await(t, 1)
	if err := l.Delete(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if attune.KindOf(err) != attune.NotFound {
			t.Fatalf("follow of a deleted log ended with %v", err)
		}
	case <-time.After(40 * time.Second):
		t.Fatal("follow of a deleted log goes on")
	}
}

// serveAt starts a NATS server with a listener, which can be killed and come back.
func serveAt(t *testing.T, dir string, port int) *natsserver.Server {
	t.Helper()
	s, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, SyncAlways: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

// TestRestartedServer goes on reading and writing over a server that goes away
// and comes back: nothing lost, nothing twice.
func TestRestartedServer(t *testing.T) {
	dir := t.TempDir()
	s := serveAt(t, dir, -1)
	addr := s.Addr().(*net.TCPAddr)
	nc, err := natsgo.Connect("nats://127.0.0.1:"+strconv.Itoa(addr.Port), natsgo.MaxReconnects(-1), natsgo.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	l, err := event.Open(t.Context(), nc, attune.WallClock, quiet(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Create(t.Context(), group); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var f follower
	go func() { _ = l.Follow(ctx, group, event.Seq{}, f.take) }()

	const total = 600
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		for i := range total {
			if _, err := l.Append(ctx, group, watch(i)); err != nil {
				t.Errorf("append %d: %v", i, err)
				return
			}
		}
	}()
	for _, at := range []int64{100, 300} {
		f.await(t, at)
		s.Shutdown()
		s.WaitForShutdown()
		s = serveAt(t, dir, addr.Port)
	}
	<-wrote
	f.await(t, total)
	if all := readAll(t, l, event.Seq{}, toEnd); len(all) != total {
		t.Fatalf("%d records in the log, want %d", len(all), total)
	}
}

// BenchmarkFollow is the speed of a rebuild: the whole log of group commits, decoded.
func BenchmarkFollow(b *testing.B) {
	for _, perMessage := range []int{1, 100, 2000} {
		b.Run(fmt.Sprintf("per=%d", perMessage), func(b *testing.B) {
			l, _ := created(b)
			const total = 200_000
			fill(b, l, min(total, perMessage*8000), perMessage)
			n := len(readAll(b, l, event.Seq{}, toEnd))
			stop := errors.New("all")
			for b.Loop() {
				got := 0
				err := l.Follow(b.Context(), group, event.Seq{}, func(r []event.Record) error {
					if got += len(r); got == n {
						return stop
					}
					return nil
				})
				if !errors.Is(err, stop) {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func fill(b *testing.B, l *event.Log, total, perMessage int) {
	b.Helper()
	bodies := make([]event.Body, perMessage)
	for i := 0; i < total; i += perMessage {
		for k := range bodies {
			bodies[k] = watch(i + k)
		}
		mustAppend(b, l, bodies...)
	}
}

// BenchmarkAppend is durable events per second by concurrency and batch.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 8, 64, 256} {
		for _, batch := range []int{1, 10} {
			b.Run(fmt.Sprintf("callers=%d/batch=%d", callers, batch), func(b *testing.B) {
				l, _ := created(b)
				bodies := make([]event.Body, batch)
				for k := range bodies {
					bodies[k] = watch(k)
				}
				var next atomic.Int64
				done := make(chan error, callers)
				b.ResetTimer()
				for range callers {
					go func() {
						for next.Add(1) <= int64(b.N) {
							if _, err := l.Append(b.Context(), group, bodies...); err != nil {
								done <- err
								return
							}
						}
						done <- nil
					}()
				}
				for range callers {
					if err := <-done; err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)*float64(batch)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

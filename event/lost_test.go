package event_test

import (
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
)

// proxy stands between a client and a server and can lose what the server answers.
type proxy struct {
	net.Listener
	deaf atomic.Bool // answers are swallowed
	mu   sync.Mutex
	open []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l}
	t.Cleanup(func() { _ = l.Close(); p.cut() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.mu.Lock()
			p.open = append(p.open, client, server)
			p.mu.Unlock()
			go func() { _, _ = io.Copy(server, client) }()
			go func() { _, _ = io.Copy(answers{p, client}, server) }()
		}
	}()
	return p
}

type answers struct {
	p  *proxy
	to io.Writer
}

func (a answers) Write(b []byte) (int, error) {
	if a.p.deaf.Load() {
		return len(b), nil
	}
	return a.to.Write(b)
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.open {
		_ = c.Close()
	}
	p.open = nil
}

// TestLostAcknowledgement loses the answer to an append that was written: the
// append succeeds all the same, and is in the log once.
func TestLostAcknowledgement(t *testing.T) {
	s := serveAt(t, t.TempDir(), -1)
	addr := "127.0.0.1:" + strconv.Itoa(s.Addr().(*net.TCPAddr).Port)
	direct, err := natsgo.Connect("nats://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(direct.Close)
	witness, err := event.Open(t.Context(), direct, attune.WallClock, quiet(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := witness.Create(t.Context(), group); err != nil {
		t.Fatal(err)
	}

	p := newProxy(t, addr)
	nc, err := natsgo.Connect("nats://"+p.Addr().String(), natsgo.MaxReconnects(-1), natsgo.ReconnectWait(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	l, err := event.Open(t.Context(), nc, attune.WallClock, quiet(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, watch(0))

	p.deaf.Store(true)
	type result struct {
		seq event.Seq
		err error
	}
	done := make(chan result, 1)
	go func() {
		seq, err := l.Append(t.Context(), group, watch(1))
		done <- result{seq, err}
	}()
	want := event.Seq{Message: 2}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		end, err := witness.End(t.Context(), group)
		if err != nil {
			t.Fatal(err)
		}
		if end == want {
			break // it is written, and the answer is lost
		}
		if time.Now().After(deadline) {
			t.Fatal("the append does not arrive")
		}
	}
	p.deaf.Store(false)
	p.cut()
	if r := <-done; r.err != nil || r.seq != want {
		t.Fatalf("append after a lost answer: %s, %v, want %s", r.seq, r.err, want)
	}
	if seq := mustAppend(t, l, watch(2)); seq != (event.Seq{Message: 3}) {
		t.Fatalf("the next append is at %s: something was written twice", seq)
	}
}

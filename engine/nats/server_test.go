package nats

import (
	"log/slog"
	"net"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/attune-io/attune"
)

// The log promises that what it acknowledged is on disk. SIGKILL cannot show
// that, so the option that makes it true is looked at.
func TestEmbeddedSyncsAlwaysAndDoesNotListen(t *testing.T) {
	e, err := Open(t.Context(), "", t.TempDir(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if !e.server.ns.JetStreamConfig().SyncAlways {
		t.Error("jetstream acknowledges before it syncs")
	}
	if addr := e.server.ns.Addr(); addr != nil {
		t.Errorf("the embedded server listens at %s", addr)
	}
	if got := e.Client().MaxPayload(); got != maxPayload {
		t.Errorf("max payload is %d, want %d", got, maxPayload)
	}
	js, err := jetstream.New(e.Client())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.AccountInfo(t.Context()); err != nil {
		t.Error(err)
	}
}

// listen starts a server that is not the engine's own.
func listen(t *testing.T, opts natsserver.Options) *natsserver.Server {
	t.Helper()
	opts.Host, opts.NoSigs, opts.StoreDir = "127.0.0.1", true, t.TempDir()
	ns, err := natsserver.NewServer(&opts)
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	})
	if !ns.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server did not start")
	}
	return ns
}

// A server without JetStream, or one that takes only small messages, would fail
// at the first event; it is refused when it is dialled.
func TestOpenRefusesServersThatCannotServe(t *testing.T) {
	for name, opts := range map[string]natsserver.Options{
		"no jetstream":   {Port: natsserver.RANDOM_PORT},
		"small messages": {Port: natsserver.RANDOM_PORT, JetStream: true, MaxPayload: MinPayload - 1},
	} {
		ns := listen(t, opts)
		_, err := Open(t.Context(), ns.ClientURL(), "", slog.New(slog.DiscardHandler), nil)
		if attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

// A dialled server that goes away makes the engine not ready, and one that
// comes back makes it ready again.
func TestDialledComesBack(t *testing.T) {
	first := listen(t, natsserver.Options{Port: natsserver.RANDOM_PORT, JetStream: true})
	e, err := Open(t.Context(), first.ClientURL(), "", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	port := first.Addr().(*net.TCPAddr).Port
	first.Shutdown()
	first.WaitForShutdown()
	wait(t, func() bool { return attune.KindOf(e.Ready(t.Context())) == attune.Unavailable })
	listen(t, natsserver.Options{Port: port, JetStream: true})
	wait(t, func() bool { return e.Ready(t.Context()) == nil })
}

func wait(t *testing.T, until func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !until(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen within 20 s")
		}
	}
}

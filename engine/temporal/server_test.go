package temporal

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/attune-io/attune"
)

// listening is how many of the services have a port: the last of
// temporal.DefaultServices, the worker, only calls the others.
const listening = 3

func open(t *testing.T, dir string) *Engine {
	t.Helper()
	e, err := Open(t.Context(), "", dir, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// call asks a service for its health, which every service answers.
func call(t *testing.T, addr string, creds credentials.TransportCredentials) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(creds), grpc.WithNoProxy())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // a test's connection
	_, err = healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	return err
}

// Every port of the embedded server, not only the frontend's, refuses whoever
// does not hold the certificate of this start.
func TestStrangersAreRefused(t *testing.T) {
	e := open(t, filepath.Join(t.TempDir(), "a ?%#+ b"))
	stranger, err := newSecret()
	if err != nil {
		t.Fatal(err)
	}
	// It knows everything but the key: it even trusts the server.
	forged := e.server.secret.client()
	forged.Certificates = []tls.Certificate{stranger.cert}
	nothing := e.server.secret.client()
	nothing.Certificates = nil

	for _, port := range e.server.ports[:listening] {
		addr := address(port)
		if err := call(t, addr, credentials.NewTLS(e.server.secret.client())); status.Code(err) == codes.Unavailable {
			t.Errorf("%s refuses the engine's own client: %v", addr, err)
		}
		for name, creds := range map[string]credentials.TransportCredentials{
			"plain text":            insecure.NewCredentials(),
			"no certificate":        credentials.NewTLS(nothing),
			"another's certificate": credentials.NewTLS(forged),
		} {
			if err := call(t, addr, creds); err == nil {
				t.Errorf("%s let in a client with %s", addr, name)
			}
		}
	}
}

func TestNamespaceIsSet(t *testing.T) {
	e := open(t, t.TempDir())
	if e.Namespace() != Namespace {
		t.Errorf("namespace is %q, want %q", e.Namespace(), Namespace)
	}
	got, err := e.Client().WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: Namespace})
	if err != nil {
		t.Fatal(err)
	}
	if d := got.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(); d != retention {
		t.Errorf("retention is %s, want %s", d, retention)
	}
}

// A port that somebody takes before the server can listen is a failed start
// with a reason, not the end of the process; other ports then do.
func TestTakenPort(t *testing.T) {
	db, err := prepare(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // a test's listener
	log := slog.New(slog.DiscardHandler)
	for i := range listening {
		clash, err := freePorts(4)
		if err != nil {
			t.Fatal(err)
		}
		clash[i] = l.Addr().(*net.TCPAddr).Port
		srv, err := start(db, clash, log)
		if err == nil {
			t.Errorf("service %d started on a port that is taken", i)
			if err := srv.stop(); err != nil {
				t.Error(err)
			}
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("the clash of service %d is not the error: %v", i, err)
		}
	}
	ports, err := freePorts(4)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := start(db, ports, log)
	if err != nil {
		t.Fatalf("after the clashes: %v", err)
	}
	if err := srv.stop(); err != nil {
		t.Error(err)
	}
}

// When the server says that it cannot go on, Ready says so too.
func TestFatalIsNotReady(t *testing.T) {
	e := open(t, t.TempDir())
	done := make(chan struct{})
	returned := false
	go func() {
		defer close(done)
		(&logger{log: slog.New(slog.DiscardHandler), fate: e.server.fate}).Fatal("the disk is gone")
		returned = true
	}()
	<-done
	if returned {
		t.Error("fatal returned")
	}
	if err := e.Ready(t.Context()); attune.KindOf(err) != attune.Unavailable {
		t.Errorf("ready says %v", err)
	}
}

// BenchmarkOpen measures a warm start and the stop after it, and what the
// server holds in memory when nothing happens.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	log := slog.New(slog.DiscardHandler)
	var opening, closing time.Duration
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		began := time.Now()
		e, err := Open(b.Context(), "", dir, log, nil)
		if err != nil {
			b.Fatal(err)
		}
		opening += time.Since(began)
		runtime.GC()
		runtime.ReadMemStats(&after)
		began = time.Now()
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
		closing += time.Since(began)
	}
	b.ReportMetric(float64(opening.Milliseconds())/float64(b.N), "open-ms")
	b.ReportMetric(float64(closing.Milliseconds())/float64(b.N), "close-ms")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "heap-MiB")
}

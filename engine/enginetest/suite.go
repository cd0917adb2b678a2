package enginetest

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune"
)

// openTimeout bounds one Open; the slowest engine takes about a second on an
// idle machine, and tests run on busy ones.
const openTimeout = 60 * time.Second

// Engine is what all engines have beside their Client.
type Engine interface {
	Ready(ctx context.Context) error
	Close() error
}

// Opener is an engine's Open.
type Opener[E Engine] func(ctx context.Context, url, dir string, log *slog.Logger, reg prometheus.Registerer) (E, error)

// seam says how one kind of engine is written to and read, by its client.
type seam[E Engine] struct {
	open    Opener[E]
	env     string   // the variable that names a real one
	refused []string // URLs that cannot be understood
	absent  string   // a URL where nobody answers; "" when a dial cannot tell

	write func(t *testing.T, e E, key string)      // key is fresh
	has   func(t *testing.T, e E, key string) bool // whether key was written
	clean func(t *testing.T, e E, key string)      // takes key back from a real one
}

func (s seam[E]) run(t *testing.T) {
	t.Run("embedded", s.embedded)
	t.Run("side by side", s.sideBySide)
	t.Run("refused url", s.refuse)
	t.Run("nobody there", s.nobody)
	t.Run("real", s.real)
}

func (s seam[E]) start(t *testing.T, url, dir string, reg prometheus.Registerer) E {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), openTimeout)
	defer cancel()
	e, err := s.open(ctx, url, dir, slog.New(slog.NewTextHandler(testWriter{t}, nil)), reg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

// embedded: what was written is there after Close and Open, Ready tells the
// truth, and Close may be repeated.
func (s seam[E]) embedded(t *testing.T) {
	s.life(t, "", t.TempDir())
}

func (s seam[E]) real(t *testing.T) {
	url := os.Getenv(s.env)
	if url == "" {
		t.Skipf("%s is not set, so there is no real server to test against", s.env)
	}
	s.life(t, url, "")
}

func (s seam[E]) life(t *testing.T, url, dir string) {
	// One registry for both lives: what the first registered it takes back.
	reg := prometheus.NewPedanticRegistry()
	key := rand.Text()

	first := s.start(t, url, dir, reg)
	s.mustReady(t, first)
	if s.has(t, first, key) {
		t.Fatalf("%s is there before it was written", key)
	}
	s.write(t, first, key)
	if _, err := reg.Gather(); err != nil {
		t.Errorf("gather metrics: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if err := first.Ready(t.Context()); err == nil {
		t.Error("a closed engine says it is ready")
	}
	if err := first.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}

	second := s.start(t, url, dir, reg)
	s.mustReady(t, second)
	if !s.has(t, second, key) {
		t.Errorf("%s did not survive close and open", key)
	}
	s.clean(t, second, key)
}

func (s seam[E]) mustReady(t *testing.T, e E) {
	t.Helper()
	if err := e.Ready(t.Context()); err != nil {
		t.Fatalf("an open engine is not ready: %v", err)
	}
}

// sideBySide: two of them in one process, on two folders, do not meet.
func (s seam[E]) sideBySide(t *testing.T) {
	a := s.start(t, "", t.TempDir(), prometheus.NewRegistry())
	b := s.start(t, "", t.TempDir(), prometheus.NewRegistry())
	key := rand.Text()
	s.write(t, a, key)
	if s.has(t, b, key) {
		t.Error("the second engine has what was written to the first")
	}
	if err := a.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	s.mustReady(t, b)
	s.write(t, b, key)
	if !s.has(t, b, key) {
		t.Error("the second engine does not work after the first was closed")
	}
}

func (s seam[E]) refuse(t *testing.T) {
	for _, url := range append([]string{"gopher://localhost/x", "://", "no scheme"}, s.refused...) {
		e, err := s.open(t.Context(), url, t.TempDir(), slog.New(slog.DiscardHandler), nil)
		if err == nil {
			t.Errorf("%q was opened", url)
			if cerr := e.Close(); cerr != nil {
				t.Errorf("close: %v", cerr)
			}
			continue
		}
		if k := attune.KindOf(err); k != attune.Invalid {
			t.Errorf("%q: the error is %s, want invalid: %v", url, k, err)
		}
	}
}

// nobody: a dial to a port without a listener ends, and says so.
func (s seam[E]) nobody(t *testing.T) {
	if s.absent == "" {
		t.Skip("this engine's dial needs credentials before it needs a server")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	e, err := s.open(ctx, s.absent, t.TempDir(), slog.New(slog.DiscardHandler), nil)
	if err == nil {
		t.Errorf("%s was opened, though nobody is there", s.absent)
		if cerr := e.Close(); cerr != nil {
			t.Errorf("close: %v", cerr)
		}
		return
	}
	if k := attune.KindOf(err); k != attune.Unavailable {
		t.Errorf("the error is %s, want unavailable: %v", k, err)
	}
}

// testWriter gives an engine's log lines to the test.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	select {
	case <-w.t.Context().Done(): // a line after the test's end would be a panic
	default:
		w.t.Log(string(p))
	}
	return len(p), nil
}

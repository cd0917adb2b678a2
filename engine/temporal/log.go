package temporal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"

	temporallog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	"go.uber.org/zap/zapcore"

	"github.com/attune-io/attune"
)

// quietHandler drops what is below a warning: the server and the SDK narrate
// every start, poll and stop, which is not news to whoever runs Attune.
type quietHandler struct{ slog.Handler }

func (h quietHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

func (h quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(attrs)}
}

func (h quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{h.Handler.WithGroup(name)}
}

// fate holds the first thing that the server called fatal.
type fate struct {
	mu    sync.Mutex
	fatal error
	built bool // the server is made, and runs goroutines of its own
	quiet bool // the server is stopping: what it complains of now is of no use
}

// fatalError is what stops the making of a server.
type fatalError struct{ error }

func (f *fate) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fatal == nil {
		return nil
	}
	return attune.Errorf(attune.Unavailable, "the embedded temporal gave up: %w", f.fatal)
}

// set notes the end, and reports whether the server was made before it.
func (f *fate) set(err error) (built bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fatal == nil {
		f.fatal = err
	}
	return f.built
}

func (f *fate) build() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.built = true
}

func (f *fate) hush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.quiet = true
}

func (f *fate) hushed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.quiet
}

// logger carries the server's log lines to slog.
type logger struct {
	log  *slog.Logger
	fate *fate
}

var (
	_ temporallog.Logger     = (*logger)(nil)
	_ temporallog.WithLogger = (*logger)(nil)
)

func (l *logger) write(level slog.Level, msg string, tags []tag.Tag) {
	ctx := context.Background()
	if !l.log.Enabled(ctx, level) || l.fate.hushed() {
		return
	}
	for _, t := range tags {
		// A stop or a slow caller cancels calls in flight; it is not a fault.
		if errors.Is(cause(t), context.Canceled) {
			return
		}
	}
	l.log.LogAttrs(ctx, level, msg, attrs(tags)...)
}

// cause returns the error that a tag carries, if it does: its Value is a string.
func cause(t tag.Tag) error {
	zt, ok := t.(tag.ZapTag)
	if !ok || zt.Field().Type != zapcore.ErrorType {
		return nil
	}
	err, _ := zt.Field().Interface.(error)
	return err
}

func attrs(tags []tag.Tag) []slog.Attr {
	out := make([]slog.Attr, len(tags))
	for i, t := range tags {
		out[i] = slog.Any(t.Key(), t.Value())
	}
	return out
}

// Debug implements the server's logger.
func (l *logger) Debug(msg string, tags ...tag.Tag) { l.write(slog.LevelDebug, msg, tags) }

// Info implements the server's logger.
func (l *logger) Info(msg string, tags ...tag.Tag) { l.write(slog.LevelInfo, msg, tags) }

// Warn implements the server's logger.
func (l *logger) Warn(msg string, tags ...tag.Tag) { l.write(slog.LevelWarn, msg, tags) }

// Error implements the server's logger.
func (l *logger) Error(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// DPanic would panic in a development build of the server; here it is an error.
func (l *logger) DPanic(msg string, tags ...tag.Tag) { l.write(slog.LevelError, msg, tags) }

// Panic panics, as the server expects.
func (l *logger) Panic(msg string, tags ...tag.Tag) {
	l.write(slog.LevelError, msg, tags)
	panic("temporal: " + msg)
}

// Fatal never returns, as the server expects, but it ends less than the process,
// which belongs to more than this engine. While the server is being made, in
// our own goroutine, it panics back to attempt; later it ends the goroutine,
// and Ready tells everybody else.
func (l *logger) Fatal(msg string, tags ...tag.Tag) {
	err := errors.New(msg)
	for _, t := range tags {
		if why := cause(t); why != nil {
			err = fmt.Errorf("%w: %w", err, why)
		} else {
			err = fmt.Errorf("%w; %s %v", err, t.Key(), t.Value())
		}
	}
	built := l.fate.set(err)
	l.write(slog.LevelWarn, err.Error(), nil)
	if !built {
		panic(fatalError{err})
	}
	runtime.Goexit()
}

// With returns a logger that adds tags to every line.
func (l *logger) With(tags ...tag.Tag) temporallog.Logger {
	as := attrs(tags)
	args := make([]any, len(as))
	for i, a := range as {
		args[i] = a
	}
	return &logger{log: l.log.With(args...), fate: l.fate}
}

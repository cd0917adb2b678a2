package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune"
)

const (
	// maxGroup bounds a group's id; stream names become folder names.
	maxGroup = 64

	// dedupWindow is how long the server knows the ids of messages. It must be
	// longer than commitBudget, so that a publish whose acknowledgement was
	// lost is never written twice; not much longer, since the server keeps
	// every id of the window in memory.
	dedupWindow = time.Minute

	// adminTimeout bounds creating, deleting and asking about a stream.
	adminTimeout = 10 * time.Second
)

// Options are the choices of a Log. The zero value is right for one server.
type Options struct {
	// Replicas is how many servers of a cluster hold a group's stream; 0 means 1.
	Replicas int
}

// Log appends to and reads the groups' logs. It is safe for concurrent use.
type Log struct {
	js    jetstream.JetStream
	clock attune.Clock
	log   *slog.Logger
	opts  Options
	m     *metrics

	offers  chan offer
	offered atomic.Int64 // impressions taken into offers so far
	settled atomic.Int64 // of those, how many are in the log or dropped

	mu      sync.Mutex
	writers map[Group]*writer
	streams map[Group]string // the live stream of each group, as far as it was looked up
}

// Open makes a Log over a connection, which stays the caller's. Errors:
// attune.Unavailable when JetStream does not answer. reg and o may be nil.
func Open(ctx context.Context, nc *nats.Conn, clock attune.Clock, log *slog.Logger, reg prometheus.Registerer, o *Options) (*Log, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	if _, err := js.AccountInfo(ctx); err != nil {
		return nil, attune.Errorf(attune.Unavailable, "open the log: jetstream does not answer: %w", err)
	}
	l := &Log{
		js: js, clock: clock, log: log.With("room", "event"), m: newMetrics(reg),
		offers:  make(chan offer, maxOffers),
		writers: map[Group]*writer{}, streams: map[Group]string{},
	}
	if o != nil {
		l.opts = *o
	}
	if l.opts.Replicas == 0 {
		l.opts.Replicas = 1
	}
	return l, nil
}

// Create makes the group's stream; a second Create does nothing. Errors:
// attune.Invalid for a group that is no id, attune.Unavailable.
func (l *Log) Create(ctx context.Context, g Group) error {
	if err := checkGroup(g); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	if _, err := l.live(ctx, g); !errors.Is(err, jetstream.ErrStreamNotFound) {
		if err != nil {
			return l.failed("create", g, err)
		}
		return nil
	}
	_, err := l.js.CreateStream(ctx, l.config(g, 1, nil))
	if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return l.failed("create", g, err)
	}
	return nil
}

// config is what a group's stream of a generation is made with.
func (l *Log) config(g Group, generation int, metadata map[string]string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        stream(g, generation),
		Description: "the log of dataset group " + string(g),
		Subjects:    []string{subject(stream(g, generation))},
		Metadata:    metadata,
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		// Nothing is ever dropped to make room: a full disk refuses appends.
		Discard: jetstream.DiscardNew, MaxMsgs: -1, MaxBytes: -1, MaxMsgSize: -1,
		Duplicates: dedupWindow,
		Replicas:   l.opts.Replicas,
		// End must see every acknowledged append, so it asks the stream's
		// leader; a direct get may be answered by a replica that is behind.
		AllowDirect: false,
	}
}

// Delete removes the group's log with everything in it; deleting what is not
// there does nothing. Appends and reads under way end with attune.NotFound.
func (l *Log) Delete(ctx context.Context, g Group) error {
	if err := checkGroup(g); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	all, err := l.generations(ctx, g)
	if err != nil {
		return l.failed("delete", g, err)
	}
	// The newest first: a copy that is not finished must never be the only one.
	for _, generation := range slices.Backward(all) {
		if err := l.deleteStream(ctx, stream(g, generation)); err != nil {
			return l.failed("delete", g, err)
		}
	}
	l.mu.Lock()
	delete(l.writers, g)
	delete(l.streams, g)
	l.mu.Unlock()
	return nil
}

// End returns the Seq of the group's last record: every append acknowledged
// before the call is at or before it. The zero Seq means an empty log.
func (l *Log) End(ctx context.Context, g Group) (Seq, error) {
	if err := checkGroup(g); err != nil {
		return Seq{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	s, err := l.open(ctx, g)
	if err != nil {
		return Seq{}, l.failed("read", g, err)
	}
	last := s.CachedInfo().State.LastSeq
	if last == 0 {
		return Seq{}, nil
	}
	msg, err := s.GetMsg(ctx, last)
	if err != nil {
		return Seq{}, l.failed("read", g, err)
	}
	_, n, _, err := messageHead(msg.Data)
	if err != nil {
		return Seq{}, fmt.Errorf("log %s: message %d: %w", g, last, err)
	}
	return Seq{Message: last, Index: max(n, 1) - 1}, nil
}

// failed classifies what JetStream said while we were doing something to a group's log.
func (l *Log) failed(doing string, g Group, err error) error {
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, nats.ErrStreamNotFound):
		return attune.Errorf(attune.NotFound, "%s log %s: there is no such log", doing, g)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s log %s: %w", doing, g, err)
	default:
		return attune.Errorf(attune.Unavailable, "%s log %s: %w", doing, g, err)
	}
}

// checkGroup keeps out what NATS would read as a pattern or a path.
func checkGroup(g Group) error {
	ok := len(g) > 0 && len(g) <= maxGroup
	for i := 0; ok && i < len(g); i++ {
		c := g[i]
		ok = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '-'
	}
	if !ok {
		return attune.Errorf(attune.Invalid, "group %q is no id: 1 to %d lower-case letters, digits or hyphens", string(g), maxGroup)
	}
	return nil
}

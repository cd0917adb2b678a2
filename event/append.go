package event

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/attune-io/attune"
)

const (
	// maxRecords bounds the records of one message in bytes: a NATS server
	// takes messages of 1 MiB unless told otherwise, headers included.
	maxRecords = 1<<20 - 4<<10

	// batchTarget is the size at which a group commit is full. Larger ones
	// would not be much cheaper per byte and make readers take larger bites.
	batchTarget = 256 << 10

	// maxQueued bounds the bytes of a group that wait for the disk: about a
	// second of work. More means that we are slower than the callers.
	maxQueued = 32 << 20

	// queuedOverhead is what a waiting append costs beside its bytes.
	queuedOverhead = 256

	// ackWait is how long one publish waits for its acknowledgement.
	ackWait = 4 * time.Second

	// commitBudget is how long a group commit is tried altogether. It must be
	// well under dedupWindow, see there.
	commitBudget = 15 * time.Second

	// retryPause is the wait before a publish is sent again.
	retryPause = 50 * time.Millisecond
)

// Append writes bodies to the end of the group's log in their order and
// returns the Seq of the last one, once they are on disk. Bodies that fit into
// one message (just under 1 MiB) are written all or none; more are written in
// several such pieces. Concurrent appends of a group share one write.
//
// Errors: attune.Invalid for a body that is too large, attune.NotFound when the
// group has no log, attune.Throttled when too much is waiting, attune.Unavailable
// when JetStream does not answer. After Unavailable and after ctx ends the
// bodies may or may not have been written; append them again and let readers
// drop what came twice.
func (l *Log) Append(ctx context.Context, g Group, bodies ...Body) (Seq, error) {
	if err := checkGroup(g); err != nil {
		return Seq{}, err
	}
	if len(bodies) == 0 {
		return Seq{}, attune.Errorf(attune.Invalid, "append to log %s: no records were given", g)
	}
	w := l.writer(g)
	var records []byte
	n := 0
	for _, b := range bodies {
		start := len(records)
		var err error
		if records, err = appendRecord(records, b); err != nil {
			return Seq{}, err
		}
		if size := len(records) - start; size > maxRecords {
			return Seq{}, attune.Errorf(attune.Invalid, "append to log %s: a record of %d bytes is over the limit of %d; shorten its properties", g, size, maxRecords)
		}
		if len(records) > maxRecords {
			if _, err = w.append(ctx, records[:start:start], n); err != nil {
				return Seq{}, err
			}
			records, n = append([]byte(nil), records[start:]...), 0
		}
		n++
	}
	return w.append(ctx, records, n)
}

func (l *Log) writer(g Group) *writer {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.writers[g]
	if w == nil {
		w = &writer{l: l, g: g}
		l.writers[g] = w
	}
	return w
}

// writer queues one group's appends. Nothing runs while the queue is empty;
// the append that finds it so starts the goroutine that works it off.
type writer struct {
	l *Log
	g Group

	mu      sync.Mutex
	queue   []*batch // the last may still take more
	queued  int      // bytes, with queuedOverhead per append
	running bool     // a goroutine is working the queue off

	// writing is held while a commit is on its way, and by a rewriting while
	// it puts one stream in the place of another.
	writing sync.Mutex
}

// batch is a group commit in the making.
type batch struct {
	records []byte
	n       int
	queued  int
	done    chan struct{} // closed when message and err are set
	message uint64
	err     error
}

// append queues n encoded records and waits until they are written or ctx ends.
func (w *writer) append(ctx context.Context, records []byte, n int) (Seq, error) {
	if err := ctx.Err(); err != nil {
		return Seq{}, fmt.Errorf("append to log %s: %w", w.g, err)
	}
	cost := len(records) + queuedOverhead
	w.mu.Lock()
	if w.queued+cost > maxQueued {
		w.mu.Unlock()
		w.l.m.throttled.Inc()
		return Seq{}, attune.Errorf(attune.Throttled, "append to log %s: %d MiB are waiting for the disk; slow down and try again", w.g, maxQueued>>20)
	}
	var b *batch
	if k := len(w.queue); k > 0 && len(w.queue[k-1].records)+len(records) <= batchTarget {
		b = w.queue[k-1]
		b.records = append(b.records, records...)
	} else {
		// The records are the caller's no more, so the batch begins as them.
		b = &batch{records: records, done: make(chan struct{})}
		w.queue = append(w.queue, b)
	}
	b.n += n
	b.queued += cost
	w.queued += cost
	index := uint32(b.n - 1)
	if !w.running {
		w.running = true
		go w.work()
	}
	w.mu.Unlock()

	select {
	case <-b.done:
		if b.err != nil {
			return Seq{}, b.err
		}
		return Seq{Message: b.message, Index: index}, nil
	case <-ctx.Done():
		return Seq{}, fmt.Errorf("append to log %s, which may have been written: %w", w.g, ctx.Err())
	}
}

// work commits batch after batch until none is left. What arrives during one
// commit becomes the next: the disk's own pace makes the groups, without a timer.
func (w *writer) work() {
	for {
		w.mu.Lock()
		if len(w.queue) == 0 {
			w.running, w.queue = false, nil
			w.mu.Unlock()
			return
		}
		b := w.queue[0]
		w.queue[0] = nil
		w.queue = w.queue[1:]
		w.mu.Unlock()

		b.message, b.err = w.commit(b)
		close(b.done)

		w.mu.Lock()
		w.queued -= b.queued
		w.mu.Unlock()
	}
}

// commit publishes a batch as one message and returns its sequence. A publish
// without an answer is repeated under the same message id, which the server
// writes once. It does not end with any caller's context: the batch is many
// callers' work.
func (w *writer) commit(b *batch) (uint64, error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	m := w.l.m
	payload := appendMessage(make([]byte, 0, len(b.records)+32), w.l.clock(), b.n, b.records)
	id := rand.Text()
	ctx, cancel := context.WithTimeout(context.Background(), commitBudget)
	defer cancel()
	start := time.Now()
	for {
		ack, err := w.publish(ctx, payload, id)
		if err == nil {
			m.commits.Observe(time.Since(start).Seconds())
			m.records.Add(float64(b.n))
			m.bytes.Add(float64(len(payload)))
			return ack.Sequence, nil
		}
		if err = w.verdict(ctx, err); err != nil {
			return 0, err
		}
		m.retries.Inc()
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
		}
	}
}

func (w *writer) publish(ctx context.Context, payload []byte, id string) (*jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	name, err := w.l.live(ctx, w.g)
	if err != nil {
		return nil, err
	}
	msg := &nats.Msg{Subject: subject(name), Data: payload, Header: nats.Header{}}
	return w.l.js.PublishMsg(ctx, msg, jetstream.WithMsgID(id), jetstream.WithExpectStream(name), jetstream.WithRetryAttempts(0))
}

// verdict says whether a failed publish is worth repeating (nil), or the error to end with.
func (w *writer) verdict(ctx context.Context, err error) error {
	var api *jetstream.APIError
	switch {
	case ctx.Err() != nil, errors.Is(err, nats.ErrConnectionClosed):
		return attune.Errorf(attune.Unavailable, "append to log %s, which may have been written: %w", w.g, err)
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		// Nobody listens on the subject: the stream is gone, or the server is
		// only just starting or stopping, and may lose the question.
		ctx, cancel := context.WithTimeout(ctx, ackWait)
		defer cancel()
		if _, err := w.l.open(ctx, w.g); errors.Is(err, jetstream.ErrStreamNotFound) {
			return w.l.failed("append to", w.g, err)
		}
		return nil
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return w.l.failed("append to", w.g, err)
	case errors.As(err, &api) && api.Code != 503: // 503: no leader or no resources just now
		return attune.Errorf(attune.Unavailable, "append to log %s: %w", w.g, err)
	case errors.Is(err, nats.ErrMaxPayload):
		return attune.Errorf(attune.Unavailable, "append to log %s: %w; raise max_payload of the nats server", w.g, err)
	}
	return nil
}

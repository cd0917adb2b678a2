package event

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/attune-io/attune"
)

const (
	// pullBytes bounds what a reader has in flight; it must hold the largest message.
	pullBytes = 8 << 20

	// pullExpiry is the life of one pull request; heartbeat is how often the
	// server must say that it is there, and twice that is how long a lost one
	// goes unnoticed.
	pullExpiry = 30 * time.Second
	heartbeat  = 2 * time.Second

	// maxBite is how many records Follow hands over at most at once: enough to
	// make the overhead per call vanish, few enough to keep the memory small.
	maxBite = 8192

	// maxAhead is how many messages Follow decodes ahead of f.
	maxAhead = 64

	// minBackoff and maxBackoff bound the pause before a lost reader starts again.
	minBackoff = 20 * time.Millisecond
	maxBackoff = 2 * time.Second

	// maxReadFailures is how often in a row, without a message between, Read
	// starts again before it gives up; Follow never does.
	maxReadFailures = 8
)

// errStop ends messages early without being an error of anybody.
var errStop = errors.New("reader has enough")

// Read yields the records in (after, upTo] in order, ending at the end of the
// log as it is now when that comes first. The strings of a record share the
// record's memory: clone what is kept for long. After an error nothing more is
// yielded: attune.NotFound when the group has no log, attune.Unavailable when
// JetStream stays away, internal when a message is damaged.
func (l *Log) Read(ctx context.Context, g Group, after, upTo Seq) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		end, err := l.End(ctx, g)
		if err != nil {
			yield(Record{}, err)
			return
		}
		if end.Less(upTo) {
			upTo = end
		}
		if !after.Less(upTo) {
			return
		}
		var buf []Record
		err = l.messages(ctx, g, after, maxReadFailures, func(seq uint64, payload []byte) error {
			if seq > upTo.Message {
				return errStop
			}
			if buf, err = decodeMessage(buf[:0], payload, seq, after); err != nil {
				return damaged(g, seq, err)
			}
			for i := range buf {
				if upTo.Less(buf[i].Seq) || !yield(buf[i], nil) {
					return errStop
				}
			}
			if seq == upTo.Message {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(Record{}, err)
		}
	}
}

// Follow calls f with the records after a Seq, in order, as many at a time as
// there are (at most some thousand), and goes on with what is appended later
// until ctx ends. It survives lost connections and restarted servers: every
// record comes exactly once. f owns the slice's records but not the slice.
//
// It returns f's error unchanged, attune.NotFound when the log is not there or
// has been deleted, internal when a message is damaged, and ctx's error at the end.
func (l *Log) Follow(ctx context.Context, g Group, after Seq, f func([]Record) error) error {
	if err := checkGroup(g); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ahead := make(chan []Record, maxAhead)
	var readErr error
	go func() {
		defer close(ahead)
		readErr = l.messages(ctx, g, after, 0, func(seq uint64, payload []byte) error {
			records, err := decodeMessage(nil, payload, seq, after)
			if err != nil {
				return damaged(g, seq, err)
			}
			select {
			case ahead <- records:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	var bite []Record
	for records := range ahead {
		bite = append(bite[:0], records...)
		for len(bite) < maxBite && len(ahead) > 0 {
			bite = append(bite, <-ahead...)
		}
		if len(bite) == 0 {
			continue
		}
		if err := f(bite); err != nil {
			cancel()
			for range ahead { // let the reader go before we do
			}
			return err
		}
		clear(bite) // else the last big bite stays in memory while nothing happens
	}
	return readErr
}

// messages calls f with every message from after's on (which may hold records
// behind after), in order, each once, until f or ctx ends it. Whatever goes
// wrong between is tried again from the place reached; maxFailures > 0 bounds
// how often in a row.
func (l *Log) messages(ctx context.Context, g Group, after Seq, maxFailures int, f func(seq uint64, payload []byte) error) error {
	from := max(after.Message, 1)
	pause, failures := minBackoff, 0
	for {
		reached := from
		name, err := l.live(ctx, g)
		if err == nil {
			err = l.pull(ctx, name, &from, f)
		}
		var done *ended
		switch {
		case errors.As(err, &done):
			return done.err
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, jetstream.ErrStreamNotFound):
			if err := l.changed(ctx, g, name); errors.Is(err, jetstream.ErrStreamNotFound) {
				return l.failed("read", g, err)
			}
		}
		if from > reached {
			pause, failures = minBackoff, 0
		}
		if failures++; maxFailures > 0 && failures >= maxFailures {
			return l.failed("read", g, err)
		}
		l.log.Debug("reader starts again", "group", g, "from", from, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause = min(2*pause, maxBackoff)
	}
}

// ended carries f's own error past the retrying.
type ended struct{ err error }

func (e *ended) Error() string { return e.err.Error() }

// pull reads a stream with one consumer until something fails. *from is the next
// message wanted, and moves on with every message f has taken.
func (l *Log) pull(ctx context.Context, name string, from *uint64, f func(seq uint64, payload []byte) error) error {
	return l.pullMessages(ctx, name, from, func(msg jetstream.Msg, meta *jetstream.MsgMetadata) error {
		return f(meta.Sequence.Stream, msg.Data())
	})
}

// pullMessages is pull with all that is known of a message.
func (l *Log) pullMessages(ctx context.Context, name string, from *uint64, f func(jetstream.Msg, *jetstream.MsgMetadata) error) error {
	cons, err := l.js.OrderedConsumer(ctx, name, jetstream.OrderedConsumerConfig{
		DeliverPolicy:    jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:      *from,
		MaxResetAttempts: 1, // we start again ourselves, and sooner
	})
	if err != nil {
		return err
	}
	defer l.forget(ctx, name, cons)
	it, err := cons.Messages(jetstream.PullMaxBytes(pullBytes), jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(heartbeat))
	if err != nil {
		return err
	}
	defer it.Stop()
	for {
		msg, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return err
		}
		seq := meta.Sequence.Stream
		if seq < *from {
			continue
		}
		if err := f(msg, meta); err != nil {
			return &ended{err}
		}
		*from = seq + 1
	}
}

// forget removes the server's side of a reader. Left alone it would go by
// itself after minutes, so a failure does not matter.
func (l *Log) forget(ctx context.Context, stream string, cons jetstream.Consumer) {
	info := cons.CachedInfo()
	if info == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := l.js.DeleteConsumer(ctx, stream, info.Name); err != nil {
		l.log.Debug("reader is left to expire", "stream", stream, "error", err)
	}
}

func damaged(g Group, seq uint64, err error) error {
	return attune.Errorf(attune.Internal, "log %s: message %d cannot be read: %w", g, seq, err)
}

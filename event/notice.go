package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/attune-io/attune"
)

// Notices are what is told to whom it may concern: that a resource changed, that
// a job outside is done. They have one stream for all groups. Unlike the logs it
// forgets: nothing is folded from it.
const (
	noticeStream  = "notices"
	noticeSubject = "notices"

	// MaxNotice bounds a notice, in bytes: what EventBridge takes, and its envelope.
	MaxNotice = 320 << 10
	// noticeAge is how long a notice can be read: a reader that was away for
	// longer has missed some, and is told.
	noticeAge = 7 * 24 * time.Hour
	// noticeBytes bounds the stream: hundreds of thousands of usual notices.
	noticeBytes = 256 << 20
	// noticeDedup is how long the server knows the ids of notices. A relay that
	// starts again within it publishes nothing twice.
	noticeDedup = 2 * time.Minute
	// maxNotices bounds one Page.
	maxNotices = 100
	// pageWait bounds how long a Page waits for messages that are there.
	pageWait = 2 * time.Second
)

// Notice is one message of the bus.
type Notice struct {
	Seq  uint64    // its place, from 1; there are gaps where notices were forgotten
	ID   string    // as published
	At   time.Time // when the bus took it
	Data []byte
}

// Notices is the bus. It is safe for concurrent use.
type Notices struct {
	log *Log // whose connection it is on; a reader of notices is a reader of a log
}

// OpenNotices makes the stream of notices if there is none, on the connection of l.
// Errors: attune.Unavailable when JetStream does not answer.
func OpenNotices(ctx context.Context, l *Log) (*Notices, error) {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	_, err := l.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: noticeStream, Subjects: []string{noticeSubject}, Description: "what is told to rules",
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		MaxAge: noticeAge, MaxBytes: noticeBytes, MaxMsgs: -1, MaxMsgSize: MaxNotice + 1<<10, // headers count
		Duplicates: noticeDedup, Replicas: l.opts.Replicas, AllowDirect: false,
	})
	if err != nil {
		return nil, attune.Errorf(attune.Unavailable, "open the notices: %w", err)
	}
	return &Notices{l}, nil
}

// Publish puts a notice on the bus; it is on disk when Publish returns. One whose
// id was published in the last two minutes is there already, and is not put again.
// Errors: attune.Invalid for one that is too large, attune.Unavailable.
func (n *Notices) Publish(ctx context.Context, id string, data []byte) (seq uint64, err error) {
	if len(data) > MaxNotice || id == "" {
		return 0, attune.Errorf(attune.Invalid, "a notice has an id and at most %d bytes, not %d", MaxNotice, len(data))
	}
	msg := &nats.Msg{Subject: noticeSubject, Data: data}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	ack, err := n.log.js.PublishMsg(ctx, msg, jetstream.WithMsgID(id), jetstream.WithExpectStream(noticeStream))
	if err != nil {
		return 0, n.failed("publish", err)
	}
	return ack.Sequence, nil
}

// Ends gives the places of the oldest and the newest notice. An empty bus has
// first = last + 1.
func (n *Notices) Ends(ctx context.Context) (first, last uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	s, err := n.log.js.Stream(ctx, noticeStream)
	if err != nil {
		return 0, 0, n.failed("read", err)
	}
	state := s.CachedInfo().State
	if state.Msgs == 0 {
		return state.LastSeq + 1, state.LastSeq, nil
	}
	return state.FirstSeq, state.LastSeq, nil
}

// Follow calls f with every notice behind a place, in order, and goes on with
// those that come until ctx ends. It survives lost connections and restarted
// servers. What f returned without an error is done with: a reader that keeps
// the Seq it has dealt with gets every notice at least once, whenever it is
// killed. It returns f's error unchanged, and ctx's at the end.
func (n *Notices) Follow(ctx context.Context, after uint64, f func(Notice) error) error {
	from, pause := after+1, minBackoff
	for {
		reached := from
		err := n.log.pullMessages(ctx, noticeStream, &from, func(msg jetstream.Msg, meta *jetstream.MsgMetadata) error {
			return f(noticeOf(msg, meta))
		})
		var done *ended
		switch {
		case errors.As(err, &done):
			return done.err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if from > reached {
			pause = minBackoff
		}
		n.log.log.Log(ctx, slog.LevelDebug, "reader of notices starts again", "from", from, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause = min(2*pause, maxBackoff)
	}
}

// Page gives at most limit notices behind a place. When there are none it waits
// for the first as long as ctx lasts, and then gives none, without an error.
func (n *Notices) Page(ctx context.Context, after uint64, limit int) (page []Notice, err error) {
	limit = min(max(limit, 1), maxNotices)
	enough := errors.New("enough")
	wait, cancel := context.WithCancel(ctx)
	defer cancel()
	err = n.Follow(wait, after, func(m Notice) error {
		page = append(page, m)
		_, last, err := n.Ends(ctx)
		if len(page) == limit || err != nil || m.Seq >= last {
			return enough
		}
		if len(page) == 1 { // the rest is there, or gone
			time.AfterFunc(pageWait, cancel)
		}
		return nil
	})
	if errors.Is(err, enough) || ctx.Err() != nil || len(page) > 0 {
		return page, nil
	}
	return page, err
}

func noticeOf(msg jetstream.Msg, meta *jetstream.MsgMetadata) Notice {
	return Notice{Seq: meta.Sequence.Stream, ID: msg.Headers().Get(jetstream.MsgIDHeader), At: meta.Timestamp.UTC(), Data: msg.Data()}
}

func (n *Notices) failed(doing string, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s a notice: %w", doing, err)
	}
	return attune.Errorf(attune.Unavailable, "%s a notice: %w", doing, err)
}

package event

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/attune-io/attune"
)

const (
	// rewritingKey is where a copy's metadata say which rewriting made it.
	rewritingKey = "attune.rewriting"

	// tailMessages bounds what is copied while appends wait: a fraction of a second of work.
	tailMessages = 512

	// freePasses is how often what was appended meanwhile is copied beside
	// appends. Writers as quick as the copy would else never be caught up with;
	// after that they have to wait for every tailMessages of it.
	freePasses = 3
)

// Rewriting says how a log is to be changed.
type Rewriting struct {
	// ID names the rewriting, so that one that was killed goes on where it was,
	// and one that is through is not done again.
	ID string
	// UpTo is the last record that may change; those after it stay as they are.
	UpTo Seq
	// Change gives the body that takes a record's place, or nil for a record
	// that stays. It must give the same for the same record, always: a rewriting
	// that goes on after a kill does not ask again for what it has copied.
	Change func(Record) (Body, error)
	// Progress, if given, is told how many of the log's messages are copied.
	Progress func(done, total int64)
}

// Rewrite puts a changed copy in the place of the group's log. Every record
// keeps its Seq, and those that do not change keep their bytes. Appends and
// reads go on meanwhile; appends wait a moment while the last messages are
// copied and the old stream is deleted. Readers that were half through the old
// log go on in the new one.
//
// Killed at any moment, the log is either the old one or the new one, whole:
// see generation.go. Errors: attune.Invalid for a body that is longer than a
// message may be, attune.NotFound, attune.Unavailable; Change's own, unchanged.
// After an error, call it again with the same Rewriting, or Abandon it.
//
// Appends of other processes that share a dialled server are not held back:
// rewrite only where one process writes to the log.
func (l *Log) Rewrite(ctx context.Context, g Group, r Rewriting) error {
	if err := checkGroup(g); err != nil {
		return err
	}
	old, err := l.open(ctx, g)
	if err != nil {
		return l.failed("rewrite", g, err)
	}
	if old.CachedInfo().Config.Metadata[rewritingKey] == r.ID {
		return nil
	}
	name := old.CachedInfo().Config.Name
	_, generation, _ := parseStream(name)
	made, err := l.beginCopy(ctx, g, generation+1, r.ID)
	if err != nil {
		return l.failed("rewrite", g, err)
	}
	c := &copier{l: l, g: g, r: r, from: name, to: stream(g, generation+1), reached: made}
	if err := c.run(ctx); err != nil {
		return err
	}
	for done := false; !done; {
		if done, err = c.swap(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Rewritten says whether the rewriting of that ID was the last that the group's
// log went through.
func (l *Log) Rewritten(ctx context.Context, g Group, id string) (bool, error) {
	s, err := l.open(ctx, g)
	if err != nil {
		return false, l.failed("look at", g, err)
	}
	return s.CachedInfo().Config.Metadata[rewritingKey] == id, nil
}

// Abandon removes what an unfinished rewriting of the group's log left. The log
// stays as it is.
func (l *Log) Abandon(ctx context.Context, g Group) error {
	if err := checkGroup(g); err != nil {
		return err
	}
	all, err := l.generations(ctx, g)
	if err != nil {
		return l.failed("rewrite", g, err)
	}
	for _, generation := range all[min(1, len(all)):] {
		if err := l.deleteStream(ctx, stream(g, generation)); err != nil {
			return l.failed("rewrite", g, err)
		}
	}
	return nil
}

// beginCopy makes the stream of a copy, or finds the one of the same rewriting,
// and says how many messages it holds. What another rewriting left is removed.
func (l *Log) beginCopy(ctx context.Context, g Group, generation int, id string) (reached uint64, err error) {
	name := stream(g, generation)
	s, err := l.js.Stream(ctx, name)
	switch {
	case err == nil && s.CachedInfo().Config.Metadata[rewritingKey] == id:
		return s.CachedInfo().State.LastSeq, nil
	case err == nil:
		err = l.deleteStream(ctx, name)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		err = nil
	}
	if err != nil {
		return 0, err
	}
	_, err = l.js.CreateStream(ctx, l.config(g, generation, map[string]string{rewritingKey: id}))
	return 0, err
}

// copier copies one stream into another, message by message: the n-th message
// of the copy is the n-th of the log.
type copier struct {
	l        *Log
	g        Group
	r        Rewriting
	from, to string
	reached  uint64 // messages copied
	buf      []Record
}

// run copies beside appends until next to nothing is left, or as much keeps coming.
func (c *copier) run(ctx context.Context) error {
	for range freePasses {
		last, err := c.last(ctx)
		if err != nil {
			return err
		}
		if last < c.reached+tailMessages {
			return nil
		}
		if err := c.copy(ctx, last); err != nil {
			return err
		}
	}
	return nil
}

// swap copies more while nobody appends; when that was all, it deletes the old
// stream and is done.
func (c *copier) swap(ctx context.Context) (done bool, err error) {
	w := c.l.writer(c.g)
	w.writing.Lock()
	defer w.writing.Unlock()
	last, err := c.last(ctx)
	if err != nil {
		return false, err
	}
	if last > c.reached+tailMessages {
		return false, c.copy(ctx, c.reached+tailMessages)
	}
	if err := c.copy(ctx, last); err != nil {
		return false, err
	}
	made, err := c.l.js.Stream(ctx, c.to)
	if err != nil {
		return false, c.l.failed("rewrite", c.g, err)
	}
	if n := made.CachedInfo().State.LastSeq; n != last {
		return false, attune.Errorf(attune.Internal, "log %s has %d messages and its copy %d", c.g, last, n)
	}
	if err := c.l.deleteStream(ctx, c.from); err != nil {
		return false, c.l.failed("rewrite", c.g, err)
	}
	c.l.mu.Lock()
	c.l.streams[c.g] = c.to
	c.l.mu.Unlock()
	return true, nil
}

// last is how many messages the log has now.
func (c *copier) last(ctx context.Context) (uint64, error) {
	s, err := c.l.js.Stream(ctx, c.from)
	if err != nil {
		return 0, c.l.failed("rewrite", c.g, err)
	}
	return s.CachedInfo().State.LastSeq, nil
}

// copy copies the messages up to last.
func (c *copier) copy(ctx context.Context, last uint64) error {
	if c.reached >= last {
		return nil
	}
	err := c.l.messages(ctx, c.g, Seq{Message: c.reached + 1}, maxReadFailures, func(seq uint64, payload []byte) error {
		if seq != c.reached+1 {
			return attune.Errorf(attune.Internal, "log %s: message %d is missing", c.g, c.reached+1)
		}
		if seq <= c.r.UpTo.Message {
			var err error
			if payload, err = c.change(seq, payload); err != nil {
				return err
			}
		}
		if err := c.put(ctx, payload); err != nil {
			return err
		}
		if c.r.Progress != nil {
			c.r.Progress(int64(c.reached), int64(last))
		}
		if seq == last {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

// put appends the next message to the copy. It says which message must be the
// last before it, so one whose acknowledgement was lost is not written twice.
func (c *copier) put(ctx context.Context, payload []byte) error {
	msg := &nats.Msg{Subject: subject(c.to), Data: payload, Header: nats.Header{}}
	ctx, cancel := context.WithTimeout(ctx, commitBudget)
	defer cancel()
	_, err := c.l.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(c.to), jetstream.WithExpectLastSequence(c.reached))
	if err != nil {
		return c.l.failed("rewrite", c.g, err)
	}
	c.reached++
	return nil
}

// change rewrites one message: the records that change get their new bodies,
// the others keep their bytes. A message in which nothing changes is returned
// as it is.
func (c *copier) change(seq uint64, payload []byte) ([]byte, error) {
	var err error
	if c.buf, err = decodeMessage(c.buf[:0], payload, seq, Seq{}); err != nil {
		return nil, damaged(c.g, seq, err)
	}
	bodies := make([]Body, len(c.buf))
	changed := false
	for i, r := range c.buf {
		if c.r.UpTo.Less(r.Seq) {
			break
		}
		if bodies[i], err = c.r.Change(r); err != nil {
			return nil, err
		}
		changed = changed || bodies[i] != nil
	}
	if !changed {
		return payload, nil
	}
	received, _, rest, err := messageHead(payload)
	if err != nil {
		return nil, damaged(c.g, seq, err)
	}
	records := make([]byte, 0, len(rest))
	for _, body := range bodies {
		size, k := binary.Uvarint(rest[1:]) // decodeMessage has checked it
		record := rest[:1+k+int(size)]
		rest = rest[len(record):]
		if body == nil {
			records = append(records, record...)
		} else if records, err = appendRecord(records, body); err != nil {
			return nil, err
		}
	}
	if len(records) > maxRecords {
		return nil, attune.Errorf(attune.Invalid, "rewrite log %s: message %d would have %d bytes, more than the %d that fit", c.g, seq, len(records), maxRecords)
	}
	return appendMessage(make([]byte, 0, len(records)+32), received, len(bodies), records), nil
}

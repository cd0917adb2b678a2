package event

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// A group's log is one stream. JetStream cannot replace a message, so a log
// that must lose what somebody said is copied into the stream of the next
// generation, see Rewrite. Of the streams of a group the one of the lowest
// generation is the log; any other is a copy that is not finished. A copy
// becomes the log by the deletion of the stream before it, which JetStream does
// by removing one small file: whenever a process is killed, there is exactly
// one log, the old one or the new.

const (
	// streamPrefix comes before the group in the name of its first stream,
	// which is its subject too. That of generation 3 is log3-<group>.
	streamPrefix = "log"

	// subjectPrefix comes before the group in the subject of a stream of a
	// later generation: the streams of a group are found by subject.
	subjectPrefix = "log."
)

// stream names the stream of a generation, counted from 1.
func stream(g Group, generation int) string {
	if generation == 1 {
		return streamPrefix + "-" + string(g)
	}
	return streamPrefix + strconv.Itoa(generation) + "-" + string(g)
}

// parseStream is stream backwards.
func parseStream(name string) (g Group, generation int, ok bool) {
	number, group, ok := strings.Cut(strings.TrimPrefix(name, streamPrefix), "-")
	if number == "" {
		return Group(group), 1, ok
	}
	generation, err := strconv.Atoi(number)
	return Group(group), generation, ok && err == nil && generation > 1
}

// subject is what a stream listens to.
func subject(stream string) string {
	g, generation, _ := parseStream(stream)
	if generation == 1 {
		return stream
	}
	return subjectPrefix + string(g) + "." + strconv.Itoa(generation)
}

// generations are the group's streams, lowest first.
func (l *Log) generations(ctx context.Context, g Group) ([]int, error) {
	var all []int
	switch _, err := l.js.Stream(ctx, stream(g, 1)); {
	case err == nil:
		all = append(all, 1)
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, err
	}
	names := l.js.StreamNames(ctx, jetstream.WithStreamListSubject(subjectPrefix+string(g)+".*"))
	for name := range names.Name() {
		of, generation, ok := parseStream(name)
		if !ok || of != g {
			return nil, fmt.Errorf("stream %s takes the subjects of log %s", name, g)
		}
		all = append(all, generation)
	}
	slices.Sort(all)
	return all, names.Err()
}

// live names the group's stream; the error is jetstream.ErrStreamNotFound when
// there is none. It asks only once: see changed.
func (l *Log) live(ctx context.Context, g Group) (string, error) {
	l.mu.Lock()
	name := l.streams[g]
	l.mu.Unlock()
	if name != "" {
		return name, nil
	}
	all, err := l.generations(ctx, g)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", jetstream.ErrStreamNotFound
	}
	name = stream(g, all[0])
	l.mu.Lock()
	l.streams[g] = name
	l.mu.Unlock()
	return name, nil
}

// changed looks, after a stream was not found, whether the group's log is
// another by now. The error is as of live.
func (l *Log) changed(ctx context.Context, g Group, missing string) error {
	l.mu.Lock()
	if l.streams[g] == missing {
		delete(l.streams, g)
	}
	l.mu.Unlock()
	name, err := l.live(ctx, g)
	if err == nil && name == missing {
		err = jetstream.ErrStreamNotFound
	}
	return err
}

// open finds the group's stream as it is now.
func (l *Log) open(ctx context.Context, g Group) (jetstream.Stream, error) {
	for {
		name, err := l.live(ctx, g)
		if err != nil {
			return nil, err
		}
		s, err := l.js.Stream(ctx, name)
		if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return s, err
		}
		if err := l.changed(ctx, g, name); err != nil {
			return nil, err
		}
	}
}

// deleteStream removes a stream; one that is not there is no error.
func (l *Log) deleteStream(ctx context.Context, name string) error {
	if err := l.js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	return nil
}

package event_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
)

func notices(t *testing.T, dir string) *event.Notices {
	t.Helper()
	if os.Getenv(natsURL) != "" {
		t.Skip("the stream of notices has one name, and may be somebody's")
	}
	l, _, _ := open(t, dir)
	n, err := event.OpenNotices(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func publish(t *testing.T, n *event.Notices, id string) uint64 {
	t.Helper()
	seq, err := n.Publish(t.Context(), id, []byte("data of "+id))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func ids(page []event.Notice) string {
	var all []string
	for _, m := range page {
		all = append(all, fmt.Sprintf("%d %s", m.Seq, m.ID))
	}
	return strings.Join(all, ", ")
}

func TestNotices(t *testing.T) {
	n := notices(t, t.TempDir())
	if first, last, err := n.Ends(t.Context()); first != 1 || last != 0 || err != nil {
		t.Errorf("an empty bus has %d to %d, %v", first, last, err)
	}
	for i, id := range []string{"a", "b", "a", "c"} {
		if seq, want := publish(t, n, id), []uint64{1, 2, 1, 3}[i]; seq != want {
			t.Errorf("%s is at %d, want %d", id, seq, want)
		}
	}
	page := func(after uint64, limit int) []event.Notice {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		page, err := n.Page(ctx, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	all := page(0, 100)
	if ids(all) != "1 a, 2 b, 3 c" || string(all[1].Data) != "data of b" || time.Since(all[0].At) > time.Minute {
		t.Errorf("all are %s", ids(all))
	}
	if got := ids(page(1, 1)); got != "2 b" {
		t.Errorf("one behind the first is %s", got)
	}
	if got := page(3, 100); len(got) != 0 {
		t.Errorf("behind the last is %s", ids(got))
	}
	if _, err := n.Publish(t.Context(), "big", make([]byte, event.MaxNotice+1)); attune.KindOf(err) != attune.Invalid {
		t.Errorf("a notice that is too large: %v", err)
	}
	if _, err := n.Publish(t.Context(), "just", make([]byte, event.MaxNotice)); err != nil {
		t.Errorf("a notice of the largest size: %v", err)
	}
}

// TestNoticesWait: a page waits for what comes.
func TestNoticesWait(t *testing.T) {
	n := notices(t, t.TempDir())
	go func() {
		time.Sleep(50 * time.Millisecond)
		_, _ = n.Publish(context.WithoutCancel(t.Context()), "late", nil)
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	page, err := n.Page(ctx, 0, 10)
	if ids(page) != "1 late" || err != nil {
		t.Errorf("%s, %v", ids(page), err)
	}
}

// TestNoticesRestart: what was published is there after a restart, and a reader
// goes on where it was.
func TestNoticesRestart(t *testing.T) {
	if os.Getenv(natsURL) != "" {
		t.Skip("needs a server that it may stop")
	}
	dir := t.TempDir()
	l, e, _ := open(t, dir)
	n, err := event.OpenNotices(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, n, "a")
	publish(t, n, "b")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	n = notices(t, dir)
	if publish(t, n, "b") != 2 { // the ids are known to the next server, too
		t.Error("b is there twice")
	}
	publish(t, n, "c")
	stop := errors.New("stop")
	var got []event.Notice
	err = n.Follow(t.Context(), 1, func(m event.Notice) error {
		if got = append(got, m); len(got) == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || ids(got) != "2 b, 3 c" {
		t.Errorf("%s, %v", ids(got), err)
	}
}

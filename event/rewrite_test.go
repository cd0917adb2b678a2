package event

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/engine/nats"
)

const shop Group = "00c0ffee00c0ffe0"

// reopen opens a log on a folder; what it returns closes it.
func reopen(t *testing.T, dir string) (*Log, func()) {
	t.Helper()
	e, err := nats.Open(t.Context(), "", dir, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.Context(), e.Client(), attune.WallClock, slog.New(slog.DiscardHandler), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l, func() { _ = e.Close() }
}

// payloads are the messages of the log as they are stored.
func payloads(t *testing.T, l *Log) [][]byte {
	t.Helper()
	end, err := l.End(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	if end.Message == 0 {
		return nil
	}
	err = l.messages(t.Context(), shop, Seq{}, maxReadFailures, func(seq uint64, payload []byte) error {
		if int(seq) != len(all)+1 {
			t.Errorf("message %d follows message %d", seq, len(all))
		}
		all = append(all, bytes.Clone(payload))
		if seq == end.Message {
			return errStop
		}
		return nil
	})
	if !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	return all
}

const secret = "secret-4f1f5b2e" // the user who is erased

// some is a record of anybody's.
func some(chance *rand.Rand) Body {
	user := secret
	if chance.IntN(4) > 0 {
		user = fmt.Sprintf("user-%d", chance.IntN(9))
	}
	switch chance.IntN(4) {
	case 0:
		return &User{ID: user, Properties: `{"age":7}`}
	case 1:
		return &Item{ID: fmt.Sprint(chance.IntN(99)), Properties: "{}"}
	case 2:
		return &Impression{RecommendationID: "r", User: user, Items: []string{"a"}}
	}
	return &Interaction{User: user, Session: "s", Item: "i", Type: "View", At: time.UnixMilli(chance.Int64N(1 << 40)).UTC(), Value: math.NaN()}
}

// erase is a rewriting that takes the secret user away.
func erase(id string, upTo Seq) Rewriting {
	return Rewriting{ID: id, UpTo: upTo, Change: func(r Record) (Body, error) {
		user := ""
		switch b := r.Body.(type) {
		case *User:
			user = b.ID
		case *Impression:
			user = b.User
		case *Interaction:
			user = b.User
		}
		if user == secret {
			return &Erased{}, nil
		}
		return nil, nil
	}}
}

// fill appends n records in groups of any size.
func fill(t *testing.T, l *Log, chance *rand.Rand, n int) Seq {
	t.Helper()
	var end Seq
	for n > 0 {
		bodies := make([]Body, min(n, 1+chance.IntN(20)))
		for i := range bodies {
			bodies[i] = some(chance)
		}
		n -= len(bodies)
		var err error
		if end, err = l.Append(t.Context(), shop, bodies...); err != nil {
			t.Fatal(err)
		}
	}
	return end
}

// check compares a log with what it was: records keep their place, those of
// others their bytes, and those of the user up to a Seq are gone.
func check(t *testing.T, before, after [][]byte, upTo Seq) (erased int) {
	t.Helper()
	if len(after) != len(before) {
		t.Fatalf("%d messages became %d", len(before), len(after))
	}
	for i := range before {
		was, err := decodeMessage(nil, before[i], uint64(i+1), Seq{})
		if err != nil {
			t.Fatal(err)
		}
		is, err := decodeMessage(nil, after[i], uint64(i+1), Seq{})
		if err != nil || len(is) != len(was) {
			t.Fatalf("message %d had %d records and has %d (%v)", i+1, len(was), len(is), err)
		}
		for k := range was {
			want := was[k].Body
			if body, _ := erase("", upTo).Change(was[k]); body != nil && !upTo.Less(was[k].Seq) {
				want = body
				erased++
			}
			x, _ := appendRecord(nil, want)
			y, _ := appendRecord(nil, is[k].Body)
			if !bytes.Equal(x, y) || is[k].Seq != was[k].Seq || !is[k].Received.Equal(was[k].Received) {
				t.Fatalf("%s: %#v became %#v", was[k].Seq, was[k].Body, is[k].Body)
			}
		}
	}
	return erased
}

func TestRewrite(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := t.TempDir()
			l, stop := reopen(t, dir)
			defer stop()
			chance := rand.New(rand.NewPCG(seed, 1))
			if err := l.Create(t.Context(), shop); err != nil {
				t.Fatal(err)
			}
			upTo := fill(t, l, chance, chance.IntN(900))
			fill(t, l, chance, chance.IntN(60))
			if chance.IntN(2) == 0 && upTo.Message > 1 { // also in the middle of a message
				upTo = Seq{Message: upTo.Message - 1, Index: 0}
			}
			before := payloads(t, l)
			if err := l.Rewrite(t.Context(), shop, erase("first", upTo)); err != nil {
				t.Fatal(err)
			}
			erased := check(t, before, payloads(t, l), upTo)
			if err := l.Rewrite(t.Context(), shop, erase("first", upTo)); err != nil { // again: nothing
				t.Fatal(err)
			}
			check(t, before, payloads(t, l), upTo)
			all, err := l.generations(t.Context(), shop)
			if err != nil || len(all) != 1 || all[0] != 2 {
				t.Fatalf("streams %v, %v", all, err)
			}
			end, err := l.End(t.Context(), shop)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Rewrite(t.Context(), shop, erase("second", end)); err != nil {
				t.Fatal(err)
			}
			check(t, before, payloads(t, l), end)
			noTrace(t, dir)
			t.Logf("%d records of %d messages erased, then all", erased, len(before))
			fill(t, l, chance, 10)
			stop()
			l, stop = reopen(t, dir)
			t.Cleanup(stop)
			if n := len(payloads(t, l)); n <= len(before) {
				t.Errorf("%d messages after a restart, %d before", n, len(before))
			}
			if err := l.Create(t.Context(), shop); err != nil { // finds the log of the third generation
				t.Fatal(err)
			}
			if err := l.Delete(t.Context(), shop); err != nil {
				t.Fatal(err)
			}
			if _, err := l.End(t.Context(), shop); attune.KindOf(err) != attune.NotFound {
				t.Errorf("the end of a deleted log: %v", err)
			}
		})
	}
}

// noTrace looks for the user in every file. The server deletes files of a
// deleted stream beside other work, so it gets a moment.
func noTrace(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		found := ""
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(secret)) {
					found = path
				}
			}
			return nil
		})
		if found == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s still holds the user", found)
		}
	}
}

// Appends and readers go on while a log is rewritten: what was acknowledged is
// there once, and a reader sees every record once.
func TestRewriteUnderLoad(t *testing.T) {
	l, stop := reopen(t, t.TempDir())
	defer stop()
	chance := rand.New(rand.NewPCG(5, 5))
	if err := l.Create(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	upTo := fill(t, l, chance, 6000)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	acked := map[string]bool{}
	for writer := range 3 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				time.Sleep(time.Millisecond)
				id := fmt.Sprintf("%d-%d", writer, n)
				if _, err := l.Append(context.WithoutCancel(ctx), shop, &Item{ID: id}); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acked[id] = true
				mu.Unlock()
			}
		})
	}
	seen := map[Seq]int{}
	followed := make(chan error, 1)
	reading, end := context.WithCancel(t.Context())
	defer end()
	go func() {
		followed <- l.Follow(reading, shop, Seq{}, func(records []Record) error {
			mu.Lock()
			defer mu.Unlock()
			for i := range records {
				seen[records[i].Seq]++
			}
			return nil
		})
	}()
	for i := range 2 {
		if err := l.Rewrite(t.Context(), shop, erase(fmt.Sprint("round ", i), upTo)); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	wg.Wait()
	times, records := map[string]int{}, 0
	last, err := l.End(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range l.Read(t.Context(), shop, Seq{}, last) {
		if err != nil {
			t.Fatal(err)
		}
		records++
		if b, ok := r.Body.(*Item); ok && !r.Seq.Less(upTo) && r.Seq != upTo {
			times[b.ID]++
		}
	}
	for id := range acked {
		if times[id] != 1 {
			t.Errorf("acknowledged record %s is there %d times", id, times[id])
		}
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		mu.Lock()
		n := len(seen)
		mu.Unlock()
		if n >= records || time.Now().After(deadline) {
			break
		}
	}
	end()
	<-followed
	for seq, n := range seen {
		if n != 1 {
			t.Errorf("a follower saw %s %d times", seq, n)
		}
	}
	if len(seen) != records {
		t.Errorf("a follower saw %d of %d records", len(seen), records)
	}
	t.Logf("%d records appended during two rewritings of %d messages", len(acked), upTo.Message)
}

// A rewriting that stops half-way leaves the old log, goes on under the same
// name where it was, also after a restart, and begins anew under another.
func TestRewriteResumes(t *testing.T) {
	dir := t.TempDir()
	l, stop := reopen(t, dir)
	defer func() { stop() }()
	chance := rand.New(rand.NewPCG(9, 9))
	if err := l.Create(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	upTo := fill(t, l, chance, 12_000)
	before := payloads(t, l)
	half := func(id string) (asked int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := erase(id, upTo)
		change := r.Change
		r.Change = func(r Record) (Body, error) { asked++; return change(r) }
		r.Progress = func(done, total int64) {
			if done == total/2 {
				cancel()
			}
		}
		if err := l.Rewrite(ctx, shop, r); err == nil {
			t.Fatal("a cancelled rewriting went through")
		}
		return asked
	}
	half("one")
	if got := payloads(t, l); check(t, before, got, Seq{}) != 0 {
		t.Error("half a copy is the log")
	}
	half("two") // begins anew
	stop()
	l, stop = reopen(t, dir)
	check(t, before, payloads(t, l), Seq{})
	if err := l.Abandon(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	if all, err := l.generations(t.Context(), shop); err != nil || len(all) != 1 {
		t.Fatalf("streams %v, %v", all, err)
	}
	asked := half("three")
	r := erase("three", upTo)
	change := r.Change
	r.Change = func(r Record) (Body, error) { asked++; return change(r) }
	if err := l.Rewrite(t.Context(), shop, r); err != nil {
		t.Fatal(err)
	}
	if check(t, before, payloads(t, l), upTo) == 0 {
		t.Error("nothing was erased")
	}
	if asked > 12_000+20 { // at most the message under way twice
		t.Errorf("%d records were looked at: the copy began anew", asked)
	}
}

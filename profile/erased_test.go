package profile

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/attune-io/attune/event"
)

// TestErased: after a deletion a view knows the user no more, here and after a
// restart, also one from a checkpoint of before; what the user does next is a
// new user's.
func TestErased(t *testing.T) {
	const secret = "secret-0d8a"
	h := newHouse(t)
	do := func(user, session, item string, at int) event.Body {
		return &event.Interaction{User: user, Session: session, Item: item, Type: "View", At: time.UnixMilli(int64(at)).UTC(), Value: math.NaN()}
	}
	h.run(quiet(), &Options{Records: 1, Interval: time.Hour})
	h.append(do("", "s1", "anonymous", 1), do(secret, "s1", "a", 2), do("other", "s2", "b", 3), &event.User{ID: secret, Properties: `{"age":3}`})
	h.keep.Watch(group)
	end := h.append(do("other", "s2", "c", 4))
	v := h.awaitSeq(end)
	if len(v.History(secret)) != 2 || len(v.UserAttributes(secret)) != 1 {
		t.Fatalf("history %v, attributes %v", v.History(secret), v.UserAttributes(secret))
	}
	await(t, "a checkpoint", func() bool { return len(h.checkpoints()) > 0 })
	if err := h.log.Rewrite(t.Context(), group, event.Rewriting{ID: "job", UpTo: end, Change: func(r event.Record) (event.Body, error) {
		switch b := r.Body.(type) {
		case *event.Interaction:
			if b.User == secret || b.Session == "s1" {
				return &event.Erased{}, nil
			}
		case *event.User:
			return &event.Erased{}, nil
		}
		return nil, nil
	}}); err != nil {
		t.Fatal(err)
	}
	mark := h.append(&event.Erased{Job: "job"})
	h.append(&event.Erased{Job: "job"}) // of an attempt that was killed after it
	if err := h.keep.Clean(t.Context(), group, mark); err != nil {
		t.Fatal(err)
	}
	check := func(touches int) {
		t.Helper()
		v, _ := h.keep.View(group)
		if len(v.History(secret)) != touches || len(v.History("s1")) != 0 || len(v.UserAttributes(secret)) != 0 || len(v.History("other")) != 2 {
			t.Errorf("%s; secret has %v, s1 %v, other %v", v, v.History(secret), v.History("s1"), v.History("other"))
		}
	}
	check(0)
	await(t, "a checkpoint of after the deletion", func() bool { return len(h.checkpoints()) > 0 })
	_ = filepath.WalkDir(h.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds the user", path)
			}
		}
		return nil
	})
	h.awaitSeq(h.append(do(secret, "s9", "new", 5)))
	check(1)
	h.end()
	h.run(quiet(), nil)
	h.keep.Watch(group)
	await(t, "the group is ready", func() bool { return h.keep.Ready(group) })
	check(1)
}

package double

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/attune-io/attune"
)

// clockFile keeps in the data folder how far the clock is ahead.
const clockFile = "clock.json"

// maxAhead bounds how far a clock can be put forward in all: far more than any
// schedule waits for, and times stay within what logs and rows can hold.
const maxAhead = 100 * 365 * 24 * time.Hour

// maxLeaps is how many times of being put forward a clock knows apart, the newest:
// it stays one small file. What was dated before the oldest is as if dated at it.
const maxLeaps = 1000

// Clock runs beside another clock and can be put forward. It never goes back:
// what it was put forward by outlives the process. It is safe for concurrent use.
type Clock struct {
	base attune.Clock
	path string

	mu    sync.RWMutex
	ahead time.Duration
	leaps []leap
}

// leap is one time that the clock was put forward.
type leap struct {
	At    time.Time     `json:"at"`                // by the machine's clock
	Ahead time.Duration `json:"beforeNanoseconds"` // in all, up to then
}

// kept is what the file holds.
type kept struct {
	Ahead time.Duration `json:"aheadNanoseconds"`
	Leaps []leap        `json:"leaps,omitempty"` // oldest first
}

// OpenClock opens the clock of a data folder; a folder without one has a clock
// that is not ahead.
func OpenClock(dir string, base attune.Clock) (*Clock, error) {
	c := &Clock{base: base, path: filepath.Join(dir, clockFile)}
	text, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the test clock: %w", err)
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil || k.Ahead < 0 || k.Ahead > maxAhead {
		return nil, attune.Errorf(attune.Invalid, "the test clock %s is damaged: restore it, or start on another data folder", c.path)
	}
	c.ahead, c.leaps = k.Ahead, k.Leaps
	return c, nil
}

// Now is the time by this clock.
func (c *Clock) Now() time.Time { return c.base().Add(c.Ahead()) }

// Dated is what this clock said when the machine's said at: the date of a file in
// the time that everything else is dated in.
func (c *Clock) Dated(at time.Time) time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, l := range c.leaps {
		if at.Before(l.At) {
			return at.Add(l.Ahead)
		}
	}
	return at.Add(c.ahead)
}

// Ahead is how far the clock was put forward in all.
func (c *Clock) Ahead() time.Duration {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.ahead
}

// Advance puts the clock forward by d and gives the time it then is. It is on
// disk when Advance returns. Less than nothing, and more than a hundred years in
// all, are attune.Invalid.
func (c *Clock) Advance(d time.Duration) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.put(d)
}

// Set puts the clock forward to t, which must not lie behind it.
func (c *Clock) Set(t time.Time) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.put(t.Sub(c.base().Add(c.ahead)))
}

func (c *Clock) put(d time.Duration) (time.Time, error) {
	now := c.base().Add(c.ahead)
	if d < 0 {
		return now, attune.Errorf(attune.Invalid, "the test clock never goes back: it is %s already", now.Format(time.RFC3339))
	}
	if d > maxAhead-c.ahead {
		return now, attune.Errorf(attune.Invalid, "the test clock can be put forward by 100 years in all: it is ahead by %s and shall go on by %s", c.ahead, d)
	}
	leaps := append(c.leaps[:len(c.leaps):len(c.leaps)], leap{c.base(), c.ahead})
	leaps = leaps[max(0, len(leaps)-maxLeaps):]
	if err := c.save(kept{c.ahead + d, leaps}); err != nil {
		return now, fmt.Errorf("keep the test clock: %w", err)
	}
	c.ahead, c.leaps = c.ahead+d, leaps
	return c.base().Add(c.ahead), nil
}

// save replaces the file, whole and durably.
func (c *Clock) save(k kept) (err error) {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(c.path), clockFile+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), c.path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(c.path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

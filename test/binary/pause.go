package binary

import "time"

const (
	firstPause = 2 * time.Millisecond
	mostPause  = 100 * time.Millisecond
)

// Pause is the time between two looks at a process, for tests that wait for it.
// It grows by an eighth with each look, and so stays about a ninth of the wait:
// what takes a moment is seen at once, and what computes for seconds is not held
// up by being asked hundreds of times a second. The zero Pause is ready.
type Pause struct{ last time.Duration }

// Sleep waits until the next look.
func (p *Pause) Sleep() {
	p.last = min(max(firstPause, p.last+p.last/8), mostPause)
	time.Sleep(p.last)
}

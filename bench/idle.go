package main

import "time"

// idleFor is how long a node is left alone before it is looked at: long enough
// for what starting took to be given back.
const idleFor = 30 * time.Second

// idle measures the memory of a node that nobody uses.
func (b *bench) idle() error {
	t := newTable("data folder", "at ready", "idle", "most so far")
	if err := b.rest(t, "new", b.folder("idle")); err != nil {
		return err
	}
	warm, err := b.toured()
	if err != nil {
		return err
	}
	if err := b.rest(t, "after the tour", warm); err != nil {
		return err
	}
	b.note("Resident memory (VmRSS, VmHWM) of `attune serve` with everything embedded, at ready and %s later:", b.idleTime())
	t.write(b.out)
	return nil
}

func (b *bench) idleTime() time.Duration { return pick(b, idleFor, 2*time.Second) }

func (b *bench) rest(t *table, name, folder string) error {
	p, err := b.start(folder)
	if err != nil {
		return err
	}
	atReady := memoryOf(p.PID(), "VmRSS")
	b.say("leaving a node alone")
	if err := b.sleep(b.idleTime()); err != nil {
		return err
	}
	t.add(name, figure(mebibytes(atReady))+" MiB", figure(mebibytes(memoryOf(p.PID(), "VmRSS")))+" MiB", figure(mebibytes(memoryOf(p.PID(), "VmHWM")))+" MiB")
	return b.stop(p)
}

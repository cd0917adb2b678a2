package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"time"
)

// readyRuns is how often each start is measured.
const readyRuns = 7

// ready measures from exec to the first 200 of /readyz.
func (b *bench) ready() error {
	t := newTable("data folder", "median", "least", "most")
	var empty, warm []time.Duration
	for range pick(b, readyRuns, 2) {
		took, err := b.startOnce(b.folder("empty"))
		if err != nil {
			return err
		}
		empty = append(empty, took)
	}
	folder, err := b.toured()
	if err != nil {
		return err
	}
	for range pick(b, readyRuns, 2) {
		took, err := b.startOnce(folder)
		if err != nil {
			return err
		}
		warm = append(warm, took)
	}
	for _, row := range []struct {
		name  string
		times []time.Duration
	}{{"new", empty}, {"after the tour", warm}} {
		t.add(row.name, median(row.times), slices.Min(row.times), slices.Max(row.times))
	}
	b.note("From exec of the binary to the first 200 of /readyz, asked every 5 ms; %d starts each. "+
		"The second folder holds what `attune demo` leaves: 2 000 users, 1 000 items, 100 000 interactions and two campaigns, which are loaded before it says ready:", pick(b, readyRuns, 2))
	t.write(b.out)
	return nil
}

// startOnce starts a node and stops it again.
func (b *bench) startOnce(folder string) (time.Duration, error) {
	p, err := b.start(folder)
	if err != nil {
		return 0, err
	}
	return p.Ready, b.stop(p)
}

// toured is a folder that the tour was walked in, once a run.
func (b *bench) toured() (string, error) {
	if b.warm == "" {
		folder := b.folder("warm")
		if err := b.demo("--data", folder); err != nil {
			return "", err
		}
		b.warm = folder
	}
	return b.warm, nil
}

// demo runs the guided tour to its end.
func (b *bench) demo(args ...string) error {
	exe, err := b.binaryPath()
	if err != nil {
		return err
	}
	b.say("running the tour %s", args)
	cmd := exec.CommandContext(b.ctx, exe, append([]string{"demo", "--exit", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = b.dir
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("attune demo: %w\n%s", err, text.Bytes())
	}
	return nil
}

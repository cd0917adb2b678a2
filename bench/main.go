package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/attune-io/attune/test/binary"
)

// gcPercent keeps the collector of the load generator out of the way of what
// it measures; its heap is small.
const gcPercent = 400

// measurement is one of the tables' makers.
type measurement struct {
	name  string
	about string
	run   func(*bench) error
}

// measurements lists them in the order they are run.
func measurements() []measurement {
	return []measurement{
		{"idle", "memory of a node that nobody uses", (*bench).idle},
		{"ready", "time from start to ready", (*bench).ready},
		{"tour", "the guided tour on MovieLens 100K", (*bench).tour},
		{"events", "durable events", (*bench).events},
		{"serve", "answers over HTTP", (*bench).serve},
		{"fresh", "from an event to a changed answer", (*bench).fresh},
		{"import", "imports", (*bench).imports},
		{"batch", "recommendations for everybody in one job", (*bench).batch},
		{"kernels", "what computes, beside what the processor could do", (*bench).kernels},
		{"schedule", "scheduled tasks", (*bench).schedule},
	}
}

// bench is one run: what was asked for, and what the measurements share.
type bench struct {
	ctx   context.Context
	out   io.Writer // the tables
	log   io.Writer // what is going on
	quick bool
	root  string // of the module
	dir   string // temporary, removed at the end; the disk that is measured

	exe   string            // built when first needed
	warm  string            // a folder after the tour, made when first needed
	made  *trained          // a node with a trained campaign, made when first needed
	nodes []*binary.Process // running
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == childArg {
		if err := child(os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signalContext()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// signalContext ends when the process is asked to.
func signalContext() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// run does what the arguments say. Whatever it started has ended when it returns.
func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(log)
	quick := flags.Bool("quick", false, "shrink everything: shows that it works, the figures mean nothing")
	write := flags.Bool("write", false, "put the tables into bench/README.md")
	within := flags.String("dir", "", "make the temporary folder here: its disk is what is measured")
	flags.Usage = func() { help(flags) }
	var names []string
	for len(args) > 0 { // flags may stand before and after names
		if err := flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil
			}
			return err
		}
		if args = flags.Args(); len(args) > 0 {
			names, args = append(names, args[0]), args[1:]
		}
	}
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	debug.SetGCPercent(gcPercent)
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(*within, "attune-bench-")
	if err != nil {
		return err
	}
	b := &bench{ctx: ctx, log: log, quick: *quick, root: root, dir: dir}
	defer func() { err = errors.Join(err, b.close()) }()
	command := strings.Join(append([]string{"go run ./bench"}, os.Args[1:]...), " ")
	for _, m := range chosen {
		text, err := b.measure(m, command)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if _, err := out.Write(text); err != nil {
			return err
		}
		if *write {
			if err := replaceSection(filepath.Join(root, "bench", "README.md"), m.name, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// measure runs one measurement and returns its part of the page.
func (b *bench) measure(m measurement, command string) ([]byte, error) {
	var tables, text bytes.Buffer
	b.out = &tables
	b.say("%s", m.name)
	before := b.used()
	if err := m.run(b); err != nil {
		return nil, err
	}
	after := b.used()
	fmt.Fprintf(&text, "### %s: %s\n\n`%s`, %s; %s%s.\n%s\n", m.name, m.about, command,
		before.at.UTC().Format("2006-01-02 15:04 UTC"), machineNote(), others(before, after), tables.Bytes())
	b.say("%s took %s", m.name, after.at.Sub(before.at).Round(time.Second))
	return text.Bytes(), nil
}

func choose(names []string) ([]measurement, error) {
	all := measurements()
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(m measurement) bool { return m.name == name }) {
			return nil, fmt.Errorf("there is no measurement %q: see go run ./bench -help", name)
		}
	}
	return slices.DeleteFunc(all, func(m measurement) bool { return !slices.Contains(names, m.name) }), nil
}

func help(flags *flag.FlagSet) {
	w := flags.Output()
	fmt.Fprintln(w, "go run ./bench [flags] [measurement …]")
	for _, m := range measurements() {
		fmt.Fprintf(w, "  %-8s %s\n", m.name, m.about)
	}
	flags.PrintDefaults()
}

// say tells whoever watches what is going on.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.log, "bench: "+format+"\n", args...) }

// note writes a line of text below a table.
func (b *bench) note(format string, args ...any) { fmt.Fprintf(b.out, "\n"+format+"\n", args...) }

// pick is full, or small in a quick run.
func pick[T any](b *bench, full, small T) T {
	if b.quick {
		return small
	}
	return full
}

// sleep waits unless the run ends.
func (b *bench) sleep(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

// close kills what still runs and removes the temporary folder.
func (b *bench) close() error {
	for _, p := range b.nodes {
		p.Kill()
	}
	b.nodes = nil
	return os.RemoveAll(b.dir)
}

func moduleRoot(ctx context.Context) (string, error) {
	text, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	file := strings.TrimSpace(string(text))
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("bench builds the binary from source: run it inside the module")
	}
	return filepath.Dir(file), nil
}

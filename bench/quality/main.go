package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/recipe"
)

// options are the flags.
type options struct {
	data, set     string
	dir, protocol string
	recipe        string
	budget        string
	keep          string
	out, results  string
	scale         bool
	events        string
	child         bool

	command string // as typed
	stderr  io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole command; its result is the process's exit code: 1 when a set
// could not be measured, 2 when the flags make no sense.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil && o.child {
		err = child(ctx, o, stdout)
	} else if err == nil {
		err = parent(ctx, o, args, stdout)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "quality: %v\n", err)
	if attune.KindOf(err) == attune.Invalid {
		return 2
	}
	return 1
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{stderr: stderr, command: "go run ./bench/quality " + strings.Join(args, " ")}
	f := flag.NewFlagSet("quality", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.data, "data", "../shared/data", "folder of the public data sets")
	f.StringVar(&o.set, "set", "", "sets to measure, with commas between, or all")
	f.StringVar(&o.dir, "dir", "", "folder of a set that is not one of those; wants --protocol")
	f.StringVar(&o.protocol, "protocol", "", "how --dir is measured: cf, loo, ncf or session")
	f.StringVar(&o.recipe, "recipe", pipelineName(), "recipe that is measured: the automatic pipeline unless given")
	f.StringVar(&o.budget, "budget", string(recipe.Thorough), "how long search and training may take: standard, thorough, or a duration such as 90s")
	f.StringVar(&o.keep, "keep", "", "folder to keep the sealed models in; nowhere unless given")
	f.StringVar(&o.out, "out", "bench/RESULTS.md", "page to write; empty for none")
	f.StringVar(&o.results, "results", "bench/quality/results.jsonl", "file that keeps a JSON line per set; empty for none")
	f.BoolVar(&o.scale, "scale", false, "measure how costs grow with the data, on synthetic worlds")
	f.StringVar(&o.events, "events", "1000000,10000000", "sizes that --scale measures")
	f.BoolVar(&o.child, "child", false, "measure in this process, and print only the JSON lines")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, attune.Errorf(attune.Invalid, "%v", err)
	}
	if f.NArg() > 0 {
		return o, attune.Errorf(attune.Invalid, "%q is not a flag", f.Arg(0))
	}
	if o.set == "" && o.dir == "" && !o.scale {
		return o, attune.Errorf(attune.Invalid, "nothing to measure: give --set, --dir with --protocol, or --scale")
	}
	if o.budget == "" {
		return o, attune.Errorf(attune.Invalid, "an empty --budget: use %s, %s, or a duration such as 90s", recipe.Standard, recipe.Thorough)
	}
	return o, recipe.Budget(o.budget).Check()
}

// job is one child's work, by the flags that only it gets.
type job struct {
	name string
	args []string
}

// jobs are what the flags ask for, each for a process of its own.
func (o options) jobs() (out []job, err error) {
	if o.set != "" {
		chosen, err := chosenSets(o.set)
		if err != nil {
			return nil, err
		}
		for _, s := range chosen {
			out = append(out, job{s.name, []string{"--set", s.name, "--data", o.data}})
		}
	}
	if o.dir != "" {
		if _, err := strangeSet(o.dir, kind(o.protocol)); err != nil {
			return nil, err
		}
		out = append(out, job{o.dir, []string{"--dir", o.dir, "--protocol", o.protocol}})
	}
	if o.scale {
		for _, n := range strings.Split(o.events, ",") {
			if events, err := strconv.Atoi(n); err != nil || events < 1000 {
				return nil, attune.Errorf(attune.Invalid, "--events %q: give numbers from 1000 on, with commas between", o.events)
			}
			out = append(out, job{"scale " + n, []string{"--scale", "--events", n}})
		}
	}
	return out, nil
}

// parent runs each job in a process of its own, prints its lines, and writes
// the page. A job that fails is told of at the end; the others are kept.
func parent(ctx context.Context, o options, args []string, stdout io.Writer) error {
	jobs, err := o.jobs()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	kept, err := readResults(o.results)
	if err != nil {
		return err
	}
	var failed []error
	for _, j := range jobs {
		cmd := exec.CommandContext(ctx, self, append([]string{"--child", "--recipe", o.recipe, "--budget", o.budget, "--keep", keepFor(o.keep, j.name)}, j.args...)...)
		cmd.Stderr = o.stderr
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		text, err := cmd.Output()
		if err == nil {
			var fresh []result
			if fresh, err = parseResults(text, j.name); err == nil {
				for i := range fresh {
					fresh[i].Environment.Command = o.command
				}
				kept = merge(kept, fresh)
				err = o.tell(stdout, kept, fresh)
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", j.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failed...)
}

// keepFor is the folder of one job's model.
func keepFor(keep, name string) string {
	if keep == "" {
		return ""
	}
	return filepath.Join(keep, filepath.Base(name))
}

// tell prints new results, and writes the file and the page that keep them.
func (o options) tell(stdout io.Writer, kept, fresh []result) error {
	enc := json.NewEncoder(stdout)
	for _, r := range fresh {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	if o.results != "" {
		if err := writeResults(o.results, kept); err != nil {
			return err
		}
	}
	if o.out == "" {
		return nil
	}
	var page bytes.Buffer
	report(&page, kept)
	return os.WriteFile(o.out, page.Bytes(), 0o644)
}

// child measures one job in this process.
func child(ctx context.Context, o options, stdout io.Writer) error {
	var out []result
	var err error
	one := func(r result, e error) { out, err = []result{r}, e }
	switch {
	case o.scale:
		events, e := strconv.Atoi(o.events)
		if e != nil {
			return attune.Errorf(attune.Invalid, "--events %q: one size is wanted", o.events)
		}
		one(runScale(ctx, events, o))
	case o.dir != "":
		s, e := strangeSet(o.dir, kind(o.protocol))
		if e != nil {
			return e
		}
		one(runSet(ctx, s, o.dir, o))
	default:
		chosen, e := chosenSets(o.set)
		if e != nil {
			return e
		}
		switch s := chosen[0]; s.kind {
		case kindRatings:
			out, err = runRatings(ctx, s, o.data, o)
		case kindBandit:
			one(runBandit(ctx, s, o.data, o))
		default:
			one(runSet(ctx, s, o.data, o))
		}
	}
	if err != nil {
		return err
	}
	enc := json.NewEncoder(stdout)
	for _, r := range out {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

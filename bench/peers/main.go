package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// peer is one comparison.
type peer struct {
	name string
	run  func(context.Context, *run) error
}

// peers lists them in the order they are run.
func peers() []peer {
	return []peer{{"als", als}, {"sasrec", sasrec}}
}

// run is what was asked for.
type run struct {
	out    io.Writer // lines of JSON, then tables
	log    io.Writer // what is going on
	dir    string
	scale  float64
	pairs  int // at scale 1
	dims   []int
	rounds int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := compare(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// compare reads the flags and runs the peers that are named, or all.
func compare(ctx context.Context, args []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(log)
	r := &run{out: out, log: log}
	flags.StringVar(&r.dir, "dir", "", "folder for the Python environment and the data; kept. Default: a temporary one")
	flags.Float64Var(&r.scale, "scale", 1, "of 138,000 users and 20,000 items; pairs grow with it too")
	flags.IntVar(&r.pairs, "pairs", 10_000_000, "pairs of user and item at scale 1")
	flags.IntVar(&r.rounds, "rounds", 4, "rounds of each training")
	dims := flags.String("dims", "64,128,256", "factors")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for _, s := range strings.Split(*dims, ",") {
		d, err := strconv.Atoi(s)
		if err != nil || d < 1 {
			return fmt.Errorf("-dims %q: give whole numbers with commas between them", *dims)
		}
		r.dims = append(r.dims, d)
	}
	if !(r.scale > 0) || r.pairs < 1 || r.rounds < 1 {
		return fmt.Errorf("-scale %g, -pairs %d and -rounds %d must be above 0", r.scale, r.pairs, r.rounds)
	}
	if r.dir == "" {
		dir, err := os.MkdirTemp("", "attune-peers-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		r.dir = dir
	}
	for _, p := range peers() {
		if flags.NArg() > 0 && !slices.Contains(flags.Args(), p.name) {
			continue
		}
		if err := p.run(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// line prints one measurement.
func (r *run) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.out, "%s\n", text)
	return err
}

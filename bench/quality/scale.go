package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/engine/bucket"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/world"
)

// scaled is what one part of the work took for so many interactions.
type scaled struct {
	Part   string  `json:"part"`
	Events int     `json:"events"`
	CPU    float64 `json:"cpuSeconds"`
	Wall   float64 `json:"wallSeconds"`
	Peak   int64   `json:"peakBytes"` // above what the process held before
}

const (
	// scaleItems is the catalogue of every size: what grows is how many people
	// use it and how much they do.
	scaleItems = 5000
	// scaleHistory is the mean length of a history.
	scaleHistory = 50
	// timesTheTime and timesTheMemory are what ten times the interactions may cost.
	timesTheTime, timesTheMemory = 11, 10
	// scaleRounds is how often each part is measured. The least time counts, for
	// what else the machine does only adds, and the most memory.
	scaleRounds = 3
)

// scaleRecipes are those whose training is timed, with their defaults.
var scaleRecipes = []string{"popularity", "itemknn", "ials", "ease", "graph", "rule", "session"}

// runScale measures one size, part by part.
func runScale(ctx context.Context, events int, o options) (result, error) {
	w := newWatch(fmt.Sprint(events), o.stderr)
	defer w.end()
	dir, err := os.MkdirTemp("", "attune-scale-")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	shop, err := world.New(world.Spec{Users: max(10, events/scaleHistory), Items: scaleItems, Events: events, Seed: seed})
	if err != nil {
		return result{}, err
	}
	out := result{Set: fmt.Sprintf("scale-%d", events), Kind: kindScale, Protocol: "synthetic", Data: shop.String(), Tier: tier(), Seconds: map[string]float64{}}
	began := time.Now()
	if err := writeShop(shop, filepath.Join(dir, "up.csv")); err != nil {
		return out, err
	}
	w.say("%s", shop)
	var snap *dataset.Snapshot
	if err := out.part("import, freeze, open", events, func() error {
		snap, err = imported(ctx, filepath.Join(dir, "up.csv"))
		return err
	}); err != nil {
		return out, err
	}
	if err := out.part("split and inspect", events, func() error {
		split, err := dataset.NewSplit(snap.Events, dataset.Tail10, seed)
		if err == nil {
			dataset.Inspect(snap.Events, 0)
			dataset.InspectSplit(split)
		}
		return err
	}); err != nil {
		return out, err
	}
	for _, name := range scaleRecipes {
		r, ok := all.ByName(name)
		if !ok {
			continue
		}
		if err := out.part("train "+name, events, func() error {
			_, err := r.Train(ctx, recipe.Input{Events: snap.Events, Users: snap.Users.Len(), Items: snap.Items.IDs(), Seed: seed,
				Progress: func(done, total int) { w.stage(name, done, total) }})
			return err
		}); err != nil {
			return out, fmt.Errorf("%s: %w", name, err)
		}
	}
	out.Seconds["wall"], out.Seconds["cpu"] = time.Since(began).Seconds(), cpuSeconds()
	out.PeakBytes, out.Environment = peakBytes(), surroundings(o.command)
	return out, nil
}

// part measures one part of the work, with nothing of the one before in memory
// but what it left.
func (r *result) part(name string, events int, work func() error) error {
	least := scaled{Part: name, Events: events}
	for round := range scaleRounds {
		debug.FreeOSMemory()
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("begin the peak of memory anew: %w", err)
		}
		before, cpu, at := peakBytes(), cpuSeconds(), time.Now()
		if err := work(); err != nil {
			return err
		}
		cpu = cpuSeconds() - cpu
		if round == 0 || cpu < least.CPU {
			least.CPU, least.Wall = cpu, time.Since(at).Seconds()
		}
		least.Peak = max(least.Peak, peakBytes()-before)
	}
	r.Scale = append(r.Scale, least)
	return nil
}

func writeShop(shop *world.World, path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return shop.WriteInteractions(f)
}

// imported takes a CSV file the way of a customer's, in a folder of its own:
// imported into a table, named in the log, frozen, and opened.
func imported(ctx context.Context, csv string) (_ *dataset.Snapshot, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(csv), "import-")
	if err != nil {
		return nil, err
	}
	if err := os.Link(csv, filepath.Join(dir, "up.csv")); err != nil {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	files, err := bucket.Open(ctx, "", dir, quiet, prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	store := artifact.New(files.Client(), files.Dir(), "")
	sch, err := schema.Parse(world.InteractionsSchema)
	if err != nil {
		return nil, err
	}
	rep, err := dataset.Import(ctx, store, store, dataset.ImportSpec{Type: schema.Interactions, Schema: sch, Location: "up.csv", Table: "table/interactions/1"})
	if err != nil {
		return nil, err
	}
	engine, err := nats.Open(ctx, "", filepath.Join(dir, "log"), quiet, prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	log, err := event.Open(ctx, engine.Client(), attune.WallClock, quiet, prometheus.NewRegistry(), nil)
	if err != nil {
		return nil, err
	}
	const group event.Group = "5ca1e00000000000"
	if err := log.Create(ctx, group); err != nil {
		return nil, err
	}
	end, err := log.Append(ctx, group, &event.Imported{Dataset: "INTERACTIONS", Table: rep.Table, Mode: event.Full, Rows: rep.Rows, Job: "1"})
	if err != nil {
		return nil, err
	}
	info, err := dataset.Freeze(ctx, log, store, dataset.FreezeSpec{Group: group, UpTo: end, AsOf: time.Now()})
	if err != nil {
		return nil, err
	}
	return dataset.Open(ctx, store, info.Name)
}

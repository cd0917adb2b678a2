//go:build unix

package all_test

import (
	"context"
	"math"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/itemknn"
	"github.com/attune-io/attune/recipe/popularity"
	"github.com/attune-io/attune/world"
)

// BenchmarkFitBesideLive trains on a million interactions, alone and beside a
// live model that was trained on those of the first nine tenths of the time, and reports
// the processor time that the comparison adds, in per cent:
//
//	go test ./recipe/all -run xxx -bench FitBesideLive -benchtime 1x
func BenchmarkFitBesideLive(b *testing.B) {
	w, err := world.New(world.Spec{Users: 20_000, Items: 5_000, Events: 1_000_000, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	var rows []dataset.Row
	for e := range w.Interactions() {
		rows = append(rows, dataset.Row{User: w.UserID(int(e.User)), Item: w.ItemID(int(e.Item)), Type: e.Type, At: e.At * 1000, Value: math.NaN()})
	}
	all, err := dataset.NewSnapshot(w.End(), rows, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	early := *all
	begin := slices.Min(all.Events.At)
	early.Events = all.Events.Before(begin + (slices.Max(all.Events.At)-begin)*9/10)
	spec := recipe.FitSpec{Snapshot: &early, Recipe: ials.New(), Name: "aws-user-personalization", Seed: 1,
		Baselines: []recipe.Recipe{popularity.New(), itemknn.New()}}
	fit := func() (*model.Model, time.Duration) {
		began := processorTime(b)
		m, err := recipe.Fit(b.Context(), spec)
		if err != nil {
			b.Fatal(err)
		}
		return m, processorTime(b) - began
	}
	live, _ := fit()
	spec.Snapshot = all
	for b.Loop() {
		spec.Live = nil
		_, alone := fit()
		spec.Live = []recipe.Live{{Version: "live", Manifest: live.Manifest, Open: func(context.Context) (*model.Model, model.Scorer, error) {
			s, err := recipe.Decode(spec.Recipe, live)
			return live, s, err
		}}}
		m, beside := fit()
		a := m.Manifest.Against[0]
		b.Logf("alone %s, beside %s; %d users, %+v", alone, beside, a.Users, a.Metrics["normalized_discounted_cumulative_gain_at_25"])
		b.ReportMetric(100*(beside.Seconds()/alone.Seconds()-1), "%more")
	}
}

// processorTime is what this process has used of processors.
func processorTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

package model

import (
	"context"
	"fmt"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
)

const (
	// MaxMeasured is the most users whose numbers are kept; the file then has a
	// few megabytes. Of more, so many are taken evenly.
	MaxMeasured = 100_000
	// MaxAgainst is the most live models that a new one is measured beside.
	// Their tensors must fit below maxTensors.
	MaxAgainst = 3

	measuredSuffix = "-users" // of the file's name
)

// Measured is what an evaluation rests on, user by user, so that models can be
// compared on the same users. It says nothing of who they are: users stand in
// the order of the holdout, which only the snapshot can tell.
type Measured struct {
	Own     map[string][]float32 // by metric; NaN for a user of whom it says nothing; all of one length
	Against []Duel               // as Manifest.Against
}

// Duel is the numbers behind an Against; both nil where there was nothing to compare.
type Duel struct{ New, Live map[string][]float32 }

// MeasuredName is the file beside a model that holds what it was measured by.
func MeasuredName(name string) string { return name + measuredSuffix }

// measured is a file in the form of a model, with the same manifest, without
// items, and with one tensor for each series.
func (m *Model) measured() *Model {
	out := &Model{Manifest: m.Manifest, Tensors: map[string]Tensor{}}
	put := func(prefix string, series map[string][]float32) {
		for metric, values := range series {
			out.Tensors[prefix+metric] = Tensor{Shape: []int{len(values)}, F32: values}
		}
	}
	put("own.", m.Measured.Own)
	for i, d := range m.Measured.Against {
		put(fmt.Sprintf("against.%d.new.", i), d.New)
		put(fmt.Sprintf("against.%d.live.", i), d.Live)
	}
	return out
}

// OpenMeasured reads what a model was measured by, and its manifest, from the
// file named by MeasuredName. Errors are those of Open.
func OpenMeasured(ctx context.Context, store *artifact.Store, name string) (*Measured, *Manifest, error) {
	file, err := Open(ctx, store, name)
	if err != nil {
		return nil, nil, err
	}
	out := &Measured{Against: make([]Duel, len(file.Manifest.Against))}
	take := func(prefix string) map[string][]float32 {
		var series map[string][]float32
		for key, t := range file.Tensors {
			if metric, ok := strings.CutPrefix(key, prefix); ok && len(t.Shape) == 1 && t.I32 == nil {
				if series == nil {
					series = map[string][]float32{}
				}
				series[metric] = t.F32
			}
		}
		return series
	}
	out.Own = take("own.")
	for i := range out.Against {
		out.Against[i] = Duel{take(fmt.Sprintf("against.%d.new.", i)), take(fmt.Sprintf("against.%d.live.", i))}
		if err := out.Against[i].check(); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, &file.Manifest, nil
}

// check refuses series that cannot be paired.
func (d Duel) check() error {
	for metric, values := range d.New {
		if len(d.Live[metric]) != len(values) {
			return attune.Errorf(attune.Internal, "%d users of the new and %d of the live model for %s: train it again", len(values), len(d.Live[metric]), metric)
		}
	}
	return nil
}

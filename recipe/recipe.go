package recipe

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
)

// Recipe is one algorithm. Implementations hold no state and are safe for
// concurrent use.
type Recipe interface {
	// Name is the algorithm's, as in model.Manifest.Algorithm: "ials".
	Name() string

	// Train learns from the events. It fills Items, Tensors and the manifest's
	// Algorithm, Parameters (as resolved), Seed, Users, Items, Interactions and
	// Scores. The same Input gives the same model, bit for bit, however many
	// processors there are. Parameters it does not know are ignored, for
	// recipe/spec has checked them; a value it cannot read is attune.Invalid.
	// It stops soon after ctx ends, with ctx's error.
	Train(ctx context.Context, in Input) (*model.Model, error)

	// Decode makes a scorer of a model that Train made. It keeps m's slices. A
	// model whose tensors do not fit together is attune.Invalid.
	Decode(m *model.Model) (model.Scorer, error)
}

// Decode makes a scorer of a model with all that the model says about scores,
// also what recipes share: its objective.
func Decode(r Recipe, m *model.Model) (model.Scorer, error) {
	s, err := r.Decode(m)
	if err != nil {
		return nil, err
	}
	return model.WithObjective(s, m)
}

// Input is what a recipe learns from.
type Input struct {
	// Events are those that count, with rows of User and Item, and what was the
	// case when they happened, without columns that the customer excluded.
	Events dataset.Events
	Users  int      // user rows lie in [0, Users)
	Items  []string // item row → id; rows of Events.Item lie in [0, len(Items)); actions, for recipes of those
	// ItemAttributes are the columns of the catalogue by item row, without those
	// that the customer excluded; nil when nothing is known of items.
	ItemAttributes *dataset.Attributes
	// UserAttributes are those of users by user row; nil when nothing is known of users.
	UserAttributes *dataset.Attributes
	// Now is the moment as of which the events are known, in Unix milliseconds; 0
	// when that is the newest event, as in a slice of the data.
	Now      int64
	Params   map[string]string // by hyper-parameter name; absent means the default
	Seed     uint64
	Progress func(done, total int) // may be nil; done never falls, total stays

	Watch      Watch      // may be nil; for recipes that learn in rounds
	Checkpoint Checkpoint // may be nil; likewise
	Runner     Runner     // computes what is cut into blocks; nil for Run, on the processors of this machine
}

// Report calls Progress if there is one.
func (in Input) Report(done, total int) {
	if in.Progress != nil {
		in.Progress(done, total)
	}
}

// Tuner is a Recipe with parameters worth choosing on a validation slice.
type Tuner interface {
	// Candidates lists the parameter sets to choose among for this input, each
	// complete with in.Params, the default first. Parameters that in.Params
	// sets are never varied. One candidate means there is nothing to choose.
	Candidates(in Input) []map[string]string
}

// Refiner is a Recipe with parameters that only Decode reads, so that they can
// be chosen without training again.
type Refiner interface {
	// Refinements lists the parameter sets to choose among for a model trained
	// with in.Params, each complete, the default first. Parameters that
	// in.Params sets are never varied.
	Refinements(in Input) []map[string]string
}

// Measurer is a Recipe with metrics of its own, beside those of ranked lists.
type Measurer interface {
	// Measure learns from an earlier part of the events and compares with the
	// rest. The keys are those of GetSolutionMetrics.
	Measure(in Input) (map[string]float64, error)
}

// Sizer is a Recipe that knows how much memory Train takes.
type Sizer interface {
	// Bytes estimates the peak memory of Train and of the model together.
	Bytes(in Input) int64
}

// Moment is Now, or the time of the newest event where Now is not given; 0
// without events.
func (in Input) Moment() int64 {
	if in.Now != 0 || in.Events.Len() == 0 {
		return in.Now
	}
	return slices.Max(in.Events.At)
}

// Int reads a whole-number parameter in [low, high]; fallback when absent.
func (in Input) Int(name string, fallback, low, high int) (int, error) {
	s, ok := in.Params[name]
	if !ok {
		return fallback, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, attune.Errorf(attune.Invalid, "hyper-parameter %s is %q: give a whole number from %d to %d", name, s, low, high)
	}
	return n, nil
}

// Float reads a number parameter in [low, high]; fallback when absent.
func (in Input) Float(name string, fallback, low, high float64) (float64, error) {
	s, ok := in.Params[name]
	if !ok {
		return fallback, nil
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || x < low || x > high {
		return 0, attune.Errorf(attune.Invalid, "hyper-parameter %s is %q: give a number from %g to %g", name, s, low, high)
	}
	return x, nil
}

// Reader reads one parameter after another, as Input does, until one is wrong.
type Reader struct {
	Input Input
	Err   error // the first
}

// Int reads a whole number in [low, high] into to; fallback when absent.
func (r *Reader) Int(to *int, name string, fallback, low, high int) {
	if r.Err == nil {
		*to, r.Err = r.Input.Int(name, fallback, low, high)
	}
}

// Float reads a number in [low, high] into to; fallback when absent.
func (r *Reader) Float(to *float64, name string, fallback, low, high float64) {
	if r.Err == nil {
		*to, r.Err = r.Input.Float(name, fallback, low, high)
	}
}

// With is params and one more, or another value of one; params may be nil and stays as it is.
func With(params map[string]string, name, value string) map[string]string {
	out := maps.Clone(params)
	if out == nil {
		out = map[string]string{}
	}
	out[name] = value
	return out
}

// FormatFloat writes a parameter so that Float reads the same number back.
func FormatFloat(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// CheckTensor finds a float32 tensor of the given shape in a model read from
// outside; a negative size in shape fits any. The error is attune.Invalid.
func CheckTensor(m *model.Model, name string, shape ...int) (model.Tensor, error) {
	t, ok := m.Tensors[name]
	if !ok {
		return t, attune.Errorf(attune.Invalid, "%s model has no tensor %q", m.Manifest.Algorithm, name)
	}
	n, fits := 1, len(t.Shape) == len(shape)
	for i := 0; fits && i < len(shape); i++ {
		fits = t.Shape[i] >= 0 && (shape[i] < 0 || t.Shape[i] == shape[i])
		n *= t.Shape[i]
	}
	if !fits || len(t.F32)+len(t.I32) != n {
		return t, attune.Errorf(attune.Invalid, "%s model: tensor %q has %s, which does not fit %d items", m.Manifest.Algorithm, name,
			fmt.Sprintf("shape %v and %d elements", t.Shape, len(t.F32)+len(t.I32)), len(m.Items))
	}
	return t, nil
}

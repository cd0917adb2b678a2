package recipe

import (
	"fmt"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
)

const (
	// unknownMemory is what training may take where nobody knows how much there
	// is: generous, because the estimate is coarse.
	unknownMemory = 16 << 30
	// trainingShare of the memory of a machine is training's. The rest is for what
	// stands beside it: the models that are served, profiles, the embedded engines,
	// garbage that is not collected yet, and what the estimate does not see.
	trainingNumber, trainingOf = 3, 4
)

// DefaultMemory is how many bytes training may take when nobody said, on a
// machine that has so many; of 0, a machine that does not tell, 16 GiB.
func DefaultMemory(machine int64) int64 {
	if machine <= 0 {
		return unknownMemory
	}
	return max(1, machine/trainingOf*trainingNumber)
}

// allowed is the Memory of a spec, or the default of one that says none.
func allowed(memory int64) int64 {
	if memory <= 0 {
		return DefaultMemory(0)
	}
	return memory
}

// SplitBytes is what the two splits hold of events: columns of both training
// parts, and of what counts, their context.
func SplitBytes(e dataset.Events) int64 {
	const each, context = 22, 4
	return 2 * int64(each+context*len(e.Context)) * int64(e.Len())
}

// checkMemory refuses what takes more than is allowed. It is looked at before
// anything is learned, since a process without memory ends without a word.
func (f *fit) checkMemory() error {
	most, of := int64(0), ""
	for i, r := range append([]Recipe{f.Recipe}, f.Baselines...) {
		params := f.Params
		if i > 0 && r.Name() != f.Recipe.Name() {
			params = nil
		}
		if need := f.bytes(r, params, f.events); need > most {
			most, of = need, r.Name()
		}
	}
	if most += SplitBytes(f.events); most <= f.Memory {
		return nil
	}
	beside, lower := "", "lower hidden_dimension, "
	if of != "" && of != f.Recipe.Name() {
		beside, lower = " (for "+of+", which it is measured beside)", ""
	}
	return attune.Errorf(attune.Invalid, "training %s on %d users, %d items and %d interactions takes about %s%s, more than the %s allowed: %sfilter events, or allow more with 'attune serve --train-memory'",
		f.Recipe.Name(), f.Snapshot.Users.Len(), f.Snapshot.Items.Len(), f.events.Len(), above(most), beside, below(f.Memory), lower)
}

// above and below tell bytes in whole units, rounded so that what is too much by
// a little is not told as equal.
func above(n int64) string { return inUnits(n + unitOf(n) - 1) }
func below(n int64) string { return inUnits(n) }

// unitOf is MiB, but for little.
func unitOf(n int64) int64 {
	if n < 10<<20 {
		return 1 << 10
	}
	return 1 << 20
}

func inUnits(n int64) string {
	if unitOf(n) == 1<<10 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// bytes is what a recipe says that it takes to train; 0 of one that does not say.
func (f *fit) bytes(r Recipe, params map[string]string, e dataset.Events) int64 {
	s, ok := r.(Sizer)
	if !ok {
		return 0
	}
	in := f.input(e)
	in.Params = params
	return s.Bytes(in)
}

// fits says whether a recipe can train with some parameters, in the memory that
// is left beside the splits.
func (f *fit) fits(r Recipe, params map[string]string, e dataset.Events) bool {
	return f.bytes(r, params, e) <= f.left()
}

// left is the memory beside the splits, one byte at least: none would mean any.
func (f *fit) left() int64 { return max(1, f.Memory-SplitBytes(f.events)) }

// fitting leaves out the candidates that take too much memory; the parameters as
// given, which checkMemory has looked at, stand for none.
func (f *fit) fitting(r Recipe, given map[string]string, candidates []map[string]string, e dataset.Events) []map[string]string {
	out := slices.DeleteFunc(slices.Clone(candidates), func(params map[string]string) bool { return !f.fits(r, params, e) })
	if len(out) == 0 {
		return []map[string]string{given}
	}
	return out
}

// tooLarge is the trial of parameters that were passed over.
func (f *fit) tooLarge(name string, r Recipe, params, varied map[string]string, e dataset.Events) model.Trial {
	return model.Trial{Recipe: name, Parameters: varied, Words: fmt.Sprintf("passed over: it takes about %s, and %s are left beside the splits",
		above(f.bytes(r, params, e)), below(f.left()))}
}

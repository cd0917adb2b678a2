package blend

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// watchCases are asked after each round of a training.
	watchCases = 2000
	// A training ends when this many rounds brought nothing, or a third of the
	// rounds that did, if that is more.
	fewestIdle = 4
	// Rounds that a training is given, unless its parameters say how many.
	minRounds, maxRounds = 4, 200
	// roundsShare is the part of a budget that one training in rounds may take,
	// search and later trainings together.
	roundsShare = 0.7
)

// roundsOf is the parameter of a recipe that says how many rounds it learns in;
// "" for those that do not.
func roundsOf(of string) string {
	if of == "sequence" {
		return "epochs"
	}
	return ""
}

// learned is what a training came to.
type learned struct {
	model  *model.Model
	params map[string]string
	made   map[string]string // params with the rounds that were made to find the best
}

// learn trains a member; one that learns in rounds until they no longer help.
// It comes back as it was after its best round, with params that say so.
func (s *search) learn(ctx context.Context, m member, in recipe.Input) (learned, error) {
	of := roundsOf(base(m.name))
	if _, given := m.params[of]; of == "" || !given || s.given(m, of) {
		got, err := m.recipe.Train(ctx, in)
		return learned{got, m.params, m.params}, err
	}
	w := &watch{search: s, ctx: ctx, outer: in.Checkpoint, cases: dataset.Sample(s.v.Cases, watchCases)}
	in.Watch, in.Checkpoint = w.round, w
	got, err := m.recipe.Train(ctx, in)
	made := recipe.With(m.params, of, strconv.Itoa(max(1, len(w.values))))
	if err != nil || w.best == len(w.values) {
		return learned{got, made, made}, err
	}
	// Training for as many rounds as were good begins where they ended.
	w.ended, in.Watch = true, nil
	in.Params = recipe.With(m.params, of, strconv.Itoa(w.best))
	got, err = m.recipe.Train(ctx, in)
	return learned{got, in.Params, made}, err
}

// roundsAgain gives a training beside one that was measured as many rounds as it
// may need, which is more than that one needed.
func roundsAgain(of string, params map[string]string) map[string]string {
	best, err := strconv.Atoi(params[of])
	if of == "" || err != nil {
		return params
	}
	return recipe.With(params, of, strconv.Itoa(min(maxRounds, 2*best+fewestIdle)))
}

// given says whether a parameter of a member is the customer's.
func (s *search) given(m member, name string) bool {
	_, ok := s.own(s.in.Params, m.name)[name]
	return ok
}

// watch measures a training after each round and remembers the best. It is the
// Checkpoint of that training, so that what it remembers is kept with it.
type watch struct {
	*search
	ctx    context.Context
	outer  recipe.Checkpoint // may be nil
	cases  []dataset.Case
	values []float64 // of the metric, by round
	best   int       // round, from 1
	state  map[string]model.Tensor
	ended  bool // the training begins again, from the best round
}

// round is a recipe.Watch.
func (w *watch) round(round int, now func() (model.Scorer, error)) (stop bool, err error) {
	said, err := now()
	if err != nil {
		return false, err
	}
	lists, err := w.rank(w.ctx, w.cases, said)
	if err != nil {
		return false, err
	}
	value := meanNDCG(lists, w.cases, w.v.Cut)
	w.values = append(w.values, value)
	if w.best == 0 || value > w.values[w.best-1] {
		w.best = round
	}
	return round-w.best >= max(fewestIdle, w.best/3), nil
}

// Tensors of a kept state beside those of the training.
const (
	stateValues = "watch.values" // by round, as two words each
	stateBest   = "watch.best."  // before the names of the state after the best round
)

// Load is the state to go on from.
func (w *watch) Load(ctx context.Context) (int, map[string]model.Tensor, error) {
	if w.ended {
		return w.best, w.state, nil
	}
	if w.outer == nil {
		return 0, nil, nil
	}
	round, kept, err := w.outer.Load(ctx)
	if err != nil || round == 0 {
		return 0, nil, err
	}
	return w.unpack(round, kept)
}

// Save keeps the state after the best round, and hands everything on.
func (w *watch) Save(ctx context.Context, round int, state map[string]model.Tensor) error {
	if w.ended {
		return nil
	}
	if round == w.best {
		w.state = map[string]model.Tensor{}
		for name, t := range state {
			w.state[name] = model.Tensor{Shape: slices.Clone(t.Shape), F32: slices.Clone(t.F32), I32: slices.Clone(t.I32)}
		}
	}
	if w.outer == nil {
		return nil
	}
	return w.outer.Save(ctx, round, w.pack(state))
}

// Part is not of use to a training in rounds that is watched.
func (w *watch) Part(name string) recipe.Checkpoint {
	if w.outer == nil {
		return nothing{}
	}
	return w.outer.Part(name)
}

func (w *watch) pack(state map[string]model.Tensor) map[string]model.Tensor {
	out := map[string]model.Tensor{}
	for name, t := range state {
		out[name] = t
	}
	for name, t := range w.state {
		out[stateBest+name] = t
	}
	words := make([]int32, 0, 2*len(w.values)+1)
	words = append(words, int32(w.best))
	for _, v := range w.values {
		bits := math.Float64bits(v)
		words = append(words, int32(bits>>32), int32(bits))
	}
	out[stateValues] = model.Tensor{Shape: []int{len(words)}, I32: words}
	return out
}

// unpack takes apart what pack made; what something else made is begun anew.
func (w *watch) unpack(round int, kept map[string]model.Tensor) (int, map[string]model.Tensor, error) {
	words := kept[stateValues].I32
	if len(words) != 2*round+1 || words[0] < 1 || int(words[0]) > round {
		return 0, nil, nil
	}
	w.best, w.state = int(words[0]), map[string]model.Tensor{}
	for at := 1; at < len(words); at += 2 {
		w.values = append(w.values, math.Float64frombits(uint64(uint32(words[at]))<<32|uint64(uint32(words[at+1]))))
	}
	state := map[string]model.Tensor{}
	for name, t := range kept {
		if own, ok := strings.CutPrefix(name, stateBest); ok {
			w.state[own] = t
		} else if name != stateValues {
			state[name] = t
		}
	}
	return round, state, nil
}

// nothing is a Checkpoint that keeps nothing.
type nothing struct{}

func (nothing) Load(context.Context) (int, map[string]model.Tensor, error) { return 0, nil, nil }
func (nothing) Save(context.Context, int, map[string]model.Tensor) error   { return nil }
func (nothing) Part(string) recipe.Checkpoint                              { return nothing{} }

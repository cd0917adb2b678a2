package session

import (
	"strconv"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "session"

// The hyper-parameters. Only the first is of training.
const (
	ParamGap        = "session_gap"    // minutes of pause that end a session; 0 for none: a user is a session
	ParamNeighbours = "neighbours"     // sessions that vote
	ParamDecay      = "position_decay" // places after which an item of the asking session counts 1/e
	ParamAge        = "session_decay"  // share of all sessions that are newer, after which one counts 1/e
	ParamDistance   = "distance_decay" // places from an item in common after which a vote counts 1/e
	ParamRepeat     = "repeat_weight"  // factor of votes for what the asking session has already
)

const (
	defaultGap        = 0
	defaultNeighbours = 500
	defaultDecay      = 3
	defaultAge        = 1
	defaultDistance   = 3
	defaultRepeat     = 2
)

// Tensors of the model: the items of session s are those at [start[s], start[s+1]), oldest first.
const (
	tensorStart = "session_start" // sessions+1, oldest session first
	tensorItem  = "session_item"  // rows of items
	tensorCount = "item_count"    // items: events of each, for the order of what no session has
)

// Recipe is nearest sessions.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "session".
func (Recipe) Name() string { return Name }

type parameters struct {
	gap                          float64
	neighbours                   int
	decay, age, distance, repeat float64
}

func resolve(in recipe.Input) (p parameters, _ error) {
	r := recipe.Reader{Input: in}
	r.Float(&p.gap, ParamGap, defaultGap, 0, 1e6)
	r.Float(&p.decay, ParamDecay, defaultDecay, 0.1, 1e6)
	r.Float(&p.age, ParamAge, defaultAge, 0.01, 1e6)
	r.Float(&p.distance, ParamDistance, defaultDistance, 0.1, 1e6)
	r.Float(&p.repeat, ParamRepeat, defaultRepeat, 0, 1e3)
	r.Int(&p.neighbours, ParamNeighbours, defaultNeighbours, 1, 10000)
	return p, r.Err
}

func (p parameters) strings(given map[string]string) map[string]string {
	out := recipe.With(given, ParamGap, recipe.FormatFloat(p.gap))
	out[ParamNeighbours] = strconv.Itoa(p.neighbours)
	out[ParamDecay] = recipe.FormatFloat(p.decay)
	out[ParamAge] = recipe.FormatFloat(p.age)
	out[ParamDistance] = recipe.FormatFloat(p.distance)
	out[ParamRepeat] = recipe.FormatFloat(p.repeat)
	return out
}

// Refinements varies one parameter at a time.
func (Recipe) Refinements(in recipe.Input) []map[string]string {
	out := []map[string]string{in.Params}
	for _, r := range []struct {
		name   string
		values []string
	}{
		{ParamDecay, []string{"1.5", "8", "25"}}, {ParamNeighbours, []string{"100", "1500"}}, {ParamAge, []string{"0.3"}},
		{ParamDistance, []string{"1.5", "8"}}, {ParamRepeat, []string{"1", "4"}},
	} {
		if _, given := in.Params[r.name]; given {
			continue
		}
		for _, v := range r.values {
			out = append(out, recipe.With(in.Params, r.name, v))
		}
	}
	return out
}

// Bytes estimates the peak memory of Train and of the scorer: the sessions from
// both sides, and their bounds, if every event is a session of its own.
func (Recipe) Bytes(in recipe.Input) int64 {
	return 8*min(int64(in.Events.Len()), eventsAtMost) + 24*int64(in.Events.Len()) + 12*int64(len(in.Items))
}

// Seconds estimates Train, which sorts and copies.
func (Recipe) Seconds(in recipe.Input) float64 { return secondsOfEvent * float64(in.Events.Len()) }

var (
	_ recipe.Recipe  = Recipe{}
	_ recipe.Sizer   = Recipe{}
	_ recipe.Coster  = Recipe{}
	_ recipe.Refiner = Recipe{}
	_ model.Scorer   = (*scorer)(nil)
)

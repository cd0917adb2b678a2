package rule

import (
	"strconv"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "rule"

// The hyper-parameters of training.
const (
	ParamGap      = "session_gap"                // minutes of pause that end a session; 0 for none: a user is a session
	ParamSteps    = "rule_steps"                 // places that the two events of a pair may be apart
	ParamBackward = "backward_weight"            // of what came before, beside 1 for what came after
	ParamDiscount = "popularity_discount_factor" // f: rule i→j = c_ij / (n_i^(1-f) · n_j^f)
	ParamKept     = "kept_rules"                 // of each item
)

// The hyper-parameters of answers, which only Decode reads.
const (
	ParamDecay  = "position_decay"     // places after which an item of the history counts 1/e
	ParamReturn = "return_weight"      // of coming back to an item of the history
	ParamSecond = "second_step_weight" // of rules that follow rules
)

const (
	defaultGap      = 0
	defaultSteps    = 10
	defaultBackward = 0.5
	defaultDiscount = 0.3
	defaultKept     = 200
	defaultDecay    = 3
	defaultReturn   = 0.7
	defaultSecond   = 1
)

// Tensors of the model: the rules of item i are those at [start[i], start[i+1]), heaviest first.
const (
	tensorStart  = "rule_start"  // items+1
	tensorItem   = "rule_item"   // rows of items
	tensorWeight = "rule_weight" // above 0
	tensorCount  = "item_count"  // items: events of each, for the order of what no rule leads to
)

// Recipe is sequential rules.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "rule".
func (Recipe) Name() string { return Name }

type parameters struct {
	steps, kept              int
	gap, backward, discount  float64
	decay, comeBack, another float64
}

func resolve(in recipe.Input) (p parameters, _ error) {
	r := recipe.Reader{Input: in}
	r.Float(&p.gap, ParamGap, defaultGap, 0, 1e6)
	r.Int(&p.steps, ParamSteps, defaultSteps, 1, sessionAtMost)
	r.Float(&p.backward, ParamBackward, defaultBackward, 0, 1)
	r.Float(&p.discount, ParamDiscount, defaultDiscount, 0, 1)
	r.Int(&p.kept, ParamKept, defaultKept, 1, 10000)
	r.Float(&p.decay, ParamDecay, defaultDecay, 0.1, 1e6)
	r.Float(&p.comeBack, ParamReturn, defaultReturn, 0, 1e3)
	r.Float(&p.another, ParamSecond, defaultSecond, 0, 1e3)
	return p, r.Err
}

func (p parameters) strings(given map[string]string) map[string]string {
	out := recipe.With(given, ParamGap, recipe.FormatFloat(p.gap))
	out[ParamSteps] = strconv.Itoa(p.steps)
	out[ParamBackward] = recipe.FormatFloat(p.backward)
	out[ParamDiscount] = recipe.FormatFloat(p.discount)
	out[ParamKept] = strconv.Itoa(p.kept)
	out[ParamDecay] = recipe.FormatFloat(p.decay)
	out[ParamReturn] = recipe.FormatFloat(p.comeBack)
	out[ParamSecond] = recipe.FormatFloat(p.another)
	return out
}

// usualGap is the pause that ends a session where web analytics count them.
const usualGap = 30

// Candidates tries another discount of popularity, and sessions where the times
// of the events show any: when most events have company after a cut.
func (Recipe) Candidates(in recipe.Input) []map[string]string {
	out := []map[string]string{in.Params}
	if _, given := in.Params[ParamDiscount]; !given {
		out = append(out, recipe.With(in.Params, ParamDiscount, "0.15"), recipe.With(in.Params, ParamDiscount, "0.5"))
	}
	if _, given := in.Params[ParamGap]; given {
		return out
	}
	users, _ := company(in, 0)
	sessions, accompanied := company(in, usualGap*60_000)
	if sessions > users+users/4 && 2*accompanied > in.Events.Len() {
		out = append(out, recipe.With(in.Params, ParamGap, strconv.Itoa(usualGap)))
	}
	return out
}

// company is how many sessions there are, and how many events in sessions of more than one.
func company(in recipe.Input, gap int64) (sessions, events int) {
	all := recipe.Sessions(in.Events, gap, sessionAtMost)
	for _, s := range all {
		if n := s.To - s.From; n > 1 {
			events += n
		}
	}
	return len(all), events
}

// Refinements varies, one at a time, what only answers read.
func (Recipe) Refinements(in recipe.Input) []map[string]string {
	out := []map[string]string{in.Params}
	for _, r := range []struct {
		name   string
		values []string
	}{
		{ParamDecay, []string{"1.5", "8", "25"}}, {ParamReturn, []string{"0", "0.3", "1.5"}}, {ParamSecond, []string{"0.3", "2"}},
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

// Bytes estimates the peak memory of Train: the events by item with the bounds
// of their sessions, and the rules twice, as found and as stored.
func (Recipe) Bytes(in recipe.Input) int64 {
	p, err := resolve(in)
	if err != nil {
		return 0 // Train says what is wrong
	}
	items, events := int64(len(in.Items)), int64(in.Events.Len())
	return 28*events + 48*items + 2*8*min(items*int64(p.kept), 2*events*int64(p.steps))
}

// Seconds estimates Train: a few nanoseconds for each pair that is counted, and
// the choice of the heaviest.
func (Recipe) Seconds(in recipe.Input) float64 {
	p, err := resolve(in)
	if err != nil {
		return 0
	}
	return float64(in.Events.Len())*(2*float64(p.steps)*secondsOfPair+secondsOfEvent) + float64(len(in.Items))*secondsOfItem
}

var (
	_ recipe.Recipe  = Recipe{}
	_ recipe.Sizer   = Recipe{}
	_ recipe.Coster  = Recipe{}
	_ recipe.Tuner   = Recipe{}
	_ recipe.Refiner = Recipe{}
	_ model.Scorer   = (*scorer)(nil)
)

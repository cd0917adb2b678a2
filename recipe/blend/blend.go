package blend

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "blend"

// The hyper-parameters. Those of a member stand behind its name and a point:
// "ials.hidden_dimension". A parameter without a point that is not one of these
// goes to all members, and those that know it take it, unless they have one of
// their own. A member may be there several times, as "ials", "ials#2", …: these
// learn from seeds of their own.
const (
	ParamMembers = model.ParamMembers
	ParamScale   = "score_scale"
	ParamCold    = "cold_item_gain" // see lender; 0 for none

	// What the context of a query is heard with, see listener; 0 for not at all.
	ParamContext        = "context_gain"
	ParamContextOpening = "opening_context_gain" // where who asks has no history

	weightOf  = model.ParamWeight
	openingOf = "opening." // before a member's name: its part of the answer to those without a history
)

const (
	maxWeight    = 1e6
	maxScale     = 1e6
	minScale     = 1e-6
	maxMembers   = 16
	defaultScale = 1
)

// Recipe is a blend of others.
type Recipe struct{ members []recipe.Recipe }

// New makes the recipe of those it may ask. Their names must differ; which of
// them it asks when nothing else is said is told by defaults.go.
func New(members ...recipe.Recipe) Recipe { return Recipe{members} }

// Name is "blend".
func (Recipe) Name() string { return Name }

// member is one voice of a blend.
type member struct {
	name   string // "ials#2"
	recipe recipe.Recipe
	copies uint64            // 0 for the first of its recipe, 1 for "#2"
	weight float64           // of its scores at one scale
	opens  float64           // of its scores as they are, for those without a history
	params map[string]string // its own, and those meant for all
}

// blended is the parameters as resolved.
type blended struct {
	members []member // also those of weight 0, in the order given
	scale   float64
	gain    float64 // of what cold items borrow

	heeds, heedsOpening float64 // of the context
}

// find is the recipe behind a member's name: "ials#2" is ials once more.
func (r Recipe) find(name string) (of recipe.Recipe, copies uint64, ok bool) {
	base, number, again := strings.Cut(name, "#")
	if again {
		n, err := strconv.ParseUint(number, 10, 8)
		if err != nil || n < 2 || strconv.FormatUint(n, 10) != number {
			return nil, 0, false
		}
		copies = n - 1
	}
	for _, m := range r.members {
		if m.Name() == base {
			return m, copies, true
		}
	}
	return nil, 0, false
}

// resolve reads the parameters; what is not given is chosen by the shape of the data.
func (r Recipe) resolve(in recipe.Input) (b blended, err error) {
	if b.scale, err = in.Float(ParamScale, defaultScale, minScale, maxScale); err != nil {
		return b, err
	}
	if b.gain, err = in.Float(ParamCold, 0, 0, maxGain); err != nil {
		return b, err
	}
	if b.heeds, err = in.Float(ParamContext, 0, 0, maxGain); err != nil {
		return b, err
	}
	if b.heedsOpening, err = in.Float(ParamContextOpening, 0, 0, maxGain); err != nil {
		return b, err
	}
	names := r.defaults(in)
	if given, ok := in.Params[ParamMembers]; ok {
		names = strings.Split(given, ",")
	}
	if len(names) > maxMembers {
		return b, attune.Errorf(attune.Invalid, "hyper-parameter %s names %d members: give at most %d", ParamMembers, len(names), maxMembers)
	}
	some, opening := false, 0.0
	for i, name := range names {
		of, copies, ok := r.find(name)
		if !ok || slices.Contains(names[:i], name) {
			return b, attune.Errorf(attune.Invalid, "hyper-parameter %s is %q: give some of %s, with commas between, each once; ials#2 is a second ials",
				ParamMembers, in.Params[ParamMembers], strings.Join(r.names(), ", "))
		}
		weight, err := in.Float(weightOf+name, 1, 0, maxWeight)
		if err != nil {
			return b, err
		}
		opens, err := in.Float(openingOf+name, 0, 0, 1)
		if err != nil {
			return b, err
		}
		some, opening = some || weight > 0, opening+opens
		b.members = append(b.members, member{name: name, recipe: of, copies: copies, weight: weight, opens: opens, params: r.own(in.Params, name)})
	}
	if opening > 1+1e-9 {
		return b, attune.Errorf(attune.Invalid, "the hyper-parameters %s… sum to %g: give at most 1, of which the rest is popularity's", openingOf, opening)
	}
	if !some {
		return b, attune.Errorf(attune.Invalid, "a blend of nothing: give one of %s a %s… above 0", strings.Join(names, ", "), weightOf)
	}
	return b, nil
}

func (r Recipe) names() []string {
	out := make([]string, len(r.members))
	for i, m := range r.members {
		out[i] = m.Name()
	}
	return out
}

// own are the parameters that a member gets: those for everybody, and over them
// those behind its name.
func (r Recipe) own(params map[string]string, name string) map[string]string {
	out := map[string]string{}
	for key, value := range params {
		if !slices.Contains([]string{ParamMembers, ParamScale, ParamCold, ParamContext, ParamContextOpening}, key) && !strings.Contains(key, ".") {
			out[key] = value
		}
	}
	for key, value := range params {
		if inner, ok := strings.CutPrefix(key, name+"."); ok {
			out[inner] = value
		}
	}
	return out
}

// used are the members that are asked, if only by those without a history.
func (b blended) used() []member {
	var out []member
	for _, m := range b.members {
		if m.weight > 0 || m.opens > 0 {
			out = append(out, m)
		}
	}
	return out
}

// strings is how the manifest remembers the parameters of the blend itself,
// along with those given.
func (b blended) strings(given map[string]string) map[string]string {
	out := maps.Clone(given)
	if out == nil {
		out = map[string]string{}
	}
	names := make([]string, len(b.members))
	for i, m := range b.members {
		names[i] = m.name
		out[weightOf+m.name] = recipe.FormatFloat(m.weight)
		if m.opens > 0 {
			out[openingOf+m.name] = recipe.FormatFloat(m.opens)
		}
	}
	if b.gain > 0 {
		out[ParamCold] = recipe.FormatFloat(b.gain)
	}
	for key, gain := range map[string]float64{ParamContext: b.heeds, ParamContextOpening: b.heedsOpening} {
		if gain > 0 {
			out[key] = recipe.FormatFloat(gain)
		}
	}
	out[ParamMembers] = strings.Join(names, ",")
	out[ParamScale] = recipe.FormatFloat(b.scale)
	return out
}

// input is what a member learns from.
func (m member) input(in recipe.Input) recipe.Input {
	in.Params, in.Seed, in.Progress, in.Watch = m.params, in.Seed+m.copies, nil, nil
	if in.Checkpoint != nil {
		in.Checkpoint = in.Checkpoint.Part(m.name)
	}
	return in
}

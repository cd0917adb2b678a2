package spec

import (
	"slices"
	"strconv"
	"strings"
)

// Parameters of a blend that are not listed with the recipe's own, since there
// are hundreds of them: what a manifest says of a model can be given back.
const (
	weightOf  = "weight."  // before a member's name: its part of the sum
	openingOf = "opening." // likewise: its part of the answer to those without a history
)

// mostMembers is how many a blend may have.
const mostMembers = 16

// members are the algorithms that a blend may ask.
func members() []string {
	return []string{Popularity, ItemKNN, EASE, Graph, IALS, Session, Rule, Sequence, Content, Demographic, Circumstance}
}

// isMember says whether a name can be a member's: "ials", or "ials#2" for a second one.
func isMember(name string, among []string) bool {
	of, number, again := strings.Cut(name, "#")
	if n, err := strconv.ParseUint(number, 10, 8); again && (err != nil || n < 2 || strconv.FormatUint(n, 10) != number) {
		return false
	}
	return slices.Contains(among, of)
}

// memberParameter finds a parameter of a blend by its whole name: "ials#2.iterations".
// What is meant for all members can be said of one.
func (r Recipe) memberParameter(name string) (Parameter, bool) {
	if r.Algorithm != Blend {
		return Parameter{}, false
	}
	for _, p := range blendParameters() {
		if p.Name == name {
			return p, true
		}
	}
	for prefix, most := range map[string]float64{weightOf: 1e6, openingOf: 1} {
		if of, ok := strings.CutPrefix(name, prefix); ok && isMember(of, members()) {
			return continuous(name, 0, most), true
		}
	}
	of, inner, _ := strings.Cut(name, ".")
	if !isMember(of, members()) {
		return Parameter{}, false
	}
	of, _, _ = strings.Cut(of, "#")
	for _, known := range [][]Parameter{MemberParameters(of), r.Parameters, r.Features} {
		for _, p := range known {
			if p.Name == inner && p.Type != Listing && p.Type != Occasions { // which no member reads
				p.Name = name
				return p, true
			}
		}
	}
	return Parameter{}, false
}

func continuous(name string, low, high float64) Parameter {
	return Parameter{Name: name, Type: Continuous, Min: low, Max: high}
}

func integer(name string, low, high float64) Parameter {
	return Parameter{Name: name, Type: Integer, Min: low, Max: high}
}

// blendParameters are those of a blend itself (recipe/blend explains them).
func blendParameters() []Parameter {
	return []Parameter{continuous("score_scale", 1e-6, 1e6), continuous("cold_item_gain", 0, 100), continuous("context_gain", 0, 100), continuous("opening_context_gain", 0, 100)}
}

// MemberParameters are those that an algorithm takes as a member of a blend, with
// the ranges of its room, which explains them; those of everything that orders
// by time, recency_mask and apply_recency_bias, are the recipe's.
func MemberParameters(algorithm string) []Parameter {
	scale, recency := continuous("score_scale", 1e-6, 1e6), continuous("recency_half_life", 0, 1e6)
	switch algorithm {
	case IALS:
		return append([]Parameter{integer("hidden_dimension", 1, 1024), integer("block_size", 1, 1024), scale,
			{Name: "solver", Type: Categorical, Values: []string{"cg", "cholesky", "ialspp"}}}, ownParameters()...)
	case ItemKNN:
		return append([]Parameter{continuous("popularity_discount_factor", 0, 1), integer("min_cointeraction_count", 0, 1000)}, neighbourParameters()...)
	case EASE:
		return []Parameter{continuous("regularization", 1e-4, 1e6), continuous("dropout", 0, 0.99), continuous("user_exponent", 0, 2),
			integer("neighbourhood", 0, 4096), integer("kept_weights", 1, 100_000), recency, scale}
	case Graph:
		return []Parameter{continuous("user_degree_exponent", 0, 1), continuous("item_degree_exponent", 0, 1), continuous("input_degree_exponent", -1, 1),
			continuous("output_degree_exponent", -1, 1), integer("filter_rank", 1, 2048), continuous("ideal_weight", 0, 10), continuous("sharpening_time", 0, 20),
			continuous("damping", 0, 1e6), integer("neighbours", 0, 100_000), integer("factors", 0, 2048), recency, scale}
	case Session:
		return []Parameter{continuous("session_gap", 0, 1e6), integer("neighbours", 1, 10_000), continuous("position_decay", 0.1, 1e6),
			continuous("session_decay", 0.01, 1e6), continuous("distance_decay", 0.1, 1e6), continuous("repeat_weight", 0, 1e3)}
	case Rule:
		return []Parameter{continuous("session_gap", 0, 1e6), integer("rule_steps", 1, 1000), continuous("backward_weight", 0, 1),
			continuous("popularity_discount_factor", 0, 1), integer("kept_rules", 1, 10_000), continuous("position_decay", 0.1, 1e6),
			continuous("return_weight", 0, 1e3), continuous("second_step_weight", 0, 1e3)}
	case Sequence:
		return []Parameter{integer("hidden_dimension", 1, 1024), integer("blocks", 1, 16), integer("heads", 1, 64), integer("max_length", 1, 4096),
			continuous("dropout", 0, 0.9), continuous("learning_rate", 1e-7, 1), integer("batch_size", 1, 1<<16), integer("epochs", 1, 10_000),
			integer("negatives", 0, 1<<20), integer("feed_forward", 1, 16), integer("gated", 0, 1), continuous("weight_decay", 0, 10), scale}
	case Demographic:
		return []Parameter{continuous("group_shrinkage", 1e-3, 1e9), continuous("group_weight", 0, 100)}
	case Circumstance:
		return []Parameter{continuous("context_shrinkage", 1e-3, 1e9), continuous("context_weight", 0, 100), continuous("popularity_weight", 0, 100)}
	}
	return nil
}

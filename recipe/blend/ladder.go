package blend

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune/recipe"
)

// axis is a parameter of a member and the values it is tried with, in order.
// Between two of them the metric is taken to change little.
type axis struct {
	name   string
	values []string
}

// ladders are the parameters that matter, by recipe, the most important first.
func ladders(of string) []axis {
	switch of {
	case "ials":
		return []axis{
			{"hidden_dimension", []string{"16", "32", "64", "128", "256"}},
			{"regularization", []string{"0.001", "0.0014", "0.002", "0.003", "0.004", "0.005", "0.007", "0.01", "0.014", "0.02", "0.028", "0.04"}},
			{"unobserved_weight", []string{"0.003", "0.01", "0.03", "0.1", "0.2", "0.4", "0.7", "1"}},
		}
	case "ease":
		return []axis{{"regularization", []string{"0.03", "0.1", "0.3", "1", "3", "10", "30"}}}
	case "sequence":
		return []axis{
			{"dropout", []string{"0.1", "0.2", "0.3", "0.4", "0.5"}},
			{"hidden_dimension", []string{"32", "64", "128", "256"}},
		}
	case "itemknn":
		return []axis{{"popularity_discount_factor", []string{"0.1", "0.3", "0.5", "0.7"}}}
	}
	return nil
}

// axes are the ladders of a recipe that may be climbed: without parameters that are given.
func axes(of string, given map[string]string) []axis {
	var out []axis
	for _, x := range ladders(of) {
		if _, fixed := given[x.name]; !fixed {
			out = append(out, x)
		}
	}
	return out
}

// next are the parameters to try after the best so far: one step along one axis.
func (a *arm) next() (map[string]string, bool) {
	if a.best == nil {
		return nil, false
	}
	if len(a.others) > 0 {
		first := a.others[0]
		a.others = a.others[1:]
		return first, true
	}
	for _, x := range a.axes {
		at, ok := x.place(a.best.resolved[x.name])
		if !ok {
			continue
		}
		for _, to := range x.around(at) {
			if point := a.pointOf(recipe.With(a.best.resolved, x.name, x.values[to])); !a.tried[point] {
				a.tried[point] = true
				params := roundsAgain(roundsOf(base(a.name)), a.best.params)
				return recipe.With(params, x.name, x.values[to]), true
			}
		}
	}
	return nil, false
}

// place is where a value stands among the values, as a number between places.
func (x axis) place(value string) (float64, bool) {
	v, err := strconv.ParseFloat(value, 64)
	if err != nil {
		i := slices.Index(x.values, value)
		return float64(i), i >= 0
	}
	below := -1.0
	for i, text := range x.values {
		w, err := strconv.ParseFloat(text, 64)
		switch {
		case err != nil:
			return 0, false
		case w == v:
			return float64(i), true
		case w < v:
			below = float64(i)
		}
	}
	return below + 0.5, true
}

// around are the places next to one, the one above first.
func (x axis) around(at float64) []int {
	var out []int
	if up := int(math.Floor(at)) + 1; up < len(x.values) {
		out = append(out, up)
	}
	if down := int(math.Ceil(at)) - 1; down >= 0 {
		out = append(out, down)
	}
	return out
}

// pointOf names the place of resolved parameters on all axes.
func (a *arm) pointOf(resolved map[string]string) string {
	var out strings.Builder
	for _, x := range a.axes {
		out.WriteString(strconv.Quote(resolved[x.name]))
	}
	return out.String()
}

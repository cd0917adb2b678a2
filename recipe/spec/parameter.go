package spec

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
)

// ValueType is the sort of value a hyper-parameter takes. On the wire all are strings.
type ValueType string

// The sorts of values.
const (
	Integer     ValueType = "integer"
	Continuous  ValueType = "continuous"
	Categorical ValueType = "categorical"
	Listing     ValueType = "listing"   // some of Values, with commas between; one that is there again ends in #2, #3, …
	Occasions   ValueType = "occasions" // event types, with commas between: see ReadOutcomes
)

// Parameter is one hyper-parameter of an algorithm or a feature transformation.
type Parameter struct {
	Name     string
	Type     ValueType
	Default  string   // "" when it depends on the data
	Min, Max float64  // of Integer and Continuous, both ends included
	Values   []string // of Categorical, compared without case, and of Listing
	Tunable  bool     // may be optimised, in the service's words
}

// Check says whether a value can be the parameter's; the error is attune.Invalid.
func (p Parameter) Check(value string) error {
	switch p.Type {
	case Integer:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || float64(n) < p.Min || float64(n) > p.Max {
			return attune.Errorf(attune.Invalid, "hyper-parameter %s is %q: give an integer from %s to %s", p.Name, value, number(p.Min), number(p.Max))
		}
	case Continuous:
		x, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(x) || x < p.Min || x > p.Max {
			return attune.Errorf(attune.Invalid, "hyper-parameter %s is %q: give a number from %s to %s", p.Name, value, number(p.Min), number(p.Max))
		}
	case Categorical:
		if !slices.ContainsFunc(p.Values, func(v string) bool { return strings.EqualFold(v, value) }) {
			return attune.Errorf(attune.Invalid, "hyper-parameter %s is %q: give one of %s", p.Name, value, strings.Join(p.Values, ", "))
		}
	case Listing:
		names := strings.Split(value, ",")
		for i, name := range names {
			if !isMember(name, p.Values) || slices.Contains(names[:i], name) || i == mostMembers {
				return attune.Errorf(attune.Invalid, "hyper-parameter %s is %q: give some of %s, with commas between, each once and %d at most; %s#2 is a second %s",
					p.Name, value, strings.Join(p.Values, ", "), mostMembers, p.Values[0], p.Values[0])
			}
		}
	case Occasions:
		_, err := ReadOutcomes(value)
		return err
	}
	return nil
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// algorithmMember is the member of a request that the parameters of an algorithm are in.
const algorithmMember = "algorithmHyperParameters"

// CheckParameters says whether the given algorithmHyperParameters and
// featureTransformationParameters are this recipe's, and within their ranges.
func (r Recipe) CheckParameters(algorithm, features map[string]string) error {
	if err := r.check(algorithmMember, r.Parameters, algorithm); err != nil {
		return err
	}
	if err := r.check("featureTransformationParameters", r.Features, features); err != nil {
		return err
	}
	for _, p := range r.Features { // all are min_… and max_… percentiles
		what, isMin := strings.CutPrefix(p.Name, "min_")
		low, lowErr := strconv.ParseFloat(features[p.Name], 64)
		high, highErr := strconv.ParseFloat(features["max_"+what], 64)
		if isMin && lowErr == nil && highErr == nil && low > high {
			return attune.Errorf(attune.Invalid, "%s is %s and max_%s is %s: nothing lies between them", p.Name, number(low), what, number(high))
		}
	}
	return nil
}

func (r Recipe) check(member string, known []Parameter, given map[string]string) error {
	names := make([]string, 0, len(given))
	for name := range given {
		names = append(names, name)
	}
	slices.Sort(names) // so that one request always gets one message
	for _, name := range names {
		i := slices.IndexFunc(known, func(p Parameter) bool { return p.Name == name })
		if i < 0 {
			if p, ok := r.memberParameter(name); ok && member == algorithmMember {
				if err := p.Check(given[name]); err != nil {
					return err
				}
				continue
			}
			return attune.Errorf(attune.Invalid, "%s has %q, which %s does not take: it takes %s", member, name, r.Name, list(known))
		}
		if err := known[i].Check(given[name]); err != nil {
			return err
		}
	}
	return nil
}

func list(known []Parameter) string {
	if len(known) == 0 {
		return "none"
	}
	names := make([]string, len(known))
	for i, p := range known {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

package blend

import (
	"slices"
	"strings"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/recipe"
)

// defaults are the members without a search, by the shape of the data: factors
// and graph filters, which err differently and are quick, and where events have
// an order the transformer.
func (r Recipe) defaults(in recipe.Input) []string {
	var out []string
	for _, name := range []string{"ials", "graph", "sequence"} {
		if _, _, ok := r.find(name); ok && (name != "sequence" || recipe.Ordered(in.Events)) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return r.names()[:min(1, len(r.members))]
	}
	return out
}

// Bytes estimates the peak memory of Train and of the model: what the members
// take together, since the models of those that are done stay. Where members are
// not given a search drops those that are too many, so it is that of the smallest.
func (r Recipe) Bytes(in recipe.Input) int64 {
	b, err := r.resolve(in)
	if err != nil {
		return 0 // Train says what is wrong
	}
	sum := int64(0)
	for _, m := range b.used() {
		sum += m.bytes(in, m.params)
	}
	if _, given := in.Params[ParamMembers]; !given {
		for _, of := range r.members {
			m := member{name: of.Name(), recipe: of}
			sum = min(sum, m.bytes(in, r.own(in.Params, of.Name())))
		}
	}
	return sum + r.heedingBytes(in) + 4*int64(len(in.Items))
}

// Seconds estimates Train: that of the members, one after another, and of what stands beside them.
func (r Recipe) Seconds(in recipe.Input) (sum float64) {
	b, err := r.resolve(in)
	if err != nil {
		return 0 // likewise
	}
	for _, m := range b.used() {
		sum += seconds(m.recipe, m.input(in))
	}
	lending, heeding := r.besides(in, b)
	return sum + lending + heeding
}

// besides estimates what a training does beside its members.
func (r Recipe) besides(in recipe.Input, b blended) (lending, heeding float64) {
	if b.gain > 0 {
		lending = r.lendSeconds(in, len(coldRows(in).cold))
	}
	if b.listens() {
		heeding = r.heedSeconds(in)
	}
	return lending, heeding
}

// base is the recipe's name of a member's.
func base(name string) string {
	name, _, _ = strings.Cut(name, "#")
	return name
}

// bearable are the members that a search looks at: all but those that learn
// from the order of events, from what is said of items or from who users are
// where there is none.
func (s *search) bearable() []string {
	ordered := recipe.Ordered(s.in.Events)
	said, known := s.speaks(s.in), s.in.UserAttributes != nil && slices.ContainsFunc(s.in.UserAttributes.Columns, func(c dataset.Column) bool { return !c.Textual })
	return slices.DeleteFunc(s.names(), func(name string) bool {
		switch name {
		case "sequence", "session", "rule":
			return !ordered
		case likeness:
			return !said
		case "demographic":
			return !known
		case circumstances:
			return true // it is heard beside the members: see listener
		}
		return false
	})
}

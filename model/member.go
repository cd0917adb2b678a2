package model

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// The parameters by which a blend of recipes is known; docs/format/model.md.
const (
	ParamMembers = "members" // names, with commas between: "ease,ials,ials#2"
	ParamWeight  = "weight." // before a member's name: its part of the sum
)

// Member is one voice of a blend.
type Member struct {
	Name       string            `json:"name"`
	Weight     float64           `json:"weight"` // of all weights; those of a blend sum to 1
	Parameters map[string]string `json:"parameters,omitempty"`
}

// Members are the voices of a blend, the weightiest first, read from its
// parameters; nil for other models.
func (m Manifest) Members() []Member {
	names, ok := m.Parameters[ParamMembers]
	if !ok {
		return nil
	}
	var out []Member
	sum := 0.0
	for name := range strings.SplitSeq(names, ",") {
		weight, err := strconv.ParseFloat(m.Parameters[ParamWeight+name], 64)
		if err != nil || !(weight > 0) {
			continue
		}
		member := Member{Name: name, Weight: weight, Parameters: map[string]string{}}
		for key, value := range m.Parameters {
			if own, ok := strings.CutPrefix(key, name+"."); ok {
				member.Parameters[own] = value
			}
		}
		out, sum = append(out, member), sum+weight
	}
	for i := range out {
		out[i].Weight /= sum
	}
	slices.SortStableFunc(out, func(a, b Member) int { return cmp.Compare(b.Weight, a.Weight) })
	return out
}

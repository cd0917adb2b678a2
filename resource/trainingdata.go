package resource

import (
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// TrainingData says which columns may be learned from. A dataset type that it
// does not name gives all of its columns.
type TrainingData struct {
	Included map[string][]string `json:"includedDatasetColumns"` // by dataset type in any case: only these
	Excluded map[string][]string `json:"excludedDatasetColumns"` // all but these
}

// check refuses dataset types that are none, and one that is named on both sides.
func (d TrainingData) check() error {
	for member, columns := range map[string]map[string][]string{"includedDatasetColumns": d.Included, "excludedDatasetColumns": d.Excluded} {
		for name := range columns {
			if _, err := schema.ParseType(name); err != nil {
				return attune.Errorf(attune.Invalid, "trainingDataConfig: %s names %w", member, err)
			}
		}
	}
	for _, t := range []schema.Type{schema.Interactions, schema.Items, schema.Users} {
		_, in := listed(d.Included, t)
		_, out := listed(d.Excluded, t)
		if in && out {
			return attune.Errorf(attune.Invalid, "trainingDataConfig includes and excludes columns of %s: give one of the two lists", t)
		}
	}
	return nil
}

// Uses says whether a column of a dataset type may be learned from.
func (d TrainingData) Uses(t schema.Type, column string) bool {
	if list, ok := listed(d.Included, t); ok {
		return slices.Contains(list, column)
	}
	list, _ := listed(d.Excluded, t)
	return !slices.Contains(list, column)
}

// listed are the columns under a dataset type, however it is spelled.
func listed(columns map[string][]string, t schema.Type) (list []string, ok bool) {
	for name, some := range columns {
		if got, err := schema.ParseType(name); err == nil && got == t {
			list, ok = append(list, some...), true
		}
	}
	return list, ok
}

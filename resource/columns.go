package resource

import (
	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// found refuses columns of datasets that are not there, or do not have them.
func (d TrainingData) found(schemas map[schema.Type]*schema.Schema) error {
	for _, t := range []schema.Type{schema.Interactions, schema.Items, schema.Users} {
		columns, in := listed(d.Included, t)
		if !in {
			columns, in = listed(d.Excluded, t)
		}
		s := schemas[t]
		if in && s == nil {
			return attune.Errorf(attune.Invalid, "trainingDataConfig names columns of %s, and the dataset group has no such dataset: create it first", t)
		}
		for _, c := range columns {
			if _, ok := s.Field(c); !ok {
				return attune.Errorf(attune.Invalid, "trainingDataConfig names the column %s, which the dataset %s does not have", c, t)
			}
		}
	}
	return nil
}

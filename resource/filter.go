package resource

import (
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/filter"
)

// parseFilter reads a filter expression and gives the check of its columns
// against the schemas of a dataset group.
func parseFilter(expression string) (check func(map[schema.Type]*schema.Schema) error, err error) {
	e, err := filter.Parse(expression)
	if err != nil {
		return nil, err
	}
	return e.Check, nil
}

package recipe

import (
	"slices"

	"github.com/attune-io/attune/dataset"
)

// The feature transformation parameters of the service: users with very short
// or very long histories, and items with very few or very many interactions,
// are left out of training when these are given. They are asked about all the same.
const (
	paramMinUser = "min_user_history_length_percentile"
	paramMaxUser = "max_user_history_length_percentile"
	paramMinItem = "min_item_interaction_count_percentile"
	paramMaxItem = "max_item_interaction_count_percentile"
)

// trim keeps the events that the percentiles in params allow; e itself when none is given.
func trim(e dataset.Events, params map[string]string) (dataset.Events, error) {
	users, err := within(e.User, params, paramMinUser, paramMaxUser)
	if err != nil {
		return e, err
	}
	items, err := within(e.Item, params, paramMinItem, paramMaxItem)
	if err != nil || users == nil && items == nil {
		return e, err
	}
	return e.Where(func(i int) bool {
		return (users == nil || users[e.User[i]]) && (items == nil || items[e.Item[i]])
	}), nil
}

// within says which rows of a column occur as often as the percentiles of
// occurrence allow, both included; nil when params say nothing.
func within(column []int32, params map[string]string, minName, maxName string) ([]bool, error) {
	in := Input{Params: params}
	low, err := in.Float(minName, 0, 0, 1)
	if err != nil {
		return nil, err
	}
	high, err := in.Float(maxName, 1, low, 1)
	if err != nil || len(column) == 0 || low == 0 && high == 1 {
		return nil, err
	}
	count := make([]int, 1+slices.Max(column))
	for _, row := range column {
		count[row]++
	}
	var lengths []int
	for _, n := range count {
		if n > 0 {
			lengths = append(lengths, n)
		}
	}
	slices.Sort(lengths)
	at := func(p float64) int { return lengths[int(p*float64(len(lengths)-1))] }
	least, most := at(low), at(high)
	keep := make([]bool, len(count))
	for row, n := range count {
		keep[row] = n >= least && n <= most
	}
	return keep, nil
}

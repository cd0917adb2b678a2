package circumstance

import (
	"math"
	"slices"
	"strconv"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/recipe"
)

const (
	// ranges are those of numbers, each of about as many events.
	ranges = recipe.GroupRanges
	// valuesAtMost is how many values a column may have and still tell circumstances: one
	// with more is an id or a text.
	valuesAtMost = 1000
)

// Words of a row of tensorColumn and of tensorGroup.
const (
	columnWords = 3 // halves of the hash of the name, and what its values are
	groupWords  = 3 // halves of the hash of the value, and the column's place
)

// What the values of a column are.
const (
	categories = iota
	numbers
)

// learned is what Train counts.
type learned struct {
	recipe.Groups
	items  int
	column []int32   // columns × columnWords
	edge   []float32 // columns × (ranges - 1)
	said   []int32   // columns × items: how often a value of the column was seen with an item
	group  []int32   // groups × groupWords
	share  []float32 // by group: its part of all values of the column that were seen
	count  []int32   // by item: distinct users
}

// popular counts the distinct users of every item.
func (l *learned) popular(in recipe.Input) {
	var mine []int32
	in.Events.ByUser(func(_ int32, from, to int) {
		mine = append(mine[:0], in.Events.Item[from:to]...)
		slices.Sort(mine)
		for _, item := range slices.Compact(mine) {
			l.count[item]++
		}
	})
}

// value is what an event of a column may say: the hash of a category, or of a range of numbers.
type value struct {
	hash  uint64
	users int32 // who had it
	seen  int64 // distinct pairs of a user and an item
}

// learn counts one column: a value counts once for each user and item that it
// was seen with, so that who does the same thing every day is not a crowd.
func (l *learned) learn(e dataset.Events, at int) {
	c := &e.Context[at]
	values, of, cuts := read(c)
	if len(values) == 0 || len(values) > valuesAtMost {
		return
	}
	var pairs, mine []uint64 // place of the value << 32 | item
	e.ByUser(func(_ int32, from, to int) {
		mine = mine[:0]
		for i := from; i < to; i++ {
			for _, v := range of(i) {
				mine = append(mine, uint64(v)<<32|uint64(uint32(e.Item[i])))
			}
		}
		slices.Sort(mine)
		mine = slices.Compact(mine)
		for k, pair := range mine {
			if k == 0 || mine[k-1]>>32 != pair>>32 {
				values[pair>>32].users++
			}
		}
		pairs = append(pairs, mine...)
	})
	if !slices.ContainsFunc(values, func(v value) bool { return v.users >= usersAtLeast }) {
		return
	}
	slices.Sort(pairs)
	l.add(c, values, cuts, pairs)
}

// add keeps a column and its values, given all pairs in order.
func (l *learned) add(c *dataset.Circumstance, values []value, cuts []float32, pairs []uint64) {
	place, kind := int32(len(l.column)/columnWords), int32(categories)
	if cuts != nil {
		kind = numbers
	}
	high, low := recipe.HashHalves(recipe.GroupName(c.Name))
	l.column = append(l.column, high, low, kind)
	l.edge = append(l.edge, append(cuts, make([]float32, ranges-1-len(cuts))...)...)
	said := make([]int32, l.items)
	for _, pair := range pairs {
		said[uint32(pair)]++
		values[pair>>32].seen++
	}
	l.said = append(l.said, said...)
	for from := 0; from < len(pairs); {
		v := &values[pairs[from]>>32]
		to := from + int(v.seen)
		if v.users >= usersAtLeast {
			for k := from; k < to; {
				end := k + 1
				for end < to && pairs[end] == pairs[k] {
					end++
				}
				l.Entry = append(l.Entry, int32(uint32(pairs[k])), int32(end-k))
				k = end
			}
			high, low := recipe.HashHalves(v.hash)
			l.group, l.Start = append(l.group, high, low, place), append(l.Start, int32(len(l.Entry)/2))
			l.share = append(l.share, float32(float64(v.seen)/float64(len(pairs))))
		}
		from = to
	}
}

// read finds the values of a column, and those of each event. cuts are the edges
// of numbers; nil for others.
func read(c *dataset.Circumstance) (values []value, of func(event int) []int32, cuts []float32) {
	if c.Code != nil {
		places := map[string]int32{}
		by := make([][]int32, len(c.Texts))
		for code, text := range c.Texts {
			for _, v := range schema.Values(text) {
				at, ok := places[v]
				if !ok {
					at = int32(len(values))
					places[v] = at
					values = append(values, value{hash: recipe.GroupName(c.Name, "=", v)})
				}
				by[code] = append(by[code], at)
			}
		}
		return values, func(event int) []int32 {
			if code := c.Code[event]; code >= 0 {
				return by[code]
			}
			return nil
		}, nil
	}
	one := make([][]int32, ranges)
	for k := range one {
		one[k] = []int32{int32(k)}
	}
	if c.Kind == schema.Boolean {
		values = []value{{hash: recipe.GroupName(c.Name, "=", "false")}, {hash: recipe.GroupName(c.Name, "=", "true")}}
		return values, func(event int) []int32 {
			switch x := c.Number[event]; {
			case x != x:
				return nil
			case x != 0:
				return one[1]
			}
			return one[0]
		}, nil
	}
	if cuts = recipe.GroupCuts(c.Number); cuts == nil {
		return nil, nil, nil
	}
	for k := range ranges {
		values = append(values, value{hash: recipe.RangeName(c.Name, k)})
	}
	return values, func(event int) []int32 {
		if x := c.Number[event]; x == x {
			return one[recipe.RangeOf(cuts, float64(x))]
		}
		return nil
	}, cuts
}

// groups appends the hashes of what a query says of a column. A value that
// cannot be one of the column's has none.
func groups(dst []uint64, column string, kind int32, edges []float32, x any) []uint64 {
	if kind == numbers {
		number := math.NaN()
		switch x := x.(type) {
		case float64:
			number = x
		case string:
			if y, err := strconv.ParseFloat(x, 64); err == nil {
				number = y
			}
		}
		if math.IsNaN(number) {
			return dst
		}
		return append(dst, recipe.RangeName(column, recipe.RangeOf(edges, float64(float32(number)))))
	}
	return recipe.CategoryNames(dst, column, x)
}

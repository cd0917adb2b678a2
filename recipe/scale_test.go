package recipe_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/recipe"
)

// market is a shop whose users keep to a range of prices, or, with noise, to none
// but to a taste that is said of no item.
func market(users, items int, noise bool, seed uint64) recipe.Input {
	r := rand.New(rand.NewPCG(seed, 1))
	price, in := make([]float64, items), recipe.Input{Items: make([]string, items), Users: users, Seed: seed}
	for i := range price {
		price[i] = math.Exp(4 * r.Float64())
	}
	order := r.Perm(items)
	if !noise {
		slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, price[a]-price[b])) })
	}
	for u := range users {
		at := r.IntN(items * 3 / 4)
		for k := range 10 {
			e := &in.Events
			e.User, e.Item = append(e.User, int32(u)), append(e.Item, int32(order[at+r.IntN(items/4)]))
			e.At = append(e.At, int64(k))
		}
	}
	in.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{{Name: "PRICE", Kind: schema.Double, Number: price}}}
	return in
}

// Where people keep to prices their column is heard, and where a taste of
// another kind brings items of any price together it is silent.
func TestNumbersAreHeardWhereTheyTell(t *testing.T) {
	loud := 0
	for seed := range uint64(40) {
		if heard := recipe.Scales(market(200, 100, false, seed)); len(heard) != 1 || heard[0].Voice < 0.7 || heard[0].Voice > 1 {
			t.Errorf("seed %d: prices that tell are heard as %+v", seed, heard)
		}
		loud += len(recipe.Scales(market(200, 100, true, seed)))
	}
	if loud > 1 { // 3 standard deviations, one-sided: one of 700
		t.Errorf("prices that tell nothing are heard %d times of 40", loud)
	}
}

// Constant columns, those without a value, the moment an item came, and the
// values nobody has had say nothing, and no data is too small.
func TestNumbersThatSayNothing(t *testing.T) {
	in := market(50, 40, false, 1)
	same, none, at := make([]float64, 40), make([]float64, 40), in.ItemAttributes.Columns[0].Number
	for i := range none {
		same[i], none[i] = 3, math.NaN()
	}
	in.ItemAttributes.Columns = []dataset.Column{{Name: schema.CreationTimestamp, Number: at}, {Name: "NONE", Number: none}, {Name: "SAME", Number: same}}
	if heard := recipe.Scales(in); heard != nil {
		t.Errorf("%+v", heard)
	}
	in.ItemAttributes.Columns = []dataset.Column{{Name: "PRICE", Number: at}}
	in.Events = in.Events.Slice(0, 0)
	if heard := recipe.Scales(in); heard != nil {
		t.Errorf("without interactions %+v", heard)
	}
}

// A boolean is one thing or the other.
func TestBooleansAreApart(t *testing.T) {
	in := market(200, 80, false, 2)
	c := &in.ItemAttributes.Columns[0]
	cheap := slices.Clone(c.Number)
	for i, x := range cheap {
		if cheap[i] = 0; x > math.Exp(2) {
			cheap[i] = 1
		}
	}
	cheap[7] = math.NaN()
	c.Kind, c.Number = schema.Boolean, cheap
	heard := recipe.Scales(in)
	if len(heard) != 1 {
		t.Fatalf("%+v", heard)
	}
	for item, want := range map[int32]int{0: 1, 7: 0} {
		got := 0
		heard[0].Stands(item, func(int, float64) { got++ })
		if got != want {
			t.Errorf("item %d stands in %d places, want %d", item, got, want)
		}
	}
}

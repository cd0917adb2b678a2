package content

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

func heardOf(t *testing.T, in recipe.Input) []scale {
	t.Helper()
	out, err := scales(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Where people keep to prices their column is heard, and where a taste of
// another kind brings items of any price together it is silent.
func TestNumbersAreHeardWhereTheyTell(t *testing.T) {
	loud := 0
	for seed := range uint64(40) {
		if heard := heardOf(t, market(200, 100, false, seed)); len(heard) != 1 || heard[0].voice < 0.7 || heard[0].voice > 1 {
			t.Errorf("seed %d: prices that tell are heard as %+v", seed, heard)
		}
		loud += len(heardOf(t, market(200, 100, true, seed)))
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
	if heard := heardOf(t, in); heard != nil {
		t.Errorf("%+v", heard)
	}
	in.ItemAttributes.Columns = []dataset.Column{{Name: "PRICE", Number: at}}
	in.Events = in.Events.Slice(0, 0)
	if heard := heardOf(t, in); heard != nil {
		t.Errorf("without interactions %+v", heard)
	}
}

// By hand: the same range is as alike as can be, the next two thirds as much,
// the one after a sixth, and beside a column of words with one voice.
func TestNumbersByHand(t *testing.T) {
	in := market(200, 96, false, 3)
	price := in.ItemAttributes.Columns[0].Number
	x := heardOf(t, in)[0]
	row := func(k, not int) int32 {
		for i, of := range x.of {
			if int(of) == k && i != not {
				return int32(i)
			}
		}
		t.Fatalf("no item in range %d", k)
		return 0
	}
	focus := row(3, -1)
	same, next, after, far := row(3, int(focus)), row(4, -1), row(1, -1), row(7, -1)
	words := make([]string, len(price))
	for i := range words {
		words[i] = "other"
	}
	words[focus], words[next] = "mine", "mine"
	for _, spoken := range []bool{false, true} {
		v := 1.0
		if spoken {
			in.ItemAttributes.Columns = append(in.ItemAttributes.Columns, dataset.Column{Name: "GENRE", Categorical: true, Text: words})
			v = x.voice * x.voice / (1 + x.voice*x.voice)
		}
		m, err := New().Train(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		s, err := New().Decode(m)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, len(price))
		if err := s.Score(t.Context(), query(focus), got); err != nil {
			t.Fatal(err)
		}
		near(t, "the same range", got[same], v)
		near(t, "the one after the next", got[after], v/6)
		if spoken {
			near(t, "the next and the same word", got[next], v*2/3+1-v)
		} else {
			near(t, "the next range", got[next], 2.0/3)
		}
		if got[far] >= 0 {
			t.Errorf("far apart scores %g", got[far])
		}
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
	heard := heardOf(t, in)
	if len(heard) != 1 {
		t.Fatalf("%+v", heard)
	}
	if got := len(heard[0].read(nil, 0)); got != 1 {
		t.Errorf("a boolean is %d terms", got)
	}
	if got := heard[0].read(nil, 7); got != nil {
		t.Errorf("what is not known is %v", got)
	}
}

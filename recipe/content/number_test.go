package content

import (
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/recipe"
)

// By hand: the same range is as alike as can be, the next two thirds as much,
// the one after a sixth, and beside a column of words with one voice.
func TestNumbersByHand(t *testing.T) {
	// Twelve items in each of eight ranges of prices, and users who keep to one.
	price, in := make([]float64, 96), recipe.Input{Items: make([]string, 96), Users: 80}
	for i := range price {
		price[i] = float64(i)
	}
	for u := range in.Users {
		for k := range 10 {
			e := &in.Events
			e.User, e.Item, e.At = append(e.User, int32(u)), append(e.Item, int32(12*(u%8)+k)), append(e.At, int64(k))
		}
	}
	in.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{{Name: "PRICE", Kind: schema.Double, Number: price}}}
	x := recipe.Scales(in)[0]
	const focus, same, next, after, far = 40, 41, 50, 20, 90
	words := make([]string, len(price))
	for i := range words {
		words[i] = "other"
	}
	words[focus], words[next] = "mine", "mine"
	for _, spoken := range []bool{false, true} {
		v := 1.0
		if spoken {
			in.ItemAttributes.Columns = append(in.ItemAttributes.Columns, dataset.Column{Name: "GENRE", Categorical: true, Text: words})
			v = x.Voice * x.Voice / (1 + x.Voice*x.Voice)
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

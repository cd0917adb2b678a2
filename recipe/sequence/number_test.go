package sequence

import (
	"math/rand/v2"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Of items that nobody had, those of the prices that somebody keeps to come
// first; prices that tell nothing leave the model as it is.
func TestNumbersPlaceColdItems(t *testing.T) {
	const users, items = 200, 80
	r := rand.New(rand.NewPCG(1, 2))
	price, noise := make([]float64, items), make([]float64, items)
	for i := range price {
		price[i], noise[i] = float64(i), r.Float64()
	}
	in := recipe.Input{Users: users, Items: make([]string, items), Seed: 1, Params: map[string]string{ParamDimension: "16", ParamEpochs: "15"}}
	in.Events.Types = []string{""}
	for u := range users {
		for k := range 8 {
			i := u%4*20 + r.IntN(20) // a quarter of the prices
			if i%5 == 0 {
				i++ // every fifth is cold
			}
			e := &in.Events
			e.User, e.Item, e.At = append(e.User, int32(u)), append(e.Item, int32(i)), append(e.At, int64(k))
			e.Type, e.Value = append(e.Type, 0), append(e.Value, dataset.NoValue())
		}
	}
	learn := func(column *dataset.Column) (*model.Model, model.Scorer) {
		if in.ItemAttributes = nil; column != nil {
			in.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{*column}}
		}
		m, err := New().Train(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		s, err := New().Decode(m)
		if err != nil {
			t.Fatal(err)
		}
		return m, s
	}
	_, s := learn(&dataset.Column{Name: "PRICE", Kind: schema.Double, Number: price})
	right, dst := 0, make([]float32, items)
	for u := range 40 {
		mine, q := in.Events.Of(int32(u)), model.Query{Item: model.NoItem}
		for k, i := range mine.Item {
			q.History = append(q.History, model.Touch{Item: i, Weight: 1, At: mine.At[k]})
		}
		if err := s.Score(t.Context(), q, dst); err != nil {
			t.Fatal(err)
		}
		best := 0
		for i := 0; i < items; i += 5 {
			if dst[i] > dst[best] {
				best = i
			}
		}
		if best/20 == u%4 {
			right++
		}
	}
	if right < 32 { // by chance 10 of 40
		t.Errorf("of %d of 40 users the first cold item has their prices", right)
	}
	plain, _ := learn(nil)
	deaf, _ := learn(&dataset.Column{Name: "NOISE", Kind: schema.Double, Number: noise})
	a, errA := model.Digest(plain)
	b, errB := model.Digest(deaf)
	if errA != nil || errB != nil || a != b {
		t.Errorf("prices that tell nothing make another model (%v, %v)", errA, errB)
	}
}

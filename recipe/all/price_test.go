package all_test

import (
	"math/rand/v2"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/model"
)

// priced is a launch in which the taste is a range of prices, or, with noise, prices tell nothing.
func priced(noise bool, seed uint64) (*dataset.Snapshot, dataset.Column) {
	s := launch(72, false)
	r := rand.New(rand.NewPCG(seed, 11))
	price := dataset.Column{Name: "PRICE", Kind: schema.Double, Number: make([]float64, s.Items.Len())}
	for row := range price.Number {
		if price.Number[row] = 100 * r.Float64(); !noise {
			price.Number[row] = 10*float64(row%3) + 12*r.Float64() // neighbouring tastes meet
		}
	}
	return s, price
}

// Where taste is a matter of price, cold items are found by it, and where it is
// not, prices change nothing of what categories tell.
func TestBlendOfPrices(t *testing.T) {
	s, price := priced(false, 1)
	s.ItemAttributes = nil
	plain, _ := fitLaunch(t, s)
	s.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{price}}
	m, _ := fitLaunch(t, s)
	t.Logf("prices that tell: NDCG %.4f, cold items %.4f with gain %q; without them %.4f and %.4f", m.Manifest.Evaluation.NDCG25.Mean,
		slice(m, model.SliceColdItems), m.Manifest.Parameters["cold_item_gain"], plain.Manifest.Evaluation.NDCG25.Mean, slice(plain, model.SliceColdItems))
	if a, b := slice(m, model.SliceColdItems), slice(plain, model.SliceColdItems); a < b+0.01 {
		t.Errorf("cold items are found with %.4f, without prices with %.4f", a, b)
	}

	s, price = priced(true, 1)
	without, _ := fitLaunch(t, s)
	s.ItemAttributes = &dataset.Attributes{Columns: append([]dataset.Column{}, s.ItemAttributes.Columns[0], price)}
	with, _ := fitLaunch(t, s)
	t.Logf("prices that tell nothing: NDCG %.4f, cold items %.4f; without them %.4f and %.4f", with.Manifest.Evaluation.NDCG25.Mean, slice(with, model.SliceColdItems),
		without.Manifest.Evaluation.NDCG25.Mean, slice(without, model.SliceColdItems))
	if a, b := slice(with, model.SliceColdItems), slice(without, model.SliceColdItems); a < b-0.01 {
		t.Errorf("with prices that tell nothing cold items are found with %.4f, without with %.4f", a, b)
	}
}

package recipe_test

import (
	"math"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// priced is a world whose items have prices; every tenth has none.
func priced() *datasettest.World {
	w := datasettest.Blocks(200, 60, 3, 0.1, 1)
	price := make([]float64, 60)
	for i := range price {
		price[i] = float64(i * 7 % 60)
		if i%10 == 0 {
			price[i] = math.NaN()
		}
	}
	w.Snapshot.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{{Name: "PRICE", Number: price}}}
	return w
}

func TestFitWithAnObjective(t *testing.T) {
	rewards := map[string]float64{}
	worth := map[string]float64{}
	for _, sensitivity := range []string{"OFF", "LOW", "HIGH"} {
		s := spec(priced())
		if sensitivity != "OFF" {
			s.Objective = &recipe.Objective{Attribute: "PRICE", Sensitivity: sensitivity}
		}
		m := fit(t, s)
		got, measured := m.Manifest.Evaluation.Metrics[evaluate.Rewards]
		if measured != (sensitivity != "OFF") || measured && !(got > 0 && got <= 1) {
			t.Errorf("%s: rewards %g, %v", sensitivity, got, measured)
		}
		rewards[sensitivity] = got
		scorer, err := recipe.Decode(s.Recipe, m)
		if err != nil {
			t.Fatal(err)
		}
		scores := make([]float32, len(m.Items))
		if err := scorer.Score(t.Context(), model.Query{History: []model.Touch{{Item: 1, Weight: 1}}, Item: model.NoItem}, scores); err != nil {
			t.Fatal(err)
		}
		// What a page is worth, were each item taken with its share.
		total, sum := 0.0, 0.0
		c, _ := s.Snapshot.ItemAttributes.Column("PRICE")
		for i, x := range scores {
			p := math.Exp(float64(x))
			total += p
			if v := c.Number[i]; v > 0 {
				sum += p * v
			}
		}
		worth[sensitivity] = sum / total
	}
	if !(worth["OFF"] < worth["LOW"] && worth["LOW"] < worth["HIGH"]) {
		t.Errorf("expected worth %v does not grow with the sensitivity", worth)
	}
	s := spec(priced())
	s.Objective = &recipe.Objective{Attribute: "WEIGHT", Sensitivity: "LOW"}
	if _, err := recipe.Fit(t.Context(), s); attune.KindOf(err) != attune.Invalid {
		t.Errorf("a column that is not there: %v", err)
	}
}

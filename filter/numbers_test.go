package filter

import (
	"math"
	"testing"
)

func TestNumbers(t *testing.T) {
	c := NewColumns()
	c.Set(1, "PRICE", 2.5)
	c.Set(3, "PRICE", 4)
	c.Set(2, "PRICE", "dear")
	dst := []float64{9, 9, 9, 9, 9, 9}
	for _, test := range []struct {
		name string
		n    int
		want []float64
	}{{"price", 6, []float64{math.NaN(), 2.5, math.NaN(), 4, math.NaN(), math.NaN()}}, {"PRICE", 2, []float64{math.NaN(), 2.5}}, {"NONE", 1, []float64{math.NaN()}}} {
		got := c.Numbers(test.name, test.n, dst)
		if len(got) != test.n {
			t.Fatalf("%s of %d rows: %v", test.name, test.n, got)
		}
		for i, want := range test.want {
			if got[i] != want && !(math.IsNaN(got[i]) && math.IsNaN(want)) {
				t.Errorf("%s of %d rows: %v, want %v", test.name, test.n, got, test.want)
			}
		}
	}
}

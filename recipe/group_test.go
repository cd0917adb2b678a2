package recipe_test

import (
	"math"
	"slices"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/recipe"
)

// TestGroupNames: what models were stored with stays what it is called: FNV-1a,
// 64 bits, of the parts with a zero byte behind each.
func TestGroupNames(t *testing.T) {
	const chess = 0xb47787e86992de96
	if got := recipe.GroupName("CLUB", "=", "chess"); got != chess {
		t.Errorf("it is called %#x, and was %#x", got, uint64(chess))
	}
	if high, low := recipe.HashHalves(chess); recipe.WholeHash(high, low) != chess {
		t.Errorf("its halves are %d and %d", high, low)
	}
	both := []uint64{chess, recipe.GroupName("CLUB", "=", "go")}
	for _, x := range []any{"chess|go", []string{"chess", "go"}} {
		if got := recipe.CategoryNames(nil, "CLUB", x); !slices.Equal(got, both) {
			t.Errorf("%v: %v, want %v", x, got, both)
		}
	}
	if got := recipe.CategoryNames(nil, "CLUB", 3.5); got != nil {
		t.Errorf("a number is of the categories %v", got)
	}
}

func TestGroupCuts(t *testing.T) {
	known := make([]float64, 80)
	for i := range known {
		known[i] = float64(79 - i)
	}
	if got := recipe.GroupCuts(known); !slices.Equal(got, []float64{10, 20, 30, 40, 50, 60, 70}) {
		t.Errorf("cut at %v", got)
	}
	if got := recipe.GroupCuts([]float32{}); got != nil {
		t.Errorf("nothing is cut at %v", got)
	}
}

// TestGroupsCheck: each thing that does not fit is found, and what fits adds up.
func TestGroupsCheck(t *testing.T) {
	good := recipe.Groups{Start: []int32{0, 2, 2, 3}, Entry: []int32{0, 5, 2, 1, 1, 7}}
	if err := good.Check("x", 3, 3); err != nil {
		t.Fatal(err)
	}
	dst := []float32{1, 1, 1}
	good.Add(dst, []float32{0.5, 0.25, 4}, 0)
	good.Add(dst, []float32{0.5, 0.25, 4}, 1)
	if !slices.Equal(dst, []float32{1.5, 1, 1.25}) {
		t.Errorf("scores %v", dst)
	}
	for what, bad := range map[string]recipe.Groups{
		"nothing":            {},
		"another number":     {Start: []int32{0, 2, 3}, Entry: good.Entry},
		"a late begin":       {Start: []int32{1, 2, 2, 3}, Entry: good.Entry},
		"an early end":       {Start: []int32{0, 2, 2, 2}, Entry: good.Entry},
		"a start that falls": {Start: []int32{0, 2, 1, 3}, Entry: good.Entry},
		"no such item":       {Start: good.Start, Entry: []int32{0, 5, 3, 1, 1, 7}},
		"an item below 0":    {Start: good.Start, Entry: []int32{-1, 5, 2, 1, 1, 7}},
		"less than never":    {Start: good.Start, Entry: []int32{0, 5, 2, -1, 1, 7}},
	} {
		if err := bad.Check("x", 3, 3); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestShares(t *testing.T) {
	got := recipe.Shares([]int32{3, 0, 4})
	if !slices.Equal(got, []float64{0.4, 0.1, 0.5}) {
		t.Errorf("shares %v", got)
	}
	if x := recipe.LogShares(got, 2)[1]; x != float32(2*math.Log(0.1)) {
		t.Errorf("twice the logarithm of a tenth is %g", x)
	}
}

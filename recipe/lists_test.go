package recipe

import (
	"math"
	"slices"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
)

// lists is a model of two items that lead to each other, the second to itself as well.
func lists() *model.Model {
	return &model.Model{Manifest: model.Manifest{Algorithm: "test"}, Items: []string{"a", "b"}, Tensors: map[string]model.Tensor{
		"s": {Shape: []int{3}, I32: []int32{0, 1, 3}}, "i": {Shape: []int{3}, I32: []int32{1, 0, 1}},
		"w": {Shape: []int{3}, F32: []float32{1, 2, 3}}, "c": {Shape: []int{2}, I32: []int32{3, 0}},
	}}
}

func TestReadLists(t *testing.T) {
	l, err := ReadLists(lists(), "s", "i", "w", "c")
	if err != nil || !slices.Equal(l.Weight, []float32{1, 2, 3}) || !slices.Equal(l.Rest(2), []float32{-0.5, -2}) {
		t.Errorf("%+v, %v", l, err)
	}
	for name, spoil := range map[string]func(map[string]model.Tensor){
		"none":          func(m map[string]model.Tensor) { delete(m, "w") },
		"short":         func(m map[string]model.Tensor) { m["w"] = model.Tensor{Shape: []int{2}, F32: []float32{1, 2}} },
		"other element": func(m map[string]model.Tensor) { m["w"] = model.Tensor{Shape: []int{3}, I32: []int32{1, 2, 3}} },
		"not all":       func(m map[string]model.Tensor) { m["s"].I32[2] = 2 },
		"falling":       func(m map[string]model.Tensor) { m["s"].I32[1] = 4 },
		"beyond":        func(m map[string]model.Tensor) { m["i"].I32[0] = 2 },
		"below":         func(m map[string]model.Tensor) { m["i"].I32[0] = -1 },
		"no number":     func(m map[string]model.Tensor) { m["w"].F32[1] = float32(math.NaN()) },
	} {
		m := lists()
		spoil(m.Tensors)
		if _, err := ReadLists(m, "s", "i", "w", "c"); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReaderKeepsTheFirstError(t *testing.T) {
	var x, y float64
	var n int
	r := Reader{Input: Input{Params: map[string]string{"x": "2", "n": "many", "y": "-1"}}}
	r.Float(&x, "x", 1, 0, 9)
	r.Int(&n, "n", 1, 0, 9)
	r.Float(&y, "y", 1, 0, 9)
	want := `hyper-parameter n is "many": give a whole number from 0 to 9`
	if x != 2 || y != 0 || r.Err == nil || r.Err.Error() != want {
		t.Errorf("%g, %g, %v; want the error %s", x, y, r.Err, want)
	}
}

package recipetest

import (
	"math"
	"testing"

	"github.com/attune-io/attune/recipe"
)

// costs: a recipe tells what memory and time it takes, of all the data no less
// than of half, and no less memory than its model has.
func (s *suite) costs(t *testing.T) {
	sizer, sizes := s.recipe.(recipe.Sizer)
	coster, costs := s.recipe.(recipe.Coster)
	if !sizes || !costs {
		t.Fatalf("it is a recipe.Sizer: %v; a recipe.Coster: %v; it must be both", sizes, costs)
	}
	whole, half := s.input(), s.input()
	half.Events = half.Events.Slice(0, half.Events.Len()/2)
	if a, b := sizer.Bytes(whole), sizer.Bytes(half); a <= 0 || b > a {
		t.Errorf("%d bytes for all data, %d for half", a, b)
	}
	if a, b := coster.Seconds(whole), coster.Seconds(half); !(a > 0 && b >= 0 && b <= a) || math.IsInf(a, 1) {
		t.Errorf("%g s for all data, %g for half", a, b)
	}
	kept := int64(0)
	for _, tensor := range s.learned(t).Tensors {
		kept += 4 * int64(len(tensor.F32)+len(tensor.I32))
	}
	if told := sizer.Bytes(whole); told < kept {
		t.Errorf("%d bytes are told of, and the model alone has %d", told, kept)
	}
}

package recipetest

import (
	"math/rand/v2"
	"testing"

	"github.com/attune-io/attune/recipe"
)

// What a recipe that learned nothing answers is wrong in every known world, and
// so is chance.
func TestKnownWorldsTellRightFromWrong(t *testing.T) {
	for name, world := range map[string]func() Known{"most bought": MostBought, "drifting": Drifting, "clubs": Clubs, "devices": Devices, "offers": Offers} {
		k := world()
		if len(k.Answers) == 0 || k.In.Events.Len() == 0 {
			t.Fatalf("%s: %d answers about %d events", name, len(k.Answers), k.In.Events.Len())
		}
		scores := make(recipe.Fixed, len(k.In.Items))
		if k.check(t, scores) == nil {
			t.Errorf("%s: the same score of everything is right", name)
		}
		for i := range scores {
			scores[i] = rand.New(rand.NewPCG(1, uint64(i))).Float32()
		}
		if k.check(t, scores) == nil {
			t.Errorf("%s: chance is right", name)
		}
	}
}

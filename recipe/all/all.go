package all

import (
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/itemknn"
	"github.com/attune-io/attune/recipe/popularity"
)

// List is every algorithm of this build, the simplest first.
func List() []recipe.Recipe {
	return []recipe.Recipe{popularity.New(), itemknn.New(), ials.New()}
}

// ByName finds an algorithm by its name, as in model.Manifest.Algorithm.
func ByName(name string) (recipe.Recipe, bool) {
	for _, r := range List() {
		if r.Name() == name {
			return r, true
		}
	}
	return nil, false
}

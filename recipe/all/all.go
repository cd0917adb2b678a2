package all

import (
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/blend"
	"github.com/attune-io/attune/recipe/circumstance"
	"github.com/attune-io/attune/recipe/content"
	"github.com/attune-io/attune/recipe/demographic"
	"github.com/attune-io/attune/recipe/ease"
	"github.com/attune-io/attune/recipe/graph"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/itemknn"
	"github.com/attune-io/attune/recipe/nextaction"
	"github.com/attune-io/attune/recipe/popularity"
	"github.com/attune-io/attune/recipe/rule"
	"github.com/attune-io/attune/recipe/semantic"
	"github.com/attune-io/attune/recipe/sequence"
	"github.com/attune-io/attune/recipe/session"
	"github.com/attune-io/attune/recipe/similar"
	"github.com/attune-io/attune/recipe/trending"
)

// List is every algorithm of this build, the simplest first.
func List() []recipe.Recipe { return ListWith(nil) }

// ListWith is List with a language model for semantic similarity; nil for none.
func ListWith(e semantic.Embedder) []recipe.Recipe {
	return []recipe.Recipe{popularity.New(), trending.New(), demographic.New(), circumstance.New(), itemknn.New(), rule.New(), session.New(), content.New(), semantic.New(e), similar.New(itemknn.New(), content.New()), ease.New(), ials.New(), graph.New(), sequence.New(), nextaction.New(), Blend()}
}

// Blend is the recipe that chooses among those that answer users.
func Blend() recipe.Recipe {
	return blend.New(popularity.New(), itemknn.New(), rule.New(), session.New(), ease.New(), graph.New(), ials.New(), sequence.New(), content.New(), demographic.New(), circumstance.New())
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

// Package recipe is how to learn: the Recipe interface that every algorithm
// implements, and Fit, which measures a recipe honestly beside baselines
// before it learns from everything. One folder below per algorithm; siblings
// never import each other.
//
// Takes:  a dataset.Snapshot, a Recipe, parameters and a seed.
// Makes:  a model.Model whose manifest says what it is, where it came from and
// how good it was on interactions it had not seen.
// Never:  serves, or knows who the customer is.
// Start:  recipe.go, then fit.go.
package recipe

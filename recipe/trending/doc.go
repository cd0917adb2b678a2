// Package trending recommends what is on the rise: the items whose interactions
// grew most from one window of time to the next.
//
// With n₁ the interactions of an item in the latest window of w and n₀ those in
// the window before it, the order is by n₁-n₀, then by n₁, then by all
// interactions. When nothing happened in either window what is left is
// popularity.
//
// Takes:  recipe.Input; Now is where the latest window ends.
// Makes:  a model with three counts for each item.
// Never:  looks at who asks, or at the clock.
// Start:  trending.go.
package trending

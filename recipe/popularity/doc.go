// Package popularity recommends what most users chose: the baseline that every
// other recipe has to beat.
//
// Takes:  recipe.Input.
// Makes:  a model with the number of distinct users of each item.
// Never:  looks at who asks.
// Start:  popularity.go.
package popularity

// Package similar joins two opinions on which items are alike: one from
// behaviour and one from metadata. The more often both items were interacted
// with, the more behaviour counts; an item with fewer than five interactions is
// judged by its metadata alone.
//
// With n the interactions of the rarer of two items, b their similarity by
// behaviour and c by metadata, the score is w·b + (1-w)·c, w = n/(n+5) for n ≥ 5
// and 0 below.
//
// Takes:  recipe.Input; the two recipes that have the opinions.
// Makes:  a model with the tensors of both.
// Never:  knows how an opinion is come by.
// Start:  similar.go.
package similar

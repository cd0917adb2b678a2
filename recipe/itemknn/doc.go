// Package itemknn finds items that the same users chose: the nearest
// neighbours of every item by the similarity of their columns, which is the
// cosine when popularity is discounted by half. It answers for an item
// (related items) and for a user (the neighbours of the history, added up).
//
// Deshpande, Karypis: Item-Based Top-N Recommendation Algorithms (TOIS 2004).
//
// Takes:  recipe.Input.
// Makes:  a model with a list of neighbours for each item.
// Never:  gives scores to customers; its numbers are no probabilities.
// Start:  itemknn.go, then train.go and score.go.
package itemknn

// Package demographic answers by who asks: what people with the same attributes
// interact with more than others do. It needs no history, so it has something to
// say to a user who has just signed up; it says the same to all with the same
// attributes.
//
// Pazzani: A Framework for Collaborative, Content-Based and Demographic
// Filtering (Artificial Intelligence Review 1999), as a naive Bayes model: the
// logarithm of an item's share of all interactions, and for each group the user
// is in (a value of a column, or a range of numbers) that of its share in the
// group over the share in all. Shares in groups are smoothed towards those in
// all with a Dirichlet prior (Zhai, Lafferty: A Study of Smoothing Methods for
// Language Models, TOIS 2004), so that a small group moves little.
//
// Takes:  recipe.Input with UserAttributes.
// Makes:  a model with counts by group; groups of fewer than ten users are not in it.
// Never:  looks at the history of who asks.
// Start:  demographic.go, then group.go and score.go.
package demographic

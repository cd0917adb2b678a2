// Package circumstance answers by what is the case as somebody asks: what people
// choose on a phone, at night, abroad, more often than they otherwise do. The
// service calls such columns of interactions contextual metadata.
//
// Adomavicius, Tuzhilin: Context-Aware Recommender Systems (Recommender Systems
// Handbook 2011), section 3.3, contextual modelling, here as a naive Bayes model:
// for each value that the asker's context has, the logarithm of its share among
// the interactions with an item over its share among those with all items, which
// by Bayes' rule is that of the item's share under the value over its share in
// all. Shares are smoothed with a Dirichlet prior, so that an item of few
// interactions, or of none, is moved little, or not at all.
//
// Takes:  recipe.Input whose Events have Context.
// Makes:  a model with counts by value; values of fewer than ten users are not in it.
// Never:  looks at the history of who asks.
// Start:  circumstance.go, then group.go and score.go.
package circumstance

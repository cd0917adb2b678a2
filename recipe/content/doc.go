// Package content finds items of which the same is said: the cosine of their
// metadata, where every text column and every categorical column speaks with
// one voice, and a column of numbers with as much of one as its users bear out.
//
// A column of an item is a vector over its words or its categories, weighted
// (1+ln tf)·ln(N/df) as in Salton, Buckley: Term-Weighting Approaches in
// Automatic Text Retrieval (Information Processing & Management 1988), hashed
// into a fixed number of places (Weinberger et al.: Feature Hashing for Large
// Scale Multitask Learning, ICML 2009) and made of length 1. An item is its
// columns one after the other, again of length 1.
//
// Numbers and booleans are cut into ranges, and are heard where the items of a
// user are closer together than chance brings them (recipe.Scale has the equation);
// the moment an item came is not looked at. So a model depends on the
// interactions only where there are such columns.
//
// Takes:  recipe.Input with ItemAttributes, and Events where there are numbers.
// Makes:  a model with a sparse vector for each item.
// Never:  knows what a word means: it is no language model.
// Start:  content.go, then score.go.
package content

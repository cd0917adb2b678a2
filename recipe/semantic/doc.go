// Package semantic finds items of which the same is said in their texts and
// categories, by a cosine.
//
// An item is a vector of two parts. One has its words, pairs of words, pieces of
// words and categories, weighted (1+ln tf)·ln(N/df) as in Salton, Buckley:
// Term-Weighting Approaches in Automatic Text Retrieval (Information Processing &
// Management 1988), hashed as in Weinberger et al.: Feature Hashing for Large
// Scale Multitask Learning (ICML 2009). The other is what is left of that in the
// few directions in which texts of this catalogue differ most, where words that
// stand in the same texts are one: Deerwester et al.: Indexing by Latent Semantic
// Analysis (JASIS 1990), by the randomised decomposition of matrix.TruncatedSVD.
//
// With an Embedder an item is the vector that a language model gives its text.
//
// Takes:  recipe.Input with ItemAttributes; an Embedder, or none.
// Makes:  a model with a vector for each item.
// Never:  asks the Embedder while serving; opens a connection itself.
// Start:  semantic.go, then read.go, reduce.go or ask.go, then score.go.
package semantic

// Package graph filters what users chose as a signal on the graph of items that
// the same users chose: frequencies of taste that many share pass, those that few
// share pass less. It learns without gradients: what a filter needs are the
// largest eigenvectors of the graph.
//
// Shen et al.: How Powerful is Graph Convolution for Recommendation? (GF-CF, CIKM
// 2021); Choi et al.: Blurring-Sharpening Process Models for Collaborative
// Filtering (BSPM, SIGIR 2023); and ridge regression, whose filter is λ/(λ+μ).
//
// Takes:  recipe.Input.
// Makes:  a model with the largest eigenvectors as factors of items, and for each
// item the largest of what they leave unsaid. Users are not stored: the filter is
// applied to the history of who asks.
// Never:  depends on how goroutines are scheduled; same input, same bits.
// Start:  graph.go, then spectrum.go, train.go and score.go.
package graph

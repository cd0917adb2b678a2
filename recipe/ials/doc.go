// Package ials is matrix factorisation of implicit feedback by alternating
// least squares: every pair of user and item counts, those that happened with
// value 1 and full weight, all others with value 0 and a small weight.
//
// Hu, Koren, Volinsky: Collaborative Filtering for Implicit Feedback Datasets
// (ICDM 2008); conjugate gradients as in Takács, Pilászy, Tikk: Applications
// of the Conjugate Gradient Method for Implicit Feedback Collaborative
// Filtering (RecSys 2011), here with a preconditioner; the objective and its frequency-scaled
// regularisation as in Rendle, Krichene, Zhang, Koren: Revisiting the
// Performance of iALS on Item Recommendation Benchmarks (RecSys 2022).
//
// Takes:  recipe.Input.
// Makes:  a model with one factor row per item. Users are not stored: a user's
// factors are solved for from their history when they ask.
// Never:  depends on how goroutines are scheduled; same input, same bits.
// Start:  ials.go, then train.go and score.go.
package ials

// Package nextaction learns how likely a user is to take an action that is
// offered to them: hashed logistic regression, calibrated on newer offers than
// it was learned from.
//
//	P(taken | user, action, history) = σ(a·z + b),  z = Σ_j w[h(j) mod 2^bits]·x_j
//
// The features x are a constant; the action and its attributes; the user's
// attributes; every pair of the action and a user's attribute; how often and
// how long ago the user met actions, this one above all; and those about this
// one once more for each action. The weights minimise
//
//	Σ log(1 + exp(-y·z)) + λ/2·|w|²
//
// over past offers (see recipe.Offers) by Newton's method with conjugate
// gradients; the penalty shrinks what is known from few offers towards what is
// known of all. a and b are fitted on the validation slice.
//
// Chapelle, Manavoglu, Rosales: Simple and Scalable Response Prediction for
// Display Advertising (TIST 2014); Weinberger, Dasgupta, Langford, Smola,
// Attenberg: Feature Hashing for Large Scale Multitask Learning (ICML 2009);
// Lin, Weng, Keerthi: Trust Region Newton Method for Large-Scale Logistic
// Regression (JMLR 2008); Platt: Probabilistic Outputs for Support Vector
// Machines (1999).
//
// Takes:  recipe.Input, whose items are actions.
// Makes:  a model with one table of weights. Users are not stored: what is
// known of them comes with the query.
// Never:  depends on how goroutines are scheduled; keeps a value of an attribute.
// Start:  nextaction.go, then feature.go, train.go and score.go.
package nextaction

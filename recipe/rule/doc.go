// Package rule learns what follows what: for each item, the items that came
// after it in the same session, and by half those that came before, the nearer
// the more. It answers for the newest items of a history, so it suits people
// of whom nothing is known but the minutes since they came.
//
// The rules are those of Ludewig, Jannach: Evaluation of Session-based
// Recommendation Algorithms (User Modeling and User-Adapted Interaction 2018),
// sequential rules: a pair of events d places apart counts 1/d. Here they also
// go backwards, their targets are discounted for popularity as in itemknn, and
// an answer follows them once more, from the best items found to what follows
// those: half of what people do next never followed what they just did, in
// the data of a shop, and most of that is two steps away (as in Cooper et al.:
// Random Walks in Recommender Systems, WWW 2014). Items of the history itself
// are right answers in sessions; they have a weight of their own.
//
// Takes:  recipe.Input; where times tell no order, that of the rows stands.
// Makes:  a model with a list of rules for each item.
// Never:  leaves out what the asker has seen.
// Start:  rule.go, then train.go and score.go.
package rule

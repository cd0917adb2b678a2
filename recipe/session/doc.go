// Package session answers by sessions like the one that asks: the nearest of
// those that share items with it vote for what else is in them. Nothing is
// learned but where to look.
//
// Ludewig, Jannach: Evaluation of Session-based Recommendation Algorithms
// (UMUAI 2018), V-SKNN: items count the more the newer they are in the session
// that asks, and the rarer they are. Garg et al.: Sequence and Time Aware
// Neighborhood for Session-based Recommendations (SIGIR 2019), STAN: so do
// newer sessions, and what stands near the items in common. Ludewig et al.:
// Empirical Analysis of Session-Based Recommendation Algorithms (UMUAI 2020),
// VSTAN, has both.
//
// A session is the events of one user, cut at pauses if session_gap says so,
// and every fifty events.
//
// Takes:  recipe.Input; where times tell no order, that of the rows stands.
// Makes:  a model with the sessions, and no word of whose they are.
// Never:  leaves out what the asker has seen.
// Start:  session.go, then train.go and score.go.
package session

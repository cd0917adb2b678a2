// Package blend asks several recipes and adds up what they say: a weighted sum
// of scores that are brought to one scale, query by query. It chooses by itself
// which recipes, with which parameters and which weights.
//
// That linear models, factors, neighbours and sequences err differently, so
// that a blend beats the best of them, is from Bell, Koren, Volinsky: The
// BellKor Solution to the Netflix Prize (2007); that scores of several
// engines should be brought to one scale before they are added, from Lee:
// Analyses of Multiple Evidence Combination (SIGIR 1997).
//
// Takes:  the recipes it may ask (New), and recipe.Input.
// Makes:  a model with the tensors of its members, each under the member's name.
// Never:  knows how a member learns; looks at a clock.
// Start:  blend.go; score.go for answers; search.go for how it is chosen.
package blend

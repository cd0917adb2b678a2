// Package spec is what the service says about recipes: their names, types and
// hyper-parameters, and which of them this build can train.
//
// Takes:  nothing; the facts are tables.
// Makes:  Recipe values, and checks of hyper-parameters against their ranges.
// Never:  trains, or knows how an algorithm works.
// Start:  spec.go, then table.go.
package spec

// Package all is the explicit list of algorithms that this build knows.
//
// Takes:  nothing.
// Makes:  every recipe.Recipe, in a fixed order.
// Never:  registers anything by itself; whoever wants recipes asks here.
// Start:  all.go.
package all

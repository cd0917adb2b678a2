// Package attune holds the words that every room of the house shares:
// names of things (ARN), kinds of failure (Error), and the clock.
//
// Takes:  nothing; it imports only the standard library.
// Makes:  ARN, Namer, Error, Kind, Clock.
// Never:  holds helpers that only one room needs. It is not a drawer.
// Start:  arn.go, then error.go.
package attune

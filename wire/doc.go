// Package wire holds the published shapes of the three Personalize services:
// their operations, the members of every request and answer, and the
// constraints that clients do not check.
//
// Takes:  the service descriptions of a pinned botocore, at generation time only.
// Makes:  one Go struct per structure, and a table of Shapes and Operations.
// Never:  validates, speaks HTTP, or holds anything of our own: no name, no
// constraint in this package is ours. Only the words that the tables are
// written in (Shape, Operation, Time) are made by hand.
// Start:  shape.go, then personalize_operations.gen.go.
//
// In the structs a required scalar is a plain value and an optional one a
// pointer, so that absent and zero differ. A nil list or map is absent, an empty
// one is sent as [] or {}; a zero Time is absent.
package wire

//go:generate go run ./_gen

// Package filter is the language that says which items may be recommended.
//
// Takes:  filter expressions, parameter values, item attributes as columns, a user's history.
// Makes:  Expr (what was parsed; prints back), Bound (with its values), and a Bitmap of the rows that may be shown.
// Never:  reads events or tables, knows item ids, or ignores a part of an expression that it cannot carry out.
// Start:  expr.go, then mask.go; columns.go is where attributes live.
package filter

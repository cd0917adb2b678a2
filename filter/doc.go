// Package filter is the language that says which items, actions or users may be recommended.
//
// Takes:  filter expressions, parameter values, attributes of rows as columns, and a Scene: who asks, about what, and what they did.
// Makes:  Expr (what was parsed; prints back), Bound (with a request's values), and a Bitmap of the rows that may be shown.
// Never:  reads events or tables, asks a clock, or ignores a part of an expression that it cannot carry out.
// Start:  expr.go, then mask.go; columns.go is where attributes live.
//
// An expression is parsed and made ready once (Parse), checked once (Check,
// when the filter is created), given values for every request (Bind) and then
// matched against all rows at once (Mask). The language is that of Amazon
// Personalize; where its guide leaves something open:
//
//   - AND binds tighter than OR.
//   - A clause whose IF does not hold, or an EXCLUDE that lacks a parameter, is
//     as if it were not there: when that leaves no INCLUDE, every row is let
//     through that is not excluded.
//   - NOT IN and != match what IN and = do not, so also rows without a value.
//   - A field with several values matches when one of them does.
//   - * stands for every event type, in brackets or not, quoted or not.
//
// Later wishes have their place: an expression that comes with a request is
// Parse, Check and Bind on the spot; a value such as NOW() is one more
// ValueKind, decided by Bind; an editor works on the Clauses of an Expr and prints it.
package filter

// Package pattern is the language in which rules say which events they want:
// that of EventBridge.
//
// Takes:  the JSON of a pattern, and events as JSON.
// Makes:  a Pattern, compiled once, that says of an event whether it matches.
// Never:  knows what events mean, or who sends them.
// Start:  pattern.go, then matcher.go.
//
// # The language
//
// A pattern is an object. Each member names a member of the event; its value is
// an object, which goes one deeper, or a list of alternatives. An event matches
// when every member of the pattern finds one of its alternatives there. Where the
// event has a list, one of its elements must.
//
//	"x", 7, true, null               is equal; numbers by their value
//	{"prefix": "x"}                  begins with; also {"prefix": {"equals-ignore-case": "X"}}
//	{"suffix": "x"}                  ends with; likewise
//	{"equals-ignore-case": "x"}      is equal but for case
//	{"wildcard": "a*b"}              * stands for any text; \* is a star, \\ a backslash
//	{"numeric": [">", 0, "<=", 5]}   a number within; also "=", "<", ">="
//	{"cidr": "10.0.0.0/8"}           an address within
//	{"exists": true}                 the member is there and is no object; false: it is not there
//	{"anything-but": …}              is there and is none of: a value, a list of values, or one of
//	                                 prefix, suffix, equals-ignore-case, wildcard with one or a list
//	"$or": [{…}, {…}]                in the place of a member: one of these patterns matches here
package pattern

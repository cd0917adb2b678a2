// Package schema reads the Avro text that says which columns a dataset has.
//
// Takes:  Avro JSON as given to CreateSchema; properties JSON as given to PutEvents, PutItems and PutUsers.
// Makes:  Schema, its checks by dataset type and domain, and typed values in UPPER_SNAKE keys.
// Never:  does I/O, remembers anything, or knows what the columns are used for.
// Start:  schema.go, then parse.go and check.go.
package schema

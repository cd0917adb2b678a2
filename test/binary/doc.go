// Package binary builds the attune binary and runs it as a process of its own,
// for tests and benchmarks that look at it from outside.
//
// Takes:  a data folder and flags.
// Makes:  a running Process with its URL and key.
// Never:  reaches into the process: only ports, files and signals.
// Start:  binary.go.
package binary

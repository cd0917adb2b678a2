// Command quality measures how good the models are that the automatic pipeline
// makes with its defaults, on public data sets and on sets it has never seen.
//
//	go run ./bench/quality --data ../shared/data --set all
//	go run ./bench/quality --dir DIR --protocol cf|loo|ncf|session
//	go run ./bench/quality --scale
//
// Each set runs in a process of its own, so that memory is told per set. It
// prints one JSON line per set on standard output, keeps those lines in
// bench/quality/results.jsonl, and writes bench/RESULTS.md from them.
//
// Takes:  files in the formats of set.go; nothing is set per data set.
// Makes:  a model, sealed before the test file is opened, and what it is worth.
// Never:  looks at a test file before the model is sealed (vault.go), or keeps a row of the data.
// Start:  main.go, then learn.go.
package main

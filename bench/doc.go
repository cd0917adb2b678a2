// Command bench measures the speed of Attune and prints Markdown tables.
//
//	go run ./bench                 everything, about a quarter of an hour
//	go run ./bench serve fresh     the named measurements
//	go run ./bench -quick          everything in small, to see that it works
//	go run ./bench -write          puts the tables into bench/README.md
//
// Takes:  the source tree, from which it builds the binary; worlds and, for the tour, MovieLens 100K.
// Makes:  tables of what was measured, with the machine and the bounds beside them.
// Never:  asserts a time, speaks to other than loopback, or leaves a process running.
// Start:  main.go, then one file per measurement: import.go, events.go, ready.go, serve.go, fresh.go, tour.go, idle.go, schedule.go.
package main

// Package maintain carries out standing orders: it takes a configuration's
// steps until all is as it says, again and again, and keeps what came of it.
//
// Takes:  configurations, and what starts a run of one: a command, a schedule, an event, a file.
// Makes:  runs with a row for each step, on Temporal; versions of configurations; tables of what was deployed and measured.
// Never:  touches a resource but through maintain/plan, nor decides what differs.
// Start:  run.go, then manager.go, then workflow.go.
package maintain

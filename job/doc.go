// Package job does durable work on resources: it imports, trains, deploys and
// deletes, and survives being killed at any point of it.
//
// Takes:  rows in a state that asks for work (CREATE PENDING, DELETE PENDING, …).
// Makes:  tables, snapshots, models, releases; and moves the rows on.
// Never:  hands data from step to step (only names), or has an effect twice.
// Start:  manager.go, then reconcile.go, then import.go.
package job

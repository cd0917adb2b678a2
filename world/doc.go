// Package world makes synthetic shops whose customers' taste is known.
//
// Takes:  a Spec: sizes, a seed, when it begins.
// Makes:  users, items with metadata, interactions; as Go values and as CSV with Avro schemas.
// Never:  copies anybody's data, reads a clock, or holds the interactions in memory.
// Start:  world.go, then interaction.go.
//
// The same Spec gives the same bytes on every machine: all choices are made
// with integers from seeded generators, one per user.
package world

// Package event is the log of what happened: the only order of things.
//
// Takes:  interactions, items, users, imports and impressions, each for one dataset group.
// Makes:  Records with a Seq, on disk before Append returns, read again from any Seq.
// Never:  removes duplicates, interprets properties, or knows who reads.
// Start:  record.go, then log.go.
//
// Every group has a JetStream stream of its own. A message is one group
// commit: the appends that came while the disk was busy with the message
// before. docs/format/log.md has its bytes.
package event

// Package nats is the engine of the log: a NATS server with JetStream in this
// process, or a connection to one elsewhere.
//
// Takes:  a URL (nats://host:4222, several separated by commas for a cluster)
// or, when that is empty, a folder for the streams.
// Makes:  the ordinary *nats.Conn.
// Never:  knows a stream, a subject or a message; event does.
// Start:  engine.go, then server.go.
package nats

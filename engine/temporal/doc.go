// Package temporal is the engine of durable work: a Temporal server in this
// process, or a connection to one elsewhere.
//
// Takes:  a URL (temporal://host:7233/namespace, ?tls=true where the server
// asks for it) or, when that is empty, a folder for the server's SQLite file.
// Makes:  the ordinary SDK client.Client of one namespace.
// Never:  registers workflows or workers; the rooms do, with the client.
// Start:  engine.go, then server.go, then secret.go.
package temporal

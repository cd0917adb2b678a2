// Package artifact keeps named, checksummed, immutable files in a bucket.
//
// Takes:  a *blob.Bucket, the folder behind it if there is one, a prefix.
// Makes:  files that are whole, durable and readable from the moment that
// Commit returns, and invisible until then; SHA-256 of what it wrote.
// Never:  knows what is in a file, or changes one.
// Start:  store.go, then writer.go.
//
// Where things are: the file n of the prefix attune/ is the object attune/n,
// and its checksum, in hexadecimal and a newline, the object attune/.sum/n.
// A checksum is known only after the last byte, when an object's own metadata
// can no longer be given; so it is an object of its own, and it is durable
// before the file becomes visible. A checksum without a file, which a killed
// process can leave, means nothing.
package artifact

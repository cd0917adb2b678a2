// Package access says who sent a request: it checks AWS Signature Version 4 as
// the AWS SDKs make it, for every door of the server.
//
// Takes:  an *http.Request, a clock, and the keys that this server knows.
// Makes:  Identity, and a request body that is checked while it is read;
// Error, with the AWS names that SDKs understand; the root key pair.
// Never:  routes, decodes an operation, or decides what a caller may do with a
// resource.
// Start:  verify.go, then canonical.go and chunk.go.
package access

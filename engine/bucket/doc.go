// Package bucket is the engine of files: a folder of this machine, or a bucket
// of an object store.
//
// Takes:  a URL (s3:// gs:// azblob:// with the options of gocloud.dev, or
// file:///folder) or, when that is empty, a folder.
// Makes:  the ordinary *blob.Bucket, and its folder where it is one.
// Never:  knows a name in the bucket; artifact and api/s3 do.
// Start:  engine.go, then file.go.
package bucket

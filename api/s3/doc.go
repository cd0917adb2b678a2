// Package s3 is the object door: enough of Amazon S3's API for the aws CLI,
// boto3 and the SDKs to put files where import jobs read them, and to fetch
// what batch jobs wrote.
//
// Takes:  requests whose signature the access package has checked and whose
// body it decodes; a bucket to keep the objects in.
// Makes:  objects. Key K of bucket B is the blob s3/B/K, written whole, fsynced
// and only then acknowledged.
// Never:  checks a signature, holds an object in memory, or enforces a bucket
// policy (one account owns everything here: a policy is kept and given back).
// Start:  door.go, then object.go and blob.go.
//
// What it does not do it refuses by name, with NotImplemented, rather than
// ignore: versions, ACL changes, encryption with customer keys, browser uploads.
// A storage class, an ACL header and server-side encryption by the service's own
// keys are accepted without effect.
//
// The protocol is written out here, and not taken from rclone's gofakes3
// (read at v0.0.11), because that library loses data under ordinary commands:
// a slash at the end of a key is trimmed, PUT ?tagging and ?acl overwrite the
// object with the XML, UploadPartCopy stores an empty part, If-None-Match: * is
// ignored, uploads in progress are forgotten by a restart, and checksums that
// clients send are not compared. It also cannot say a multipart ETag.
package s3

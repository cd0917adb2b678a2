package s3

import "context"

// SweepUploads is one round of Run.
func SweepUploads(ctx context.Context, d *Door) (int, error) { return d.sweepUploads(ctx) }

// PathOf is where a blob key's file is expected.
func PathOf(dir, key string) string { return (&blobs{dir: dir}).path(key) }

// UnescapeKey is the reverse of a file's name.
func UnescapeKey(name string) string { return unescapeKey(name) }

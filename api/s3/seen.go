package s3

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"gocloud.dev/blob"
)

// Seen is an object as it is found.
type Seen struct {
	Bucket, Key string
	Size        int64
	Modified    time.Time
	ETag        string // without quotes
}

// Objects calls f with the objects of all buckets whose keys begin with prefix and
// that wanted says yes to, in the order of buckets and keys, until f fails. It
// sees those, too, that did not come through the door.
func (d *Door) Objects(ctx context.Context, prefix string, wanted func(key string) bool, f func(Seen) error) error {
	it := d.blobs.bucket.List(&blob.ListOptions{Prefix: bucketPrefix})
	for {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if name := strings.TrimPrefix(o.Key, bucketPrefix); validBucket(name) {
			if err := d.objectsOf(ctx, name, prefix, wanted, f); err != nil {
				return err
			}
		}
	}
}

func (d *Door) objectsOf(ctx context.Context, bucket, prefix string, wanted func(key string) bool, f func(Seen) error) error {
	q := query{prefix: prefix, max: maxPage}
	for {
		p, err := d.list(ctx, bucket, q)
		if err != nil {
			return err
		}
		for _, o := range p.objects {
			if !wanted(o.key) {
				continue
			}
			about := d.blobs.cardOf(ctx, bucket, o.key, o.size, o.at, "")
			if err := f(Seen{Bucket: bucket, Key: o.key, Size: o.size, Modified: o.at, ETag: about.ETag}); err != nil {
				return err
			}
		}
		if !p.truncated {
			return nil
		}
		q.after = p.last
	}
}

// wrote tells whoever asked that an object is there.
func (d *Door) wrote(c *request) {
	switch c.operation {
	case "PutObject", "CopyObject", "CompleteMultipartUpload":
		d.onWrite(c.bucket, c.key)
	}
}

package plan

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune"
)

// Objects are the files that imports and batch jobs read.
type Objects interface {
	// Newest looks at the CSV files directly in a folder (a/b, no slash at the
	// end): when the newest was written, and how many there are. None is no error.
	Newest(ctx context.Context, bucket, folder string) (at time.Time, n int, err error)
	// Stat tells when one object was written; false when there is none.
	Stat(ctx context.Context, bucket, key string) (at time.Time, ok bool, err error)
}

// bucket is Objects by the S3 API.
type bucket struct{ api *s3.Client }

func (b bucket) Newest(ctx context.Context, bucket, folder string) (time.Time, int, error) {
	var (
		newest time.Time
		n      int
		doing  = "list s3://" + bucket + "/" + folder + "/"
		pages  = s3.NewListObjectsV2Paginator(b.api, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String(folder + "/"), Delimiter: aws.String("/")})
	)
	for seen := 0; pages.HasMorePages(); seen++ {
		if seen == maxPages {
			return newest, n, attune.Errorf(attune.LimitExceeded, "%s: the list has more than %d pages", doing, maxPages)
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return newest, n, explain(ctx, doing, err)
		}
		for _, o := range page.Contents {
			if !strings.HasSuffix(strings.ToLower(aws.ToString(o.Key)), ".csv") {
				continue
			}
			n++
			if at := aws.ToTime(o.LastModified); at.After(newest) {
				newest = at
			}
		}
	}
	return newest, n, nil
}

// Stat lists rather than asks for the head: a head that is refused has no reason.
func (b bucket) Stat(ctx context.Context, bucket, key string) (time.Time, bool, error) {
	page, err := b.api.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &key, MaxKeys: aws.Int32(1)})
	if err != nil {
		return time.Time{}, false, explain(ctx, "look for s3://"+bucket+"/"+key, err)
	}
	if len(page.Contents) == 0 || aws.ToString(page.Contents[0].Key) != key { // keys come in order: the key itself before longer ones
		return time.Time{}, false, nil
	}
	return aws.ToTime(page.Contents[0].LastModified), true, nil
}

// Put writes an object, and makes the bucket on a node of Attune where it is missing.
func (t *Target) Put(ctx context.Context, location string, body []byte) error {
	bucket, key, err := splitLocation(location)
	if err != nil {
		return err
	}
	put := func() error {
		_, err := t.puts.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body)})
		return explain(ctx, "write "+location, err)
	}
	if err = put(); !missing(err) || Real(t.Endpoint) {
		return err
	}
	if _, err := t.puts.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		return explain(ctx, "make the bucket "+bucket, err)
	}
	return put()
}

// splitLocation reads s3://bucket/key.
func splitLocation(location string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(location, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	if key = strings.Trim(key, "/"); !ok || bucket == "" {
		return "", "", attune.Errorf(attune.Invalid, "%q is no place in a bucket: write it like s3://bucket/folder", location)
	}
	return bucket, key, nil
}

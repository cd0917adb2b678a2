package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// bucketCmd groups the verbs of the S3 client.
type bucketCmd struct {
	Cp bucketCpCmd `cmd:"" help:"Copy a file to s3://BUCKET/KEY, or back. The bucket is made when it is missing."`
	Ls bucketLsCmd `cmd:"" help:"List buckets, or the objects of one."`
	Rm bucketRmCmd `cmd:"" help:"Remove one object."`
}

// s3 makes the client. Path style, since the endpoint is an address.
func (c *clientFlags) s3(ctx context.Context) (*s3.Client, error) {
	cfg, err := c.aws(ctx)
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }), nil
}

// object splits s3://bucket/key.
func object(url string) (bucket, key string, ok bool) {
	rest, ok := strings.CutPrefix(url, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	return bucket, key, ok && bucket != ""
}

type bucketCpCmd struct {
	clientFlags
	From string `arg:"" help:"A file, or s3://BUCKET/KEY."`
	To   string `arg:"" help:"s3://BUCKET/KEY, or a file."`
}

// Run copies up or down, streaming.
func (c *bucketCpCmd) Run(ctx context.Context, s streams) error {
	client, err := c.s3(ctx)
	if err != nil {
		return err
	}
	if bucket, key, up := object(c.To); up {
		if key == "" || strings.HasSuffix(key, "/") {
			key += path.Base(c.From)
		}
		return c.upload(ctx, client, bucket, key)
	}
	bucket, key, down := object(c.From)
	if !down || key == "" {
		return fmt.Errorf("neither %q nor %q is s3://BUCKET/KEY: one side of a copy must be", c.From, c.To)
	}
	return c.download(ctx, client, bucket, key)
}

// upload streams a file into an object, in parts when it is large.
func (c *bucketCpCmd) upload(ctx context.Context, client *s3.Client, bucket, key string) error {
	f, err := os.Open(c.From)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket})
	var owned *types.BucketAlreadyOwnedByYou
	var exists *types.BucketAlreadyExists
	if err != nil && !errors.As(err, &owned) && !errors.As(err, &exists) {
		return fmt.Errorf("make bucket %s: %w", bucket, c.plain(err))
	}
	_, err = transfermanager.New(client).UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: &bucket, Key: &key, Body: f})
	if err != nil {
		return fmt.Errorf("copy %s to s3://%s/%s: %w", c.From, bucket, key, c.plain(err))
	}
	return nil
}

// download streams an object into a file, which appears only when it is whole.
func (c *bucketCpCmd) download(ctx context.Context, client *s3.Client, bucket, key string) (err error) {
	file := c.To
	if info, statErr := os.Stat(file); statErr == nil && info.IsDir() {
		file = path.Join(file, path.Base(key))
	}
	out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return fmt.Errorf("read s3://%s/%s: %w", bucket, key, c.plain(err))
	}
	defer out.Body.Close()
	f, err := os.CreateTemp(path.Dir(file), ".attune-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := io.Copy(f, out.Body); err != nil {
		f.Close()
		return fmt.Errorf("copy s3://%s/%s to %s: %w", bucket, key, file, err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

type bucketLsCmd struct {
	clientFlags
	outputFlags
	URL string `arg:"" optional:"" help:"s3://BUCKET/PREFIX; all buckets when left out."`
}

// listed is one line of ls.
type listed struct {
	Name string `json:"name"`
	Size int64  `json:"size"` // bytes
}

// Run lists everything, page by page.
func (c *bucketLsCmd) Run(ctx context.Context, s streams) error {
	client, err := c.s3(ctx)
	if err != nil {
		return err
	}
	all, err := c.list(ctx, client)
	if err != nil {
		return err
	}
	return c.show(s.out, all, []string{"NAME", "BYTES"}, func(add func(...any)) {
		for _, l := range all {
			add(l.Name, l.Size)
		}
	})
}

func (c *bucketLsCmd) list(ctx context.Context, client *s3.Client) ([]listed, error) {
	all := []listed{}
	if c.URL == "" {
		out, err := client.ListBuckets(ctx, &s3.ListBucketsInput{})
		if err != nil {
			return nil, fmt.Errorf("list buckets: %w", c.plain(err))
		}
		for _, b := range out.Buckets {
			all = append(all, listed{Name: "s3://" + aws.ToString(b.Name)})
		}
		return all, nil
	}
	bucket, prefix, ok := object(c.URL)
	if !ok {
		return nil, fmt.Errorf("%q is not s3://BUCKET/PREFIX", c.URL)
	}
	for pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", c.URL, c.plain(err))
		}
		for _, o := range page.Contents {
			all = append(all, listed{"s3://" + bucket + "/" + aws.ToString(o.Key), aws.ToInt64(o.Size)})
		}
	}
	return all, nil
}

type bucketRmCmd struct {
	clientFlags
	URL string `arg:"" help:"s3://BUCKET/KEY."`
}

// Run removes one object; removing what is not there is no error, as in S3.
func (c *bucketRmCmd) Run(ctx context.Context, s streams) error {
	bucket, key, ok := object(c.URL)
	if !ok || key == "" {
		return fmt.Errorf("%q is not s3://BUCKET/KEY", c.URL)
	}
	client, err := c.s3(ctx)
	if err != nil {
		return err
	}
	if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}); err != nil {
		return fmt.Errorf("remove %s: %w", c.URL, c.plain(err))
	}
	return nil
}

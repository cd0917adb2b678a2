package s3_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestBuckets(t *testing.T) {
	backends(t, func(t *testing.T, dir string) {
		_, c := withBucket(t, dir, false)
		ctx, box := t.Context(), aws.String("box")
		if _, err := c.CreateBucket(ctx, &client.CreateBucketInput{Bucket: box}); err != nil {
			t.Errorf("us-east-1 creates again: %v", err)
		}
		for _, bad := range []string{"AB", "ab", "a..b", "-abc", "192.168.0.1", "a_b", strings.Repeat("a", 64)} {
			_, err := c.CreateBucket(ctx, &client.CreateBucketInput{Bucket: aws.String(bad)})
			wantCode(t, err, "InvalidBucketName")
		}
		_, err := c.CreateBucket(ctx, &client.CreateBucketInput{Bucket: aws.String("elsewhere"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
		wantCode(t, err, "IllegalLocationConstraintException")
		if _, err := c.CreateBucket(ctx, &client.CreateBucketInput{Bucket: aws.String("another.one")}); err != nil {
			t.Fatal(err)
		}
		list, err := c.ListBuckets(ctx, &client.ListBucketsInput{})
		if err != nil || len(list.Buckets) != 2 || aws.ToString(list.Buckets[0].Name) != "another.one" || list.Buckets[1].CreationDate.IsZero() {
			t.Errorf("%+v %v", list, err)
		}
		if head, err := c.HeadBucket(ctx, &client.HeadBucketInput{Bucket: box}); err != nil || aws.ToString(head.BucketRegion) != region {
			t.Errorf("%+v %v", head, err)
		}
		if loc, err := c.GetBucketLocation(ctx, &client.GetBucketLocationInput{Bucket: box}); err != nil || loc.LocationConstraint != "" {
			t.Errorf("%+v %v", loc, err)
		}
		if v, err := c.GetBucketVersioning(ctx, &client.GetBucketVersioningInput{Bucket: box}); err != nil || v.Status != "" {
			t.Errorf("%+v %v", v, err)
		}
		_, err = c.HeadBucket(ctx, &client.HeadBucketInput{Bucket: aws.String("absent")})
		wantCode(t, err, "NotFound")
		_, err = c.ListObjectsV2(ctx, &client.ListObjectsV2Input{Bucket: aws.String("absent")})
		wantCode(t, err, "NoSuchBucket")
		_, err = c.PutObject(ctx, &client.PutObjectInput{Bucket: aws.String("absent"), Key: aws.String("k"), Body: strings.NewReader("x")})
		wantCode(t, err, "NoSuchBucket")

		put(t, c, "k", "x")
		_, err = c.DeleteBucket(ctx, &client.DeleteBucketInput{Bucket: box})
		wantCode(t, err, "BucketNotEmpty")
		out, err := c.DeleteObjects(ctx, &client.DeleteObjectsInput{Bucket: box, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("k")}, {Key: aws.String("absent")}, {Key: aws.String(strings.Repeat("k", 1100))}}}})
		if err != nil || len(out.Deleted) != 2 || len(out.Errors) != 1 || aws.ToString(out.Errors[0].Code) != "KeyTooLongError" {
			t.Errorf("%+v %v", out, err)
		}
		if _, err := c.DeleteBucket(ctx, &client.DeleteBucketInput{Bucket: box}); err != nil {
			t.Fatal(err)
		}
		_, err = c.GetObject(ctx, &client.GetObjectInput{Bucket: box, Key: aws.String("k")})
		wantCode(t, err, "NoSuchBucket")
	})
}

func TestPolicy(t *testing.T) {
	_, c := withBucket(t, t.TempDir(), false)
	ctx, box := t.Context(), aws.String("box")
	_, err := c.GetBucketPolicy(ctx, &client.GetBucketPolicyInput{Bucket: box})
	wantCode(t, err, "NoSuchBucketPolicy")
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"personalize.amazonaws.com"},"Action":["s3:GetObject"],"Resource":"*"}]}`
	if _, err := c.PutBucketPolicy(ctx, &client.PutBucketPolicyInput{Bucket: box, Policy: aws.String(policy)}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.GetBucketPolicy(ctx, &client.GetBucketPolicyInput{Bucket: box}); err != nil || aws.ToString(got.Policy) != policy {
		t.Errorf("%+v %v", got, err)
	}
	_, err = c.PutBucketPolicy(ctx, &client.PutBucketPolicyInput{Bucket: box, Policy: aws.String("[]")})
	wantCode(t, err, "MalformedPolicy")
	if _, err := c.DeleteBucketPolicy(ctx, &client.DeleteBucketPolicyInput{Bucket: box}); err != nil {
		t.Fatal(err)
	}
	_, err = c.GetBucketPolicy(ctx, &client.GetBucketPolicyInput{Bucket: box})
	wantCode(t, err, "NoSuchBucketPolicy")
}

// Listings against a model: sorted keys, grouped and cut as S3 says.
func TestListAgainstModel(t *testing.T) {
	backends(t, func(t *testing.T, dir string) {
		_, c := withBucket(t, dir, false)
		rnd := rand.New(rand.NewPCG(1, 2))
		names := []string{"a", "a-b", "a.b", "a0", "b", "ab", "z", "ü", "a b", "_"}
		seen := map[string]bool{}
		var keys []string
		for len(keys) < 60 {
			key := names[rnd.IntN(len(names))] + ".f"
			for range rnd.IntN(4) {
				key = names[rnd.IntN(len(names))] + "/" + key
			}
			if !seen[key] {
				seen[key] = true
				keys = append(keys, key)
				put(t, c, key, "x")
			}
		}
		slices.Sort(keys)
		for _, prefix := range []string{"", "a", "a/", "a/a", "a-b/", "absent", "ü", "a/a-b/", "z/_"} {
			for _, delimiter := range []string{"", "/", "-", "a"} {
				for _, size := range []int32{1, 3, 1000} {
					for _, after := range []string{"", "a/a", "a-b/z", "b"} {
						want := model(keys, prefix, delimiter, after)
						if got := listV2(t, c, prefix, delimiter, after, size); !slices.Equal(got, want) {
							t.Fatalf("v2 prefix %q delimiter %q after %q pages of %d:\n got %q\nwant %q", prefix, delimiter, after, size, got, want)
						}
						if size == 3 {
							if got := listV1(t, c, prefix, delimiter, after, size); !slices.Equal(got, want) {
								t.Fatalf("v1 prefix %q delimiter %q after %q:\n got %q\nwant %q", prefix, delimiter, after, got, want)
							}
						}
					}
				}
			}
		}
	})
}

func model(keys []string, prefix, delimiter, after string) []string {
	var out []string
	for _, k := range keys {
		if !strings.HasPrefix(k, prefix) || k <= after {
			continue
		}
		if i := strings.Index(k[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			k = k[:len(prefix)+i+len(delimiter)]
		}
		if k != after && (len(out) == 0 || out[len(out)-1] != k) { // a group that was the last line is done with
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

func listV2(t *testing.T, c *client.Client, prefix, delimiter, after string, size int32) (got []string) {
	in := &client.ListObjectsV2Input{Bucket: aws.String("box"), Prefix: aws.String(prefix), MaxKeys: aws.Int32(size), StartAfter: aws.String(after)}
	if delimiter != "" {
		in.Delimiter = aws.String(delimiter)
	}
	for p := client.NewListObjectsV2Paginator(c, in); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := len(page.Contents) + len(page.CommonPrefixes)
		if n > int(size) || int(aws.ToInt32(page.KeyCount)) != n {
			t.Fatalf("a page of %d has %d lines and says %d", size, n, aws.ToInt32(page.KeyCount))
		}
		for _, o := range page.Contents {
			got = append(got, aws.ToString(o.Key))
		}
		for _, o := range page.CommonPrefixes {
			got = append(got, aws.ToString(o.Prefix))
		}
	}
	slices.Sort(got)
	return got
}

func listV1(t *testing.T, c *client.Client, prefix, delimiter, after string, size int32) (got []string) {
	in := &client.ListObjectsInput{Bucket: aws.String("box"), Prefix: aws.String(prefix), MaxKeys: aws.Int32(size), Marker: aws.String(after)}
	if delimiter != "" {
		in.Delimiter = aws.String(delimiter)
	}
	for {
		page, err := c.ListObjects(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			got = append(got, aws.ToString(o.Key))
		}
		for _, o := range page.CommonPrefixes {
			got = append(got, aws.ToString(o.Prefix))
		}
		if !aws.ToBool(page.IsTruncated) {
			slices.Sort(got)
			return got
		}
		in.Marker = page.NextMarker
	}
}

func TestListDetails(t *testing.T) {
	_, c := withBucket(t, t.TempDir(), false)
	for i := range 5 {
		put(t, c, fmt.Sprintf("k %d+ü", i), "xx")
	}
	etag := put(t, c, "k 0+ü", "xyz").ETag
	out, err := c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: aws.String("box"), EncodingType: types.EncodingTypeUrl, MaxKeys: aws.Int32(2)})
	if err != nil || !aws.ToBool(out.IsTruncated) || len(out.Contents) != 2 {
		t.Fatalf("%+v %v", out, err)
	}
	if o := out.Contents[0]; aws.ToString(o.Key) != "k%200%2B%C3%BC" || aws.ToString(o.ETag) != aws.ToString(etag) || aws.ToInt64(o.Size) != 3 || o.LastModified.IsZero() {
		t.Errorf("%+v", o)
	}
	out, err = c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: aws.String("box"), MaxKeys: aws.Int32(0)})
	if err != nil || aws.ToBool(out.IsTruncated) || len(out.Contents) != 0 {
		t.Errorf("%+v %v", out, err)
	}
	_, err = c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: aws.String("box"), ContinuationToken: aws.String("?")})
	wantCode(t, err, "InvalidArgument")
}

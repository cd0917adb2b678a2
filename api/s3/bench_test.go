package s3_test

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
)

// Through the SDK, verified, fsynced.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 20} {
		b.Run(map[int]string{1 << 10: "1KiB", 64 << 20: "64MiB"}[size], func(b *testing.B) {
			_, c := withBucket(b, b.TempDir(), false)
			body := noise(7, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := c.PutObject(b.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("k"), Body: bytes.NewReader(body)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package s3_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/attune-io/attune/api/s3"
)

const mib = 1 << 20

var box = aws.String("box")

func begin(t *testing.T, c *client.Client, key string) *string {
	t.Helper()
	out, err := c.CreateMultipartUpload(t.Context(), &client.CreateMultipartUploadInput{Bucket: box, Key: aws.String(key), ContentType: aws.String("text/csv"),
		Metadata: map[string]string{"a": "b"}, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
	if err != nil {
		t.Fatal(err)
	}
	return out.UploadId
}

func sendPart(t *testing.T, c *client.Client, key string, id *string, n int32, body []byte) types.CompletedPart {
	t.Helper()
	out, err := c.UploadPart(t.Context(), &client.UploadPartInput{Bucket: box, Key: aws.String(key), UploadId: id, PartNumber: aws.Int32(n), Body: bytes.NewReader(body), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
	if err != nil {
		t.Fatal(err)
	}
	return types.CompletedPart{PartNumber: aws.Int32(n), ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32}
}

func complete(t *testing.T, c *client.Client, key string, id *string, parts ...types.CompletedPart) (*client.CompleteMultipartUploadOutput, error) {
	t.Helper()
	return c.CompleteMultipartUpload(t.Context(), &client.CompleteMultipartUploadInput{Bucket: box, Key: aws.String(key), UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
}

func TestMultipart(t *testing.T) {
	backends(t, func(t *testing.T, dir string) {
		s, c := withBucket(t, dir, false)
		a, b := noise(1, 5*mib), noise(2, 1000)
		id := begin(t, c, "dir/k")
		sendPart(t, c, "dir/k", id, 2, []byte("a part that is sent again"))
		p3 := sendPart(t, c, "dir/k", id, 3, b)
		p2 := sendPart(t, c, "dir/k", id, 2, a)

		if dir != "" { // a restart does not lose the upload
			s.Close()
			s = start(t, dir, false)
			c = s.client()
		}
		list, err := c.ListParts(t.Context(), &client.ListPartsInput{Bucket: box, Key: aws.String("dir/k"), UploadId: id, MaxParts: aws.Int32(1)})
		if err != nil || len(list.Parts) != 1 || aws.ToInt32(list.Parts[0].PartNumber) != 2 || aws.ToInt64(list.Parts[0].Size) != 5*mib || !aws.ToBool(list.IsTruncated) || list.Parts[0].ChecksumCRC32 == nil {
			t.Fatalf("%+v %v", list, err)
		}
		list, err = c.ListParts(t.Context(), &client.ListPartsInput{Bucket: box, Key: aws.String("dir/k"), UploadId: id, PartNumberMarker: list.NextPartNumberMarker})
		if err != nil || len(list.Parts) != 1 || aws.ToInt32(list.Parts[0].PartNumber) != 3 || aws.ToBool(list.IsTruncated) {
			t.Fatalf("%+v %v", list, err)
		}
		ups, err := c.ListMultipartUploads(t.Context(), &client.ListMultipartUploadsInput{Bucket: box})
		if err != nil || len(ups.Uploads) != 1 || aws.ToString(ups.Uploads[0].UploadId) != aws.ToString(id) || aws.ToString(ups.Uploads[0].Key) != "dir/k" {
			t.Fatalf("%+v %v", ups, err)
		}
		out, err := complete(t, c, "dir/k", id, p2, p3)
		if err != nil {
			t.Fatal(err)
		}
		sumA, sumB := md5.Sum(a), md5.Sum(b)
		both := md5.Sum(append(sumA[:], sumB[:]...))
		want := `"` + hex.EncodeToString(both[:]) + `-2"`
		if aws.ToString(out.ETag) != want || !strings.HasSuffix(aws.ToString(out.ChecksumCRC32), "-2") {
			t.Errorf("ETag %s, want %s; checksum %s", aws.ToString(out.ETag), want, aws.ToString(out.ChecksumCRC32))
		}
		again, err := complete(t, c, "dir/k", id, p2, p3) // whoever lost the answer asks again
		if err != nil || aws.ToString(again.ETag) != want {
			t.Errorf("again: %+v %v", again, err)
		}
		body, got := get(t, c, "dir/k")
		if body != string(a)+string(b) || aws.ToString(got.ETag) != want || aws.ToString(got.ContentType) != "text/csv" || got.Metadata["a"] != "b" {
			t.Errorf("%d bytes, %+v", len(body), got)
		}
		if dir != "" {
			if left, err := filepath.Glob(filepath.Join(dir, "s3-uploads", "*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		}
	})
}

func TestMultipartRefusals(t *testing.T) {
	_, c := withBucket(t, t.TempDir(), false)
	id := begin(t, c, "k")
	small := sendPart(t, c, "k", id, 1, []byte("small"))
	last := sendPart(t, c, "k", id, 2, []byte("last"))
	_, err := complete(t, c, "k", id, small, last)
	wantCode(t, err, "EntityTooSmall")
	_, err = complete(t, c, "k", id, last, small)
	wantCode(t, err, "InvalidPartOrder")
	_, err = complete(t, c, "k", id, types.CompletedPart{PartNumber: aws.Int32(1), ETag: last.ETag})
	wantCode(t, err, "InvalidPart")
	_, err = complete(t, c, "k", id, types.CompletedPart{PartNumber: aws.Int32(7), ETag: last.ETag})
	wantCode(t, err, "InvalidPart")
	_, err = complete(t, c, "k", id, types.CompletedPart{PartNumber: aws.Int32(1), ETag: small.ETag, ChecksumCRC32: last.ChecksumCRC32})
	wantCode(t, err, "InvalidPart")
	_, err = complete(t, c, "k", id)
	wantCode(t, err, "MalformedXML")
	_, err = complete(t, c, "other", id, small)
	wantCode(t, err, "NoSuchUpload")
	_, err = complete(t, c, "k", aws.String("../../../etc"), small)
	wantCode(t, err, "NoSuchUpload")
	for _, n := range []int32{0, 10001} {
		_, err = c.UploadPart(t.Context(), &client.UploadPartInput{Bucket: box, Key: aws.String("k"), UploadId: id, PartNumber: aws.Int32(n), Body: strings.NewReader("x")})
		wantCode(t, err, "InvalidArgument")
	}
	_, err = c.UploadPart(t.Context(), &client.UploadPartInput{Bucket: box, Key: aws.String("k"), UploadId: id, PartNumber: aws.Int32(1), Body: strings.NewReader("x"), ContentMD5: aws.String("1B2M2Y8AsgTpgAmY7PhCfg==")})
	wantCode(t, err, "BadDigest")
	if _, err := complete(t, c, "k", id, small); err != nil { // a refused part left the one before
		t.Fatal(err)
	}
	id = begin(t, c, "k")
	sendPart(t, c, "k", id, 1, []byte("never"))
	if _, err := c.AbortMultipartUpload(t.Context(), &client.AbortMultipartUploadInput{Bucket: box, Key: aws.String("k"), UploadId: id}); err != nil {
		t.Fatal(err)
	}
	_, err = c.UploadPart(t.Context(), &client.UploadPartInput{Bucket: box, Key: aws.String("k"), UploadId: id, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
	wantCode(t, err, "NoSuchUpload")
	if got, _ := get(t, c, "k"); got != "small" {
		t.Errorf("got %q", got)
	}
}

func TestPartFromObject(t *testing.T) {
	_, c := withBucket(t, t.TempDir(), false)
	whole := noise(4, 6*mib)
	put(t, c, "from", string(whole))
	id := begin(t, c, "to")
	var parts []types.CompletedPart
	for i, span := range []string{fmt.Sprintf("bytes=0-%d", 5*mib-1), fmt.Sprintf("bytes=%d-%d", 5*mib, 6*mib-1)} {
		out, err := c.UploadPartCopy(t.Context(), &client.UploadPartCopyInput{Bucket: box, Key: aws.String("to"), UploadId: id, PartNumber: aws.Int32(int32(i + 1)), CopySource: aws.String("box/from"), CopySourceRange: aws.String(span)})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: out.CopyPartResult.ETag})
	}
	_, err := c.UploadPartCopy(t.Context(), &client.UploadPartCopyInput{Bucket: box, Key: aws.String("to"), UploadId: id, PartNumber: aws.Int32(3), CopySource: aws.String("box/from"), CopySourceRange: aws.String(fmt.Sprintf("bytes=0-%d", 6*mib))})
	wantCode(t, err, "InvalidArgument")
	if _, err := complete(t, c, "to", id, parts...); err != nil {
		t.Fatal(err)
	}
	if got, _ := get(t, c, "to"); got != string(whole) {
		t.Error("the copy differs")
	}
}

// The SDK's manager sends parts side by side, and reads them back so.
func TestTransferManager(t *testing.T) {
	for _, tls := range []bool{false, true} {
		_, c := withBucket(t, t.TempDir(), tls)
		tm := transfermanager.New(c, func(o *transfermanager.Options) { o.PartSizeBytes = 5 * mib; o.MultipartUploadThreshold = 5 * mib })
		want := noise(5, 17*mib)
		if _, err := tm.UploadObject(t.Context(), &transfermanager.UploadObjectInput{Bucket: box, Key: aws.String("big"), Body: bytes.NewReader(want)}); err != nil {
			t.Fatal(err)
		}
		out, err := tm.GetObject(t.Context(), &transfermanager.GetObjectInput{Bucket: box, Key: aws.String("big")})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(out.Body); err != nil || !bytes.Equal(got, want) {
			t.Errorf("tls %v: %d bytes, %v", tls, len(got), err)
		}
	}
}

// The heap must not follow the size of what passes through.
func TestMemoryIsBounded(t *testing.T) {
	const size, most = 96 * mib, 24 * mib
	_, c := withBucket(t, t.TempDir(), false)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: box, Key: aws.String("big"), Body: &zeros{size: size}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: box, Key: aws.String("big")})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, out.Body); err != nil || n != size {
		t.Fatalf("%d bytes, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("%d MiB were allocated for an object of %d MiB", got/mib, size/mib)
	}
}

// zeros is a seekable body that needs no memory.
type zeros struct{ at, size int64 }

func (z *zeros) Read(p []byte) (int, error) {
	n := min(int64(len(p)), z.size-z.at)
	if n == 0 {
		return 0, io.EOF
	}
	clear(p[:n])
	z.at += n
	return int(n), nil
}

func (z *zeros) Seek(offset int64, whence int) (int64, error) {
	z.at = map[int]int64{io.SeekStart: 0, io.SeekCurrent: z.at, io.SeekEnd: z.size}[whence] + offset
	return z.at, nil
}

// Abandoned uploads go after a week, others stay.
func TestSweep(t *testing.T) {
	s, c := withBucket(t, t.TempDir(), false)
	old := begin(t, c, "old")
	sendPart(t, c, "old", old, 1, []byte("x"))
	s.now = time.Now().Add(6 * 24 * time.Hour)
	young := begin(t, c, "young")
	s.now = time.Now().Add(8 * 24 * time.Hour)
	n, err := s3.SweepUploads(t.Context(), s.door)
	if err != nil || n != 1 {
		t.Fatalf("%d, %v", n, err)
	}
	ups, err := c.ListMultipartUploads(t.Context(), &client.ListMultipartUploadsInput{Bucket: box})
	if err != nil || len(ups.Uploads) != 1 || aws.ToString(ups.Uploads[0].UploadId) != aws.ToString(young) {
		t.Fatalf("%+v %v", ups, err)
	}
}

package s3_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/attune-io/attune/api/s3"
)

var oddKeys = []string{"plain.csv", "a/b/c.csv", "folder/", "folder/x", "a//b", "/lead", "sp ace+plus", "ünï/код/日本", "tilde~star*'(),!$&=;:@", "percent%41",
	"__0x2f__", "q?x=1#y", "tab\tkey", strings.Repeat("k", 200), "trailing.", "..hidden", "..a/b", "_", "__0", "a__0x2f__b/c"}

func backends(t *testing.T, test func(t *testing.T, dir string)) {
	t.Run("folder", func(t *testing.T) { test(t, t.TempDir()) })
	t.Run("memory", func(t *testing.T) { test(t, "") })
}

func TestObjects(t *testing.T) {
	backends(t, func(t *testing.T, dir string) {
		s, c := withBucket(t, dir, false)
		for i, key := range oddKeys {
			body := fmt.Sprintf("body %d of %s", i, key)
			sum := md5.Sum([]byte(body))
			out := put(t, c, key, body)
			if want := `"` + hex.EncodeToString(sum[:]) + `"`; aws.ToString(out.ETag) != want {
				t.Errorf("%q: ETag %s, want %s", key, aws.ToString(out.ETag), want)
			}
			if out.ChecksumCRC32 == nil {
				t.Errorf("%q: the checksum that the client sent was not confirmed", key)
			}
			if raw, err := s.blob.ReadAll(t.Context(), s3.ObjectKey("box", key)); err != nil || string(raw) != body {
				t.Errorf("%q in the bucket: %q, %v", key, raw, err)
			}
		}
		for i, key := range oddKeys {
			if got, _ := get(t, c, key); got != fmt.Sprintf("body %d of %s", i, key) {
				t.Errorf("%q: got %q", key, got)
			}
		}
		for _, key := range oddKeys {
			if _, err := c.DeleteObject(t.Context(), &client.DeleteObjectInput{Bucket: aws.String("box"), Key: aws.String(key)}); err != nil {
				t.Errorf("delete %q: %v", key, err)
			}
			_, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: aws.String("box"), Key: aws.String(key)})
			wantCode(t, err, "NoSuchKey")
		}
		if dir == "" {
			return
		}
		files := 0
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && !strings.Contains(path, "s3-buckets") {
				files++
				t.Errorf("left behind: %s", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestHeadersAndRanges(t *testing.T) {
	_, c := withBucket(t, t.TempDir(), false)
	body := string(noise(1, 1000))
	_, err := c.PutObject(t.Context(), &client.PutObjectInput{
		Bucket: aws.String("box"), Key: aws.String("k"), Body: strings.NewReader(body), ContentType: aws.String("text/csv; charset=utf-8"),
		CacheControl: aws.String("no-store"), ContentEncoding: aws.String("identity"), Metadata: map[string]string{"Owner": "me", "empty": ""},
	})
	if err != nil {
		t.Fatal(err)
	}
	head, err := c.HeadObject(t.Context(), &client.HeadObjectInput{Bucket: aws.String("box"), Key: aws.String("k"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(head.ContentType) != "text/csv; charset=utf-8" || aws.ToString(head.CacheControl) != "no-store" || aws.ToInt64(head.ContentLength) != 1000 ||
		head.Metadata["owner"] != "me" || head.ChecksumCRC32 == nil || head.ChecksumType != types.ChecksumTypeFullObject || aws.ToString(head.ContentEncoding) != "identity" {
		t.Errorf("head %+v", head)
	}
	for spec, want := range map[string]string{"bytes=0-9": body[:10], "bytes=990-": body[990:], "bytes=-5": body[995:], "bytes=0-99999": body,
		"bytes=5-5": body[5:6], "bytes=-99999": body, "lines=1-2": body, "bytes=9-5": body, "bytes=0-1,5-6": body} {
		out, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: aws.String("box"), Key: aws.String("k"), Range: aws.String(spec)})
		if err != nil {
			t.Errorf("%s: %v", spec, err)
			continue
		}
		got, err := io.ReadAll(out.Body)
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, want %d, %v", spec, len(got), len(want), err)
		}
	}
	for _, spec := range []string{"bytes=1000-", "bytes=5000-6000", "bytes=-0"} {
		_, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: aws.String("box"), Key: aws.String("k"), Range: aws.String(spec)})
		wantCode(t, err, "InvalidRange")
	}
	_, err = c.PutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("k2"), Body: strings.NewReader(""), Metadata: map[string]string{"big": strings.Repeat("x", 2100)}})
	wantCode(t, err, "MetadataTooLarge")
	put(t, c, "empty", "")
	if got, _ := get(t, c, "empty"); got != "" {
		t.Errorf("empty object: %q", got)
	}
}

func TestConditions(t *testing.T) {
	_, c := withBucket(t, t.TempDir(), false)
	etag := put(t, c, "k", "one").ETag
	try := func(change func(*client.PutObjectInput)) error {
		in := &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("k"), Body: strings.NewReader("two")}
		change(in)
		_, err := c.PutObject(t.Context(), in)
		return err
	}
	wantCode(t, try(func(in *client.PutObjectInput) { in.IfNoneMatch = aws.String("*") }), "PreconditionFailed")
	wantCode(t, try(func(in *client.PutObjectInput) { in.IfMatch = aws.String(`"0"`) }), "PreconditionFailed")
	wantCode(t, try(func(in *client.PutObjectInput) { in.IfMatch, in.Key = etag, aws.String("absent") }), "NoSuchKey")
	if got, _ := get(t, c, "k"); got != "one" {
		t.Fatalf("a refused write changed the object to %q", got)
	}
	if err := try(func(in *client.PutObjectInput) { in.IfMatch = etag }); err != nil {
		t.Fatal(err)
	}
	_, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: aws.String("box"), Key: aws.String("k"), IfMatch: etag})
	wantCode(t, err, "PreconditionFailed")
	_, err = c.HeadObject(t.Context(), &client.HeadObjectInput{Bucket: aws.String("box"), Key: aws.String("k"), IfModifiedSince: aws.Time(time.Now().Add(time.Hour))})
	if err == nil || !strings.Contains(err.Error(), "304") {
		t.Errorf("got %v, want 304", err)
	}
	// Of many that want to be first, one is.
	var wg sync.WaitGroup
	won := make(chan int, 16)
	for i := range 16 {
		wg.Go(func() {
			_, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("first"), Body: strings.NewReader(fmt.Sprint(i)), IfNoneMatch: aws.String("*")})
			if err == nil {
				won <- i
			}
		})
	}
	wg.Wait()
	close(won)
	n := 0
	for range won {
		n++
	}
	if n != 1 {
		t.Fatalf("%d of 16 created the same object", n)
	}
}

func TestChecksums(t *testing.T) {
	for _, tls := range []bool{false, true} { // over TLS the SDK sends the checksum as a trailer
		s, c := withBucket(t, t.TempDir(), tls)
		for _, algorithm := range []types.ChecksumAlgorithm{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"} {
			_, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("k"), Body: bytes.NewReader(noise(2, 200_000)), ChecksumAlgorithm: algorithm})
			if err != nil {
				t.Errorf("tls %v %s: %v", tls, algorithm, err)
			}
			_, err = c.GetObject(t.Context(), &client.GetObjectInput{Bucket: aws.String("box"), Key: aws.String("k")})
			if err != nil {
				t.Errorf("tls %v %s: %v", tls, algorithm, err)
			}
		}
		if tls != (s.trailers.Load() > 0) {
			t.Errorf("tls %v: %d requests came with trailers", tls, s.trailers.Load())
		}
		before, _ := get(t, c, "k")
		for _, in := range []*client.PutObjectInput{
			{ChecksumCRC32: aws.String("AAAAAA==")}, {ChecksumCRC32C: aws.String("AAAAAA==")}, {ChecksumCRC64NVME: aws.String("AAAAAAAAAAA=")},
			{ChecksumSHA256: aws.String("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")}, {ContentMD5: aws.String("1B2M2Y8AsgTpgAmY7PhCfg==")},
		} {
			in.Bucket, in.Key, in.Body = aws.String("box"), aws.String("k"), strings.NewReader("not what was summed")
			_, err := c.PutObject(t.Context(), in)
			wantCode(t, err, "BadDigest")
		}
		if after, _ := get(t, c, "k"); after != before {
			t.Error("a refused write changed the object")
		}
		if s.dir != "" {
			left, err := filepath.Glob(filepath.Join(s.dir, "s3", "box", "*.tmp"))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		}
	}
	// The published check values of each algorithm over "123456789".
	_, c := withBucket(t, t.TempDir(), false)
	for algorithm, want := range map[types.ChecksumAlgorithm]string{"CRC32": "y/Q5Jg==", "CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg="} {
		out, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("k"), Body: strings.NewReader("123456789"), ChecksumAlgorithm: algorithm})
		if err != nil {
			t.Fatal(err)
		}
		got := map[types.ChecksumAlgorithm]*string{"CRC32": out.ChecksumCRC32, "CRC32C": out.ChecksumCRC32C, "CRC64NVME": out.ChecksumCRC64NVME}[algorithm]
		if aws.ToString(got) != want {
			t.Errorf("%s: %s, want %s", algorithm, aws.ToString(got), want)
		}
	}
}

func TestCopy(t *testing.T) {
	_, c := withBucket(t, t.TempDir(), false)
	_, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("from ü/+%"), Body: strings.NewReader("hello"), ContentType: aws.String("text/x"), Metadata: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	src := aws.String("box/from%20%C3%BC/%2B%25")
	out, err := c.CopyObject(t.Context(), &client.CopyObjectInput{Bucket: aws.String("box"), Key: aws.String("to"), CopySource: src})
	if err != nil {
		t.Fatal(err)
	}
	body, got := get(t, c, "to")
	if body != "hello" || aws.ToString(got.ContentType) != "text/x" || got.Metadata["a"] != "b" || aws.ToString(out.CopyObjectResult.ETag) != aws.ToString(got.ETag) {
		t.Errorf("copy: %q %+v", body, got)
	}
	if _, err := c.CopyObject(t.Context(), &client.CopyObjectInput{Bucket: aws.String("box"), Key: aws.String("to"), CopySource: src,
		MetadataDirective: types.MetadataDirectiveReplace, ContentType: aws.String("text/y")}); err != nil {
		t.Fatal(err)
	}
	if _, got := get(t, c, "to"); aws.ToString(got.ContentType) != "text/y" || len(got.Metadata) != 0 {
		t.Errorf("replaced: %+v", got)
	}
	_, err = c.CopyObject(t.Context(), &client.CopyObjectInput{Bucket: aws.String("box"), Key: aws.String("to"), CopySource: aws.String("box/absent")})
	wantCode(t, err, "NoSuchKey")
	_, err = c.CopyObject(t.Context(), &client.CopyObjectInput{Bucket: aws.String("box"), Key: aws.String("to"), CopySource: aws.String("box/../../etc/passwd")})
	wantCode(t, err, "InvalidArgument")
}

func TestKeysThatCannotBe(t *testing.T) {
	s, c := withBucket(t, t.TempDir(), false)
	for key, code := range map[string]string{
		strings.Repeat("k", 1025): "KeyTooLongError", strings.Repeat("k", 250): "KeyTooLongError", "a/./b": "InvalidArgument", "a/../b": "InvalidArgument", "..": "InvalidArgument",
		"x.attrs": "InvalidArgument", "x.0123456789abcdef.tmp": "InvalidArgument", "\xff": "InvalidArgument",
	} {
		_, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String(key), Body: strings.NewReader("x")})
		t.Log(err)
		wantCode(t, err, code)
	}
	put(t, c, "a", "x")
	_, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("a/b"), Body: strings.NewReader("x")})
	wantCode(t, err, "InvalidRequest")
	_, err = c.GetObject(t.Context(), &client.GetObjectInput{Bucket: aws.String("box"), Key: aws.String("a/b")})
	wantCode(t, err, "NoSuchKey")
	put(t, c, "d/e/f", "x")
	_, err = c.PutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("d/e"), Body: strings.NewReader("x")})
	wantCode(t, err, "InvalidRequest")
	if _, err := c.DeleteObject(t.Context(), &client.DeleteObjectInput{Bucket: aws.String("box"), Key: aws.String("d/e/f")}); err != nil {
		t.Fatal(err)
	}
	put(t, c, "d", "x") // no empty folders stand in the way
	if _, err := os.Stat(filepath.Join(s.dir, "s3", "box", "d")); err != nil {
		t.Error(err)
	}
}

// A name that a subresource would have must never replace the object.
func TestUnknownSubresources(t *testing.T) {
	s, c := withBucket(t, t.TempDir(), false)
	put(t, c, "k", "precious")
	_, err := c.PutObjectAcl(t.Context(), &client.PutObjectAclInput{Bucket: aws.String("box"), Key: aws.String("k"), ACL: types.ObjectCannedACLPrivate})
	wantCode(t, err, "NotImplemented")
	_, err = c.PutObjectRetention(t.Context(), &client.PutObjectRetentionInput{Bucket: aws.String("box"), Key: aws.String("k")})
	wantCode(t, err, "NotImplemented")
	_, err = c.PutBucketVersioning(t.Context(), &client.PutBucketVersioningInput{Bucket: aws.String("box"), VersioningConfiguration: &types.VersioningConfiguration{}})
	wantCode(t, err, "NotImplemented")
	if tags, err := c.GetObjectTagging(t.Context(), &client.GetObjectTaggingInput{Bucket: aws.String("box"), Key: aws.String("k")}); err != nil || len(tags.TagSet) != 0 {
		t.Errorf("%v %v", tags, err)
	}
	if acl, err := c.GetObjectAcl(t.Context(), &client.GetObjectAclInput{Bucket: aws.String("box"), Key: aws.String("k")}); err != nil || acl.Grants[0].Grantee.Type != types.TypeCanonicalUser {
		t.Errorf("%v %v", acl, err)
	}
	if got, _ := get(t, c, "k"); got != "precious" {
		t.Fatalf("the object became %q", got)
	}
	resp, err := s.Server.Client().Get(s.URL + "/box/k")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusForbidden || !bytes.Contains(b, []byte("<Code>AccessDenied</Code>")) {
		t.Errorf("unsigned: %d %s %v", resp.StatusCode, b, err)
	}
}

func TestPresigned(t *testing.T) {
	s, c := withBucket(t, t.TempDir(), false)
	p := client.NewPresignClient(c)
	up, err := p.PresignPutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("a b/ü.csv")})
	if err != nil {
		t.Fatal(err)
	}
	send := func(method, url, body string) (int, string) {
		r, err := http.NewRequest(method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.Server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	if code, body := send("PUT", up.URL, "hello"); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	down, err := p.PresignGetObject(t.Context(), &client.GetObjectInput{Bucket: aws.String("box"), Key: aws.String("a b/ü.csv"), ResponseContentType: aws.String("text/z")})
	if err != nil {
		t.Fatal(err)
	}
	if code, body := send("GET", down.URL, ""); code != 200 || body != "hello" {
		t.Fatalf("%d %s", code, body)
	}
	if code, body := send("GET", strings.Replace(down.URL, "box/", "bax/", 1), ""); code != 403 || !strings.Contains(body, "SignatureDoesNotMatch") {
		t.Fatalf("%d %s", code, body)
	}
	if code, _ := send("PUT", down.URL, "x"); code != 403 {
		t.Fatalf("a URL for GET let PUT in: %d", code)
	}
}

// An upload that breaks off leaves the object as it was, and nothing beside it.
func TestBrokenOff(t *testing.T) {
	s, c := withBucket(t, t.TempDir(), false)
	put(t, c, "k", "before")
	p, err := client.NewPresignClient(c).PresignPutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest("PUT", p.URL, io.MultiReader(bytes.NewReader(noise(3, 300_000)), &failing{}))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 1 << 20
	if resp, err := s.Server.Client().Do(r); err == nil && resp.StatusCode == 200 {
		t.Fatal("half an object was accepted")
	}
	eventually(t, "the removal of the half object", func() bool {
		left, err := filepath.Glob(filepath.Join(s.dir, "s3", "box", "k.*.tmp"))
		return err == nil && len(left) == 0
	})
	if got, _ := get(t, c, "k"); got != "before" {
		t.Fatalf("the object became %d bytes", len(got))
	}
}

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, fmt.Errorf("gone") }

// What another room wrote into the bucket is an object without a card.
func TestForeignObjects(t *testing.T) {
	s, c := withBucket(t, t.TempDir(), false)
	if err := s.blob.WriteAll(t.Context(), s3.ObjectKey("box", "out/result.json"), []byte("[1]"), nil); err != nil {
		t.Fatal(err)
	}
	body, first := get(t, c, "out/result.json")
	if body != "[1]" || len(aws.ToString(first.ETag)) != 34 {
		t.Fatalf("%q %v", body, aws.ToString(first.ETag))
	}
	put(t, c, "out/result.json", "[2]")
	if err := s.blob.WriteAll(t.Context(), s3.ObjectKey("box", "out/result.json"), []byte("[3]"), nil); err != nil {
		t.Fatal(err)
	}
	body, second := get(t, c, "out/result.json") // its checksum would not match, were the old card believed
	if body != "[3]" || aws.ToString(second.ETag) == aws.ToString(first.ETag) {
		t.Fatalf("%q %v", body, aws.ToString(second.ETag))
	}
}

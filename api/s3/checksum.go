package s3

import (
	"crypto/md5"  //nolint:gosec // Content-MD5 and the ETag are MD5
	"crypto/sha1" //nolint:gosec // a checksum clients may choose
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strings"
)

// checksum is one that a client gave and that was found right.
type checksum struct {
	Algorithm string `json:"algorithm"` // e.g. CRC32, as clients name it
	Value     string `json:"value"`     // base64; with -N after it when it is of N parts' checksums
	Type      string `json:"type"`      // FULL_OBJECT or COMPOSITE
}

const (
	fullObject = "FULL_OBJECT"
	composite  = "COMPOSITE"

	checksumHeader = "X-Amz-Checksum-"
)

// newHash makes the hash of an algorithm's name in upper case; nil when unknown.
func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case "CRC32":
		return crc32.NewIEEE()
	case "CRC32C":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "CRC64NVME":
		return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5)) // NVM Express's polynomial, reflected
	case "SHA1":
		return sha1.New() //nolint:gosec // see above
	case "SHA256":
		return sha256.New()
	case "SHA512":
		return sha512.New()
	case "MD5":
		return md5.New() //nolint:gosec // see above
	}
	return nil
}

// setHeaders tells a client the checksum.
func (c *checksum) setHeaders(h http.Header) {
	if c != nil {
		h.Set(checksumHeader+c.Algorithm, c.Value)
		h.Set(checksumHeader+"Type", c.Type)
	}
}

// body reads a request's body once, and knows afterwards whether it was the one
// that its headers and trailers promised.
type body struct {
	r     *http.Request
	in    io.Reader
	n     int64
	md5   hash.Hash
	algo  string // the promised checksum's algorithm, or empty
	sum   hash.Hash
	given string // its value, when it came ahead of the body
}

// openBody finds out what was promised. Two checksums are refused, as S3 does.
func openBody(r *http.Request) (*body, error) {
	b := &body{r: r, md5: md5.New()} //nolint:gosec // see above
	note := func(name, value string) error {
		algo := strings.ToUpper(strings.TrimPrefix(http.CanonicalHeaderKey(name), checksumHeader))
		switch algo {
		case "TYPE", "ALGORITHM", "MODE":
			return nil
		}
		if b.sum != nil {
			return refuse(http.StatusBadRequest, "InvalidRequest", "the request carries more than one checksum; send one")
		}
		if b.sum = newHash(algo); b.sum == nil {
			return notBuilt("the checksum algorithm " + clip(algo) + "; use CRC32, CRC32C, CRC64NVME, SHA1 or SHA256")
		}
		b.algo, b.given = algo, value
		return nil
	}
	for name, values := range r.Header {
		if strings.HasPrefix(name, checksumHeader) && len(values) > 0 {
			if err := note(name, values[0]); err != nil {
				return nil, err
			}
		}
	}
	for _, v := range r.Header["X-Amz-Trailer"] {
		for name := range strings.SplitSeq(v, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if strings.HasPrefix(name, checksumHeader) {
				if err := note(name, ""); err != nil {
					return nil, err
				}
			}
		}
	}
	hashes := []io.Writer{b.md5}
	if b.sum != nil {
		hashes = append(hashes, b.sum)
	}
	b.in = io.TeeReader(r.Body, io.MultiWriter(hashes...))
	return b, nil
}

// Read reads the body; io.EOF comes only when it is what was promised.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	b.n += int64(n)
	if b.n > MaxPut {
		return n, refuse(http.StatusBadRequest, "EntityTooLarge", "the body is larger than %d bytes; use a multipart upload", int64(MaxPut))
	}
	if errors.Is(err, io.EOF) {
		if wrong := b.check(); wrong != nil {
			return n, wrong
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return n, incomplete(b.n)
	}
	return n, err
}

func incomplete(n int64) error {
	return refuse(http.StatusBadRequest, "IncompleteBody", "the body ended after %d bytes, before its announced length", n)
}

func (b *body) check() error {
	if b.r.ContentLength >= 0 && b.n != b.r.ContentLength {
		return incomplete(b.n)
	}
	if want, ok := b.r.Header["Content-Md5"]; ok {
		raw, err := base64.StdEncoding.DecodeString(want[0])
		if err != nil || len(raw) != md5.Size {
			return refuse(http.StatusBadRequest, "InvalidDigest", "Content-MD5 is not an MD5 in base64")
		}
		if subtle.ConstantTimeCompare(raw, b.md5.Sum(nil)) == 0 {
			return refuse(http.StatusBadRequest, "BadDigest", "the body's MD5 is not the one in Content-MD5")
		}
	}
	if b.sum == nil {
		return nil
	}
	want := b.given
	if want == "" {
		want = b.r.Trailer.Get(checksumHeader + b.algo)
	}
	if want == "" {
		return refuse(http.StatusBadRequest, "MalformedTrailerError", "the %s checksum that x-amz-trailer announced did not come", b.algo)
	}
	return checkSum(b.algo, b.sum, want)
}

// checkSum compares a hash with what a client said.
func checkSum(algo string, sum hash.Hash, want string) error {
	raw, err := base64.StdEncoding.DecodeString(want)
	if err != nil || len(raw) != sum.Size() {
		return refuse(http.StatusBadRequest, "InvalidRequest", "the value of x-amz-checksum-%s is not a %s checksum in base64", strings.ToLower(algo), algo)
	}
	if subtle.ConstantTimeCompare(raw, sum.Sum(nil)) == 0 {
		return refuse(http.StatusBadRequest, "BadDigest", "the body's %s checksum is not the one that was sent with it", algo)
	}
	return nil
}

// etag is the MD5 of what was read, in hex.
func (b *body) etag() string { return hex.EncodeToString(b.md5.Sum(nil)) }

// checksum is what was promised and found, or nil.
func (b *body) checksum() *checksum {
	if b.sum == nil {
		return nil
	}
	return &checksum{Algorithm: b.algo, Value: base64.StdEncoding.EncodeToString(b.sum.Sum(nil)), Type: fullObject}
}

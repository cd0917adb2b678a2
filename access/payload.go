package access

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// The values of x-amz-content-sha256 that are not a hash.
const (
	unsignedPayload          = "UNSIGNED-PAYLOAD"
	streamingSigned          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamingSignedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	streamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// maxTrusted is how much memory a body gets on the word of its Content-Length,
// in bytes; beyond, memory is for bytes that came. Nobody has signed anything yet.
const maxTrusted = 64 << 10

// payload is what the signature says of the body.
type payload struct {
	hash    string // the last line of the canonical request
	body    []byte // the whole body, when it had to be read first
	held    bool   // body is set
	decoded int64  // length after decoding, for the streaming forms
}

func isStreaming(h string) bool {
	return h == streamingSigned || h == streamingSignedTrailer || h == streamingUnsignedTrailer
}

// payloadOf decides the body's line of the canonical request.
func payloadOf(r *http.Request, c *credential, d *dialect, maxBody int64) (payload, *Error) {
	var p payload
	if c.service != ServiceS3 {
		if refusal := p.checkLength(r, d, maxBody); refusal != nil {
			return p, refusal
		}
		return p, p.read(r, maxBody)
	}
	p.hash = r.Header.Get("X-Amz-Content-Sha256")
	if p.hash == "" && c.presigned {
		if p.hash = r.URL.Query().Get("X-Amz-Content-Sha256"); p.hash == "" {
			p.hash = unsignedPayload
		}
	}
	switch {
	case p.hash == "":
		return p, badRequest("InvalidRequest", "the request lacks the x-amz-content-sha256 header; send the body's SHA-256, UNSIGNED-PAYLOAD or a STREAMING- form")
	case p.hash == unsignedPayload, isStreaming(p.hash), isHexHash(p.hash):
	default:
		return p, badRequest("InvalidArgument", "x-amz-content-sha256 must be a SHA-256 in lower-case hex, UNSIGNED-PAYLOAD or a STREAMING- form that this server knows")
	}
	return p, p.checkLength(r, d, maxBody)
}

func isHexHash(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == sigHexLen && strings.ToLower(s) == s
}

// checkLength refuses a body whose announced length is too large, before it is sent.
func (p *payload) checkLength(r *http.Request, d *dialect, maxBody int64) *Error {
	length := r.ContentLength
	if isStreaming(p.hash) {
		n, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || n < 0 {
			return &Error{Code: "MissingContentLength", Status: http.StatusLengthRequired, Message: "a chunked upload must say its length in x-amz-decoded-content-length"}
		}
		p.decoded, length = n, n
	}
	if length > maxBody {
		return tooLarge(d, maxBody)
	}
	return nil
}

func tooLarge(d *dialect, maxBody int64) *Error {
	if d == &s3Dialect {
		return badRequest("EntityTooLarge", "the body is larger than the %d bytes that one request may carry", maxBody)
	}
	return &Error{Code: "RequestEntityTooLargeException", Status: http.StatusRequestEntityTooLarge,
		Message: "the body is larger than the " + strconv.FormatInt(maxBody, 10) + " bytes that one request may carry"}
}

// read holds the body and hashes it: Personalize clients send no hash of it.
func (p *payload) read(r *http.Request, maxBody int64) *Error {
	if r.Body != nil {
		var buf bytes.Buffer
		if r.ContentLength > 0 {
			buf.Grow(int(min(r.ContentLength, maxTrusted)))
		}
		n, err := buf.ReadFrom(io.LimitReader(r.Body, maxBody+1))
		if err != nil {
			return badRequest("IncompleteBody", "the body ended early: send as many bytes as Content-Length says")
		}
		if n > maxBody {
			return tooLarge(&jsonDialect, maxBody)
		}
		p.body = buf.Bytes()
	}
	p.held = true
	sum := sha256.Sum256(p.body)
	p.hash = hex.EncodeToString(sum[:])
	return nil
}

// install replaces r.Body by a reader that checks what the signature promised.
// signer is nil when signatures are not checked.
func (p *payload) install(r *http.Request, signer *chunkSigner, d *dialect, maxBody int64) {
	inner := r.Body
	if inner == nil {
		inner = http.NoBody
	}
	switch {
	case p.held:
		r.Body = &heldBody{Reader: bytes.NewReader(p.body), Closer: inner}
	case isStreaming(p.hash):
		signed := p.hash != streamingUnsignedTrailer && signer != nil
		if !signed {
			signer = nil
		}
		r.Body = newChunkReader(r, inner, signer, p.decoded, p.hash)
		r.ContentLength = p.decoded
		r.TransferEncoding = nil
		r.Header.Set("Content-Length", strconv.FormatInt(p.decoded, 10))
		stripChunked(r.Header)
	case p.hash == unsignedPayload:
		r.Body = &boundedBody{inner: inner, left: maxBody, over: tooLarge(d, maxBody)}
	default:
		r.Body = &boundedBody{inner: inner, left: maxBody, over: tooLarge(d, maxBody), want: p.hash, sum: sha256.New(), bad: d.badHash}
	}
}

// stripChunked removes aws-chunked from Content-Encoding: it described the
// transfer, and the object must not carry it.
func stripChunked(h http.Header) {
	var kept []string
	for _, v := range h["Content-Encoding"] {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" && !strings.EqualFold(part, "aws-chunked") {
				kept = append(kept, part)
			}
		}
	}
	if len(kept) == 0 {
		h.Del("Content-Encoding")
		return
	}
	h.Set("Content-Encoding", strings.Join(kept, ","))
}

// heldBody is a body in memory; closing it closes the connection's.
type heldBody struct {
	*bytes.Reader
	io.Closer
}

// boundedBody streams a body, refuses it when it is longer than allowed, and at
// its end compares its hash when one was promised.
type boundedBody struct {
	inner io.ReadCloser
	left  int64
	over  error
	want  string // hex, or empty
	sum   hash.Hash
	bad   string // the error code of a mismatch
	err   error  // sticky
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.inner.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		b.err = b.over
		return 0, b.err
	}
	if b.sum != nil {
		_, _ = b.sum.Write(p[:n]) // a hash never fails to write
	}
	if errors.Is(err, io.EOF) && b.sum != nil &&
		subtle.ConstantTimeCompare([]byte(hex.EncodeToString(b.sum.Sum(nil))), []byte(b.want)) == 0 {
		err = badRequest(b.bad, "the body's SHA-256 is not the signed x-amz-content-sha256")
	}
	b.err = err
	return n, err
}

func (b *boundedBody) Close() error { return b.inner.Close() }

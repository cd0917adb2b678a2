package access

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

const (
	// maxChunkLine bounds the line before a chunk: a size and a signature.
	maxChunkLine = 256
	// maxTrailerLine and maxTrailers bound what follows the last chunk: one
	// checksum and one signature in practice.
	maxTrailerLine = 1024
	maxTrailers    = 8
	// chunkBuffer is the read-ahead; it must hold a whole line.
	chunkBuffer = 32 << 10

	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// chunkSigner computes the chain of signatures in a signed aws-chunked body:
// each covers its chunk and the signature before it.
type chunkSigner struct {
	key         []byte
	date, scope string
	previous    string // hex
}

// next checks a signature over the given last lines and makes it the previous one.
func (s *chunkSigner) next(kind, lines, got string) bool {
	text := algorithm + "-" + kind + "\n" + s.date + "\n" + s.scope + "\n" + s.previous + "\n" + lines
	want := hex.EncodeToString(hmacSHA256(s.key, text))
	s.previous = want
	return hmac.Equal([]byte(want), []byte(got))
}

// chunkReader decodes an aws-chunked body. Bytes are handed on before their
// chunk's signature was seen, so that a large chunk needs no memory; the
// signature of the last chunk and of the trailers is always checked before EOF.
type chunkReader struct {
	r        *http.Request // gets the trailers
	inner    io.Closer
	in       *bufio.Reader
	signer   *chunkSigner // nil: not signed
	trailers bool         // the form announced trailers
	left     int64        // decoded bytes still to come
	chunk    int64        // bytes left in this chunk
	sig      string       // this chunk's signature
	sum      hash.Hash    // of this chunk
	err      error        // sticky
}

func newChunkReader(r *http.Request, body io.ReadCloser, signer *chunkSigner, decoded int64, form string) *chunkReader {
	// Made now and filled later: a shallow copy of r, which middleware makes,
	// shares the map.
	r.Trailer = http.Header{}
	return &chunkReader{r: r, inner: body, in: bufio.NewReaderSize(body, chunkBuffer), signer: signer,
		trailers: form != streamingSigned, left: decoded, sum: sha256.New()}
}

// Read implements io.Reader; every refusal is an *Error.
func (c *chunkReader) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if c.chunk == 0 {
		if c.err = c.nextChunk(); c.err != nil {
			return 0, c.err
		}
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.chunk)])
	c.chunk -= int64(n)
	c.left -= int64(n)
	if c.signer != nil {
		_, _ = c.sum.Write(p[:n]) // a hash never fails to write
	}
	if err == nil && c.chunk == 0 {
		err = c.endChunk()
	}
	if err != nil {
		c.err = cut(err)
	}
	return n, c.err
}

// Close closes the connection's body.
func (c *chunkReader) Close() error { return c.inner.Close() }

// nextChunk reads the line before a chunk; io.EOF after the last one.
func (c *chunkReader) nextChunk() error {
	line, err := c.line(maxChunkLine)
	if err != nil {
		return cut(err)
	}
	size, ext, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(size, 16, 63)
	if err != nil || strings.HasPrefix(size, "+") {
		return malformedChunk("a chunk's size is not a hexadecimal number")
	}
	c.sig = ""
	if ext != "" {
		var ok bool
		if c.sig, ok = strings.CutPrefix(ext, "chunk-signature="); !ok {
			return malformedChunk("a chunk has an extension other than chunk-signature")
		}
	}
	c.chunk = int64(n) //nolint:gosec // ParseUint was limited to 63 bits
	if c.chunk > c.left {
		return badRequest("IncompleteBody", "the chunks are longer than x-amz-decoded-content-length says")
	}
	c.sum.Reset()
	if c.chunk > 0 {
		return nil
	}
	return c.finish()
}

// endChunk reads the line end after a chunk and checks its signature.
func (c *chunkReader) endChunk() error {
	if line, err := c.line(maxChunkLine); err != nil {
		return err
	} else if line != "" {
		return malformedChunk("a chunk is longer than its size")
	}
	return c.checkChunk()
}

func (c *chunkReader) checkChunk() error {
	if c.signer == nil {
		return nil
	}
	if !c.signer.next("PAYLOAD", emptyHash+"\n"+hex.EncodeToString(c.sum.Sum(nil)), c.sig) {
		return denied(s3Dialect.badSignature, "the signature of a chunk does not match its bytes")
	}
	return nil
}

// finish reads what follows the empty chunk: trailers or an empty line.
func (c *chunkReader) finish() error {
	if c.left != 0 {
		return badRequest("IncompleteBody", "the chunks are shorter than x-amz-decoded-content-length says")
	}
	if err := c.checkChunk(); err != nil {
		return err
	}
	canonical, signature, err := c.readTrailers()
	if err != nil {
		return cut(err)
	}
	if c.signer != nil && c.trailers {
		sum := sha256.Sum256([]byte(canonical))
		if !c.signer.next("TRAILER", hex.EncodeToString(sum[:]), signature) {
			return denied(s3Dialect.badSignature, "the signature of the trailing headers does not match them")
		}
	}
	if _, err := c.in.ReadByte(); err == nil {
		return malformedChunk("there are bytes after the last chunk")
	}
	return io.EOF
}

// readTrailers reads name:value lines up to an empty line or the end. Names
// must have been announced in the signed x-amz-trailer header.
func (c *chunkReader) readTrailers() (canonical, signature string, err error) {
	announced := map[string]bool{}
	if c.trailers {
		for _, v := range c.r.Header["X-Amz-Trailer"] {
			for name := range strings.SplitSeq(v, ",") {
				announced[strings.ToLower(strings.TrimSpace(name))] = true
			}
		}
	}
	for range maxTrailers {
		line, err := c.line(maxTrailerLine)
		if err == nil && line == "" || errors.Is(err, io.EOF) && line == "" {
			return canonical, signature, nil
		}
		if err != nil {
			return "", "", err
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok:
			return "", "", malformedChunk("a trailing header has no colon")
		case name == "x-amz-trailer-signature" && signature == "":
			signature = value
		case !announced[name] || signature != "" || c.r.Trailer.Get(name) != "":
			return "", "", malformedChunk("the trailing header %q was not announced in x-amz-trailer, is repeated or comes after the signature", clip(name))
		default:
			c.r.Trailer.Set(textproto.CanonicalMIMEHeaderKey(name), value)
			canonical += name + ":" + value + "\n"
		}
	}
	return "", "", malformedChunk("there are more than %d trailing headers", maxTrailers)
}

// line reads up to a line feed, of at most most bytes, without the line end.
// io.EOF comes with what was there.
func (c *chunkReader) line(most int) (string, error) {
	b, err := c.in.ReadSlice('\n')
	if len(b) > most || errors.Is(err, bufio.ErrBufferFull) {
		return "", malformedChunk("a line between chunks is longer than %d bytes", most)
	}
	return strings.TrimRight(string(b), "\r\n"), err
}

// cut says IncompleteBody where the stream ended in the middle, and passes refusals on.
func cut(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return badRequest("IncompleteBody", "the body ended before its last chunk: %v", err)
}

func malformedChunk(format string, args ...any) *Error {
	return badRequest("InvalidRequest", "the aws-chunked body is malformed: %s", fmt.Sprintf(format, args...))
}

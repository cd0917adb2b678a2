package s3

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// kept are the headers that come back with an object as they were given.
var kept = []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires"}

const userMeta = "X-Amz-Meta-"

// lock holds one of the stripes, the same for the same key, and returns it to be
// unlocked. Nobody may hold two of the same stripes.
func lock(stripes *[lockStripes]sync.Mutex, key string) *sync.Mutex {
	h := fnv.New32a()
	_, _ = io.WriteString(h, key) // a hash never fails to write
	m := &stripes[h.Sum32()%lockStripes]
	m.Lock()
	return m
}

// cardFrom reads what a request says of the object it makes.
func cardFrom(r *http.Request) (card, error) {
	c := card{Media: r.Header.Get("Content-Type")}
	if c.Media == "" {
		c.Media = defaultMedia
	}
	for _, name := range kept {
		if v := r.Header.Get(name); v != "" {
			if c.Headers == nil {
				c.Headers = map[string]string{}
			}
			c.Headers[name] = v
		}
	}
	var err error
	if c.Tags, err = headerTags(r.Header.Get(taggingHeader)); err != nil {
		return c, err
	}
	size := 0
	for name, values := range r.Header {
		rest, ok := strings.CutPrefix(name, userMeta)
		if !ok {
			if strings.HasPrefix(name, "X-Amz-Server-Side-Encryption-Customer-") {
				return c, notBuilt("encryption with the customer's keys")
			}
			continue
		}
		if c.User == nil {
			c.User = map[string]string{}
		}
		v := strings.Join(values, ",")
		size += len(rest) + len(v)
		c.User[strings.ToLower(rest)] = v
	}
	if size > maxUserMeta {
		return c, refuse(http.StatusBadRequest, "MetadataTooLarge", "the user metadata has %d bytes, at most %d are allowed", size, maxUserMeta)
	}
	return c, nil
}

// putObject stores an object, or copies one when a copy source is named.
func (d *Door) putObject(c *request) error {
	if c.r.Header.Get("X-Amz-Copy-Source") != "" {
		c.operation = "CopyObject"
		return d.copyObject(c)
	}
	made, err := cardFrom(c.r)
	if err != nil {
		return err
	}
	if c.r.ContentLength < 0 {
		return refuse(http.StatusLengthRequired, "MissingContentLength", "an upload must say its Content-Length")
	}
	if c.r.ContentLength > MaxPut {
		return refuse(http.StatusBadRequest, "EntityTooLarge", "the object has %d bytes, at most %d can be put at once; use a multipart upload", c.r.ContentLength, int64(MaxPut))
	}
	if err := d.writable(c); err != nil {
		return err // before the bytes are sent, when that can be known
	}
	in, err := openBody(c.r)
	if err != nil {
		return err
	}
	w, err := d.blobs.create(c.r.Context(), ObjectKey(c.bucket, c.key), made.Media)
	if err != nil {
		return err
	}
	if err := d.receive(w, in); err != nil {
		w.abort()
		return err
	}
	made.ETag, made.Checksum = in.etag(), in.checksum()
	if err := d.appear(c, w, &made); err != nil {
		return err
	}
	made.Checksum.setHeaders(c.w.Header())
	c.w.Header().Set("ETag", quote(made.ETag))
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// receive copies a body to its end, in a fixed amount of memory.
func (d *Door) receive(w io.Writer, in *body) error {
	_, err := io.CopyBuffer(justWriter{w}, in, make([]byte, copyBuffer))
	d.bytes.WithLabelValues("in").Add(float64(in.n))
	return err
}

// justWriter hides io.ReaderFrom, whose implementers choose their own buffers.
type justWriter struct{ io.Writer }

// appear commits an object under its key with its card, if the request's
// conditions still hold.
func (d *Door) appear(c *request, w *writer, made *card) error {
	if err := w.settle(); err != nil { // a large object takes its time, and others need the locks
		w.abort()
		return err
	}
	d.buckets.RLock()
	defer d.buckets.RUnlock()
	defer lock(&d.keys, ObjectKey(c.bucket, c.key)).Unlock()
	ctx := c.r.Context()
	err := d.needBucket(ctx, c.bucket)
	if err == nil {
		err = d.writable(c)
	}
	if err != nil {
		w.abort()
		return err
	}
	if err := w.commit(); err != nil {
		return err
	}
	at, err := d.blobs.bucket.Attributes(ctx, ObjectKey(c.bucket, c.key))
	if err != nil {
		return err
	}
	made.Size, made.ModTime = at.Size, at.ModTime
	return d.blobs.writeJSON(ctx, cardPrefix+c.bucket+"/"+c.key, made)
}

// writable checks If-Match and If-None-Match of a write.
func (d *Door) writable(c *request) error {
	match, none := c.r.Header.Get("If-Match"), c.r.Header.Get("If-None-Match")
	if match == "" && none == "" {
		return nil
	}
	if none != "" && none != "*" {
		return notBuilt("If-None-Match with anything but * on a write")
	}
	now, err := d.blobs.stat(c.r.Context(), c.bucket, c.key)
	var missing *apiError
	switch {
	case errors.As(err, &missing):
		if match != "" {
			return err
		}
		return nil
	case err != nil:
		return err
	case none == "*", match != "*" && !sameETag(match, now.ETag):
		return failed()
	}
	return nil
}

func failed() error {
	return refuse(http.StatusPreconditionFailed, "PreconditionFailed", "a condition in the request's headers does not hold")
}

// readable checks the conditions of a read, whose headers may carry a prefix,
// against the tag and the date that are told of the object.
func readable(h http.Header, prefix, etag string, at time.Time) error {
	at = at.Truncate(time.Second)
	if v := h.Get(prefix + "If-Match"); v != "" {
		if v != "*" && !sameETag(v, etag) {
			return failed()
		}
	} else if t, err := http.ParseTime(h.Get(prefix + "If-Unmodified-Since")); err == nil && at.After(t) {
		return failed()
	}
	unchanged := false
	if v := h.Get(prefix + "If-None-Match"); v != "" {
		unchanged = v == "*" || sameETag(v, etag)
	} else if t, err := http.ParseTime(h.Get(prefix + "If-Modified-Since")); err == nil {
		unchanged = !at.After(t)
	}
	if unchanged && prefix != "" {
		return failed()
	}
	if unchanged {
		return refuse(http.StatusNotModified, "NotModified", "the object has not changed")
	}
	return nil
}

// sameETag says whether a header's list of ETags has one.
func sameETag(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if strings.Trim(strings.TrimPrefix(strings.TrimSpace(one), "W/"), `"`) == etag {
			return true
		}
	}
	return false
}

func quote(etag string) string { return `"` + etag + `"` }

// getObject answers GET and HEAD, whole or in one range.
func (d *Door) getObject(c *request) error {
	head := c.r.Method == http.MethodHead
	found, err := d.blobs.stat(c.r.Context(), c.bucket, c.key)
	if err != nil {
		return err
	}
	if err := readable(c.r.Header, "", found.ETag, d.dated(found.ModTime)); err != nil {
		c.w.Header().Set("Last-Modified", d.dated(found.ModTime).UTC().Format(http.TimeFormat))
		return err
	}
	offset, length, partial, err := rangeOf(c, found.Size)
	if err != nil {
		c.w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", found.Size))
		return err
	}
	status := http.StatusOK
	if partial {
		status = http.StatusPartialContent
		c.w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", offset, offset+length-1, found.Size))
	}
	if head {
		d.describe(c, found, length, partial)
		c.w.WriteHeader(status)
		return nil
	}
	r, err := d.blobs.bucket.NewRangeReader(c.r.Context(), ObjectKey(c.bucket, c.key), offset, length, nil)
	if isMissing(err) {
		return noSuchKey(c.key)
	}
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was only read
	if r.Size() != found.Size || !r.ModTime().Equal(found.ModTime) {
		return refuse(http.StatusServiceUnavailable, "SlowDown", "the object was replaced while it was opened; try again")
	}
	d.describe(c, found, length, partial)
	c.w.WriteHeader(status)
	n, err := io.CopyBuffer(justWriter{c.w}, justReader{r}, make([]byte, copyBuffer))
	d.bytes.WithLabelValues("out").Add(float64(n))
	if err != nil {
		// The status is sent: the only honest end is a connection cut short.
		d.log.Warn("object was not sent to its end", "bucket", c.bucket, "key", c.key, "sent", n, "of", length, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// justReader hides io.WriterTo, whose implementer chooses its own buffer.
type justReader struct{ io.Reader }

// describe writes an object's headers.
func (d *Door) describe(c *request, found card, length int64, partial bool) {
	h := c.w.Header()
	h.Set("Content-Type", found.Media)
	for name, v := range found.Headers {
		h.Set(name, v)
	}
	for name, v := range found.User {
		h[userMeta+name] = []string{v} // as given, in lower case
	}
	for name, header := range map[string]string{"response-content-type": "Content-Type", "response-content-language": "Content-Language",
		"response-expires": "Expires", "response-cache-control": "Cache-Control",
		"response-content-disposition": "Content-Disposition", "response-content-encoding": "Content-Encoding"} {
		if v := c.q.Get(name); v != "" {
			h.Set(header, v)
		}
	}
	if n := len(found.Tags); n > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(n))
	}
	h.Set("ETag", quote(found.ETag))
	h.Set("Last-Modified", d.dated(found.ModTime).UTC().Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Length", strconv.FormatInt(length, 10))
	if !partial && strings.EqualFold(c.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		found.Checksum.setHeaders(h)
	}
}

// rangeOf reads a Range header of one range, or a part number, of which every
// object here has one. A header that is not understood is ignored, as HTTP says.
func rangeOf(c *request, size int64) (offset, length int64, partial bool, err error) {
	notIn := refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "the range lies outside the object, which has %d bytes", size)
	if p := c.q.Get("partNumber"); p != "" && p != "1" {
		return 0, 0, false, refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "the object has one part")
	}
	spec, ok := strings.CutPrefix(c.r.Header.Get("Range"), "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return 0, size, false, nil
	}
	if first == "" { // the last so many bytes
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil {
			return 0, size, false, nil //nolint:nilerr // not understood: ignored
		}
		if n <= 0 || size == 0 {
			return 0, 0, false, notIn
		}
		n = min(n, size)
		return size - n, n, true, nil
	}
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil || from < 0 {
		return 0, size, false, nil //nolint:nilerr // not understood: ignored
	}
	to := size - 1
	if last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < from {
			return 0, size, false, nil //nolint:nilerr // not understood: ignored
		}
		to = min(n, to)
	}
	if from >= size {
		return 0, 0, false, notIn
	}
	return from, to - from + 1, true, nil
}

// deleteObject removes an object; its absence is no error.
func (d *Door) deleteObject(c *request) error {
	if err := d.remove(c.r.Context(), c.bucket, c.key); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// remove deletes the object before its card: a card alone says nothing.
func (d *Door) remove(ctx context.Context, bucket, key string) error {
	defer lock(&d.keys, ObjectKey(bucket, key)).Unlock()
	if err := d.blobs.remove(ctx, ObjectKey(bucket, key)); err != nil {
		return err
	}
	return d.blobs.remove(ctx, cardPrefix+bucket+"/"+key)
}

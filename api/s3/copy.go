package s3

import (
	"crypto/md5" //nolint:gosec // the ETag is an MD5
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob"
)

const (
	copySource  = "X-Amz-Copy-Source"
	xmlTime     = "2006-01-02T15:04:05.000Z"
	xmlSpace    = "http://s3.amazonaws.com/doc/2006-03-01/"
	directiveIs = "X-Amz-Metadata-Directive"
)

// source is an object that a copy reads.
type source struct {
	bucket, key string
	card        card
}

// sourceOf finds the object that x-amz-copy-source names, if its conditions hold.
func (d *Door) sourceOf(c *request) (source, error) {
	path, version, _ := strings.Cut(c.r.Header.Get(copySource), "?versionId=")
	if version != "" && version != "null" {
		return source{}, refuse(http.StatusNotFound, "NoSuchVersion", "this server keeps no versions")
	}
	path, err := url.PathUnescape(strings.TrimPrefix(path, "/"))
	var s source
	if err == nil {
		s.bucket, s.key, _ = strings.Cut(path, "/")
	}
	if err != nil || !validBucket(s.bucket) || s.key == "" {
		return s, invalid("x-amz-copy-source must be bucket/key, URL-encoded, not %q", clip(c.r.Header.Get(copySource)))
	}
	if err := d.blobs.checkKey(s.key); err != nil {
		return s, err
	}
	if err := d.needBucket(c.r.Context(), s.bucket); err != nil {
		return s, err
	}
	if s.card, err = d.blobs.stat(c.r.Context(), s.bucket, s.key); err != nil {
		return s, err
	}
	return s, readable(c.r.Header, copySource+"-", s.card.ETag, d.dated(s.card.ModTime))
}

// open reads a range of the source, which must still be the object that was found.
func (d *Door) open(c *request, s source, offset, length int64) (*blob.Reader, error) {
	r, err := d.blobs.bucket.NewRangeReader(c.r.Context(), ObjectKey(s.bucket, s.key), offset, length, nil)
	if isMissing(err) {
		return nil, noSuchKey(s.key)
	}
	if err != nil {
		return nil, err
	}
	if r.Size() != s.card.Size || !r.ModTime().Equal(s.card.ModTime) {
		_ = r.Close() // it was only opened
		return nil, refuse(http.StatusServiceUnavailable, "SlowDown", "the source was replaced while it was opened; try again")
	}
	return r, nil
}

// copyObject copies an object, with its own metadata or the request's.
func (d *Door) copyObject(c *request) error {
	from, err := d.sourceOf(c)
	if err != nil {
		return err
	}
	if from.card.Size > MaxPut {
		return refuse(http.StatusBadRequest, "InvalidRequest", "the source has more than %d bytes; copy it in parts", int64(MaxPut))
	}
	made, err := cardFrom(c.r)
	if err != nil {
		return err
	}
	switch directive := c.r.Header.Get(directiveIs); directive {
	case "REPLACE":
	case "", "COPY":
		if from.bucket == c.bucket && from.key == c.key {
			return refuse(http.StatusBadRequest, "InvalidRequest", "copying an object to itself needs x-amz-metadata-directive: REPLACE")
		}
		made.Media, made.Headers, made.User = from.card.Media, from.card.Headers, from.card.User
	default:
		return invalid("x-amz-metadata-directive must be COPY or REPLACE, not %q", clip(directive))
	}
	switch directive := c.r.Header.Get(taggingHeader + "-Directive"); directive {
	case "REPLACE":
	case "", "COPY":
		made.Tags = from.card.Tags
	default:
		return invalid("x-amz-tagging-directive must be COPY or REPLACE, not %q", clip(directive))
	}
	in, err := d.open(c, from, 0, -1)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	w, err := d.blobs.create(c.r.Context(), ObjectKey(c.bucket, c.key), made.Media)
	if err != nil {
		return err
	}
	sum := md5.New() //nolint:gosec // see above
	if _, err := io.CopyBuffer(io.MultiWriter(justWriter{w}, sum), justReader{in}, make([]byte, copyBuffer)); err != nil {
		w.abort()
		return err
	}
	made.ETag = hex.EncodeToString(sum.Sum(nil))
	if from.card.Checksum != nil && from.card.Checksum.Type == fullObject {
		made.Checksum = from.card.Checksum
	}
	if err := d.appear(c, w, &made); err != nil {
		return err
	}
	writeXML(c.w, http.StatusOK, copied{XMLName: xml.Name{Space: xmlSpace, Local: "CopyObjectResult"}, ETag: quote(made.ETag), LastModified: d.dated(made.ModTime).UTC().Format(xmlTime)})
	return nil
}

type copied struct {
	XMLName      xml.Name
	ETag         string
	LastModified string
}

// copyPart takes a part of an upload from an object.
func (d *Door) copyPart(c *request, up *upload, number int) error {
	from, err := d.sourceOf(c)
	if err != nil {
		return err
	}
	offset, length := int64(0), from.card.Size
	if spec := c.r.Header.Get(copySource + "-Range"); spec != "" {
		first, last, _ := strings.Cut(strings.TrimPrefix(spec, "bytes="), "-")
		a, errA := strconv.ParseInt(first, 10, 64)
		z, errZ := strconv.ParseInt(last, 10, 64)
		if errA != nil || errZ != nil || a < 0 || z < a || z >= from.card.Size {
			return invalid("x-amz-copy-source-range must be bytes=first-last within the source's %d bytes, not %q", from.card.Size, clip(spec))
		}
		offset, length = a, z-a+1
	}
	if length > MaxPut {
		return refuse(http.StatusBadRequest, "EntityTooLarge", "a part has at most %d bytes", int64(MaxPut))
	}
	in, err := d.open(c, from, offset, length)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	sum := md5.New()                  //nolint:gosec // see above
	p, err := d.storePart(c.r.Context(), up, number, func(w io.Writer) (part, error) {
		n, err := io.CopyBuffer(io.MultiWriter(justWriter{w}, sum), justReader{in}, make([]byte, copyBuffer))
		if err == nil && n != length {
			err = fmt.Errorf("copy a part: %d of %d bytes: %w", n, length, io.ErrUnexpectedEOF)
		}
		return part{Size: n, ETag: hex.EncodeToString(sum.Sum(nil)), ModTime: d.clock().Truncate(time.Millisecond)}, err
	})
	if err != nil {
		return err
	}
	writeXML(c.w, http.StatusOK, copied{XMLName: xml.Name{Space: xmlSpace, Local: "CopyPartResult"}, ETag: quote(p.ETag), LastModified: p.ModTime.UTC().Format(xmlTime)})
	return nil
}

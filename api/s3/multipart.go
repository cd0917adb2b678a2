package s3

import (
	"context"
	"crypto/md5" //nolint:gosec // the ETag is an MD5 of MD5s
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// upload is a multipart upload in progress, kept at s3-uploads/<id>/upload.json
// so that a restart does not lose it.
type upload struct {
	ID        string    `json:"id"`
	Bucket    string    `json:"bucket"`
	Key       string    `json:"key"`
	Started   time.Time `json:"started"`
	Card      card      `json:"card"`
	Algorithm string    `json:"algorithm,omitempty"` // of the parts' checksums
	Type      string    `json:"type,omitempty"`      // FULL_OBJECT or COMPOSITE
}

// part is one part of an upload, kept at s3-uploads/<id>/part-00001.json. Its
// bytes have a name of their own, so that replacing a part is one rename.
type part struct {
	Data     string    `json:"data"` // blob key
	Size     int64     `json:"size"`
	ETag     string    `json:"etag"`
	ModTime  time.Time `json:"modTime"`
	Checksum *checksum `json:"checksum,omitempty"`
}

func uploadKey(id string) string { return uploadPrefix + id + "/upload.json" }
func partKey(id string, number int) string {
	return fmt.Sprintf("%s%s/part-%05d.json", uploadPrefix, id, number)
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, as crypto/rand documents
	return hex.EncodeToString(b[:])
}

// findUpload finds the upload that a request names. The id becomes part of a
// blob key, so only the form that newID makes is looked for.
func (d *Door) findUpload(c *request) (*upload, error) {
	id := c.q.Get("uploadId")
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != 16 {
		return nil, noSuchUpload()
	}
	up := &upload{}
	err := d.blobs.readJSON(c.r.Context(), uploadKey(id), up)
	if isMissing(err) || err == nil && (up.Bucket != c.bucket || up.Key != c.key) {
		return nil, noSuchUpload()
	}
	return up, err
}

// createUpload begins an upload.
func (d *Door) createUpload(c *request) error {
	about, err := cardFrom(c.r)
	if err != nil {
		return err
	}
	up := upload{ID: newID(), Bucket: c.bucket, Key: c.key, Started: d.clock(), Card: about,
		Algorithm: strings.ToUpper(c.r.Header.Get(checksumHeader + "Algorithm")), Type: strings.ToUpper(c.r.Header.Get(checksumHeader + "Type"))}
	if up.Algorithm != "" && newHash(up.Algorithm) == nil {
		return notBuilt("the checksum algorithm " + clip(up.Algorithm))
	}
	if up.Algorithm != "" && up.Type == "" {
		if up.Type = composite; up.Algorithm == "CRC64NVME" {
			up.Type = fullObject
		}
	}
	if err := d.blobs.writeJSON(c.r.Context(), uploadKey(up.ID), up); err != nil {
		return err
	}
	if up.Algorithm != "" {
		c.w.Header().Set(checksumHeader+"Algorithm", up.Algorithm)
		c.w.Header().Set(checksumHeader+"Type", up.Type)
	}
	writeXML(c.w, http.StatusOK, struct {
		XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
		Bucket   string
		Key      string
		UploadID string `xml:"UploadId"`
	}{Bucket: c.bucket, Key: c.key, UploadID: up.ID})
	return nil
}

// uploadPart stores one part, from the body or from another object.
func (d *Door) uploadPart(c *request) error {
	number, err := strconv.Atoi(c.q.Get("partNumber"))
	if err != nil || number < 1 || number > maxParts {
		return invalid("partNumber must be from 1 to %d, not %q", maxParts, clip(c.q.Get("partNumber")))
	}
	up, err := d.findUpload(c)
	if err != nil {
		return err
	}
	if c.r.Header.Get(copySource) != "" {
		c.operation = "UploadPartCopy"
		return d.copyPart(c, up, number)
	}
	if c.r.ContentLength < 0 {
		return refuse(http.StatusLengthRequired, "MissingContentLength", "a part must say its Content-Length")
	}
	in, err := openBody(c.r)
	if err != nil {
		return err
	}
	p, err := d.storePart(c.r.Context(), up, number, func(w io.Writer) (part, error) {
		err := d.receive(w, in)
		return part{Size: in.n, ETag: in.etag(), ModTime: d.clock(), Checksum: in.checksum()}, err
	})
	if err != nil {
		return err
	}
	p.Checksum.setHeaders(c.w.Header())
	c.w.Header().Del(checksumHeader + "Type") // S3 gives it for objects only
	c.w.Header().Set("ETag", quote(p.ETag))
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// storePart writes a part's bytes under a new name and then makes them the part.
func (d *Door) storePart(ctx context.Context, up *upload, number int, fill func(io.Writer) (part, error)) (part, error) {
	data := fmt.Sprintf("%s%s/data-%05d-%s", uploadPrefix, up.ID, number, newID())
	w, err := d.blobs.create(ctx, data, defaultMedia)
	if err != nil {
		return part{}, err
	}
	p, err := fill(w)
	if err != nil {
		w.abort()
		return p, err
	}
	if err := w.commit(); err != nil {
		return p, err
	}
	p.Data = data
	defer lock(&d.keys, partKey(up.ID, number)).Unlock()
	var before part
	if err := d.blobs.readJSON(ctx, partKey(up.ID, number), &before); err != nil && !isMissing(err) {
		return p, err
	}
	if ok, err := d.blobs.bucket.Exists(ctx, uploadKey(up.ID)); err != nil || !ok {
		return p, errors.Join(noSuchUpload(), err, d.blobs.remove(ctx, data)) // aborted meanwhile
	}
	if err := d.blobs.writeJSON(ctx, partKey(up.ID, number), p); err != nil {
		return p, err
	}
	if before.Data == "" {
		return p, nil
	}
	return p, d.blobs.remove(ctx, before.Data)
}

type completePart struct {
	PartNumber                                                                                                  int
	ETag                                                                                                        string
	ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256, ChecksumSHA512, ChecksumMD5 string
}

// sent is the checksum of an algorithm that came with the part, or empty.
func (p *completePart) sent(algorithm string) string {
	return map[string]string{"CRC32": p.ChecksumCRC32, "CRC32C": p.ChecksumCRC32C, "CRC64NVME": p.ChecksumCRC64NVME,
		"SHA1": p.ChecksumSHA1, "SHA256": p.ChecksumSHA256, "SHA512": p.ChecksumSHA512, "MD5": p.ChecksumMD5}[algorithm]
}

// completeUpload puts the parts together, streaming them into one blob.
func (d *Door) completeUpload(c *request) error {
	var in struct {
		XMLName xml.Name       `xml:"CompleteMultipartUpload"`
		Parts   []completePart `xml:"Part"`
	}
	if err := readXML(&http.Request{Header: withoutChecksums(c.r.Header), Body: c.r.Body, ContentLength: c.r.ContentLength}, &in, false); err != nil {
		return err
	}
	// A client that lost the answer completes again; one at a time, and the
	// second is told what the first was.
	defer lock(&d.ends, c.q.Get("uploadId")).Unlock()
	up, err := d.findUpload(c)
	if err != nil {
		if was, serr := d.blobs.stat(c.r.Context(), c.bucket, c.key); serr == nil && was.Upload != "" && was.Upload == c.q.Get("uploadId") {
			completed(c, was)
			return nil
		}
		return err
	}
	parts, err := d.chosen(c.r.Context(), up, in.Parts)
	if err != nil {
		return err
	}
	made, err := d.join(c, up, parts)
	if err != nil {
		return err
	}
	// The object is there and durable; what is left of the upload is only space,
	// which the hourly sweep removes as well.
	if err := d.dropUpload(context.WithoutCancel(c.r.Context()), up.ID); err != nil {
		d.log.Warn("parts of a completed upload were not removed; they will be", "upload", up.ID, "error", err)
	}
	completed(c, made)
	return nil
}

// withoutChecksums hides what describes the object, not the XML.
func withoutChecksums(h http.Header) http.Header {
	h = h.Clone()
	for name := range h {
		if strings.HasPrefix(name, checksumHeader) {
			delete(h, name)
		}
	}
	return h
}

func completed(c *request, made card) {
	type result struct {
		XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
		Location string
		Bucket   string
		Key      string
		ETag     string
		Sum      []any
	}
	out := result{Location: "http://" + c.r.Host + "/" + c.bucket + "/" + urlEncode(c.key), Bucket: c.bucket, Key: c.key, ETag: quote(made.ETag)}
	if made.Checksum != nil {
		out.Sum = []any{element("Checksum"+made.Checksum.Algorithm, made.Checksum.Value), element("ChecksumType", made.Checksum.Type)}
	}
	writeXML(c.w, http.StatusOK, out)
}

// element is an XML element whose name is only known now.
func element(name, text string) any {
	return struct {
		XMLName xml.Name
		Text    string `xml:",chardata"`
	}{xml.Name{Local: name}, text}
}

// chosen checks a client's list of parts against those that came.
func (d *Door) chosen(ctx context.Context, up *upload, list []completePart) ([]part, error) {
	if len(list) == 0 || len(list) > maxParts {
		return nil, refuse(http.StatusBadRequest, "MalformedXML", "an upload is completed with 1 to %d parts, not %d", maxParts, len(list))
	}
	for i := 1; i < len(list); i++ {
		if list[i].PartNumber <= list[i-1].PartNumber {
			return nil, refuse(http.StatusBadRequest, "InvalidPartOrder", "the parts must be listed once each, in ascending order")
		}
	}
	parts := make([]part, len(list))
	total := int64(0)
	for i, want := range list {
		if want.PartNumber < 1 || want.PartNumber > maxParts {
			return nil, invalid("part numbers are from 1 to %d, not %d", maxParts, want.PartNumber)
		}
		p := &parts[i]
		err := d.blobs.readJSON(ctx, partKey(up.ID, want.PartNumber), p)
		if err != nil && !isMissing(err) {
			return nil, err
		}
		wrong := err != nil || !sameETag(want.ETag, p.ETag)
		if p.Checksum != nil {
			sent := want.sent(p.Checksum.Algorithm)
			wrong = wrong || sent != "" && sent != p.Checksum.Value
		}
		if wrong {
			return nil, refuse(http.StatusBadRequest, "InvalidPart", "part %d did not come, or is not the one that was listed", want.PartNumber)
		}
		if i < len(list)-1 && p.Size < minPart {
			return nil, refuse(http.StatusBadRequest, "EntityTooSmall", "part %d has %d bytes; every part but the last needs %d", want.PartNumber, p.Size, minPart)
		}
		if total += p.Size; total > maxObject {
			return nil, refuse(http.StatusBadRequest, "EntityTooLarge", "the parts make more than %d bytes", int64(maxObject))
		}
	}
	return parts, nil
}

// join streams the parts into the object.
func (d *Door) join(c *request, up *upload, parts []part) (made card, err error) {
	made = up.Card
	made.Upload = up.ID
	var whole hash.Hash // of the object, when its checksum is of the whole
	if up.Type == fullObject {
		whole = newHash(up.Algorithm)
	}
	w, err := d.blobs.create(c.r.Context(), ObjectKey(c.bucket, c.key), made.Media)
	if err != nil {
		return made, err
	}
	etag := md5.New() //nolint:gosec // see above
	buf := make([]byte, copyBuffer)
	for i := range parts {
		if err := d.concat(c.r.Context(), w, whole, &parts[i], buf); err != nil {
			w.abort()
			return made, err
		}
		raw, _ := hex.DecodeString(parts[i].ETag) // we made it
		_, _ = etag.Write(raw)                    // a hash never fails to write
	}
	made.ETag = fmt.Sprintf("%s-%d", hex.EncodeToString(etag.Sum(nil)), len(parts))
	made.Checksum = checksumOf(up, parts, whole)
	if err := promised(c.r, up, parts, whole, made.Checksum); err != nil {
		w.abort()
		return made, err
	}
	return made, d.appear(c, w, &made)
}

// concat copies one part.
func (d *Door) concat(ctx context.Context, w io.Writer, whole hash.Hash, p *part, buf []byte) (err error) {
	r, err := d.blobs.bucket.NewReader(ctx, p.Data, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if whole != nil {
		w = io.MultiWriter(w, whole)
	}
	n, err := io.CopyBuffer(justWriter{w}, justReader{r}, buf)
	if err == nil && n != p.Size {
		err = fmt.Errorf("join parts: %s has %d bytes, %d came", p.Data, n, p.Size)
	}
	return err
}

// checksumOf is the object's checksum: of its bytes, or of its parts' checksums.
func checksumOf(up *upload, parts []part, whole hash.Hash) *checksum {
	if whole != nil {
		return &checksum{Algorithm: up.Algorithm, Type: fullObject, Value: base64.StdEncoding.EncodeToString(whole.Sum(nil))}
	}
	sum := newHash(up.Algorithm)
	if sum == nil {
		return nil
	}
	for _, p := range parts {
		if p.Checksum == nil || p.Checksum.Algorithm != up.Algorithm {
			return nil // a part came without: there is nothing to combine
		}
		raw, _ := base64.StdEncoding.DecodeString(p.Checksum.Value) // we made it
		_, _ = sum.Write(raw)                                       // a hash never fails to write
	}
	return &checksum{Algorithm: up.Algorithm, Type: composite, Value: fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(sum.Sum(nil)), len(parts))}
}

// promised compares the object with what the completing request says of it.
func promised(r *http.Request, up *upload, parts []part, whole hash.Hash, got *checksum) error {
	if v := r.Header.Get("X-Amz-Mp-Object-Size"); v != "" {
		total := int64(0)
		for _, p := range parts {
			total += p.Size
		}
		if v != strconv.FormatInt(total, 10) {
			return refuse(http.StatusBadRequest, "InvalidRequest", "the parts make %d bytes, not the %s of x-amz-mp-object-size", total, clip(v))
		}
	}
	want := r.Header.Get(checksumHeader + up.Algorithm)
	if up.Algorithm == "" || want == "" || got == nil {
		return nil
	}
	if whole != nil {
		return checkSum(up.Algorithm, whole, want)
	}
	base, _, _ := strings.Cut(want, "-")
	if mine, _, _ := strings.Cut(got.Value, "-"); base != mine {
		return refuse(http.StatusBadRequest, "BadDigest", "the %s checksum of the parts is not the one that was sent", up.Algorithm)
	}
	return nil
}

// abortUpload forgets an upload.
func (d *Door) abortUpload(c *request) error {
	up, err := d.findUpload(c)
	if err != nil {
		return err
	}
	if err := d.dropUpload(c.r.Context(), up.ID); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

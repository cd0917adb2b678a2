package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"gocloud.dev/blob"
)

// listParts lists the parts of an upload that came.
func (d *Door) listParts(c *request) error {
	up, err := d.findUpload(c)
	if err != nil {
		return err
	}
	most, err := count(c, "max-parts")
	if err != nil {
		return err
	}
	after := 0
	if v := c.q.Get("part-number-marker"); v != "" {
		if after, err = strconv.Atoi(v); err != nil || after < 0 || after > math.MaxInt32 {
			return invalid("part-number-marker must be a part number, not %q", clip(v))
		}
	}
	type partXML struct {
		PartNumber   int
		LastModified string
		ETag         string
		Size         int64
		Sum          []any
	}
	var out struct {
		XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
		Bucket               string
		Key                  string
		UploadID             string `xml:"UploadId"`
		PartNumberMarker     int
		NextPartNumberMarker int `xml:",omitempty"`
		MaxParts             int
		IsTruncated          bool
		StorageClass         string
		ChecksumAlgorithm    string    `xml:",omitempty"`
		ChecksumType         string    `xml:",omitempty"`
		Parts                []partXML `xml:"Part"`
	}
	out.Bucket, out.Key, out.UploadID, out.PartNumberMarker, out.MaxParts = c.bucket, c.key, up.ID, after, most
	out.StorageClass, out.ChecksumAlgorithm, out.ChecksumType = "STANDARD", up.Algorithm, up.Type
	it := d.blobs.bucket.List(&blob.ListOptions{Prefix: uploadPrefix + up.ID + "/part-"})
	for {
		o, err := it.Next(c.r.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		number, ok := strings.CutSuffix(strings.TrimPrefix(o.Key, uploadPrefix+up.ID+"/part-"), ".json")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n <= after {
			continue // before the page, or unfinished
		}
		if len(out.Parts) == most {
			out.IsTruncated = most > 0
			break
		}
		var p part
		if err := d.blobs.readJSON(c.r.Context(), o.Key, &p); isMissing(err) {
			continue // the upload ends meanwhile
		} else if err != nil {
			return err
		}
		line := partXML{PartNumber: n, LastModified: p.ModTime.UTC().Format(xmlTime), ETag: quote(p.ETag), Size: p.Size}
		if p.Checksum != nil {
			line.Sum = []any{element("Checksum"+p.Checksum.Algorithm, p.Checksum.Value)}
		}
		out.Parts = append(out.Parts, line)
		out.NextPartNumberMarker = n
	}
	writeXML(c.w, http.StatusOK, out)
	return nil
}

// eachUpload visits the uploads in progress until visit says stop.
func (d *Door) eachUpload(ctx context.Context, visit func(*upload) (more bool, err error)) error {
	it := d.blobs.bucket.List(&blob.ListOptions{Prefix: uploadPrefix, Delimiter: "/"})
	for {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !o.IsDir {
			continue
		}
		up := upload{ID: strings.TrimSuffix(strings.TrimPrefix(o.Key, uploadPrefix), "/")}
		err = d.blobs.readJSON(ctx, uploadKey(up.ID), &up)
		if err != nil && !isMissing(err) {
			return err
		}
		// Without a manifest the zero Started stands: it is a rest to sweep.
		if more, err := visit(&up); err != nil || !more {
			return err
		}
	}
}

// listUploads lists a bucket's uploads in progress by id: there are few, and
// clients only look for their own to abort them.
func (d *Door) listUploads(c *request) error {
	encode, err := encoding(c)
	if err != nil {
		return err
	}
	most, err := count(c, "max-uploads")
	if err != nil {
		return err
	}
	type uploadXML struct {
		Key          string
		UploadID     string `xml:"UploadId"`
		Initiator    owner
		Owner        owner
		StorageClass string
		Initiated    string
	}
	var out struct {
		XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
		Bucket             string
		Prefix             string
		KeyMarker          string
		UploadIDMarker     string `xml:"UploadIdMarker"`
		NextKeyMarker      string `xml:",omitempty"`
		NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
		EncodingType       string `xml:",omitempty"`
		MaxUploads         int
		IsTruncated        bool
		Uploads            []uploadXML `xml:"Upload"`
	}
	prefix, after := c.q.Get("prefix"), c.q.Get("upload-id-marker")
	out.Bucket, out.Prefix, out.MaxUploads, out.EncodingType = c.bucket, encode(prefix), most, c.q.Get("encoding-type")
	out.KeyMarker, out.UploadIDMarker = encode(c.q.Get("key-marker")), after
	err = d.eachUpload(c.r.Context(), func(up *upload) (bool, error) {
		if up.Bucket != c.bucket || !strings.HasPrefix(up.Key, prefix) || up.ID <= after {
			return true, nil
		}
		if len(out.Uploads) == most {
			out.IsTruncated = most > 0
			return false, nil
		}
		out.Uploads = append(out.Uploads, uploadXML{Key: encode(up.Key), UploadID: up.ID, Initiator: everyone, Owner: everyone,
			StorageClass: "STANDARD", Initiated: up.Started.UTC().Format(xmlTime)})
		out.NextKeyMarker, out.NextUploadIDMarker = encode(up.Key), up.ID
		return true, nil
	})
	if err != nil {
		return err
	}
	if !out.IsTruncated {
		out.NextKeyMarker, out.NextUploadIDMarker = "", ""
	}
	writeXML(c.w, http.StatusOK, out)
	return nil
}

// sweepUploads removes the uploads that nobody went on with, and the rests of
// those that ended while a part was still coming.
func (d *Door) sweepUploads(ctx context.Context) (n int, err error) {
	before := d.clock().Add(-uploadTTL)
	err = d.eachUpload(ctx, func(up *upload) (bool, error) {
		if up.Started.IsZero() { // no manifest: ended, or just beginning
			o, err := d.blobs.bucket.List(&blob.ListOptions{Prefix: uploadPrefix + up.ID + "/"}).Next(ctx)
			if errors.Is(err, io.EOF) {
				return true, nil
			}
			if err != nil {
				return false, err
			}
			up.Started = o.ModTime
		}
		if up.Started.After(before) {
			return true, nil
		}
		if err := d.dropUpload(ctx, up.ID); err != nil {
			return false, err
		}
		n++
		return true, nil
	})
	return n, err
}

// dropUpload removes an upload and its parts, its manifest first: without it no
// part is accepted any more.
func (d *Door) dropUpload(ctx context.Context, id string) error {
	if err := d.blobs.remove(ctx, uploadKey(id)); err != nil {
		return err
	}
	it := d.blobs.bucket.List(&blob.ListOptions{Prefix: uploadPrefix + id + "/"})
	for {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := d.blobs.remove(ctx, o.Key); err != nil {
			return err
		}
	}
}

package s3

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"gocloud.dev/blob"
)

// bucketMark is what is kept of a bucket: its existence, and its tags.
type bucketMark struct {
	Created time.Time `json:"created"`
	Tags    []tag     `json:"tags,omitempty"`
}

// owner is who everything belongs to; S3 clients expect to be told.
type owner struct {
	ID          string
	DisplayName string
}

var everyone = owner{ID: "attune", DisplayName: "attune"}

// validBucket checks a name by Amazon's rules.
func validBucket(name string) bool {
	if len(name) < 3 || len(name) > 63 || strings.Contains(name, "..") || net.ParseIP(name) != nil {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !letter && (c != '-' && c != '.' || i == 0 || i == len(name)-1) {
			return false
		}
	}
	return true
}

// HasBucket says whether a bucket exists, for those who write objects without a request.
func (d *Door) HasBucket(ctx context.Context, name string) (bool, error) {
	if !validBucket(name) {
		return false, nil
	}
	return d.blobs.bucket.Exists(ctx, bucketPrefix+name)
}

func (d *Door) needBucket(ctx context.Context, name string) error {
	ok, err := d.blobs.bucket.Exists(ctx, bucketPrefix+name)
	if err == nil && !ok {
		err = noSuchBucket(name)
	}
	return err
}

type bucketXML struct {
	Name         string
	CreationDate string
	BucketRegion string
}

// listBuckets lists them all: an installation has a handful.
func (d *Door) listBuckets(c *request) error {
	var out struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
		Owner   owner
		Buckets []bucketXML `xml:"Buckets>Bucket"`
	}
	out.Owner = everyone
	it := d.blobs.bucket.List(&blob.ListOptions{Prefix: bucketPrefix})
	for {
		o, err := it.Next(c.r.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(o.Key, bucketPrefix)
		if !validBucket(name) { // an unfinished file
			continue
		}
		mark := bucketMark{Created: o.ModTime}
		if err := d.blobs.readJSON(c.r.Context(), o.Key, &mark); isMissing(err) {
			continue
		} else if err != nil {
			return err
		}
		out.Buckets = append(out.Buckets, bucketXML{Name: name, CreationDate: mark.Created.UTC().Format(xmlTime), BucketRegion: d.region})
	}
	writeXML(c.w, http.StatusOK, out)
	return nil
}

// createBucket makes a bucket. One that exists is the caller's own: us-east-1
// then says yes and other regions no, which scripts rely on.
func (d *Door) createBucket(c *request) error {
	var in struct {
		Location string `xml:"LocationConstraint"`
	}
	if err := readXML(c.r, &in, true); err != nil {
		return err
	}
	if in.Location != "" && in.Location != d.region {
		return refuse(http.StatusBadRequest, "IllegalLocationConstraintException", "this server's region is %s, not %s", d.region, clip(in.Location))
	}
	d.buckets.Lock()
	defer d.buckets.Unlock()
	ctx := c.r.Context()
	ok, err := d.blobs.bucket.Exists(ctx, bucketPrefix+c.bucket)
	if err != nil {
		return err
	}
	if ok && d.region != "us-east-1" {
		return refuse(http.StatusConflict, "BucketAlreadyOwnedByYou", "the bucket %q exists already and is yours", c.bucket)
	}
	if !ok {
		if err := d.blobs.writeJSON(ctx, bucketPrefix+c.bucket, bucketMark{Created: d.clock()}); err != nil {
			return err
		}
	}
	c.w.Header().Set("Location", "/"+c.bucket)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (d *Door) headBucket(c *request) error {
	c.w.Header().Set("X-Amz-Bucket-Region", d.region)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// deleteBucket removes an empty bucket.
func (d *Door) deleteBucket(c *request) error {
	d.buckets.Lock()
	defer d.buckets.Unlock()
	ctx := c.r.Context()
	page, err := d.list(ctx, c.bucket, query{max: 1})
	if err != nil {
		return err
	}
	if len(page.objects) > 0 {
		return refuse(http.StatusConflict, "BucketNotEmpty", "the bucket %q still has objects; delete them first", c.bucket)
	}
	for _, key := range []string{policyPrefix + c.bucket, bucketPrefix + c.bucket} {
		if err := d.blobs.remove(ctx, key); err != nil {
			return err
		}
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *Door) getLocation(c *request) error {
	var out struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
		Region  string   `xml:",chardata"`
	}
	if d.region != "us-east-1" { // whose name is the empty one
		out.Region = d.region
	}
	writeXML(c.w, http.StatusOK, out)
	return nil
}

func (d *Door) getVersioning(c *request) error {
	writeXML(c.w, http.StatusOK, struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
	}{})
	return nil
}

// getACL says that the owner may do everything, as on a fresh object of S3's.
func (d *Door) getACL(c *request) error {
	if c.key != "" {
		if _, err := d.blobs.stat(c.r.Context(), c.bucket, c.key); err != nil {
			return err
		}
	}
	type grantee struct {
		Space       string `xml:"xmlns:xsi,attr"`
		Type        string `xml:"xsi:type,attr"`
		ID          string
		DisplayName string
	}
	type grant struct {
		Grantee    grantee
		Permission string
	}
	writeXML(c.w, http.StatusOK, struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccessControlPolicy"`
		Owner   owner
		Grants  []grant `xml:"AccessControlList>Grant"`
	}{Owner: everyone, Grants: []grant{{
		Grantee:    grantee{Space: "http://www.w3.org/2001/XMLSchema-instance", Type: "CanonicalUser", ID: everyone.ID, DisplayName: everyone.DisplayName},
		Permission: "FULL_CONTROL"}}})
	return nil
}

// putPolicy keeps a policy as it is; it is not enforced.
func (d *Door) putPolicy(c *request) error {
	in, err := openBody(c.r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(in, maxPolicy+1))
	if err != nil {
		return err
	}
	if len(text) > maxPolicy {
		return refuse(http.StatusBadRequest, "PolicyTooLarge", "the policy is larger than %d bytes", maxPolicy)
	}
	var document map[string]json.RawMessage
	if err := json.Unmarshal(text, &document); err != nil || document["Statement"] == nil {
		return refuse(http.StatusBadRequest, "MalformedPolicy", "the policy is not a JSON object with a Statement")
	}
	d.buckets.RLock()
	defer d.buckets.RUnlock()
	if err := d.blobs.writeBytes(c.r.Context(), policyPrefix+c.bucket, "application/json", text); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *Door) getPolicy(c *request) error {
	text, err := d.blobs.readBytes(c.r.Context(), policyPrefix+c.bucket, maxPolicy)
	if isMissing(err) {
		return refuse(http.StatusNotFound, "NoSuchBucketPolicy", "the bucket %q has no policy", c.bucket)
	}
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(text) // an error means that the client is gone
	return nil
}

func (d *Door) deletePolicy(c *request) error {
	if err := d.blobs.remove(c.r.Context(), policyPrefix+c.bucket); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// readXML reads a request's bounded XML body; emptyOK allows none.
func readXML(r *http.Request, into any, emptyOK bool) error {
	in, err := openBody(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(in, maxXML+1))
	switch {
	case err != nil:
		return err
	case len(text) > maxXML:
		return refuse(http.StatusBadRequest, "MaxMessageLengthExceeded", "the request is larger than %d bytes", maxXML)
	case len(text) == 0 && emptyOK:
		return nil
	}
	if err := xml.Unmarshal(text, into); err != nil {
		return refuse(http.StatusBadRequest, "MalformedXML", "the request's XML cannot be read: %v", err)
	}
	return nil
}

// deleteObjects removes up to a thousand objects; each has its own outcome.
func (d *Door) deleteObjects(c *request) error {
	var in struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Objects []struct{ Key, VersionId string } `xml:"Object"` //nolint:revive // the name on the wire
	}
	if err := readXML(c.r, &in, false); err != nil {
		return err
	}
	if len(in.Objects) == 0 || len(in.Objects) > maxDeletes {
		return refuse(http.StatusBadRequest, "MalformedXML", "one request deletes 1 to %d objects, not %d", maxDeletes, len(in.Objects))
	}
	type deleted struct{ Key string }
	type undeleted struct{ Key, Code, Message string }
	var out struct {
		XMLName xml.Name    `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
		Deleted []deleted   `xml:"Deleted"`
		Errors  []undeleted `xml:"Error"`
	}
	for _, o := range in.Objects {
		err := d.blobs.checkKey(o.Key)
		switch {
		case o.Key == "":
			err = invalid("the key is empty")
		case o.VersionId != "" && o.VersionId != "null":
			err = refuse(http.StatusNotFound, "NoSuchVersion", "this server keeps no versions")
		case err == nil:
			err = d.remove(c.r.Context(), c.bucket, o.Key)
		}
		if err != nil {
			said, _, understood := toAPI(err)
			if !understood {
				d.log.Error("delete failed", "bucket", c.bucket, "key", o.Key, "error", err)
			}
			out.Errors = append(out.Errors, undeleted{Key: o.Key, Code: said.Code, Message: said.Message})
		} else if !in.Quiet {
			out.Deleted = append(out.Deleted, deleted{Key: o.Key})
		}
	}
	writeXML(c.w, http.StatusOK, out)
	return nil
}

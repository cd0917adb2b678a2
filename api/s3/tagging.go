package s3

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of tags, as Amazon S3 has them.
const (
	maxObjectTags = 10
	maxBucketTags = 50
	maxTagKey     = 128 // characters
	maxTagValue   = 256

	taggingHeader = "X-Amz-Tagging"
)

// tag is a label that its owner gave an object or a bucket.
type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type taggingXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Tagging"`
	Tags    []tag    `xml:"TagSet>Tag"`
}

// checkTags refuses tags that S3 does not take.
func checkTags(tags []tag, most int) error {
	if len(tags) > most {
		return refuse(http.StatusBadRequest, "BadRequest", "there can be %d tags, not %d", most, len(tags))
	}
	for i, t := range tags {
		n := utf8.RuneCountInString(t.Key)
		if n == 0 || n > maxTagKey || utf8.RuneCountInString(t.Value) > maxTagValue || strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return refuse(http.StatusBadRequest, "InvalidTag", "a tag's key has 1 to %d characters and does not begin with aws:, its value has up to %d", maxTagKey, maxTagValue)
		}
		if slices.ContainsFunc(tags[:i], func(o tag) bool { return o.Key == t.Key }) {
			return refuse(http.StatusBadRequest, "InvalidTag", "the tag key %q is given twice", clip(t.Key))
		}
	}
	return nil
}

// headerTags reads the tags that come with an upload: a=1&b=2.
func headerTags(text string) ([]tag, error) {
	if text == "" {
		return nil, nil
	}
	var tags []tag
	for pair := range strings.SplitSeq(text, "&") {
		k, v, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		if err != nil || err2 != nil {
			return nil, invalid("x-amz-tagging must be URL-encoded like a=1&b=2, not %q", clip(text))
		}
		if tags = append(tags, tag{key, value}); len(tags) > maxObjectTags {
			break
		}
	}
	return tags, checkTags(tags, maxObjectTags)
}

// getTagging tells the tags of an object or a bucket. An object without tags
// has an empty set, a bucket without tags has none: so says S3.
func (d *Door) getTagging(c *request) error {
	out := taggingXML{Tags: []tag{}}
	if c.key != "" {
		found, err := d.blobs.stat(c.r.Context(), c.bucket, c.key)
		if err != nil {
			return err
		}
		out.Tags = append(out.Tags, found.Tags...)
	} else {
		var mark bucketMark
		if err := d.blobs.readJSON(c.r.Context(), bucketPrefix+c.bucket, &mark); err != nil {
			return err
		}
		if len(mark.Tags) == 0 {
			return refuse(http.StatusNotFound, "NoSuchTagSet", "the bucket %q has no tags", c.bucket)
		}
		out.Tags = mark.Tags
	}
	writeXML(c.w, http.StatusOK, out)
	return nil
}

// putTagging replaces the tags of an object or a bucket.
func (d *Door) putTagging(c *request) error {
	var in struct {
		XMLName xml.Name `xml:"Tagging"`
		Tags    []tag    `xml:"TagSet>Tag"`
	}
	if err := readXML(c.r, &in, false); err != nil {
		return err
	}
	most, status := maxBucketTags, http.StatusNoContent
	if c.key != "" {
		most, status = maxObjectTags, http.StatusOK
	}
	if err := checkTags(in.Tags, most); err != nil {
		return err
	}
	return d.setTags(c, in.Tags, status)
}

func (d *Door) deleteTagging(c *request) error { return d.setTags(c, nil, http.StatusNoContent) }

// setTags writes the tags down with the object's card or the bucket's mark.
func (d *Door) setTags(c *request, tags []tag, status int) error {
	ctx := c.r.Context()
	if c.key == "" {
		d.buckets.Lock()
		defer d.buckets.Unlock()
		var mark bucketMark
		err := d.blobs.readJSON(ctx, bucketPrefix+c.bucket, &mark)
		if isMissing(err) {
			return noSuchBucket(c.bucket)
		}
		mark.Tags = tags
		if err == nil {
			err = d.blobs.writeJSON(ctx, bucketPrefix+c.bucket, mark)
		}
		if err != nil {
			return err
		}
		c.w.WriteHeader(status)
		return nil
	}
	d.buckets.RLock()
	defer d.buckets.RUnlock()
	defer lock(&d.keys, ObjectKey(c.bucket, c.key)).Unlock()
	found, err := d.blobs.stat(ctx, c.bucket, c.key)
	if err != nil {
		return err
	}
	found.Tags = tags
	if err := d.blobs.writeJSON(ctx, cardPrefix+c.bucket+"/"+c.key, found); err != nil {
		return err
	}
	c.w.WriteHeader(status)
	return nil
}

// listVersions lists objects as the only version there is of each: clients ask
// for versions when they empty a bucket.
func (d *Door) listVersions(c *request) error {
	encode, err := encoding(c)
	if err != nil {
		return err
	}
	most, err := count(c, "max-keys")
	if err != nil {
		return err
	}
	q := query{prefix: c.q.Get("prefix"), delimiter: c.q.Get("delimiter"), max: most, after: c.q.Get("key-marker")}
	p, err := d.list(c.r.Context(), c.bucket, q)
	if err != nil {
		return err
	}
	type version struct {
		Key          string
		VersionID    string `xml:"VersionId"`
		IsLatest     bool
		LastModified string
		ETag         string
		Size         int64
		StorageClass string
		Owner        owner
	}
	var out struct {
		XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
		Name                string
		Prefix              string
		KeyMarker           string
		NextKeyMarker       string `xml:",omitempty"`
		NextVersionIDMarker string `xml:"NextVersionIdMarker,omitempty"`
		MaxKeys             int
		Delimiter           string `xml:",omitempty"`
		EncodingType        string `xml:",omitempty"`
		IsTruncated         bool
		Version             []version
		CommonPrefixes      []prefixXML
	}
	out.Name, out.Prefix, out.KeyMarker, out.MaxKeys = c.bucket, encode(q.prefix), encode(q.after), most
	out.Delimiter, out.EncodingType, out.IsTruncated = encode(q.delimiter), c.q.Get("encoding-type"), p.truncated
	if p.truncated {
		out.NextKeyMarker, out.NextVersionIDMarker = encode(p.last), "null"
	}
	for _, o := range p.objects {
		about := d.blobs.cardOf(c.r.Context(), c.bucket, o.key, o.size, o.at, "")
		out.Version = append(out.Version, version{encode(o.key), "null", true, o.at.UTC().Format(xmlTime), quote(about.ETag), o.size, "STANDARD", everyone})
	}
	for _, prefix := range p.prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, prefixXML{encode(prefix)})
	}
	writeXML(c.w, http.StatusOK, out)
	return nil
}

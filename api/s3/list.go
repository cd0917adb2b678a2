package s3

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob"
)

// query is one page of a listing: what comes after a key or a common prefix.
type query struct {
	prefix, delimiter, after string
	max                      int
}

// object is one line of a listing.
type object struct {
	key  string
	size int64
	at   time.Time
}

// page is what a query found, both in the order of the keys' bytes.
type page struct {
	objects   []object
	prefixes  []string // common prefixes, up to and with the delimiter
	truncated bool
	last      string // the last object or prefix: the next page begins after it
}

// add takes the next key in order and says whether the page wants more.
func (p *page) add(q query, o object) bool {
	if o.key <= q.after || !strings.HasPrefix(o.key, q.prefix) {
		return true
	}
	group := q.group(o.key)
	if group != "" && (group == q.after || group == p.last) {
		return true
	}
	if len(p.objects)+len(p.prefixes) == q.max {
		p.truncated = q.max > 0
		return false
	}
	if group != "" {
		p.prefixes = append(p.prefixes, group)
		p.last = group
		return true
	}
	p.objects = append(p.objects, o)
	p.last = o.key
	return true
}

// group is the common prefix that a key falls under, or empty.
func (q query) group(key string) string {
	if q.delimiter == "" || !strings.HasPrefix(key, q.prefix) {
		return ""
	}
	if i := strings.Index(key[len(q.prefix):], q.delimiter); i >= 0 {
		return key[:len(q.prefix)+i+len(q.delimiter)]
	}
	return ""
}

// list finds one page of a bucket's objects.
func (d *Door) list(ctx context.Context, bucket string, q query) (*page, error) {
	p := &page{}
	root := objectPrefix + bucket + "/"
	if d.blobs.dir != "" {
		w := walk{ctx: ctx, q: q, page: p}
		err := w.folder(filepath.Join(d.blobs.dir, filepath.FromSlash(root)), "")
		if err != nil && !errors.Is(err, fs.SkipAll) {
			return nil, err
		}
		return p, nil
	}
	// An object store lists in order. It is asked from the beginning each time,
	// because its own page tokens cannot express "after this key".
	it := d.blobs.bucket.List(&blob.ListOptions{Prefix: root + q.prefix})
	for {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return nil, err
		}
		if !p.add(q, object{key: strings.TrimPrefix(o.Key, root), size: o.Size, at: o.ModTime}) {
			return p, nil
		}
	}
}

// walk visits a folder's files in the order of their keys' bytes, and enters
// only the folders that the page needs. It holds the names of the folders on
// its way, not those of the bucket.
type walk struct {
	ctx  context.Context
	q    query
	page *page
}

// folder visits what is in one folder; base is its key, with a slash at the end.
func (w *walk) folder(path, base string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no object yet, or the last one was just deleted
	}
	if err != nil {
		return err
	}
	type named struct {
		key   string
		entry fs.DirEntry
	}
	sorted := make([]named, 0, len(entries))
	for _, e := range entries {
		key := base + unescapeKey(e.Name())
		if e.IsDir() {
			key += "/" // as its objects are ordered: a- comes before a/
		} else if strings.HasSuffix(key, sidecar) || unfinished.MatchString(key) {
			continue
		}
		sorted = append(sorted, named{key, e})
	}
	slices.SortFunc(sorted, func(a, b named) int { return cmp.Compare(a.key, b.key) })
	for _, n := range sorted {
		if n.entry.IsDir() {
			if w.enters(n.key) {
				if err := w.folder(filepath.Join(path, n.entry.Name()), n.key); err != nil {
					return err
				}
			}
			continue
		}
		if n.key <= w.q.after || !strings.HasPrefix(n.key, w.q.prefix) {
			continue
		}
		info, err := n.entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		if !w.page.add(w.q, object{key: n.key, size: info.Size(), at: info.ModTime()}) {
			return fs.SkipAll
		}
	}
	return nil
}

// enters says whether a folder may hold something that the page lacks.
func (w *walk) enters(key string) bool {
	if !strings.HasPrefix(key, w.q.prefix) && !strings.HasPrefix(w.q.prefix, key) {
		return false
	}
	if key <= w.q.after && !strings.HasPrefix(w.q.after, key) {
		return false // all of it comes before
	}
	group := w.q.group(key)
	return group == "" || group != w.q.after && group != w.page.last
}

type contentsXML struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
	Owner        *owner `xml:",omitempty"`
}

type prefixXML struct{ Prefix string }

type listXML struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                string
	Marker                *string
	NextMarker            string `xml:",omitempty"`
	StartAfter            string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	KeyCount              *int
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	Contents              []contentsXML
	CommonPrefixes        []prefixXML
}

// listObjects answers both versions of the operation.
func (d *Door) listObjects(c *request) error {
	v2 := c.q.Get("list-type") == "2"
	if v2 {
		c.operation = "ListObjectsV2"
	}
	encode, err := encoding(c)
	if err != nil {
		return err
	}
	most, err := count(c, "max-keys")
	if err != nil {
		return err
	}
	q := query{prefix: c.q.Get("prefix"), delimiter: c.q.Get("delimiter"), max: most, after: c.q.Get("marker")}
	out := listXML{Name: c.bucket, Prefix: encode(q.prefix), MaxKeys: most, Delimiter: encode(q.delimiter), EncodingType: c.q.Get("encoding-type")}
	if v2 {
		q.after = c.q.Get("start-after")
		out.StartAfter, out.ContinuationToken = encode(q.after), c.q.Get("continuation-token")
		if out.ContinuationToken != "" {
			raw, err := base64.RawURLEncoding.DecodeString(out.ContinuationToken)
			if err != nil {
				return invalid("the continuation token is not one that this server gave")
			}
			q.after = string(raw)
		}
	} else {
		marker := encode(q.after)
		out.Marker = &marker
	}
	p, err := d.list(c.r.Context(), c.bucket, q)
	if err != nil {
		return err
	}
	showOwner := !v2 || c.q.Get("fetch-owner") == "true"
	for _, o := range p.objects {
		about := d.blobs.cardOf(c.r.Context(), c.bucket, o.key, o.size, o.at, "")
		line := contentsXML{Key: encode(o.key), LastModified: d.dated(o.at).UTC().Format(xmlTime), ETag: quote(about.ETag), Size: o.size, StorageClass: "STANDARD"}
		if showOwner {
			line.Owner = &everyone
		}
		out.Contents = append(out.Contents, line)
	}
	for _, prefix := range p.prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, prefixXML{encode(prefix)})
	}
	out.IsTruncated = p.truncated
	if v2 {
		n := len(p.objects) + len(p.prefixes)
		out.KeyCount = &n
		if p.truncated {
			out.NextContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(p.last))
		}
	} else if p.truncated {
		out.NextMarker = encode(p.last)
	}
	writeXML(c.w, http.StatusOK, out)
	return nil
}

// count reads a page size, 1,000 at most and unless given.
func count(c *request, name string) (int, error) {
	text := c.q.Get(name)
	if text == "" {
		return maxPage, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, invalid("%s must be a number from 0 to %d, not %q", name, maxPage, clip(text))
	}
	return int(min(n, maxPage)), nil
}

// encoding gives how keys are written: XML cannot say every character, so
// clients ask for URL encoding.
func encoding(c *request) (func(string) string, error) {
	switch c.q.Get("encoding-type") {
	case "":
		return func(s string) string { return s }, nil
	case "url":
		return urlEncode, nil
	}
	return nil, invalid("encoding-type must be url, not %q", clip(c.q.Get("encoding-type")))
}

// urlEncode escapes all but RFC 3986's unreserved characters and slashes.
func urlEncode(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~/", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

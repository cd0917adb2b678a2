package s3

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"gocloud.dev/blob"

	"github.com/attune-io/attune"
)

// Limits, as Amazon S3 has them unless a reason is given.
const (
	MaxPut       = 5 << 30 // bytes of one PutObject, one part, or one CopyObject
	maxObject    = 5 << 40 // bytes of an object put together from parts
	minPart      = 5 << 20 // bytes of every part but the last
	maxParts     = 10_000
	maxKey       = 1024 // bytes
	maxUserMeta  = 2048 // bytes of names and values together
	maxPage      = 1000 // keys, parts or uploads in one answer
	maxDeletes   = 1000
	maxPolicy    = 20 << 10
	maxXML       = 8 << 20            // bytes: 1,000 keys of 1,024 bytes, each byte escaped as six; 10,000 parts need less
	uploadTTL    = 7 * 24 * time.Hour // an abandoned upload's parts are removed after this
	sweepEvery   = time.Hour
	copyBuffer   = 128 << 10 // bytes per transfer: the memory that one takes
	lockStripes  = 256
	defaultMedia = "binary/octet-stream" // what S3 says of an object that came without a type
)

// ObjectKey is where the bytes of an object are: the blob key of key in bucket.
// Other rooms read and write objects there; an object that did not come through
// the door has an ETag made from its size and date.
func ObjectKey(bucket, key string) string { return objectPrefix + bucket + "/" + key }

// Options are the Door's settings.
type Options struct {
	// Dir is the folder behind the bucket, so that what was written can be
	// fsynced before it is acknowledged; "" when the bucket is not a folder of
	// this machine.
	Dir string
	// Region is what buckets say they are in; "" means us-east-1.
	Region string
	// Clock dates buckets and uploads; nil means attune.WallClock.
	Clock attune.Clock
	// Dated says what is told of the date that a file has; nil means the date itself.
	Dated func(time.Time) time.Time
	// OnWrite is called after an object was written, before the answer is complete;
	// it must not block. Default: nobody is told.
	OnWrite func(bucket, key string)
}

// Door answers S3 requests. Its ServeHTTP may be called by many goroutines.
type Door struct {
	blobs    *blobs
	region   string
	clock    attune.Clock
	log      *slog.Logger
	onWrite  func(bucket, key string)
	dated    func(time.Time) time.Time
	table    map[string]operation
	requests *prometheus.CounterVec // by operation and error code
	bytes    *prometheus.CounterVec // by direction

	// keys orders what happens to one key: a write is two blobs, the object and
	// its card, and a condition must hold until both are there.
	keys [lockStripes]sync.Mutex
	// ends orders the completions of one upload; a completion takes its object's
	// lock from keys as well.
	ends [lockStripes]sync.Mutex
	// buckets is held for reading while an object appears, and for writing while
	// a bucket is found empty and removed.
	buckets sync.RWMutex
}

// New opens the door over a bucket. It fails when the bucket cannot be reached.
// opts may be nil.
func New(ctx context.Context, bucket *blob.Bucket, log *slog.Logger, reg prometheus.Registerer, opts *Options) (*Door, error) {
	if opts == nil {
		opts = &Options{}
	}
	d := &Door{
		blobs:  &blobs{bucket: bucket},
		region: opts.Region, clock: opts.Clock, log: log, onWrite: opts.OnWrite, dated: opts.Dated,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "attune_s3_requests_total",
			Help: "Requests to the object door by operation and error code (empty when it went well)."}, []string{"operation", "code"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "attune_s3_bytes_total",
			Help: "Object bytes received and sent by the object door."}, []string{"direction"}),
	}
	if d.region == "" {
		d.region = "us-east-1"
	}
	if d.clock == nil {
		d.clock = attune.WallClock
	}
	if d.dated == nil {
		d.dated = func(at time.Time) time.Time { return at }
	}
	if d.onWrite == nil {
		d.onWrite = func(string, string) {}
	}
	if opts.Dir != "" {
		abs, err := filepath.Abs(opts.Dir)
		if err != nil {
			return nil, fmt.Errorf("open the object door: %w", err)
		}
		d.blobs.dir = abs
	}
	if ok, err := bucket.IsAccessible(ctx); err != nil || !ok {
		return nil, errors.Join(attune.Errorf(attune.Unavailable, "the bucket behind the object door does not answer"), err)
	}
	d.table = d.operations()
	for _, c := range []prometheus.Collector{d.requests, d.bytes} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("open the object door: %w", err)
		}
	}
	return d, nil
}

// request is one request on its way through the door.
type request struct {
	w         http.ResponseWriter
	r         *http.Request
	q         url.Values
	bucket    string
	key       string
	operation string

	code  string // of the refusal; "" when it went well
	err   error
	level slog.Level // of the log line: Info, or Error when the fault is ours
}

// ServeHTTP answers one request: path-style, /bucket/key. The caller has been
// verified, and the body decoded, by access.Verifier.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	seen := &answer{ResponseWriter: w}
	c := &request{w: seen, r: r, q: r.URL.Query()}
	c.bucket, c.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	requestID(w)
	defer d.line(c, seen, time.Now())
	w.Header().Set("Server", "Attune")
	handle, err := d.route(c)
	if err == nil {
		err = handle(c)
	}
	if err != nil {
		d.fail(c, err)
		return
	}
	d.wrote(c)
	d.requests.WithLabelValues(c.operation, "").Inc()
}

// WriteError answers a request that was refused before it reached the door,
// with an *access.Error for example, in the shape that S3 clients read.
func (d *Door) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	requestID(w)
	seen := &answer{ResponseWriter: w}
	c := &request{w: seen, r: r, operation: "Refused"}
	defer d.line(c, seen, time.Now())
	d.fail(c, err)
}

func (d *Door) fail(c *request, err error) {
	body, status, understood := toAPI(err)
	body.RequestID = requestID(c.w)
	body.Resource = c.r.URL.Path
	c.code, c.err = body.Code, err
	if !understood {
		c.level = slog.LevelError
	}
	d.requests.WithLabelValues(c.operation, body.Code).Inc()
	h := c.w.Header()
	if body.Region != "" { // where clients look when there is no body
		h.Set("X-Amz-Bucket-Region", body.Region)
	}
	h.Del("Content-Length")
	h.Del("ETag")
	if c.r.Method == http.MethodHead || status == http.StatusNotModified {
		h.Del("Content-Type")
		c.w.WriteHeader(status)
		return
	}
	writeXML(c.w, status, body)
}

// HeaderRequestID carries the id of a request; whoever stands in front of the
// door may set it on the answer first.
const HeaderRequestID = "X-Amz-Request-Id"

// requestID gives the answer's id, making one when nobody in front has.
func requestID(w http.ResponseWriter) string {
	const name = HeaderRequestID
	if id := w.Header().Get(name); id != "" {
		return id
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, as crypto/rand documents
	id := strings.ToUpper(hex.EncodeToString(b[:]))
	w.Header().Set(name, id)
	return id
}

// writeXML writes an answer. An error means that the client is gone.
func writeXML(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if _, err := w.Write([]byte(xml.Header)); err != nil {
		return
	}
	_ = xml.NewEncoder(w).Encode(v)
}

type handler func(*request) error

// plain are the query parameters that do not choose an operation.
var plain = []string{"x-id", "list-type", "prefix", "delimiter", "marker", "max-keys", "encoding-type", "continuation-token",
	"start-after", "fetch-owner", "partNumber", "part-number-marker", "max-parts", "key-marker", "upload-id-marker", "max-uploads",
	"versionId", "bucket-region", "max-buckets", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
	"X-Amz-SignedHeaders", "X-Amz-Signature", "AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5", "version-id-marker", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "X-Amz-Checksum-Mode"}

// subresource finds the one parameter that chooses the operation, such as
// uploads or policy. What is not known here is refused: to take PUT key?tagging
// for PUT key would replace the object.
func subresource(q url.Values) (string, error) {
	found := ""
	for name := range q {
		lower := strings.ToLower(name)
		if slices.Contains(plain, name) || strings.HasPrefix(lower, "response-") || strings.HasPrefix(lower, "x-amz-") {
			continue
		}
		switch name {
		case "uploads", "uploadId", "delete", "policy", "location", "versioning", "versions", "tagging", "acl":
			if found != "" {
				return "", invalid("the parameters %s and %s do not go together", found, name)
			}
			found = name
		default:
			return "", notBuilt("the subresource or parameter " + clip(name))
		}
	}
	return found, nil
}

// route chooses the operation by method, subresource and whether there is a
// bucket and a key.
func (d *Door) route(c *request) (handler, error) {
	c.operation = "Unknown"
	sub, err := subresource(c.q)
	if err != nil {
		return nil, err
	}
	if v := c.q.Get("versionId"); v != "" && v != "null" {
		return nil, refuse(http.StatusNotFound, "NoSuchVersion", "this server keeps no versions")
	}
	level := "service"
	switch {
	case c.key != "":
		level = "object"
		if err := d.blobs.checkKey(c.key); err != nil {
			return nil, err
		}
	case c.bucket != "":
		level = "bucket"
	}
	if c.bucket != "" && !validBucket(c.bucket) {
		return nil, refuse(http.StatusBadRequest, "InvalidBucketName", "a bucket name has 3 to 63 lower-case letters, digits, dots and hyphens, not %q", clip(c.bucket))
	}
	found, ok := d.table[level+" "+c.r.Method+" "+sub]
	if !ok {
		if sub != "" {
			return nil, notBuilt(fmt.Sprintf("%s ?%s on a %s", c.r.Method, sub, level))
		}
		return nil, refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "%s does nothing on a %s", clip(c.r.Method), level)
	}
	c.operation = found.name
	if level != "service" && found.name != "CreateBucket" {
		if err := d.needBucket(c.r.Context(), c.bucket); err != nil {
			return nil, err
		}
	}
	return found.handle, nil
}

type operation struct {
	name   string
	handle handler
}

// operations is the table of what the door does: level, method, subresource.
func (d *Door) operations() map[string]operation {
	return map[string]operation{
		"service GET ":           {"ListBuckets", d.listBuckets},
		"bucket PUT ":            {"CreateBucket", d.createBucket},
		"bucket HEAD ":           {"HeadBucket", d.headBucket},
		"bucket DELETE ":         {"DeleteBucket", d.deleteBucket},
		"bucket GET ":            {"ListObjects", d.listObjects},
		"bucket GET location":    {"GetBucketLocation", d.getLocation},
		"bucket GET versioning":  {"GetBucketVersioning", d.getVersioning},
		"bucket GET acl":         {"GetBucketAcl", d.getACL},
		"bucket GET policy":      {"GetBucketPolicy", d.getPolicy},
		"bucket PUT policy":      {"PutBucketPolicy", d.putPolicy},
		"bucket DELETE policy":   {"DeleteBucketPolicy", d.deletePolicy},
		"bucket GET tagging":     {"GetBucketTagging", d.getTagging},
		"bucket PUT tagging":     {"PutBucketTagging", d.putTagging},
		"bucket DELETE tagging":  {"DeleteBucketTagging", d.deleteTagging},
		"bucket GET versions":    {"ListObjectVersions", d.listVersions},
		"bucket POST delete":     {"DeleteObjects", d.deleteObjects},
		"bucket GET uploads":     {"ListMultipartUploads", d.listUploads},
		"object PUT ":            {"PutObject", d.putObject},
		"object GET ":            {"GetObject", d.getObject},
		"object HEAD ":           {"HeadObject", d.getObject},
		"object DELETE ":         {"DeleteObject", d.deleteObject},
		"object GET tagging":     {"GetObjectTagging", d.getTagging},
		"object PUT tagging":     {"PutObjectTagging", d.putTagging},
		"object DELETE tagging":  {"DeleteObjectTagging", d.deleteTagging},
		"object GET acl":         {"GetObjectAcl", d.getACL},
		"object POST uploads":    {"CreateMultipartUpload", d.createUpload},
		"object PUT uploadId":    {"UploadPart", d.uploadPart},
		"object GET uploadId":    {"ListParts", d.listParts},
		"object POST uploadId":   {"CompleteMultipartUpload", d.completeUpload},
		"object DELETE uploadId": {"AbortMultipartUpload", d.abortUpload},
	}
}

// Run removes what abandoned multipart uploads left, until ctx ends. It always
// returns ctx's error.
func (d *Door) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		n, err := d.sweepUploads(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.Warn("removing abandoned uploads failed; trying again in an hour", "error", err)
		}
		if n > 0 {
			d.log.Info("removed abandoned multipart uploads", "uploads", n)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

package s3

import (
	"context"
	"crypto/md5" //nolint:gosec // S3's ETag is an MD5; it protects nothing
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"gocloud.dev/blob"
)

// Where things are in the bucket.
const (
	objectPrefix = "s3/"         // s3/B/K: the object's bytes
	cardPrefix   = "s3-meta/"    // s3-meta/B/K: its card, JSON
	bucketPrefix = "s3-buckets/" // s3-buckets/B: the bucket exists, JSON
	policyPrefix = "s3-policies/"
	uploadPrefix = "s3-uploads/" // s3-uploads/<id>/…: a multipart upload in progress
)

const (
	maxCard    = 64 << 10 // bytes of a card: user metadata is bounded to 2 KiB, the rest is short
	maxSegment = 200      // bytes of an escaped key between slashes: file systems have 255, and unfinished files get 21 more
	dirtyTries = 3        // how often a write is begun anew because its folder was pruned meanwhile
)

// card is what S3 says of an object beside its bytes. It counts only while size
// and date are those of the blob: an object that was replaced from elsewhere, or
// whose card was lost in a crash before anyone was told of it, has none.
type card struct {
	Size     int64             `json:"size"`
	ModTime  time.Time         `json:"modTime"`
	ETag     string            `json:"etag"` // without quotes
	Media    string            `json:"contentType,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"` // Cache-Control and its like, as given
	User     map[string]string `json:"user,omitempty"`    // x-amz-meta-…, without the prefix
	Tags     []tag             `json:"tags,omitempty"`
	Checksum *checksum         `json:"checksum,omitempty"`
	Upload   string            `json:"upload,omitempty"` // the multipart upload that made it, so that completing again is no error
}

// blobs writes and reads whole blobs, durably when a folder is behind them.
type blobs struct {
	bucket *blob.Bucket
	dir    string
}

// checkKey refuses object keys that cannot be kept.
func (b *blobs) checkKey(key string) error {
	switch {
	case len(key) > maxKey:
		return refuse(http.StatusBadRequest, "KeyTooLongError", "the key has %d bytes, at most %d are allowed", len(key), maxKey)
	case !utf8.ValidString(key):
		return invalid("the key is not valid UTF-8")
	case b.dir == "":
		return nil
	}
	// The rest holds for folders, where a key is a path.
	if strings.HasSuffix(key, sidecar) || unfinished.MatchString(key) {
		return invalid("this server keeps objects as files, and a key that ends like %q is reserved; choose another", clip(key))
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "." || segment == ".." {
			return invalid("this server keeps objects as files, and a key cannot have %q between slashes", segment)
		}
		if len(escapeKey(segment)) > maxSegment {
			return refuse(http.StatusBadRequest, "KeyTooLongError", "this server keeps objects as files: a part of the key between slashes may have at most %d bytes", maxSegment)
		}
	}
	return nil
}

// writer is a blob on its way: nobody sees it before commit.
type writer struct {
	*blob.Writer
	b      *blobs
	key    string
	cancel context.CancelFunc
	file   *os.File // the unfinished file, when a folder is behind the bucket
}

// create begins a blob. The caller commits or aborts it.
func (b *blobs) create(ctx context.Context, key, media string) (*writer, error) {
	if _, _, err := mime.ParseMediaType(media); err != nil {
		media = defaultMedia // what clients call a type may be none; the card keeps their word
	}
	var last error
	for range dirtyTries {
		ctx, cancel := context.WithCancel(ctx)
		w := &writer{b: b, key: key, cancel: cancel}
		bw, err := b.bucket.NewWriter(ctx, key, &blob.WriterOptions{
			ContentType: media,
			BeforeWrite: func(as func(any) bool) error {
				var f *os.File
				if as(&f) {
					w.file = f
				}
				return nil
			},
		})
		if err == nil {
			w.Writer = bw
			return w, nil
		}
		cancel()
		if last = err; !isMissing(err) {
			break
		}
	}
	return nil, last
}

// abort forgets the blob.
func (w *writer) abort() {
	w.cancel()
	_ = w.Close() // reports the cancellation, which we asked for
}

// settle brings the bytes to the disk, before the rename that commit makes: after
// a crash the name must not lead to missing bytes.
func (w *writer) settle() error {
	if w.b.dir == "" || w.file == nil {
		return nil
	}
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("write %s to disk: %w", w.key, err)
	}
	return nil
}

// commit makes the blob appear under its key, whole and durable.
func (w *writer) commit() error {
	defer w.cancel()
	if err := w.settle(); err != nil {
		w.abort()
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return w.b.syncParents(w.key)
}

// writeJSON keeps a small value durably.
func (b *blobs) writeJSON(ctx context.Context, key string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.writeBytes(ctx, key, "application/json", text)
}

func (b *blobs) writeBytes(ctx context.Context, key, media string, text []byte) error {
	w, err := b.create(ctx, key, media)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		w.abort()
		return err
	}
	return w.commit()
}

// readJSON reads a small value; isMissing tells its absence.
func (b *blobs) readJSON(ctx context.Context, key string, v any) error {
	text, err := b.readBytes(ctx, key, maxCard)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	return nil
}

func (b *blobs) readBytes(ctx context.Context, key string, most int64) (text []byte, err error) {
	r, err := b.bucket.NewReader(ctx, key, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if r.Size() > most {
		return nil, fmt.Errorf("read %s: %d bytes are more than it can have", key, r.Size())
	}
	return io.ReadAll(io.LimitReader(r, most))
}

// remove deletes a blob durably, and the folders that it leaves empty. The
// absence of the blob is no error.
func (b *blobs) remove(ctx context.Context, key string) error {
	if err := b.bucket.Delete(ctx, key); err != nil && !isMissing(err) {
		return err
	}
	if b.dir == "" {
		return nil
	}
	dir := filepath.Dir(b.path(key))
	first, _, _ := strings.Cut(key, "/")
	top := filepath.Join(b.dir, first)
	for dir != top && strings.HasPrefix(dir, top) && os.Remove(dir) == nil { // Remove takes empty folders only
		dir = filepath.Dir(dir)
	}
	for ; strings.HasPrefix(dir, b.dir); dir = filepath.Dir(dir) {
		if err := syncDir(dir); err != nil && !errors.Is(err, os.ErrNotExist) { // another may prune the same folders
			return err
		}
	}
	return nil
}

// stat finds an object and its card.
func (b *blobs) stat(ctx context.Context, bucket, key string) (card, error) {
	at, err := b.bucket.Attributes(ctx, ObjectKey(bucket, key))
	if isMissing(err) {
		return card{}, noSuchKey(key)
	}
	if err != nil {
		return card{}, err
	}
	return b.cardOf(ctx, bucket, key, at.Size, at.ModTime, at.ContentType), nil
}

// cardOf reads the card of an object of a known size and date, or makes one up.
func (b *blobs) cardOf(ctx context.Context, bucket, key string, size int64, at time.Time, media string) card {
	var c card
	if err := b.readJSON(ctx, cardPrefix+bucket+"/"+key, &c); err == nil && c.Size == size && c.ModTime.Equal(at) {
		return c
	}
	//nolint:gosec // an ETag protects nothing
	sum := md5.Sum(fmt.Appendf(nil, "%d %d", size, at.UnixNano()))
	if media == "" {
		media = defaultMedia
	}
	return card{Size: size, ModTime: at, Media: media, ETag: hex.EncodeToString(sum[:])}
}

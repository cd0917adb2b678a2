package bucket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob://
	_ "gocloud.dev/blob/gcsblob"   // gs://
	_ "gocloud.dev/blob/s3blob"    // s3://

	"github.com/attune-io/attune"
)

// dialTimeout bounds the first contact with an object store, where finding
// credentials alone can take seconds.
const dialTimeout = 30 * time.Second

// Engine is an open bucket.
type Engine struct {
	bucket *blob.Bucket
	dir    string        // "" unless the bucket is a folder
	sweep  func()        // stops the sweep of a folder and waits for it
	swept  chan struct{} // closed when the sweep of a folder has ended; nil without one

	mu       sync.Mutex
	closed   bool
	closeErr error
}

// Open opens the folder dir, making it if there is none, when url is empty, and
// else the bucket at url with the credentials that the store's own SDK finds:
// s3://name?region=… (endpoint=…&use_path_style=true for the likes of MinIO),
// gs://name, azblob://container, file:///folder. Errors are attune.Invalid for a
// URL that cannot be understood and attune.Unavailable when the bucket cannot
// be used. The registerer is there because engines are opened alike: a bucket
// has no numbers of its own.
func Open(ctx context.Context, url, dir string, log *slog.Logger, _ prometheus.Registerer) (*Engine, error) {
	e := &Engine{sweep: func() {}}
	var err error
	if url == "" {
		if err = e.openFolder(dir); err == nil {
			e.startSweep(log)
		}
	} else {
		err = e.openURL(ctx, url)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if err := e.Ready(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Engine) openURL(ctx context.Context, raw string) error {
	const want = "give s3://name?region=…, gs://name, azblob://container or file:///folder, or nothing for a folder under the data directory"
	u, err := url.Parse(raw)
	if err != nil {
		return attune.Errorf(attune.Invalid, "bucket url: cannot be read; %s", want) // the cause would quote a password
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" || u.Path == "" || u.RawQuery != "" {
			return attune.Errorf(attune.Invalid, "bucket url %q: a folder has neither host nor options: file:///folder", u.Redacted())
		}
		return e.openFolder(u.Path)
	case "s3", "gs", "azblob":
	default:
		return attune.Errorf(attune.Invalid, "bucket url %q has the unknown scheme %q; %s", u.Redacted(), u.Scheme, want)
	}
	if u.Host == "" {
		return attune.Errorf(attune.Invalid, "bucket url %q names no bucket; %s", u.Redacted(), want)
	}
	b, err := blob.OpenBucket(ctx, raw)
	if err != nil {
		return attune.Errorf(attune.Invalid, "bucket url %q: %w; %s", u.Redacted(), err, want)
	}
	e.bucket = b
	return nil
}

// Client returns the bucket; it is good until Close, and the caller does not
// close it.
func (e *Engine) Client() *blob.Bucket { return e.bucket }

// Dir is the folder behind the bucket, for whoever has to fsync; "" when the
// bucket is not a folder of this machine.
func (e *Engine) Dir() string { return e.dir }

// Ready returns nil when the bucket can be listed and, for a folder, written
// to. The error is attune.Unavailable.
func (e *Engine) Ready(ctx context.Context) error {
	if e.dir != "" {
		e.mu.Lock()
		closed := e.closed
		e.mu.Unlock()
		if closed {
			return attune.Errorf(attune.Unavailable, "the bucket is closed")
		}
		return tryFolder(e.dir)
	}
	ok, err := e.bucket.IsAccessible(ctx)
	if err != nil {
		return attune.Errorf(attune.Unavailable, "the bucket does not answer: %w", err)
	}
	if !ok {
		return attune.Errorf(attune.Unavailable, "the bucket does not exist; create it first")
	}
	return nil
}

// Settle waits until what an earlier process left half written is gone, and
// makes all deletions durable so far. An object store's answer is durability enough.
func (e *Engine) Settle(ctx context.Context) error {
	if e.swept != nil {
		select {
		case <-e.swept:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if e.dir == "" {
		return nil
	}
	return syncFolders(ctx, e.dir)
}

// Close gives up the bucket. A second Close does nothing.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return e.closeErr
	}
	e.closed = true
	e.sweep()
	if err := e.bucket.Close(); err != nil {
		e.closeErr = fmt.Errorf("close the bucket: %w", err)
	}
	return e.closeErr
}

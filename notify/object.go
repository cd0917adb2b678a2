package notify

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/attune-io/attune"
)

const (
	// objectsEvery is how often the bucket is looked through for objects that did
	// not come through the S3 door; those that did are looked for at once.
	objectsEvery = 5 * time.Second
	// objectSettled is how old a file must be: one that is being copied into the
	// folder is not read half.
	objectSettled = 2 * time.Second
	// objectRetry is the wait before objects that were too young are looked at again.
	objectRetry = time.Second

	// ObjectPrefix and the suffixes are those of objects that are told of: the
	// configurations of AWS's solution.
	ObjectPrefix = "train/"
)

// WantsObject says whether an object's key is one that is told of.
func WantsObject(key string) bool {
	for _, suffix := range []string{".json", ".yaml", ".yml"} {
		if strings.HasPrefix(key, ObjectPrefix) && strings.HasSuffix(key, suffix) {
			return true
		}
	}
	return false
}

// Object is an object of the bucket.
type Object struct {
	Bucket, Key, ETag string
	Size              int64
	Modified          time.Time
}

// Name is the object as a URL: s3://bucket/key.
func (o Object) Name() string { return "s3://" + o.Bucket + "/" + o.Key }

// mark is what makes an object another than it was.
func (o Object) mark() string { return fmt.Sprintf("%s %d %d", o.ETag, o.Size, o.Modified.UnixMicro()) }

// ID is the id of the event that tells of the object as it is: the same whenever
// it is told again.
func (o Object) ID() string { return sameID(o.Name() + " " + o.mark()) }

// Objects is where objects are seen and what is done with them.
type Objects struct {
	// List calls f with every object whose key begins with ObjectPrefix and that
	// WantsObject says yes to.
	List func(ctx context.Context, f func(Object) error) error
	// Apply begins what a new object asks for; o.ID is that of the writing, and of
	// the event. It is called again when it fails, but for attune.Invalid,
	// LimitExceeded and Exists, which are told, and NotFound: the object is gone.
	Apply func(ctx context.Context, o Object) error
	// Every is how often List is asked without a reason. Default: five seconds.
	Every time.Duration
}

// ObjectWritten says that an object came through the S3 door. It never blocks.
func (d *Desk) ObjectWritten(_, key string) {
	if !WantsObject(key) {
		return
	}
	select {
	case d.objectKick <- struct{}{}:
	default:
	}
}

// watchObjects looks for new objects until ctx ends. One path serves both doors: what
// was written while nobody looked is found by the next look.
func (d *Desk) watchObjects(ctx context.Context) error {
	if d.objects.List == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	told := map[string]string{}
	for {
		next := cmp.Or(d.objects.Every, objectsEvery)
		if young, err := d.lookForObjects(ctx, told); err != nil && ctx.Err() == nil {
			d.log.Warn("the bucket cannot be looked through for configurations", "error", err)
		} else if young {
			next = objectRetry
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.objectKick:
		case <-time.After(next):
		}
	}
}

// lookForObjects looks through the bucket once; young says that something is
// there that is too new to be read. told are the names and marks of objects that
// were told of and wait: no more is said of them.
func (d *Desk) lookForObjects(ctx context.Context, told map[string]string) (young bool, err error) {
	err = d.objects.List(ctx, func(o Object) error {
		var done string
		row := d.db.QueryRowContext(ctx, d.db.Bind(`SELECT etag FROM notify_object WHERE bucket = ? AND key = ?`), o.Bucket, o.Key)
		if err := row.Scan(&done); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if done == o.mark() {
			return nil
		}
		if time.Since(o.Modified) < objectSettled { // its date is the wall's
			young = true
			return nil
		}
		waits := told[o.Name()] == o.mark()
		if !waits {
			if err := d.tellObject(ctx, o); err != nil {
				return err
			}
			told[o.Name()] = o.mark()
		}
		if err := d.beginObject(ctx, o); err != nil {
			if !waits && ctx.Err() == nil {
				d.log.Warn("a new configuration waits", "object", o.Name(), "error", err)
			}
			return ctx.Err()
		}
		delete(told, o.Name())
		return nil
	})
	return young, err
}

// tellObject tells of an object.
func (d *Desk) tellObject(ctx context.Context, o Object) error {
	detail, err := json.Marshal(map[string]any{
		"version": "0", "bucket": map[string]any{"name": o.Bucket}, "reason": "PutObject",
		"object": map[string]any{"key": o.Key, "size": o.Size, "etag": o.ETag},
	})
	if err != nil {
		return err
	}
	e := Event{ID: o.ID(), Source: SourceObjects, DetailType: "Object Created", Time: o.Modified,
		Resources: []string{"arn:aws:s3:::" + o.Bucket}, Detail: detail}
	_, err = d.Put(ctx, e)
	return err
}

// beginObject begins what an object asks for, and remembers that it was seen to.
func (d *Desk) beginObject(ctx context.Context, o Object) error {
	if d.objects.Apply != nil {
		err := d.objects.Apply(ctx, o)
		switch attune.KindOf(err) {
		case attune.Invalid, attune.LimitExceeded, attune.Exists:
			err = d.tellRefused(ctx, o, err)
		case attune.NotFound: // it is gone again
			err = nil
		}
		if err != nil {
			return err
		}
	}
	_, err := d.db.ExecContext(ctx, d.db.Bind(`INSERT INTO notify_object (bucket, key, etag, told) VALUES (?, ?, ?, ?)
		ON CONFLICT (bucket, key) DO UPDATE SET etag = excluded.etag, told = excluded.told`), o.Bucket, o.Key, o.mark(), d.Clock().UnixMilli())
	return err
}

// tellRefused tells that a configuration cannot be used, with all that is wrong.
func (d *Desk) tellRefused(ctx context.Context, o Object, why error) error {
	description, err := json.Marshal(strings.Split(strings.TrimSpace(why.Error()), "\n"))
	if err != nil {
		return err
	}
	detail, err := json.Marshal(Summary{DatasetGroup: "UNKNOWN", Status: "UPDATE FAILED",
		Summary: "The configuration " + o.Name() + " cannot be used.", Description: description})
	if err != nil {
		return err
	}
	d.log.Warn("a dropped configuration cannot be used", "object", o.Name(), "error", why)
	_, err = d.Put(ctx, Event{ID: sameID("refused " + o.ID()), Source: SourceMaintain, DetailType: "Attune Configuration Refused", Detail: detail})
	return err
}

package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"gocloud.dev/blob/fileblob"

	"github.com/attune-io/attune"
)

// sidecar is what fileblob adds to a file's name for the file's attributes.
const sidecar = ".attrs"

// openFolder makes a bucket of a folder.
//
// NoTempDir: fileblob would write to the system's temporary folder and rename
// from there, which fails when that is another disk, and is not atomic at best.
//
// Metadata stays in sidecars: the content type, the user metadata and the MD5
// (the ETag) that an S3 client gave with an object have no other place, and a
// client that reads them back finds them missing if sidecars are skipped. They
// double the files, not the bytes.
func (e *Engine) openFolder(dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("find the folder of the bucket: %w", err)
	}
	const mode = 0o700 // what customers upload is about people
	if err := os.MkdirAll(abs, mode); err != nil {
		return attune.Errorf(attune.Unavailable, "make the folder of the bucket: %w", err)
	}
	b, err := fileblob.OpenBucket(abs, &fileblob.Options{
		DirFileMode: mode,
		NoTempDir:   true,
		Metadata:    fileblob.MetadataInSidecar,
	})
	if err != nil {
		return attune.Errorf(attune.Unavailable, "open the folder of the bucket: %w", err)
	}
	e.bucket, e.dir = b, abs
	return nil
}

// tryFolder makes and removes a file, because a folder that can be listed may
// be full, read-only or gone. The name has the sidecar's ending, which no
// listing shows.
func tryFolder(dir string) error {
	f, err := os.CreateTemp(dir, ".ready-*"+sidecar)
	if err != nil {
		return attune.Errorf(attune.Unavailable, "the folder of the bucket cannot be written to: %w", err)
	}
	_, werr := f.WriteString("ready")
	if err := errors.Join(werr, f.Close(), os.Remove(f.Name())); err != nil {
		return attune.Errorf(attune.Unavailable, "the folder of the bucket cannot be written to: %w", err)
	}
	return nil
}

// startSweep removes, beside everything else, what writers of a killed process
// left behind. Only the data directory's own folder is swept: it has one
// process at a time, which a folder given by URL may not.
func (e *Engine) startSweep(log *slog.Logger) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	began := time.Now()
	go func() {
		defer close(done)
		n, err := sweep(ctx, e.dir, began)
		if err != nil && ctx.Err() == nil {
			log.Warn("looking for half-written files failed; they take space but do no harm", "engine", "bucket", "error", err)
		}
		if n > 0 {
			log.Info("removed half-written files of an earlier process", "engine", "bucket", "files", n)
		}
	}()
	e.swept = done
	e.sweep = func() {
		cancel()
		<-done
	}
}

// unfinished is how fileblob names a file while it is being written: the final
// name and the nanosecond it was begun, in hexadecimal.
var unfinished = regexp.MustCompile(`\.([0-9a-f]{16})\.tmp$`)

// sweep removes the unfinished files under dir that were begun before a moment.
// A whole file whose own name looks like an unfinished one has a sidecar, and
// stays.
func sweep(ctx context.Context, dir string, before time.Time) (removed int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			return nil // deleted while we looked
		case err != nil:
			return err
		case !d.Type().IsRegular():
			return nil
		}
		m := unfinished.FindStringSubmatch(path)
		if m == nil {
			return nil
		}
		nanos, err := strconv.ParseInt(m[1], 16, 64)
		if err != nil || nanos >= before.UnixNano() {
			return nil //nolint:nilerr // not a time: not fileblob's
		}
		if _, err := os.Stat(path + sidecar); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		removed++
		return nil
	})
	return removed, err
}

// syncFolders syncs every folder below dir, in which files may have been deleted.
func syncFolders(ctx context.Context, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			return nil // deleted while we looked
		case err != nil || !d.IsDir():
			return err
		}
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

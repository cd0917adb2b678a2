package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gocloud.dev/blob"
)

// undoTimeout bounds taking back a file that became visible and could not be
// made durable. The caller's context may be what failed.
const undoTimeout = 10 * time.Second

// octets is the content type of everything written here. Naming it keeps the
// bucket from guessing, which would hold back the first bytes.
const octets = "application/octet-stream"

// Writer writes one file. It is not for use by several goroutines at once.
type Writer struct {
	store  *Store
	name   string
	ctx    context.Context
	cancel context.CancelFunc

	blob *blob.Writer
	temp *os.File // what blob writes to, when the bucket is a folder
	hash hash.Hash
	size int64
	over bool  // see Replace
	err  error // the first failure of a write: such a file is never committed
	done bool
}

// Create begins a file. Nobody sees it before Commit, and a Writer that is not
// committed must be aborted; the usual way is to defer Abort at once. ctx must
// last until then.
func (s *Store) Create(ctx context.Context, name string) (*Writer, error) {
	if err := checkWritable(name); err != nil {
		return nil, err
	}
	taken, err := s.Exists(ctx, name)
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, exists(name)
	}
	return s.writer(ctx, &Writer{name: name})
}

// Replace is Create for folders that others write to as well, where a name may
// be taken: Commit puts the new file in the place of the old one at once. Such
// a file has no checksum, because who replaces it next may not know of it.
func (s *Store) Replace(ctx context.Context, name string) (*Writer, error) {
	if err := checkWritable(name); err != nil {
		return nil, err
	}
	return s.writer(ctx, &Writer{name: name, over: true})
}

// writer begins to write.
func (s *Store) writer(ctx context.Context, w *Writer) (*Writer, error) {
	w.store, w.hash = s, newHash()
	w.ctx, w.cancel = context.WithCancel(ctx)
	var err error
	w.blob, w.temp, err = s.begin(w.ctx, s.prefix+w.name, !w.over)
	if err != nil {
		w.cancel()
		return nil, s.explain(err, "create", w.name)
	}
	return w, nil
}

// begin opens an object for writing, and finds the file behind it.
func (s *Store) begin(ctx context.Context, key string, fresh bool) (*blob.Writer, *os.File, error) {
	var temp *os.File
	b, err := s.bucket.NewWriter(ctx, key, &blob.WriterOptions{
		ContentType: octets,
		IfNotExist:  fresh,
		BeforeWrite: func(as func(any) bool) error {
			as(&temp)
			return nil
		},
	})
	if err != nil {
		return nil, nil, err
	}
	if s.dir != "" && temp == nil {
		return nil, nil, errors.Join(errors.New("the bucket has a folder but does not show its files, so they cannot be synced"), b.Close())
	}
	return b, temp, nil
}

// Write adds to the file. After an error the file can only be aborted.
func (w *Writer) Write(p []byte) (int, error) {
	if w.done {
		return 0, fmt.Errorf("write %s: %w", w.name, fs.ErrClosed)
	}
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.blob.Write(p)
	w.hash.Write(p[:n]) // a hash does not fail
	w.size += int64(n)
	if err != nil {
		w.err = w.store.explain(err, "write", w.name)
		return n, w.err
	}
	return n, nil
}

// Commit makes the file durable and visible, in this order, and ends the
// Writer. After an error the file is not there: it was never seen or it has
// been taken back. It is attune.Exists when somebody else was quicker.
func (w *Writer) Commit() (Info, error) {
	if w.done {
		return Info{}, fmt.Errorf("commit %s: %w", w.name, fs.ErrClosed)
	}
	defer w.Abort()
	if w.err != nil {
		return Info{}, w.err
	}
	s := w.store
	if !s.claim(w.name) {
		return Info{}, exists(w.name)
	}
	defer s.unclaim(w.name)
	info := Info{Name: w.name, Size: w.size}
	if err := w.makeSum(&info); err != nil {
		return Info{}, err
	}
	if err := w.publish(); err != nil {
		return Info{}, err
	}
	attrs, err := s.bucket.Attributes(w.ctx, s.prefix+w.name)
	if err == nil && attrs.Size != w.size {
		err = fmt.Errorf("the bucket has %d bytes of the %d that were written", attrs.Size, w.size)
	}
	if err != nil {
		return Info{}, w.undo(s.explain(err, "look back at", w.name))
	}
	info.ModTime = attrs.ModTime.UTC()
	return info, nil
}

// makeSum makes sure that the name is free, and keeps the checksum; in the place
// of another file there is none, and an old one would be wrong.
func (w *Writer) makeSum(info *Info) error {
	s := w.store
	if w.over {
		return s.deleteSum(w.ctx, w.name)
	}
	taken, err := s.Exists(w.ctx, w.name)
	if err != nil {
		return err
	}
	if taken {
		return exists(w.name)
	}
	info.SHA256 = hex.EncodeToString(w.hash.Sum(nil))
	return s.writeSum(w.ctx, w.name, info.SHA256)
}

// publish makes the content visible. Its bytes are on disk before its name is.
func (w *Writer) publish() error {
	s := w.store
	if w.temp != nil {
		// A blob.Writer with a content type passes each write on, so all of
		// them are in the file by now.
		if err := s.sync(w.temp); err != nil {
			return s.explain(err, "sync", w.name)
		}
	}
	w.done = true
	if err := w.blob.Close(); err != nil {
		return s.explain(err, "finish", w.name)
	}
	if err := s.settle(w.ctx, s.prefix+w.name); err != nil {
		return w.undo(s.explain(err, "sync", w.name))
	}
	return nil
}

// undo takes back a file that is visible but must not be.
func (w *Writer) undo(cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), undoTimeout)
	defer cancel()
	if err := w.store.bucket.Delete(ctx, w.store.prefix+w.name); err != nil {
		return errors.Join(cause, fmt.Errorf("take back %s: %w", w.name, err))
	}
	return cause
}

// Abort ends the Writer and leaves nothing behind. After Commit, or a second
// time, it does nothing.
func (w *Writer) Abort() {
	if !w.done {
		w.done = true
		w.cancel() // which makes Close discard what was written
		_ = w.blob.Close()
	}
	w.cancel()
}

// writeSum writes the checksum of a file that is about to appear. One that a
// killed process left under the name is replaced.
func (s *Store) writeSum(ctx context.Context, name, sum string) error {
	key := s.prefix + sums + name
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b, temp, err := s.begin(ctx, key, false)
	if err != nil {
		return s.explain(err, "create the checksum of", name)
	}
	_, err = io.WriteString(b, sum+"\n")
	if err == nil && temp != nil {
		err = s.sync(temp)
	}
	if err != nil {
		cancel()
		return s.explain(errors.Join(err, ignoreCancelled(b.Close())), "write the checksum of", name)
	}
	if err := b.Close(); err != nil {
		return s.explain(err, "finish the checksum of", name)
	}
	if err := s.settle(ctx, key); err != nil {
		return s.explain(err, "sync the checksum of", name)
	}
	return nil
}

func ignoreCancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// settle makes the name of a finished object durable: fileblob has renamed a
// file and written its attributes beside it, and synced nothing. A folder is
// synced with those above it, since they may all be new.
func (s *Store) settle(ctx context.Context, key string) error {
	if s.dir == "" {
		return nil
	}
	path, err := s.path(ctx, key)
	if err != nil {
		return err
	}
	if err := s.syncPath(path + attributesSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // without sidecars there is nothing to sync
	}
	for folder := filepath.Dir(path); ; folder = filepath.Dir(folder) {
		if err := s.syncPath(folder); err != nil {
			return err
		}
		if folder == s.dir || folder == filepath.Dir(folder) {
			return nil
		}
	}
}

// path asks the bucket where an object is: names are escaped in its own way.
func (s *Store) path(ctx context.Context, key string) (string, error) {
	var f *os.File
	r, err := s.bucket.NewRangeReader(ctx, key, 0, 0, &blob.ReaderOptions{BeforeRead: func(as func(any) bool) error {
		as(&f)
		return nil
	}})
	if err != nil {
		return "", err
	}
	defer r.Close() //nolint:errcheck // nothing was read
	if f == nil {
		return "", fmt.Errorf("the bucket does not say which file %s is", key)
	}
	return f.Name(), nil
}

func (s *Store) syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(s.sync(f), f.Close())
}

// claim takes a name for one Commit of this store; it does not wait, because
// the other one will either be visible in a moment or have failed.
func (s *Store) claim(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.making[name] {
		return false
	}
	s.making[name] = true
	return true
}

func (s *Store) unclaim(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.making, name)
}

func newHash() hash.Hash { return sha256.New() }

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

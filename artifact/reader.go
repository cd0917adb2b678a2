package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"gocloud.dev/blob"
)

// Reader reads one file: in order, from anywhere, or at offsets from several
// goroutines at once. A file of a folder is read in place. A file of an object
// store is streamed while it is read in order, and copied to a temporary file
// at the first ReadAt: what reads at offsets, such as parquet, comes back for
// every part of it, and a request each would take longer than the copy.
type Reader struct {
	ctx     context.Context
	store   *Store
	name    string
	size    int64
	modTime time.Time

	blob   *blob.Reader // what is open in the bucket; nil between streams
	local  *os.File     // blob's own file, when the bucket is a folder
	at     int64        // where Read goes on
	stream int64        // where blob stands

	mu     sync.Mutex // guards spool and closed
	spool  *os.File
	closed bool
}

var (
	_ io.ReadSeekCloser = (*Reader)(nil)
	_ io.ReaderAt       = (*Reader)(nil)
)

// Open opens a file, whoever wrote it. ctx must last until Close.
func (s *Store) Open(ctx context.Context, name string) (*Reader, error) {
	if err := checkReadable(name); err != nil {
		return nil, err
	}
	r := &Reader{ctx: ctx, store: s, name: name}
	var err error
	r.blob, err = s.bucket.NewReader(ctx, s.prefix+name, &blob.ReaderOptions{BeforeRead: func(as func(any) bool) error {
		as(&r.local)
		return nil
	}})
	if err != nil {
		return nil, s.explain(err, "open", name)
	}
	r.size, r.modTime = r.blob.Size(), r.blob.ModTime().UTC()
	return r, nil
}

// Size is the length of the file in bytes.
func (r *Reader) Size() int64 { return r.size }

// ModTime is when the file was made, by the bucket's clock.
func (r *Reader) ModTime() time.Time { return r.modTime }

// Read reads on from where the last Read or Seek left.
func (r *Reader) Read(p []byte) (int, error) {
	if r.isClosed() {
		return 0, r.closedErr()
	}
	if r.at >= r.size {
		return 0, io.EOF
	}
	if r.local != nil {
		n, err := r.local.ReadAt(p[:min(int64(len(p)), r.size-r.at)], r.at)
		r.at += int64(n)
		return n, r.wrap(r.early(err))
	}
	if err := r.restream(); err != nil {
		return 0, err
	}
	n, err := r.blob.Read(p)
	r.at += int64(n)
	r.stream = r.at
	return n, r.wrap(r.early(err))
}

// early tells a stream that ends before the file from the end of the file.
func (r *Reader) early(err error) error {
	if errors.Is(err, io.EOF) && r.at < r.size {
		return io.ErrUnexpectedEOF
	}
	return err
}

// restream makes the stream stand where Read goes on.
func (r *Reader) restream() error {
	if r.blob != nil && r.stream == r.at {
		return nil
	}
	if r.blob != nil {
		old := r.blob
		r.blob = nil
		if err := old.Close(); err != nil {
			return r.wrap(err)
		}
	}
	b, err := r.store.bucket.NewRangeReader(r.ctx, r.store.prefix+r.name, r.at, -1, nil)
	if err != nil {
		return r.store.explain(err, "read", r.name)
	}
	r.blob, r.stream = b, r.at
	return nil
}

// Seek sets where Read goes on. It asks nothing of the bucket.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	default:
		return 0, fmt.Errorf("seek in %s: unknown whence %d", r.name, whence)
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek in %s: before its start", r.name)
	}
	r.at = offset
	return offset, nil
}

// ReadAt reads at an offset, whatever Read does meanwhile.
func (r *Reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read %s: before its start", r.name)
	}
	f, err := r.file()
	if err != nil {
		return 0, err
	}
	if off >= r.size {
		return 0, io.EOF
	}
	n, err := f.ReadAt(p, off)
	return n, r.wrap(err)
}

// file is the local file with the content, copied here at the first call when
// the bucket is remote.
func (r *Reader) file() (*os.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return nil, r.closedErr()
	case r.local != nil:
		return r.local, nil
	case r.spool != nil:
		return r.spool, nil
	}
	f, err := os.CreateTemp("", "attune-artifact-*")
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", r.name, err)
	}
	if err := r.copyTo(f); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	r.spool = f
	return f, nil
}

func (r *Reader) copyTo(f *os.File) error {
	b, err := r.store.bucket.NewReader(r.ctx, r.store.prefix+r.name, nil)
	if err != nil {
		return r.store.explain(err, "read", r.name)
	}
	defer b.Close() //nolint:errcheck // it was only read
	n, err := io.Copy(f, b)
	if err != nil {
		return r.wrap(err)
	}
	if n != r.size {
		return fmt.Errorf("read %s: got %d bytes of %d", r.name, n, r.size)
	}
	return nil
}

// Close ends the reading and removes the temporary copy. A second Close does
// nothing.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	var err error
	if r.blob != nil {
		err = r.blob.Close()
	}
	if r.spool != nil {
		err = errors.Join(err, r.spool.Close(), os.Remove(r.spool.Name()))
	}
	return err
}

func (r *Reader) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

func (r *Reader) closedErr() error { return fmt.Errorf("read %s: %w", r.name, fs.ErrClosed) }

// wrap says what was being read. The end of a file is not a failure, and its
// callers compare it.
func (r *Reader) wrap(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("read %s: %w", r.name, err)
}

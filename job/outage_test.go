package job

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/model"
)

var errReset = errors.New("connection reset by peer")

// shaky is an object store of one file whose reading ends after some bytes, as
// trouble says: a broken connection, or a stream that just ends.
type shaky struct {
	driver.Bucket // only the methods below are called
	key           string
	data          []byte
	from          int   // bytes that can be read; -1 for no reading at all
	trouble       error // nil for none
	deleted       bool
}

func (s *shaky) Close() error { return nil }

func (s *shaky) ErrorCode(err error) gcerrors.ErrorCode {
	if errors.Is(err, fs.ErrNotExist) {
		return gcerrors.NotFound
	}
	return gcerrors.Unknown
}

func (s *shaky) ListPaged(context.Context, *driver.ListOptions) (*driver.ListPage, error) {
	if s.deleted {
		return &driver.ListPage{}, nil
	}
	return &driver.ListPage{Objects: []*driver.ListObject{{Key: s.key, Size: int64(len(s.data))}}}, nil
}

func (s *shaky) Attributes(_ context.Context, key string) (*driver.Attributes, error) {
	if key != s.key || s.deleted {
		return nil, fs.ErrNotExist
	}
	return &driver.Attributes{Size: int64(len(s.data))}, nil
}

func (s *shaky) Delete(_ context.Context, key string, _ *driver.DeleteOptions) error {
	if key != s.key {
		return fs.ErrNotExist // its checksum
	}
	s.deleted = true
	return nil
}

func (s *shaky) NewRangeReader(_ context.Context, key string, _, _ int64, _ *driver.ReaderOptions) (driver.Reader, error) {
	if key != s.key || s.deleted {
		return nil, fs.ErrNotExist
	}
	if s.from < 0 {
		return nil, s.trouble
	}
	return &shakyReader{shaky: s}, nil
}

type shakyReader struct {
	*shaky
	at int
}

func (r *shakyReader) Read(p []byte) (int, error) {
	end := len(r.data)
	if r.trouble != nil {
		end = r.from
	}
	if r.at >= end {
		if r.trouble != nil {
			return 0, r.trouble
		}
		return 0, io.EOF
	}
	n := copy(p, r.data[r.at:end])
	r.at += n
	return n, nil
}

func (r *shakyReader) Attributes() *driver.ReaderAttributes {
	return &driver.ReaderAttributes{Size: int64(len(r.data)), ModTime: time.Unix(1, 0)}
}

func (r *shakyReader) As(any) bool { return false }

// TestCheckpointOutlivesOutage: an hour of training is not thrown away because
// the bucket could not be reached for a moment; when it can, it goes on.
func TestCheckpointOutlivesOutage(t *testing.T) {
	const folder = "model/v1/checkpoint/"
	good := memblob.OpenBucket(nil)
	defer good.Close()
	writer := newCheckpoint(artifact.New(good, "", ""), slog.New(slog.DiscardHandler), folder, 0)
	want := []float32{1, 2, 3}
	if err := writer.Save(t.Context(), 7, map[string]model.Tensor{"w": {Shape: []int{3}, F32: want}}); err != nil {
		t.Fatal(err)
	}
	data, err := good.ReadAll(t.Context(), folder+"7")
	if err != nil {
		t.Fatal(err)
	}
	for _, trouble := range []error{errReset, context.DeadlineExceeded, fs.ErrPermission, io.EOF} {
		for from := -1; from < len(data); from += 1 + len(data)/20 {
			s := &shaky{key: folder + "7", data: data, from: from, trouble: trouble}
			bucket := blob.NewBucket(s)
			c := newCheckpoint(artifact.New(bucket, "", ""), slog.New(slog.DiscardHandler), folder, 0)
			if n, state, err := c.Load(t.Context()); err == nil || s.deleted {
				t.Fatalf("%v after %d bytes: round %d, %v; deleted %v", trouble, from, n, state, s.deleted)
			}
			s.trouble, s.from = nil, 0
			if n, state, err := c.Load(t.Context()); err != nil || n != 7 || !slices.Equal(state["w"].F32, want) {
				t.Fatalf("after the outage: round %d, %v, %v", n, state, err)
			}
			s.data = bytes.Clone(data)
			s.data[len(data)/2] ^= 1
			if n, _, err := c.Load(t.Context()); err != nil || n != 0 || !s.deleted {
				t.Fatalf("damaged: round %d, %v; deleted %v", n, err, s.deleted)
			}
			_ = bucket.Close()
		}
	}
}

package artifact

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"testing/iotest"
)

func TestReader(t *testing.T) {
	content := make([]byte, 1<<20+7)
	chance := rand.New(rand.NewPCG(1, 2))
	for i := range content {
		content[i] = byte(chance.Uint32())
	}
	each(t, func(t *testing.T, s *Store) {
		put(t, s, "a", string(content))
		r, err := s.Open(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if r.Size() != int64(len(content)) || r.ModTime().IsZero() {
			t.Errorf("size %d, made %s", r.Size(), r.ModTime())
		}
		if err := iotest.TestReader(r, content); err != nil {
			t.Error(err)
		}
		parallel(t, r, content)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("second close: %v", err)
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("read after close says %v", err)
		}
		if _, err := r.ReadAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("read after close says %v", err)
		}
	})
}

// parallel reads at offsets from several goroutines while one reads in order.
func parallel(t *testing.T, r *Reader, content []byte) {
	t.Helper()
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			chance := rand.New(rand.NewPCG(3, uint64(i)))
			buf := make([]byte, 1000)
			for range 200 {
				off := chance.IntN(len(content) - len(buf))
				if _, err := r.ReadAt(buf, int64(off)); err != nil || !bytes.Equal(buf, content[off:off+len(buf)]) {
					t.Errorf("read at %d differs; error %v", off, err)
					return
				}
			}
		})
	}
	if data, err := io.ReadAll(r); err != nil || !bytes.Equal(data, content) {
		t.Errorf("reading in order gives %d bytes; error %v", len(data), err)
	}
	wg.Wait()
}

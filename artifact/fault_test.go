package artifact

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"
)

// fileblob syncs nothing. Before Commit returns, the bytes of the file and of
// its checksum were synced while nobody could see the file, and after that its
// attributes and each folder on the way to it.
func TestCommitSyncs(t *testing.T) {
	b, dir := folder(t)
	s := New(b, dir, "attune/")
	final := filepath.Join(dir, "attune", "model", "1", "tensors")
	var synced []string
	s.sync = func(f *os.File) error {
		_, err := os.Stat(final)
		seen := "before "
		if err == nil {
			seen = "after "
		}
		name, err := filepath.Rel(dir, f.Name())
		if err != nil {
			t.Error(err)
		}
		if temporary.MatchString(name) {
			info, err := f.Stat()
			if err != nil || info.Size() == 0 {
				t.Errorf("%s was synced before it was written; error %v", name, err)
			}
		}
		synced = append(synced, seen+temporary.ReplaceAllString(filepath.ToSlash(name), ""))
		return f.Sync()
	}
	put(t, s, "model/1/tensors", "content")
	want := []string{
		"before attune/.sum/model/1/tensors",
		"before attune/.sum/model/1/tensors.attrs",
		"before attune/.sum/model/1",
		"before attune/.sum/model",
		"before attune/.sum",
		"before attune",
		"before .",
		"before attune/model/1/tensors",
		"after attune/model/1/tensors.attrs",
		"after attune/model/1",
		"after attune/model",
		"after attune",
		"after .",
	}
	if !slices.Equal(synced, want) {
		t.Errorf("synced\n%s\nwant\n%s", strings.Join(synced, "\n"), strings.Join(want, "\n"))
	}
}

// Whichever sync fails, Commit says so and the file is not there; and the name
// can be used again.
func TestFailingSync(t *testing.T) {
	broken := errors.New("the disk is broken")
	b, dir := folder(t)
	s := New(b, dir, "attune/")
	for at := 0; ; at++ {
		n := 0
		s.sync = func(f *os.File) error {
			if n++; n > at {
				return broken
			}
			return f.Sync()
		}
		_, err := s.Put(t.Context(), "model/1", []byte("content"))
		if err == nil {
			if at != n || at < 5 {
				t.Errorf("put succeeded after %d syncs of which %d could be made", n, at)
			}
			break
		}
		if !errors.Is(err, broken) {
			t.Fatalf("sync %d: put says %v", at, err)
		}
		if got := list(t, s, ""); len(got) != 0 {
			t.Fatalf("sync %d failed, but %v is there", at, got)
		}
		if ok, err := s.Exists(t.Context(), "model/1"); ok || err != nil {
			t.Fatalf("sync %d failed, but the file exists: %v, error %v", at, ok, err)
		}
	}
	if err := s.Verify(t.Context(), "model/1"); err != nil {
		t.Error(err)
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if temporary.MatchString(path) {
			t.Errorf("%s was left behind", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// The folder disappears under a writer, as an unmounted disk does.
func TestFolderGone(t *testing.T) {
	b, dir := folder(t)
	s := New(b, dir, "attune/")
	w, err := s.Create(t.Context(), "model/1")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := w.Write([]byte("content")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "attune", "model")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(); err == nil {
		t.Error("commit into a folder that is gone succeeded")
	}
	if got := list(t, s, ""); len(got) != 0 {
		t.Errorf("listed %v", got)
	}
}

// What a killed process leaves is neither listed nor in the way.
func TestAfterAKill(t *testing.T) {
	b, dir := folder(t)
	s := New(b, dir, "attune/")
	put(t, s, "model/1", "content")
	temp := filepath.Join(dir, "attune", "model", "2.18abcdef01234567.tmp")
	if err := os.WriteFile(temp, []byte("con"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.writeSum(t.Context(), "model/2", strings.Repeat("0", 64)); err != nil {
		t.Fatal(err)
	}
	if got := list(t, s, ""); !slices.Equal(got, []string{"model/1"}) {
		t.Errorf("listed %v", got)
	}
	put(t, s, "model/2", "content")
	if err := s.Verify(t.Context(), "model/2"); err != nil {
		t.Error(err)
	}
	if err := s.writeSum(t.Context(), "model/3", strings.Repeat("0", 64)); err != nil {
		t.Fatal(err)
	}
	if err := s.DeletePrefix(t.Context(), "model/"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "attune", ".sum", "model", "3")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an orphan checksum was left behind: %v", err)
	}
}

// A folder whose bucket hides its files cannot be made durable; that is an
// error and not a promise.
func TestFolderThatCannotBeSynced(t *testing.T) {
	b := blob.NewBucket(&failing{})
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := New(b, t.TempDir(), "attune/").Create(t.Context(), "a"); err == nil {
		t.Error("created a file that cannot be synced")
	}
}

var errStore = errors.New("the object store said no")

// failing is an object store that fails at one step and, like a real one, keeps
// nothing of a write that failed.
type failing struct {
	driver.Bucket        // only the methods below are called
	at            string // the step: open, write, close; "" for none
	only          string // and only for keys that contain this
	kept          []string
}

func (f *failing) fail(step, key string) error {
	if f.at == step && strings.Contains(key, f.only) {
		return errStore
	}
	return nil
}

func (f *failing) Close() error { return nil }

func (f *failing) ErrorCode(err error) gcerrors.ErrorCode {
	if errors.Is(err, fs.ErrNotExist) {
		return gcerrors.NotFound
	}
	return gcerrors.Unknown
}

func (f *failing) Attributes(_ context.Context, key string) (*driver.Attributes, error) {
	if !slices.Contains(f.kept, key) {
		return nil, fs.ErrNotExist
	}
	return &driver.Attributes{Size: int64(len("content"))}, nil
}

func (f *failing) NewTypedWriter(ctx context.Context, key, _ string, _ *driver.WriterOptions) (driver.Writer, error) {
	if err := f.fail("open", key); err != nil {
		return nil, err
	}
	return &failingWriter{ctx, f, key}, nil
}

type failingWriter struct {
	ctx   context.Context
	store *failing
	key   string
}

func (w *failingWriter) Write(p []byte) (int, error) {
	return len(p), w.store.fail("write", w.key)
}

func (w *failingWriter) Close() error {
	if err := w.store.fail("close", w.key); err != nil {
		return err
	}
	if err := w.ctx.Err(); err != nil {
		return err // as a driver must: a cancelled write never happened
	}
	w.store.kept = append(w.store.kept, w.key)
	return nil
}

func TestFailingObjectStore(t *testing.T) {
	for _, only := range []string{"attune/a", "attune/.sum/a"} {
		for _, at := range []string{"open", "write", "close", ""} {
			t.Run(only+" "+at, func(t *testing.T) {
				f := &failing{at: at, only: only}
				b := blob.NewBucket(f)
				t.Cleanup(func() {
					if err := b.Close(); err != nil {
						t.Error(err)
					}
				})
				_, err := New(b, "", "attune/").Put(t.Context(), "a", []byte("content"))
				if at == "" {
					if err != nil || len(f.kept) != 2 {
						t.Errorf("put without failures says %v and keeps %v", err, f.kept)
					}
					return
				}
				if !errors.Is(err, errStore) && !strings.Contains(err.Error(), errStore.Error()) {
					t.Errorf("put says %v", err)
				}
				if slices.Contains(f.kept, "attune/a") {
					t.Error("the file became visible")
				}
			})
		}
	}
}

package artifact

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"

	"github.com/attune-io/attune"
)

// folder makes a bucket of a folder the way engine/bucket does.
func folder(t *testing.T) (*blob.Bucket, string) {
	t.Helper()
	dir := t.TempDir()
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b, dir
}

// each runs a test over a folder and over a bucket that is not one.
func each(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("folder", func(t *testing.T) {
		b, dir := folder(t)
		test(t, New(b, dir, "attune/"))
	})
	t.Run("remote", func(t *testing.T) {
		b := memblob.OpenBucket(nil)
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		test(t, New(b, "", "attune/"))
	})
}

func put(t *testing.T, s *Store, name, content string) Info {
	t.Helper()
	info, err := s.Put(t.Context(), name, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func list(t *testing.T, s *Store, prefix string) (names []string) {
	t.Helper()
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Name)
	}
	return names
}

func wantKind(t *testing.T, what string, err error, kind attune.Kind) {
	t.Helper()
	if err == nil || attune.KindOf(err) != kind {
		t.Errorf("%s: the error is %v, want one of kind %s", what, err, kind)
	}
}

func TestPutGetStatVerify(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of hello, by any other tool
		info := put(t, s, "model/1/manifest.json", "hello")
		if info.Name != "model/1/manifest.json" || info.Size != 5 || info.SHA256 != sum || info.ModTime.IsZero() {
			t.Errorf("put says %+v", info)
		}
		got, err := s.Stat(t.Context(), info.Name)
		if err != nil || got != info {
			t.Errorf("stat says %+v, put said %+v; error %v", got, info, err)
		}
		data, err := s.Get(t.Context(), info.Name, 5)
		if err != nil || string(data) != "hello" {
			t.Errorf("get gives %q; error %v", data, err)
		}
		_, err = s.Get(t.Context(), info.Name, 4)
		wantKind(t, "get of too much", err, attune.LimitExceeded)
		if err := s.Verify(t.Context(), info.Name); err != nil {
			t.Error(err)
		}
		if info := put(t, s, "empty", ""); info.Size != 0 {
			t.Errorf("put says %+v", info)
		}
		if data, err := s.Get(t.Context(), "empty", 0); err != nil || len(data) != 0 {
			t.Errorf("get gives %q; error %v", data, err)
		}
	})
}

func TestNotFound(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		put(t, s, "folder/file", "x")
		for _, name := range []string{"nothing", "folder", "folder/other"} {
			_, err := s.Open(t.Context(), name)
			wantKind(t, "open", err, attune.NotFound)
			_, err = s.Get(t.Context(), name, 1)
			wantKind(t, "get", err, attune.NotFound)
			_, err = s.Stat(t.Context(), name)
			wantKind(t, "stat", err, attune.NotFound)
			wantKind(t, "verify", s.Verify(t.Context(), name), attune.NotFound)
			wantKind(t, "delete", s.Delete(t.Context(), name), attune.NotFound)
			if ok, err := s.Exists(t.Context(), name); ok || err != nil {
				t.Errorf("%s exists: %v, error %v", name, ok, err)
			}
		}
		if got := list(t, s, "nothing/"); len(got) != 0 {
			t.Errorf("listed %v", got)
		}
	})
}

func TestInvalidNames(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for _, name := range []string{"", "/a", "../a", "a/../b", "a/..", "..", ".sum/a", "a\xff", strings.Repeat("a", 1100)} {
			_, err := s.Open(t.Context(), name)
			wantKind(t, fmt.Sprintf("open %q", name), err, attune.Invalid)
			_, err = s.Create(t.Context(), name)
			wantKind(t, fmt.Sprintf("create %q", name), err, attune.Invalid)
		}
		for _, name := range []string{"a:b", `a\b`, "a//b", "a/", "./a", "a/.", "a\n", "a.attrs", "a.18abcdef01234567.tmp", "x/" + strings.Repeat("a", 201)} {
			_, err := s.Create(t.Context(), name)
			wantKind(t, fmt.Sprintf("create %q", name), err, attune.Invalid)
		}
		for _, name := range []string{"a..b", "..a", "ünïcode", "a b+c%d", "tmp.tmp"} {
			put(t, s, name, name)
			if data, err := s.Get(t.Context(), name, 100); err != nil || string(data) != name {
				t.Errorf("get %q gives %q; error %v", name, data, err)
			}
		}
		for _, prefix := range []string{"/", "../", "a/../"} {
			for _, err := range s.List(t.Context(), prefix) {
				wantKind(t, "list "+prefix, err, attune.Invalid)
			}
		}
	})
}

func TestFilesAreNotChanged(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		put(t, s, "a", "first")
		_, err := s.Create(t.Context(), "a")
		wantKind(t, "create again", err, attune.Exists)

		// Both begin when the name is free; the second to finish loses.
		one, err := s.Create(t.Context(), "b")
		if err != nil {
			t.Fatal(err)
		}
		defer one.Abort()
		two, err := s.Create(t.Context(), "b")
		if err != nil {
			t.Fatal(err)
		}
		defer two.Abort()
		for w, text := range map[*Writer]string{one: "one", two: "two"} {
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := one.Commit(); err != nil {
			t.Fatal(err)
		}
		_, err = two.Commit()
		wantKind(t, "commit second", err, attune.Exists)
		if data, err := s.Get(t.Context(), "b", 10); err != nil || string(data) != "one" {
			t.Errorf("get gives %q; error %v", data, err)
		}
	})
}

func TestOneOfManyCommits(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		const writers = 16
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				_, err := s.Put(t.Context(), "race", fmt.Appendf(nil, "writer %d", i))
				if err == nil {
					won.Add(1)
				} else if attune.KindOf(err) != attune.Exists {
					t.Errorf("put: %v", err)
				}
			})
		}
		wg.Wait()
		if n := won.Load(); n != 1 {
			t.Errorf("%d of %d writers of one name won", n, writers)
		}
		if err := s.Verify(t.Context(), "race"); err != nil {
			t.Error(err)
		}
	})
}

func TestNothingIsSeenBeforeCommit(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		w, err := s.Create(t.Context(), "folder/a")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
			t.Fatal(err)
		}
		if got := list(t, s, ""); len(got) != 0 {
			t.Errorf("an unfinished file is listed: %v", got)
		}
		if ok, err := s.Exists(t.Context(), "folder/a"); ok || err != nil {
			t.Errorf("an unfinished file exists: %v, error %v", ok, err)
		}
		w.Abort()
		w.Abort()
		if _, err := w.Write([]byte("x")); err == nil {
			t.Error("an aborted writer writes")
		}
		if _, err := w.Commit(); err == nil {
			t.Error("an aborted writer commits")
		}
		if got := list(t, s, ""); len(got) != 0 {
			t.Errorf("an aborted file is listed: %v", got)
		}
		put(t, s, "folder/a", "the name is still free")
	})
}

func TestCommitAfterCancel(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx, cancel := context.WithCancel(t.Context())
		w, err := s.Create(ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		if _, err := io.WriteString(w, "x"); err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := w.Commit(); !errors.Is(err, context.Canceled) {
			t.Errorf("commit says %v", err)
		}
		if got := list(t, s, ""); len(got) != 0 {
			t.Errorf("listed %v", got)
		}
	})
}

func TestListAndDelete(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		names := []string{"model/1/a", "model/1/b", "model/10/a", "model/2", "table/x.parquet", "table/x/y"}
		for _, name := range names {
			put(t, s, name, name)
		}
		if got := list(t, s, ""); !slices.Equal(got, names) {
			t.Errorf("listed %v, want %v", got, names)
		}
		if got := list(t, s, "model/1"); !slices.Equal(got, names[:3]) {
			t.Errorf("listed %v, want %v", got, names[:3])
		}
		for range s.List(t.Context(), "") {
			break // and no more
		}
		wantKind(t, "delete model/1", s.DeletePrefix(t.Context(), "model/1"), attune.Invalid)
		wantKind(t, "delete everything", s.DeletePrefix(t.Context(), ""), attune.Invalid)
		wantKind(t, "delete the checksums", s.DeletePrefix(t.Context(), ".sum/a/"), attune.Invalid)
		for range 2 {
			if err := s.DeletePrefix(t.Context(), "model/1/"); err != nil {
				t.Error(err)
			}
		}
		if got := list(t, s, ""); !slices.Equal(got, names[2:]) {
			t.Errorf("listed %v, want %v", got, names[2:])
		}
		for _, name := range names[2:] {
			if err := s.Delete(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
		if obj, err := s.bucket.List(nil).Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("something is left: %v, error %v", obj, err)
		}
	})
}

func TestOtherPrefixesAreNotSeen(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		put(t, s, "a", "x")
		other := New(s.bucket, s.dir, "s3/")
		if got := list(t, other, ""); len(got) != 0 {
			t.Errorf("listed %v", got)
		}
		_, err := other.Open(t.Context(), "a")
		wantKind(t, "open", err, attune.NotFound)
	})
}

// What a customer uploads has no checksum, and names of its own.
func TestFilesOfOthers(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		const name = "shop/2026-03-01T00:00:00 events.csv"
		if err := s.bucket.WriteAll(t.Context(), "s3/"+name, []byte("a,b\n"), nil); err != nil {
			t.Fatal(err)
		}
		in := New(s.bucket, s.dir, "s3/")
		if got := list(t, in, "shop/"); !slices.Equal(got, []string{name}) {
			t.Errorf("listed %v", got)
		}
		r, err := in.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(r); err != nil || string(data) != "a,b\n" {
			t.Errorf("read %q; error %v", data, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if info, err := in.Stat(t.Context(), name); err != nil || info.SHA256 != "" || info.Size != 4 {
			t.Errorf("stat says %+v; error %v", info, err)
		}
		if _, err := in.Get(t.Context(), name, 10); err != nil {
			t.Error(err)
		}
		wantKind(t, "verify", in.Verify(t.Context(), name), attune.Invalid)
	})
}

func TestDamageIsFound(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		put(t, s, "a", "hello")
		if err := s.bucket.WriteAll(t.Context(), "attune/a", []byte("jello"), nil); err != nil {
			t.Fatal(err)
		}
		wantKind(t, "verify", s.Verify(t.Context(), "a"), attune.Internal)
		_, err := s.Get(t.Context(), "a", 10)
		wantKind(t, "get", err, attune.Internal)
		if err := s.bucket.WriteAll(t.Context(), "attune/.sum/a", []byte("zz"), nil); err != nil {
			t.Fatal(err)
		}
		wantKind(t, "verify", s.Verify(t.Context(), "a"), attune.Internal)
	})
}

func TestReplace(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		put(t, s, "a/b", "old")
		w, err := s.Replace(t.Context(), "a/b")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("new")); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), "a/b", 10); err != nil || string(got) != "old" {
			t.Errorf("before the commit: %q, %v", got, err)
		}
		if _, err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), "a/b", 10); err != nil || string(got) != "new" {
			t.Errorf("after the commit: %q, %v", got, err)
		}
		if w, err = s.Replace(t.Context(), "c"); err != nil { // nothing to replace
			t.Fatal(err)
		}
		if _, err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		if w, err = s.Replace(t.Context(), "a/b"); err != nil {
			t.Fatal(err)
		}
		w.Abort()
		if names := list(t, s, ""); !slices.Equal(names, []string{"a/b", "c"}) {
			t.Errorf("files %v", names)
		}
		if _, err := s.Replace(t.Context(), "../x"); err == nil {
			t.Error("a name outside the store was taken")
		}
	})
}

// TestListWhileOthersDelete: files that go away under a List hide none that stay.
func TestListWhileOthersDelete(t *testing.T) {
	b, dir := folder(t)
	s := New(b, dir, "attune/")
	var stay []string
	for i := range 40 {
		stay = append(stay, put(t, s, fmt.Sprintf("x/%02d/stays", i), "a").Name)
	}
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	for w := range 2 {
		busy.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				at := fmt.Sprintf("x/%02d/goes-%d/", n%40, w)
				if _, err := s.Put(ctx, at+"f", []byte("b")); err == nil {
					_ = s.DeletePrefix(ctx, at)
				}
			}
		})
	}
	for range 300 {
		var got []string
		for info, err := range s.List(t.Context(), "x/") {
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(info.Name, "/stays") {
				got = append(got, info.Name)
			}
		}
		if !slices.Equal(got, stay) {
			t.Fatalf("listed %d files that stay, want %d", len(got), len(stay))
		}
	}
	stop()
	busy.Wait()
}

package embed

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gocloud.dev/blob/fileblob"

	"github.com/attune-io/attune/artifact"
)

// names are the files of all models.
func names(t *testing.T, s *artifact.Store) (out []string) {
	t.Helper()
	for info, err := range s.List(t.Context(), folder) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, info.Name)
	}
	return out
}

// TestSmallFilesAreJoined: many trainings with a few new texts each do not leave
// many files.
func TestSmallFilesAreJoined(t *testing.T) {
	s, kept := serve(t), store(t)
	for i := range smallMost + 5 {
		check(t, s.client(t, kept, new(bytes.Buffer)), texts(i, i+2), 16)
	}
	if n := len(names(t, kept)); n > 6 {
		t.Errorf("%d files", n)
	}
	s.asked = nil
	check(t, s.client(t, kept, new(bytes.Buffer)), texts(0, smallMost+6), 16)
	if len(s.asked) > 0 {
		t.Errorf("joining lost %q", s.asked)
	}
}

// TestRoom: the oldest go when there is no room, and are asked for again.
func TestRoom(t *testing.T) {
	s, kept := serve(t), store(t)
	c := s.client(t, kept, new(bytes.Buffer))
	c.kept.most = 10_000 // bytes: a vector takes 96
	for i := range 20 {
		check(t, c, texts(20*i, 20*i+20), 16)
		total := int64(0)
		for _, name := range names(t, kept) {
			info, err := kept.Stat(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			total += info.Size
		}
		if total > c.kept.most {
			t.Fatalf("%d bytes are kept", total)
		}
	}
	check(t, c, texts(0, 400), 16)
}

// TestDamage: files that are no good are taken for none.
func TestDamage(t *testing.T) {
	s, kept, log := serve(t), store(t), new(bytes.Buffer)
	check(t, s.client(t, kept, log), texts(0, 40), 16)
	good := names(t, kept)[0]
	raw, err := kept.Get(t.Context(), good, maxPack)
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Delete(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	nan := slices.Clone(raw)
	copy(nan[len(nan)-4:], "\xff\xff\xff\xff")
	for i, bad := range [][]byte{raw[:len(raw)-1], raw[:10], nil, append([]byte("X"), raw...), nan} {
		if _, err := kept.Put(t.Context(), strings.Repeat("x", i)+"bad", bad); err != nil {
			t.Fatal(err)
		}
		if _, ok := parsePack(bad); ok {
			t.Errorf("damage %d was read", i)
		}
	}
	if _, err := kept.Put(t.Context(), good, nan); err != nil {
		t.Fatal(err)
	}
	s.asked = nil
	check(t, s.client(t, kept, log), texts(0, 40), 16)
	if len(s.asked) != 40 || !strings.Contains(log.String(), "cannot be read") {
		t.Errorf("%d texts were asked for; the log says %s", len(s.asked), log)
	}
}

// TestBucketTrouble: a file that the bucket does not give out now is asked for
// again, and still there when the trouble is over; joining does not lose it either.
func TestBucketTrouble(t *testing.T) {
	dir := t.TempDir()
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	s, kept := serve(t), artifact.New(b, dir, "")
	check(t, s.client(t, kept, new(bytes.Buffer)), texts(0, 40), 16)
	file := names(t, kept)[0]
	var sumFile string // what tells that the file is whole: a link to itself cannot be read
	if err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && filepath.Base(p) == filepath.Base(file) && p != filepath.Join(dir, file) {
			sumFile = p
		}
		return err
	}); err != nil || sumFile == "" {
		t.Fatalf("no checksum of %s: %v", file, err)
	}
	whole, err := os.ReadFile(sumFile)
	if err == nil {
		err = os.Remove(sumFile)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(sumFile, sumFile); err != nil {
		t.Skip("no links here:", err)
	}
	for i := range smallMost + 2 {
		check(t, s.client(t, kept, new(bytes.Buffer)), texts(40+i, 41+i), 16)
	}
	if !slices.Contains(names(t, kept), file) {
		t.Fatalf("%s is gone", file)
	}
	if err := errors.Join(os.Remove(sumFile), os.WriteFile(sumFile, whole, 0o600)); err != nil {
		t.Fatal(err)
	}
	s.asked = nil
	check(t, s.client(t, kept, new(bytes.Buffer)), texts(0, 40+smallMost+2), 16)
	if len(s.asked) > 0 {
		t.Errorf("%d texts were asked for again", len(s.asked))
	}
}

// TestModelsAreApart: another model or endpoint has vectors of its own.
func TestModelsAreApart(t *testing.T) {
	kept, log := store(t), slog.New(slog.DiscardHandler)
	a := newShelf(kept, log, "http://a/v1/embeddings", "m")
	s := sum(sha256.Sum256([]byte("text")))
	if err := a.put(t.Context(), []sum{s}, map[sum][]float32{s: {1, 2}}, 2); err != nil {
		t.Fatal(err)
	}
	for url, model := range map[string]string{"http://a/v1/embeddings": "n", "http://b/v1/embeddings": "m"} {
		got := map[sum][]float32{}
		if err := newShelf(kept, log, url, model).take(t.Context(), map[sum]int{s: 1}, got); err != nil || len(got) > 0 {
			t.Errorf("%s %s: %v, %v", url, model, got, err)
		}
	}
	got := map[sum][]float32{}
	if err := a.take(t.Context(), map[sum]int{s: 1}, got); err != nil || !slices.Equal(got[s], []float32{1, 2}) {
		t.Errorf("its own: %v, %v", got, err)
	}
}

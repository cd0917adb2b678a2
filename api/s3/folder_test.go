package s3_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gocloud.dev/blob/fileblob"

	"github.com/attune-io/attune/api/s3"
)

// What is fsynced must be the file that fileblob wrote: its escaping is copied
// here, so it is compared.
func TestPathsAreFileblobs(t *testing.T) {
	dir := t.TempDir()
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	for _, key := range append([]string{"\x01", "a/../b", "__0x__", "__0xzz__", "__0x2f_", "___0x2f__", "//", "a///b", "é\x02", "../x"}, oddKeys...) {
		key = s3.ObjectKey("box", key)
		if err := b.WriteAll(t.Context(), key, []byte(key), nil); err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		path := s3.PathOf(dir, key)
		if got, err := os.ReadFile(path); err != nil || string(got) != key {
			t.Errorf("%q is not at %s: %v", key, path, err)
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || s3.UnescapeKey(filepath.ToSlash(rel)) != key {
			t.Errorf("%q comes back as %q, %v", key, s3.UnescapeKey(filepath.ToSlash(rel)), err)
		}
		if strings.HasSuffix(path, string(filepath.Separator)) {
			t.Errorf("%q is a folder", key)
		}
	}
}

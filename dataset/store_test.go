package dataset

import (
	"testing"

	"gocloud.dev/blob/fileblob"

	"github.com/attune-io/attune/artifact"
)

// newStore is an artifact store on a directory of the test's own.
func newStore(t testing.TB) *artifact.Store {
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
	return artifact.New(b, dir, "")
}

// put writes a file, in place of what is there.
func put(t testing.TB, s *artifact.Store, name, text string) {
	t.Helper()
	there, err := s.Exists(t.Context(), name)
	if err == nil && there {
		err = s.Delete(t.Context(), name)
	}
	if err == nil {
		_, err = s.Put(t.Context(), name, []byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
}

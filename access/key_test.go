package access_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/access"
)

func TestOpenRoot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, fresh, err := access.OpenRoot(dir)
	if err != nil || !fresh {
		t.Fatalf("fresh %v, %v", fresh, err)
	}
	if len(first.ID) != 20 || !strings.HasPrefix(first.ID, "AKIA") || len(first.Secret) != 40 {
		t.Errorf("odd key pair: id %q, secret of %d", first.ID, len(first.Secret))
	}
	if s := fmt.Sprintf("%v %+v %#v", first, first, first); strings.Contains(s, first.Secret) {
		t.Error("printing a key shows its secret")
	}
	second, fresh, err := access.OpenRoot(dir)
	if err != nil || fresh || second != first {
		t.Fatalf("second start: %v, fresh %v, %v", second, fresh, err)
	}
	path := filepath.Join(dir, "root.key")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("left behind: %v, %v", entries, err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, _, err := access.OpenRoot(dir); attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{"", "{", `{"accessKeyId":"a"}`, strings.Repeat("x", 5000)} {
		if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := access.OpenRoot(dir); attune.KindOf(err) != attune.Invalid {
			t.Errorf("damaged file: %v", err)
		}
	}
}

func TestOpenRootRace(t *testing.T) {
	dir := t.TempDir()
	keys := make([]access.Key, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], _, err = access.OpenRoot(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] {
			t.Fatalf("two first starts made two keys: %v and %v", k, keys[0])
		}
	}
}

package bucket

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/attune-io/attune"
)

func TestReadyOfAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	e, err := Open(t.Context(), "", dir, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if e.Dir() != dir {
		t.Errorf("the folder is %q, want %q", e.Dir(), dir)
	}
	if err := e.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("ready left %v behind; error %v", left, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := e.Ready(t.Context()); attune.KindOf(err) != attune.Unavailable {
		t.Errorf("a bucket whose folder is gone says %v", err)
	}
}

func TestOpenOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "", path, slog.New(slog.DiscardHandler), nil); err == nil {
		t.Error("a file was opened as a folder")
	}
}

func TestFileURL(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	e, err := Open(t.Context(), "file://"+dir, "", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Dir() != dir {
		t.Errorf("the folder is %q, want %q", e.Dir(), dir)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// What a killed writer left is removed; what looks like it but is whole, or was
// begun after the start, is not.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	start := time.Now()
	name := func(base string, begun time.Time) string {
		return filepath.Join(dir, "s3", fmt.Sprintf("%s.%x.tmp", base, begun.UnixNano()))
	}
	var (
		stranded = name("stranded", start.Add(-time.Hour))
		live     = name("live", start.Add(time.Second))
		whole    = name("whole", start.Add(-time.Hour))
		plain    = filepath.Join(dir, "s3", "plain.tmp")
	)
	if err := os.Mkdir(filepath.Join(dir, "s3"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{stranded, live, whole, whole + sidecar, plain} {
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n, err := sweep(t.Context(), dir, start)
	if err != nil || n != 1 {
		t.Errorf("swept %d files, want 1; error %v", n, err)
	}
	if _, err := os.Stat(stranded); err == nil {
		t.Error("the stranded file is still there")
	}
	for _, path := range []string{live, whole, plain} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("swept too much: %v", err)
		}
	}

	if err := os.WriteFile(stranded, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := Open(t.Context(), "", dir, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(stranded); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Error("opening the folder did not sweep it")
			break
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

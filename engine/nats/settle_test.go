package nats

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// A deleted stream leaves no byte behind, nor does one whose deletion a kill cut short.
func TestSettle(t *testing.T) {
	dir := t.TempDir()
	open := func() (*Engine, jetstream.JetStream) {
		e, err := Open(t.Context(), "", dir, slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatal(err)
		}
		js, err := jetstream.New(e.Client())
		if err != nil {
			t.Fatal(err)
		}
		return e, js
	}
	e, js := open()
	for _, name := range []string{"gone", "half", "kept"} {
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{name}, Storage: jetstream.FileStorage}); err != nil {
			t.Fatal(err)
		}
		if _, err := js.Publish(t.Context(), name, []byte("secret-"+name)); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(name string) (found bool) {
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				text, _ := os.ReadFile(path)
				found = found || bytes.Contains(text, []byte("secret-"+name))
			}
			return nil
		})
		return found
	}
	if !holds("gone") || !holds("half") || !holds("kept") {
		t.Fatal("what was published is not on disk, so this test shows nothing")
	}
	if err := js.DeleteStream(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	if err := e.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if holds("gone") {
		t.Error("a deleted stream is still on disk")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "half", metaFile))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	if err := os.Remove(found[0]); err != nil { // as the server does first
		t.Fatal(err)
	}
	e, js = open()
	defer e.Close()
	if holds("half") || !holds("kept") {
		t.Errorf("after a restart: half %v, kept %v", holds("half"), holds("kept"))
	}
	if s, err := js.Stream(t.Context(), "kept"); err != nil || s.CachedInfo().State.Msgs != 1 {
		t.Errorf("the stream that stays: %v", err)
	}
}

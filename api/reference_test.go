package api

import (
	"testing"

	"github.com/attune-io/attune/wire"
)

// TestNotes finds notes of operations that are not published, and reasons for no difference.
func TestNotes(t *testing.T) {
	known := map[string]bool{}
	for _, op := range wire.All() {
		known[op.Name] = true
	}
	for _, n := range notes() {
		if !known[n.Operation] {
			t.Errorf("a note is about %q, which is not published", n.Operation)
		}
		if n.Why != "" && n.Differs == "" {
			t.Errorf("the note of %s gives a reason for no difference", n.Operation)
		}
	}
}

package recipe

import (
	"testing"

	"github.com/attune-io/attune/dataset"
)

// Columns of context go with events into both training parts, and count as memory.
func TestSplitBytesOfContext(t *testing.T) {
	e := dataset.Events{User: make([]int32, 10)}
	plain := SplitBytes(e)
	e.Context = make([]dataset.Circumstance, 3)
	if more := SplitBytes(e) - plain; plain != 2*22*10 || more != 2*3*4*10 {
		t.Errorf("10 events take %d bytes, and %d more for 3 columns", plain, more)
	}
}

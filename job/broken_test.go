package job_test

import (
	"context"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/spec"
)

// broken is a recipe that cannot learn, and says so for good.
type broken struct {
	recipe.Recipe
	begun, let chan struct{}
}

func (b broken) Train(context.Context, recipe.Input) (*model.Model, error) {
	select {
	case b.begun <- struct{}{}:
	default:
	}
	<-b.let
	return nil, attune.Errorf(attune.Invalid, "diverged")
}

// TestFailedTrainingLeavesNothing: nobody goes on from the checkpoints of a
// training that failed, which hold what was learned of people.
func TestFailedTrainingLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	b := broken{begun: make(chan struct{}, 1), let: make(chan struct{})}
	list := quick()
	for i, r := range list {
		if r.Name() == spec.Blend {
			b.Recipe = r
			list[i] = b
		}
	}
	h.start(list...)
	v := h.version(h.solution("broken"))
	<-b.begun
	folder := "model/" + v.ID + "/"
	must[artifact.Info](t)(h.artifacts.Put(t.Context(), folder+"checkpoint/tune/3", []byte("state")))
	close(b.let)
	if why := h.failed(v.ARN); !strings.Contains(why, "diverged") {
		t.Errorf("it failed of %q", why)
	}
	for info, err := range h.artifacts.List(t.Context(), folder) {
		t.Errorf("%s stays (%v)", info.Name, err)
	}
}

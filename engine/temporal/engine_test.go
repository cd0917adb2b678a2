package temporal_test

import (
	"testing"

	"github.com/attune-io/attune/engine/enginetest"
	"github.com/attune-io/attune/engine/temporal"
)

func TestEngine(t *testing.T) { enginetest.Temporal(t, temporal.Open) }

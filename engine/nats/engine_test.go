package nats_test

import (
	"testing"

	"github.com/attune-io/attune/engine/enginetest"
	"github.com/attune-io/attune/engine/nats"
)

func TestEngine(t *testing.T) { enginetest.NATS(t, nats.Open) }

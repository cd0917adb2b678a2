package bucket_test

import (
	"testing"

	"github.com/attune-io/attune/engine/bucket"
	"github.com/attune-io/attune/engine/enginetest"
)

func TestEngine(t *testing.T) { enginetest.Bucket(t, bucket.Open) }

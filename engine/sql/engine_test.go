package sql_test

import (
	"testing"

	"github.com/attune-io/attune/engine/enginetest"
	"github.com/attune-io/attune/engine/sql"
)

func TestEngine(t *testing.T) { enginetest.SQL(t, sql.Open) }

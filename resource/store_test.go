package resource_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/engine/enginetest"
	enginesql "github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/resource/resourcetest"
)

// postgresURL names a PostgreSQL server that tests may make schemas on.
const postgresURL = "ATTUNE_TEST_SQL_URL"

func TestStoreSQLite(t *testing.T) {
	resourcetest.Run(t, func(t *testing.T) resource.Store { return openSQLite(t) })
	resourcetest.RunOutbox(t, func(t *testing.T) resourcetest.OutboxStore { return openSQLite(t) })
}

func TestStorePostgres(t *testing.T) {
	if os.Getenv(postgresURL) == "" {
		t.Skip("set " + postgresURL + " to run the suite on PostgreSQL")
	}
	resourcetest.Run(t, func(t *testing.T) resource.Store { return openAny(t) })
	resourcetest.RunOutbox(t, func(t *testing.T) resourcetest.OutboxStore { return openAny(t) })
}

func openEngine(t testing.TB, url, dir string) *enginesql.Engine {
	t.Helper()
	e, err := enginesql.Open(context.Background(), url, dir, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func openStore(t testing.TB, e *enginesql.Engine) *resource.SQL {
	t.Helper()
	s, err := resource.OpenStore(t.Context(), e.Client(), ledger.Dialect(e.Dialect()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openSQLite(t testing.TB) *resource.SQL { return openStore(t, openEngine(t, "", t.TempDir())) }

// openAny opens PostgreSQL when the environment names one, SQLite otherwise.
func openAny(t testing.TB) *resource.SQL {
	return openStore(t, openEngine(t, enginetest.Schema(t, enginesql.Open), t.TempDir()))
}

// openForgetful is openAny for the tests of rules, whose thousands of rows need
// not outlive the machine: SQLite waits for the disk on no connection but those
// that are opened while the first is busy.
func openForgetful(t testing.TB) *resource.SQL {
	t.Helper()
	e := openEngine(t, enginetest.Schema(t, enginesql.Open), t.TempDir())
	if ledger.Dialect(e.Dialect()) == ledger.SQLite {
		if _, err := e.Client().ExecContext(t.Context(), "PRAGMA synchronous = OFF"); err != nil {
			t.Fatal(err)
		}
	}
	return openStore(t, e)
}

func TestOpenStoreTwice(t *testing.T) {
	e := openEngine(t, "", t.TempDir())
	s := openStore(t, e)
	r := &resource.Resource{ID: "a", Kind: resource.Schema, ARN: "arn:a", Name: "a", Body: []byte("{}")}
	if err := s.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(t, e).Get(t.Context(), "arn:a"); err != nil {
		t.Errorf("after a second start: %v", err)
	}
	if _, err := e.Client().ExecContext(t.Context(), `INSERT INTO resource_format (format) VALUES (99)`); err != nil {
		t.Fatal(err)
	}
	_, err := resource.OpenStore(t.Context(), e.Client(), ledger.SQLite)
	if attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), "99") {
		t.Errorf("a database of a newer build: %v", err)
	}
	if _, err := resource.OpenStore(t.Context(), e.Client(), "oracle"); attune.KindOf(err) != attune.Invalid {
		t.Errorf("an unknown dialect: %v", err)
	}
}

func TestCursor(t *testing.T) {
	at := resource.At(&resource.Resource{ID: "0123456789abcdef", Created: resourceTime(1234)})
	back, err := resource.ParseCursor(at.String())
	if err != nil || back.ID != at.ID || !back.Created.Equal(at.Created) {
		t.Errorf("%v: %v, %v", at, back, err)
	}
	for _, bad := range []string{"x", "12", "12.", "a.b"} {
		if _, err := resource.ParseCursor(bad); attune.KindOf(err) != attune.InvalidNextToken {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if c, err := resource.ParseCursor(""); err != nil || c.String() != "" {
		t.Errorf("the empty cursor: %v, %v", c, err)
	}
}

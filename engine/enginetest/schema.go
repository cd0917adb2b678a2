package enginetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"log/slog"
	"net/url"
	"os"
	"testing"
)

// sqlURL names a PostgreSQL server that tests may make schemas on.
const sqlURL = "ATTUNE_TEST_SQL_URL"

// Schema gives the URL of a PostgreSQL schema of the test's own, which goes when
// the test ends; "" where the environment names no server: then a test opens what
// starts in this process.
func Schema[E interface {
	Engine
	Client() *sql.DB
}](t testing.TB, open Opener[E]) string {
	t.Helper()
	raw := os.Getenv(sqlURL)
	if raw == "" {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 6)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	name := "attune_test_" + hex.EncodeToString(b)
	exec := func(stmt string) {
		t.Helper()
		ctx := context.Background() // the test's is over when the schema goes
		admin, err := open(ctx, raw, "", slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := admin.Client().ExecContext(ctx, stmt); err != nil {
			t.Error(err)
		}
		if err := admin.Close(); err != nil {
			t.Error(err)
		}
	}
	exec("CREATE SCHEMA " + name)
	t.Cleanup(func() { exec("DROP SCHEMA " + name + " CASCADE") })
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

package sql

import (
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// The pragmas hold on every connection of the pool, in a folder whose name
// would end a URI.
func TestSQLitePragmas(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "what? 100% #1 + ü")
	e, err := Open(t.Context(), "", dir, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if e.Dialect() != SQLite {
		t.Errorf("dialect is %q", e.Dialect())
	}
	info, err := os.Stat(filepath.Join(dir, databaseFile))
	if err != nil {
		t.Fatalf("the database is not where it should be: %v", err)
	}
	if perm := info.Mode().Perm(); perm != 0o600 {
		t.Errorf("the database has mode %o, want 600", perm)
	}
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000", "foreign_keys": "1", "secure_delete": "1"}
	for range sqliteConns {
		conn, err := e.Client().Conn(t.Context()) // held, so that the next one is another
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		})
		for pragma, value := range want {
			if got := pragmaOf(t, conn, pragma); got != value {
				t.Errorf("%s is %s, want %s", pragma, got, value)
			}
		}
	}
}

func pragmaOf(t *testing.T, conn *sql.Conn, name string) (value string) {
	t.Helper()
	if err := conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// A reader with an open result neither waits for a writer nor blocks it.
func TestSQLiteReadersDoNotBlockTheWriter(t *testing.T) {
	e, err := Open(t.Context(), "", t.TempDir(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	db := e.Client()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE x (n INTEGER); INSERT INTO x VALUES (1), (2)"); err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(t.Context(), "SELECT n FROM x")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // read only
	seen := 0
	for rows.Next() {
		seen++
		if _, err := db.ExecContext(t.Context(), "INSERT INTO x VALUES (3)"); err != nil {
			t.Fatalf("write while reading: %v", err)
		}
	}
	if err := rows.Err(); err != nil || seen != 2 {
		t.Errorf("saw %d rows, want the 2 of when the reading began; error %v", seen, err)
	}
}

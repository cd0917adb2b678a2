package enginetest

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"
)

// SQL runs the suite of an engine that gives out a database. What is written is
// a table of the key's name.
func SQL[E interface {
	Engine
	Client() *sql.DB
}](t *testing.T, open Opener[E]) {
	table := func(key string) string { return `"enginetest_` + key + `"` }
	exec := func(t *testing.T, e E, query string) {
		t.Helper()
		if _, err := e.Client().ExecContext(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	seam[E]{
		open:    open,
		env:     sqlURL,
		refused: []string{"mysql://localhost/x", "postgres://localhost:port/x"},
		absent:  "postgres://127.0.0.1:1/attune?connect_timeout=2",
		write: func(t *testing.T, e E, key string) {
			exec(t, e, "CREATE TABLE "+table(key)+" (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)")
			exec(t, e, "INSERT INTO "+table(key)+" VALUES (1, 0)")
			increments(t, e.Client(), table(key))
		},
		has: func(t *testing.T, e E, key string) bool {
			var n int
			if err := e.Client().QueryRowContext(t.Context(), "SELECT n FROM "+table(key)).Scan(&n); err != nil {
				return false
			}
			return n == writers*rounds
		},
		clean: func(t *testing.T, e E, key string) { exec(t, e, "DROP TABLE "+table(key)) },
	}.run(t)
}

const (
	writers = 8
	rounds  = 10
)

// increments has many writers add to one row in transactions that also read:
// none may be refused for a lock, and none may get lost.
func increments(t *testing.T, db *sql.DB, table string) {
	t.Helper()
	add := func() error {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		defer tx.Rollback() //nolint:errcheck // it does nothing after the commit
		var n int
		if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if _, err := tx.ExecContext(t.Context(), "UPDATE "+table+" SET n = n + 1"); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		return tx.Commit()
	}
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range rounds {
				if err := add(); err != nil {
					t.Errorf("increment: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

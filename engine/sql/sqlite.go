package sql

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	_ "modernc.org/sqlite" // the driver named "sqlite"; no C compiler needed
)

const (
	// databaseFile is the SQLite file under the engine's folder.
	databaseFile = "attune.db"

	// sqliteConns is the size of the pool. SQLite has one writer at a time
	// whatever we do: write transactions begin with BEGIN IMMEDIATE and queue
	// for the write lock in busy_timeout. The connections beyond one are for
	// readers, which in WAL mode neither wait for the writer's fsync nor make
	// it wait; with a single connection a half-read result would block every
	// write, and a query inside it would wait for itself.
	sqliteConns = 4

	// busyTimeoutMillis is how long a writer queues. A write holds the lock
	// for milliseconds, so only a stuck process can use it up.
	busyTimeoutMillis = 10_000
)

func openSQLite(dir string) (*Engine, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the database: %w", err)
	}
	path, err := filepath.Abs(filepath.Join(dir, databaseFile))
	if err != nil {
		return nil, fmt.Errorf("find the folder of the database: %w", err)
	}
	// SQLite would make the file readable to all; it holds keys.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("make the database: %w", err)
	}
	db, err := sql.Open("sqlite", source(path))
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	db.SetMaxOpenConns(sqliteConns)
	db.SetMaxIdleConns(sqliteConns) // a connection is its page cache; keep it
	return &Engine{db: db, dialect: SQLite, release: func() {}}, nil
}

// source names the file and the pragmas that each connection starts with.
func source(path string) string {
	q := url.Values{}
	q.Add("_pragma", "busy_timeout("+strconv.Itoa(busyTimeoutMillis)+")")
	q.Add("_pragma", "journal_mode(WAL)")
	q.Add("_pragma", "synchronous(FULL)") // in WAL mode NORMAL loses the last commits with the power
	q.Add("_pragma", "foreign_keys(1)")
	q.Add("_pragma", "secure_delete(1)") // what is deleted is overwritten, not only forgotten
	q.Set("_txlock", "immediate")        // a read lock that asks for more is refused at once, not queued
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

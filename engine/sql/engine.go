package sql

import (
	"context"
	"database/sql"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/attune-io/attune"
)

// Dialect says which SQL the database speaks: placeholders and types differ.
type Dialect string

// The dialects there are.
const (
	SQLite   Dialect = "sqlite"   // placeholders ? or ?1
	Postgres Dialect = "postgres" // placeholders $1
)

const (
	// postgresConns bounds the pool of one node; PostgreSQL's own default
	// leaves room for a hundred connections from everybody together.
	postgresConns = 16

	// postgresConnLife makes a pool find a new primary after a failover.
	postgresConnLife = 30 * time.Minute

	// settlePause is the wait before the write-ahead log is tried again.
	settlePause = 20 * time.Millisecond

	// dialTimeout bounds the first contact with a server.
	dialTimeout = 15 * time.Second
)

// Engine is an open database.
type Engine struct {
	db      *sql.DB
	dialect Dialect
	release func()

	closing  sync.Once
	closeErr error
}

// Open opens the SQLite file attune.db under dir, making it if there is none,
// when url is empty, and else connects to the PostgreSQL server at url. Errors
// are attune.Invalid for a URL that cannot be understood and attune.Unavailable
// when the database cannot be used. reg may be nil.
func Open(ctx context.Context, url, dir string, log *slog.Logger, reg prometheus.Registerer) (*Engine, error) {
	var (
		e   *Engine
		err error
	)
	if url == "" {
		e, err = openSQLite(dir)
	} else {
		e, err = openPostgres(url)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if err := e.Ready(ctx); err != nil {
		if cerr := e.Close(); cerr != nil {
			log.Warn("closing a database that did not open failed", "engine", "sql", "error", cerr)
		}
		return nil, err
	}
	e.release = register(reg, e.db)
	return e, nil
}

func openPostgres(raw string) (*Engine, error) {
	const want = "give postgres://user@host:5432/database, or nothing for a SQLite file"
	u, err := url.Parse(raw)
	if err != nil {
		return nil, attune.Errorf(attune.Invalid, "sql url: cannot be read; %s", want) // the cause would quote a password
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, attune.Errorf(attune.Invalid, "sql url %q has the unknown scheme %q; %s", u.Redacted(), u.Scheme, want)
	}
	conf, err := pgx.ParseConfig(raw)
	if err != nil {
		return nil, attune.Errorf(attune.Invalid, "sql url %q: %w; %s", u.Redacted(), err, want)
	}
	db := sql.OpenDB(stdlib.GetConnector(*conf))
	db.SetMaxOpenConns(postgresConns)
	db.SetMaxIdleConns(postgresConns)
	db.SetConnMaxLifetime(postgresConnLife)
	return &Engine{db: db, dialect: Postgres, release: func() {}}, nil
}

// Client returns the pool; it is good until Close, and the caller does not
// close it.
func (e *Engine) Client() *sql.DB { return e.db }

// Dialect says which SQL Client speaks.
func (e *Engine) Dialect() Dialect { return e.dialect }

// Ready returns nil when the database answers a query, and attune.Unavailable
// otherwise. A ping would not do: SQLite answers it without touching the file.
func (e *Engine) Ready(ctx context.Context) error {
	query := "SELECT 1"
	if e.dialect == SQLite {
		query = "SELECT count(*) FROM sqlite_schema"
	}
	var n int
	if err := e.db.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return attune.Errorf(attune.Unavailable, "%s does not answer: %w", e.dialect, err)
	}
	return nil
}

// Settle empties the write-ahead log of a SQLite file, in which old pages stay
// until they are overwritten by chance. A PostgreSQL server vacuums by itself.
func (e *Engine) Settle(ctx context.Context) error {
	if e.dialect != SQLite {
		return nil
	}
	for {
		// Readers and writers of the moment are in the way; they take milliseconds.
		var busy, pages, moved int
		if err := e.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
			return attune.Errorf(attune.Unavailable, "empty the write-ahead log: %w", err)
		}
		if busy == 0 {
			return nil
		}
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close closes the pool after the statements that run. A second Close does
// nothing.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		e.release()
		e.closeErr = e.db.Close()
	})
	return e.closeErr
}

// register publishes the pool's numbers, of which waiting is the one to watch.
// It returns what takes them back.
func register(reg prometheus.Registerer, db *sql.DB) func() {
	if reg == nil {
		return func() {}
	}
	c := collectors.NewDBStatsCollector(db, "attune")
	if err := reg.Register(c); err != nil {
		return func() {}
	}
	return func() { reg.Unregister(c) }
}

package maintain

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/ledger"
)

// Store keeps configurations, runs, and what came of them, in tables of a database.
type Store struct {
	db *ledger.DB
}

// migrations bring the tables from one format to the next.
func migrations() [][]string {
	return [][]string{{
		`CREATE TABLE configuration (
			name TEXT NOT NULL, version INTEGER NOT NULL, file TEXT NOT NULL, source TEXT NOT NULL,
			put_by TEXT NOT NULL, put_at BIGINT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (name, version))`,
		// The newest version of each: what a put holds itself against, and the lock of whoever starts a run.
		`CREATE TABLE configuration_latest (name TEXT PRIMARY KEY, version INTEGER NOT NULL)`,

		`CREATE TABLE run (
			id TEXT PRIMARY KEY, configuration TEXT NOT NULL, version INTEGER NOT NULL, purpose TEXT NOT NULL,
			solution TEXT NOT NULL, base_date TEXT NOT NULL, cause_kind TEXT NOT NULL, cause_id TEXT NOT NULL,
			status TEXT NOT NULL, started BIGINT NOT NULL, ended BIGINT NOT NULL, error TEXT NOT NULL,
			replacing SMALLINT NOT NULL, job TEXT NOT NULL, chain TEXT NOT NULL, workflow TEXT NOT NULL, told SMALLINT NOT NULL)`,
		`CREATE UNIQUE INDEX run_cause ON run (configuration, purpose, solution, job, cause_kind, cause_id) WHERE cause_id <> ''`,
		`CREATE UNIQUE INDEX run_at_once ON run (configuration, purpose, solution, job) WHERE status = 'RUNNING'`,
		`CREATE INDEX run_time ON run (started, id)`,
		`CREATE INDEX run_of ON run (configuration, started, id)`,
		`CREATE INDEX run_open ON run (id) WHERE status = 'RUNNING' OR told = 0`,
		`CREATE TABLE run_step (
			run TEXT NOT NULL, place INTEGER NOT NULL, path TEXT NOT NULL, step TEXT NOT NULL, state TEXT NOT NULL,
			body TEXT NOT NULL, PRIMARY KEY (run, path))`,

		`CREATE TABLE refresh (
			name TEXT NOT NULL, base_date INTEGER NOT NULL, run TEXT NOT NULL, body TEXT NOT NULL, version INTEGER NOT NULL,
			PRIMARY KEY (name, base_date))`,
		`CREATE TABLE deployment (
			campaign TEXT NOT NULL, place INTEGER NOT NULL, solution_version TEXT NOT NULL, at BIGINT NOT NULL, run TEXT NOT NULL,
			rolled_from TEXT NOT NULL, configuration TEXT NOT NULL, PRIMARY KEY (campaign, place))`,
		`CREATE TABLE solution_metric (
			solution TEXT NOT NULL, recipe TEXT NOT NULL, version TEXT NOT NULL, metric TEXT NOT NULL, at BIGINT NOT NULL,
			value DOUBLE PRECISION NOT NULL, PRIMARY KEY (solution, metric, at, version))`,
	}}
}

// OpenStore brings the tables up to date and returns the store over them. The
// pool stays the caller's. Tables of a newer build are refused as attune.Invalid.
func OpenStore(ctx context.Context, pool *sql.DB, d ledger.Dialect) (*Store, error) {
	db, err := ledger.Open(ctx, pool, d, "maintain", migrations())
	if err != nil {
		return nil, wrap("open the store of runs", err)
	}
	return &Store{db}, nil
}

// wrap adds what was done to an error that is not a decision.
func wrap(what string, err error) error {
	if err == nil || attune.KindOf(err) != attune.Internal {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// millis writes a time for a column; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// bit writes a yes or no for a column.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// moment reads what millis wrote.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// lock lets one transaction at a time decide about a configuration.
func (s *Store) lock(ctx context.Context, tx *sql.Tx, name string) error {
	if _, err := tx.ExecContext(ctx, s.db.Bind(`INSERT INTO configuration_latest (name, version) VALUES (?, 0) ON CONFLICT DO NOTHING`), name); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, s.db.Bind(`UPDATE configuration_latest SET version = version WHERE name = ?`), name)
	return err
}

// PutConfiguration keeps c as the next version of its name, and sets c.Version.
// The same text with the same source is the version that is there. expect is
// the version that c was made from, or -1 for any; attune.InUse when another
// came between.
func (s *Store) PutConfiguration(ctx context.Context, c *Configuration, expect int) (changed bool, err error) {
	if len(c.Text) > maxText {
		return false, attune.Errorf(attune.Invalid, "the configuration has %d bytes; at most %d are taken", len(c.Text), maxText)
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		changed, err = s.put(ctx, tx, c, expect)
		return err
	})
	return changed, wrap("keep the configuration of "+c.Name, err)
}

func (s *Store) put(ctx context.Context, tx *sql.Tx, c *Configuration, expect int) (changed bool, err error) {
	if err := s.lock(ctx, tx, c.Name); err != nil {
		return false, err
	}
	var latest int
	if err := tx.QueryRowContext(ctx, s.db.Bind(`SELECT version FROM configuration_latest WHERE name = ?`), c.Name).Scan(&latest); err != nil {
		return false, err
	}
	if expect >= 0 && expect != latest {
		return false, attune.Errorf(attune.InUse, "the configuration of %s has version %d now, not %d: look at what changed, then apply again", c.Name, latest, expect)
	}
	var text, source string
	err = tx.QueryRowContext(ctx, s.db.Bind(`SELECT text, source FROM configuration WHERE name = ? AND version = ?`), c.Name, latest).Scan(&text, &source)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	if err == nil && text == c.Text && source == c.Source {
		c.Version = latest
		return false, nil
	}
	c.Version = latest + 1
	for _, stmt := range []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO configuration (name, version, file, source, put_by, put_at, text) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			[]any{c.Name, c.Version, c.File, c.Source, c.By, millis(c.At), c.Text}},
		{`UPDATE configuration_latest SET version = ? WHERE name = ?`, []any{c.Version, c.Name}},
		{`DELETE FROM configuration WHERE name = ? AND version <= ?`, []any{c.Name, c.Version - versionsKept}},
	} {
		if _, err := tx.ExecContext(ctx, s.db.Bind(stmt.sql), stmt.args...); err != nil {
			return false, err
		}
	}
	return true, nil
}

// Configuration reads a version; 0 is the newest. attune.NotFound when there is none.
func (s *Store) Configuration(ctx context.Context, name string, version int) (*Configuration, error) {
	query := `SELECT name, version, file, source, put_by, put_at, text FROM configuration WHERE name = ? AND version = ?`
	args := []any{name, version}
	if version == 0 {
		query, args = `SELECT name, version, file, source, put_by, put_at, text FROM configuration WHERE name = ? ORDER BY version DESC LIMIT 1`, args[:1]
	}
	var c Configuration
	var at int64
	err := s.db.QueryRowContext(ctx, s.db.Bind(query), args...).Scan(&c.Name, &c.Version, &c.File, &c.Source, &c.By, &at, &c.Text)
	if errors.Is(err, sql.ErrNoRows) {
		if version != 0 {
			return nil, attune.Errorf(attune.NotFound, "the configuration of %s has no version %d", name, version)
		}
		return nil, attune.Errorf(attune.NotFound, "there is no configuration of %q: apply one first", name)
	}
	c.At = moment(at)
	return &c, wrap("read the configuration of "+name, err)
}

// Configurations lists the newest version of each, by name, from behind the
// name after; or, of one name, its versions from the newest below before.
func (s *Store) Configurations(ctx context.Context, name, after string, before int) ([]Configuration, error) {
	const columns = `SELECT c.name, c.version, c.file, c.source, c.put_by, c.put_at FROM configuration c `
	query := columns + `JOIN configuration_latest l ON l.name = c.name AND l.version = c.version WHERE c.name > ? ORDER BY c.name LIMIT ?`
	args := []any{after, maxRunsPage}
	if name != "" {
		if before <= 0 {
			before = 1 << 30
		}
		query, args = columns+`WHERE c.name = ? AND c.version < ? ORDER BY c.version DESC LIMIT ?`, []any{name, before, maxRunsPage}
	}
	return collect(ctx, s.db, query, args, func(scan func(...any) error) (c Configuration, err error) {
		var at int64
		err = scan(&c.Name, &c.Version, &c.File, &c.Source, &c.By, &at)
		c.At = moment(at)
		return c, err
	})
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, db *ledger.DB, query string, args []any, read func(scan func(...any) error) (T, error)) (list []T, err error) {
	rows, err := db.QueryContext(ctx, db.Bind(query), args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	list = []T{}
	for rows.Next() {
		v, err := read(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// text is a value as JSON, for a column.
func text(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

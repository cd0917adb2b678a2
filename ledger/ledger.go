package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
)

// Dialect says which SQL a database speaks.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// migrateLock keeps two processes from migrating one PostgreSQL database at once.
const migrateLock = 0x61_74_74_75 // "attu"

// ErrNone says that a statement of One hit no row.
var ErrNone = errors.New("no row is as the statement expects it")

// DB is a pool and the dialect of its database. The pool stays its owner's.
type DB struct {
	*sql.DB
	Dialect Dialect
}

// Open brings the tables of a room up to date. steps bring them from one format
// to the next; the number of those that were applied is kept in the table
// <room>_format. Never edit a step that was released: add another. Tables of a
// newer build are refused as attune.Invalid.
func Open(ctx context.Context, pool *sql.DB, d Dialect, room string, steps [][]string) (*DB, error) {
	if d != SQLite && d != Postgres {
		return nil, attune.Errorf(attune.Invalid, "%s store: dialect %q is not one of sqlite, postgres", room, d)
	}
	db := &DB{pool, d}
	err := db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error { return db.migrate(ctx, tx, room, steps) })
	if err != nil {
		return nil, err
	}
	return db, nil
}

func (db *DB) migrate(ctx context.Context, tx *sql.Tx, room string, steps [][]string) error {
	if db.Dialect == Postgres {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, migrateLock); err != nil {
			return err
		}
	}
	table := room + "_format"
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS `+table+` (format INTEGER NOT NULL)`); err != nil {
		return err
	}
	var have int
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(format), 0) FROM `+table).Scan(&have); err != nil {
		return err
	}
	if have > len(steps) {
		return attune.Errorf(attune.Invalid, "%s store: the database has format %d and this build knows %d: start the newer build again", room, have, len(steps))
	}
	for i, step := range steps[have:] {
		for _, stmt := range step {
			if _, err := tx.ExecContext(ctx, stmt); err != nil {
				return fmt.Errorf("migrate the %s store to format %d: %w", room, have+i+1, err)
			}
		}
		if _, err := tx.ExecContext(ctx, db.Bind(`INSERT INTO `+table+` (format) VALUES (?)`), have+i+1); err != nil {
			return err
		}
	}
	return nil
}

// Bind writes the placeholders of the dialect in the place of each ?.
func (db *DB) Bind(query string) string {
	if db.Dialect != Postgres {
		return query
	}
	var b strings.Builder
	n := 0
	for _, part := range strings.SplitAfter(query, "?") {
		if cut, ok := strings.CutSuffix(part, "?"); ok {
			n++
			part = cut + "$" + strconv.Itoa(n)
		}
		b.WriteString(part)
	}
	return b.String()
}

// InTx runs f in a transaction, and undoes all of it when f fails.
func (db *DB) InTx(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) { // a context that ended has rolled back already
		return nil
	}
	return err
}

// One executes a statement that must hit one row; ErrNone if it hits none.
func (db *DB) One(ctx context.Context, tx *sql.Tx, stmt string, args ...any) error {
	res, err := tx.ExecContext(ctx, db.Bind(stmt), args...)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n != 1 {
		err = ErrNone
	}
	return err
}

package resource

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/ledger"
)

// SQL is the Store in one table of a database.
type SQL struct {
	db *ledger.DB
}

// migrations bring the table from one format to the next.
func migrations(d ledger.Dialect) [][]string {
	return [][]string{{
		`CREATE TABLE resource (
			id TEXT PRIMARY KEY, kind TEXT NOT NULL, arn TEXT NOT NULL UNIQUE, parent TEXT NOT NULL,
			name TEXT NOT NULL, grp TEXT NOT NULL, status TEXT NOT NULL, busy SMALLINT NOT NULL,
			body TEXT NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL, updated BIGINT NOT NULL)`,
		// Datasets are named by their type in their group; versions have no names.
		`CREATE UNIQUE INDEX resource_name ON resource (kind, name) WHERE kind NOT IN ('dataset', 'solution-version')`,
		`CREATE INDEX resource_kind ON resource (kind, created, id)`,
		`CREATE INDEX resource_parent ON resource (parent, kind, created, id)`,
		`CREATE INDEX resource_group ON resource (grp, kind, created, id)`,
		`CREATE INDEX resource_busy ON resource (created, id) WHERE busy = 1`,
	}, outboxTable(d)}
}

// OpenStore brings the table up to date and returns the store over it. The
// pool stays the caller's. A table of a newer build is refused as attune.Invalid.
func OpenStore(ctx context.Context, pool *sql.DB, d ledger.Dialect) (*SQL, error) {
	db, err := ledger.Open(ctx, pool, d, "resource", migrations(d))
	if err != nil {
		return nil, wrap("open resource store", err)
	}
	return &SQL{db}, nil
}

// touch locks and raises the rows in the order of their ids: everybody locks
// in one order, so nobody waits in a circle.
func (s *SQL) touch(ctx context.Context, tx *sql.Tx, rows []*Resource) error {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b *Resource) int { return strings.Compare(a.ID, b.ID) })
	rows = slices.CompactFunc(rows, func(a, b *Resource) bool { return a.ID == b.ID })
	for _, r := range rows {
		if err := s.one(ctx, tx, `UPDATE resource SET version = version + 1 WHERE id = ? AND version = ?`, r.ID, r.Version); err != nil {
			return err
		}
	}
	return nil
}

// one executes a statement that must hit one row; ErrStale if it hits none.
func (s *SQL) one(ctx context.Context, tx *sql.Tx, stmt string, args ...any) error {
	if err := s.db.One(ctx, tx, stmt, args...); !errors.Is(err, ledger.ErrNone) {
		return err
	}
	return ErrStale
}

// columns are in the order that scan reads.
const columns = `id, kind, arn, parent, name, grp, status, body, version, created, updated`

// Create implements Store.
func (s *SQL) Create(ctx context.Context, r *Resource, touch ...*Resource) error {
	cause := causeOf(ctx, "")
	err := s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := s.touch(ctx, tx, touch); err != nil {
			return err
		}
		err := s.one(ctx, tx, `INSERT INTO resource (`+columns+`, busy, cause) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			r.ID, string(r.Kind), string(r.ARN), string(r.Parent), r.Name, r.Group, string(r.Status), string(r.Body),
			r.Created.UnixMilli(), r.Updated.UnixMilli(), flag(r.Busy()), cause)
		if errors.Is(err, ErrStale) {
			return errTaken(r)
		}
		if err != nil {
			return err
		}
		return s.note(ctx, tx, created(r), cause)
	})
	if err != nil {
		return wrap("create "+string(r.ARN), err)
	}
	r.Version = 1
	return nil
}

// Update implements Store.
func (s *SQL) Update(ctx context.Context, r *Resource, touch ...*Resource) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// r's own row takes its place in the order of locks; the statement then
		// sees the version that the touch gave it.
		if err := s.touch(ctx, tx, append(slices.Clone(touch), r)); err != nil {
			return err
		}
		was := Resource{Kind: r.Kind}
		var body, cause string
		read := tx.QueryRowContext(ctx, s.db.Bind(`SELECT status, body, cause FROM resource WHERE id = ?`), r.ID)
		if err := read.Scan(&was.Status, &body, &cause); err != nil {
			return err
		}
		was.Body, cause = []byte(body), causeOf(ctx, cause)
		err := s.one(ctx, tx, `UPDATE resource SET status = ?, body = ?, updated = ?, busy = ?, cause = ? WHERE id = ? AND version = ?`,
			string(r.Status), string(r.Body), r.Updated.UnixMilli(), flag(r.Busy()), cause, r.ID, r.Version+1)
		if err != nil {
			return err
		}
		return s.note(ctx, tx, updated(&was, r), cause)
	})
	if err != nil {
		return wrap("update "+string(r.ARN), err)
	}
	r.Version++
	return nil
}

// Delete implements Store.
func (s *SQL) Delete(ctx context.Context, r *Resource, touch ...*Resource) error {
	return wrap("delete "+string(r.ARN), s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := s.touch(ctx, tx, append(slices.Clone(touch), r)); err != nil {
			return err
		}
		var cause string
		row := tx.QueryRowContext(ctx, s.db.Bind(`DELETE FROM resource WHERE id = ? AND version = ? RETURNING cause`), r.ID, r.Version+1)
		if err := row.Scan(&cause); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				return ErrStale
			}
			return err
		}
		return s.note(ctx, tx, gone(r), causeOf(ctx, cause))
	}))
}

// Get implements Store.
func (s *SQL) Get(ctx context.Context, arn attune.ARN) (*Resource, error) {
	row := s.db.QueryRowContext(ctx, s.db.Bind(`SELECT `+columns+` FROM resource WHERE arn = ?`), string(arn))
	r, err := scan(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errMissing(arn)
	}
	if err != nil {
		return nil, wrap("read "+string(arn), err)
	}
	return &r, nil
}

// List implements Store.
func (s *SQL) List(ctx context.Context, q Query) (_ []Resource, err error) {
	where, args := q.where()
	order := "created, id"
	if q.Newest {
		order = "created DESC, id DESC"
	}
	stmt := `SELECT ` + columns + ` FROM resource WHERE ` + where + ` ORDER BY ` + order + ` LIMIT ` + strconv.Itoa(q.page())
	rows, err := s.db.QueryContext(ctx, s.db.Bind(stmt), args...)
	if err != nil {
		return nil, wrap("list resources", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var out []Resource
	for rows.Next() {
		r, err := scan(rows.Scan)
		if err != nil {
			return nil, wrap("list resources", err)
		}
		out = append(out, r)
	}
	return out, wrap("list resources", rows.Err())
}

// where writes the query's conditions and their values.
func (q Query) where() (string, []any) {
	conds, args := []string{"1 = 1"}, []any(nil)
	add := func(cond string, values ...any) { conds, args = append(conds, cond), append(args, values...) }
	for _, c := range []struct{ column, value string }{
		{"id", q.ID}, {"kind", string(q.Kind)}, {"parent", string(q.Parent)}, {"grp", q.Group}, {"name", q.Name},
	} {
		if c.value != "" {
			add(c.column+" = ?", c.value)
		}
	}
	if len(q.Statuses) > 0 {
		marks := make([]any, len(q.Statuses))
		for i, st := range q.Statuses {
			marks[i] = string(st)
		}
		add("status IN (?"+strings.Repeat(", ?", len(marks)-1)+")", marks...)
	}
	if q.Busy {
		add("busy = 1")
	}
	if q.After.ID != "" {
		at := q.After.Created.UnixMilli()
		if q.Newest {
			add("(created < ? OR (created = ? AND id < ?))", at, at, q.After.ID)
		} else {
			add("(created > ? OR (created = ? AND id > ?))", at, at, q.After.ID)
		}
	}
	return strings.Join(conds, " AND "), args
}

func scan(from func(...any) error) (r Resource, err error) {
	var body string
	var created, updated int64
	err = from(&r.ID, &r.Kind, &r.ARN, &r.Parent, &r.Name, &r.Group, &r.Status, &body, &r.Version, &created, &updated)
	r.Body = []byte(body)
	r.Created, r.Updated = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
	return r, err
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

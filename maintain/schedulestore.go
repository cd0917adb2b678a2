package maintain

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/maintain/cron"
)

// historyKept is how many versions of a task stay: one a day for years.
const historyKept = 1000

// scheduleTables bring the tables from one format to the next.
func scheduleTables() [][]string {
	return [][]string{{
		// latest points at the version that holds. mark is another after each
		// change: a schedule in Temporal that has it is up to date. due is in
		// milliseconds, and 0 where Temporal looks after it.
		`CREATE TABLE schedule_task (
			name TEXT PRIMARY KEY, latest INTEGER NOT NULL, active SMALLINT NOT NULL, mark TEXT NOT NULL, due BIGINT NOT NULL)`,
		`CREATE INDEX schedule_due ON schedule_task (due) WHERE active = 1 AND due > 0`,
		`CREATE TABLE schedule_version (
			name TEXT NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL, workflow TEXT NOT NULL, input TEXT NOT NULL,
			created BIGINT NOT NULL, PRIMARY KEY (name, version))`,
	}}
}

// taskRow is a task with its latest version.
type taskRow struct {
	Task
	Version  int
	Active   bool
	Workflow string
	Created  time.Time // of the version
	mark     string
	due      int64
}

// expression is when the task is due. Periods count from when the version was made.
func (t *taskRow) expression() (cron.Expression, error) {
	e, err := cron.Parse(t.Text)
	if err != nil { // checked before the row was written
		return e, fmt.Errorf("task %s: %w", t.Name, err)
	}
	return e.Anchored(t.Created), nil
}

const taskColumns = `SELECT t.name, t.latest, t.active, t.mark, t.due, v.text, v.workflow, v.input, v.created
	FROM schedule_task t JOIN schedule_version v ON v.name = t.name AND v.version = t.latest `

func scanTask(scan func(...any) error) (t taskRow, err error) {
	var input string
	var active int
	var created int64
	err = scan(&t.Name, &t.Version, &active, &t.mark, &t.due, &t.Text, &t.Workflow, &input, &created)
	t.Active, t.Input, t.Created = active == 1, json.RawMessage(input), time.UnixMilli(created).UTC()
	return t, err
}

// task reads a task; attune.NotFound when there is none.
func (s *Schedules) task(ctx context.Context, name string) (*taskRow, error) {
	t, err := scanTask(s.db.QueryRowContext(ctx, s.db.Bind(taskColumns+`WHERE t.name = ?`), name).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noTask(name)
	}
	return &t, doing("read task "+name, err)
}

func noTask(name string) error {
	return attune.Errorf(attune.NotFound, "there is no task %q; 'attune schedule list' names those that there are", name)
}

// tasks reads all tasks in the order of their names.
func (s *Schedules) tasks(ctx context.Context) ([]taskRow, error) {
	list, err := s.query(ctx, taskColumns+`ORDER BY t.name`)
	return list, doing("list tasks", err)
}

func (s *Schedules) query(ctx context.Context, stmt string, args ...any) (list []taskRow, err error) {
	rows, err := s.db.QueryContext(ctx, s.db.Bind(stmt), args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		t, err := scanTask(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// write keeps t as a new version and returns its number; 0 when it is the
// latest already. ledger.ErrNone when another write came between.
func (s *Schedules) write(ctx context.Context, t Task) (version int, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		version = 0
		old, err := scanTask(tx.QueryRowContext(ctx, s.db.Bind(taskColumns+`WHERE t.name = ?`), t.Name).Scan)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			version = 1
			if err := s.room(ctx, tx); err != nil {
				return err
			}
		case err != nil:
			return err
		case old.Text == t.Text && old.Workflow == s.Workflow && string(old.Input) == string(t.Input):
			return nil
		default:
			version = old.Version + 1
		}
		row := taskRow{Task: t, Version: version, Created: s.Clock()}
		due, err := s.dueOf(&row)
		if err != nil {
			return err
		}
		if version == 1 {
			err = s.db.One(ctx, tx, `INSERT INTO schedule_task (name, latest, active, mark, due) VALUES (?, 1, 1, ?, ?) ON CONFLICT DO NOTHING`, t.Name, newMark(), due)
		} else {
			err = s.db.One(ctx, tx, `UPDATE schedule_task SET latest = ?, active = 1, mark = ?, due = ? WHERE name = ? AND latest = ?`, version, newMark(), due, t.Name, old.Version)
		}
		if err != nil {
			return err
		}
		if err := s.db.One(ctx, tx, `INSERT INTO schedule_version (name, version, text, workflow, input, created) VALUES (?, ?, ?, ?, ?, ?)`,
			t.Name, version, t.Text, s.Workflow, string(t.Input), row.Created.UnixMilli()); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, s.db.Bind(`DELETE FROM schedule_version WHERE name = ? AND version <= ?`), t.Name, version-historyKept)
		return err
	})
	return version, err
}

// room refuses one task more than a node keeps.
func (s *Schedules) room(ctx context.Context, tx *sql.Tx) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM schedule_task`).Scan(&n); err != nil {
		return err
	}
	if n >= maxTasks {
		return attune.Errorf(attune.LimitExceeded, "there are %d scheduled tasks, and no more are kept: delete some", n)
	}
	return nil
}

// remove deletes a task with its versions.
func (s *Schedules) remove(ctx context.Context, name string) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := s.db.One(ctx, tx, `DELETE FROM schedule_task WHERE name = ?`, name)
		if errors.Is(err, ledger.ErrNone) {
			return noTask(name)
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, s.db.Bind(`DELETE FROM schedule_version WHERE name = ?`), name)
		return err
	})
}

func (s *Schedules) setActive(ctx context.Context, t *taskRow, active bool) error {
	on := 0
	if active {
		on = 1
	}
	due, err := s.dueOf(t)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := s.db.One(ctx, tx, `UPDATE schedule_task SET active = ?, mark = ?, due = ? WHERE name = ? AND latest = ?`, on, newMark(), due, t.Name, t.Version)
		if errors.Is(err, ledger.ErrNone) {
			return attune.Errorf(attune.InUse, "task %s was changed meanwhile; try again", t.Name)
		}
		return err
	})
}

// versions reads the history of a task, newest first.
func (s *Schedules) versions(ctx context.Context, name string) (list []TaskVersion, err error) {
	rows, err := s.db.QueryContext(ctx, s.db.Bind(`SELECT version, text, workflow, input, created FROM schedule_version WHERE name = ? ORDER BY version DESC`), name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var v TaskVersion
		var number int
		var input string
		var created int64
		if err := rows.Scan(&number, &v.Schedule, &v.Workflow, &input, &created); err != nil {
			return nil, err
		}
		v.Version, v.Input, v.Created = "v"+strconv.Itoa(number), json.RawMessage(input), time.UnixMilli(created).UTC()
		list = append(list, v)
	}
	return list, rows.Err()
}

// newMark is unlike every other.
func newMark() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b)
}

// doing adds what was done to an error that is not a decision.
func doing(what string, err error) error {
	if err == nil || attune.KindOf(err) != attune.Internal {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

package maintain

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/attune-io/attune/ledger"
)

const (
	// lookEvery is how often due tasks are looked up where the clock is not the wall's.
	lookEvery = time.Second
	// duePage bounds the tasks of one look, which reads their inputs.
	duePage = 500
	// callsAtOnce bounds concurrent calls to Temporal about schedules: its
	// database has one writer.
	callsAtOnce = 8
)

// dueOf is when a task falls due next, for its row: 0 when it never does, or
// when Temporal looks after it.
func (s *Schedules) dueOf(t *taskRow) (int64, error) {
	if !s.Driven {
		return 0, nil
	}
	e, err := t.expression()
	if err != nil {
		return 0, err
	}
	next, ok := e.Next(s.Clock())
	if !ok {
		return 0, nil
	}
	return next.UnixMilli(), nil
}

// takeOver makes the rows say who looks after what is due: they do so
// themselves only as long as the node is driven.
func (s *Schedules) takeOver(ctx context.Context) error {
	s.behind.Store(true)
	if !s.Driven {
		_, err := s.db.ExecContext(ctx, `UPDATE schedule_task SET due = 0 WHERE due <> 0`)
		return doing("open schedules", err)
	}
	rows, err := s.query(ctx, taskColumns+`WHERE t.due = 0`)
	for i := range rows {
		if err == nil {
			err = s.moveDue(ctx, &rows[i])
		}
	}
	return doing("open schedules", err)
}

// look starts what fell due up to now: one run for each task, however often it
// was due since it was looked at last. One task's trouble does not hold up the
// others: it stays due.
func (s *Schedules) look(ctx context.Context) error {
	now := s.Clock().UnixMilli()
	var after taskRow
	var errs []error
	for ctx.Err() == nil {
		rows, err := s.query(ctx, taskColumns+`WHERE t.active = 1 AND t.due > 0 AND t.due <= ? AND (t.due > ? OR t.due = ? AND t.name > ?)
			ORDER BY t.due, t.name LIMIT ?`, now, after.due, after.due, after.Name, duePage)
		if err != nil || len(rows) == 0 {
			return errors.Join(append(errs, err)...)
		}
		after = rows[len(rows)-1]
		failed := make([]error, len(rows))
		var g errgroup.Group
		g.SetLimit(callsAtOnce)
		for i := range rows {
			g.Go(func() error {
				failed[i] = doing("start task "+rows[i].Name, s.take(ctx, &rows[i]))
				return nil
			})
		}
		_ = g.Wait() // failed has them
		errs = append(errs, failed...)
	}
	return ctx.Err()
}

// take starts the run of a task that is due. It is the first one that is due, not
// the last: a process that is killed before it has written how far it looked
// finds the same one again, and that it runs or ran.
func (s *Schedules) take(ctx context.Context, t *taskRow) error {
	if err := s.startDue(ctx, t, time.UnixMilli(t.due).UTC()); err != nil {
		return err
	}
	return s.moveDue(ctx, t)
}

// moveDue writes when a task is due after now, unless another write came between.
func (s *Schedules) moveDue(ctx context.Context, t *taskRow) error {
	due, err := s.dueOf(t)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := s.db.One(ctx, tx, `UPDATE schedule_task SET due = ? WHERE name = ? AND mark = ? AND due = ?`, due, t.Name, t.mark, t.due)
		if errors.Is(err, ledger.ErrNone) {
			return nil
		}
		return err
	})
}

package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/attune-io/attune"
)

// retrying makes the further attempts of a rule's deliveries until ctx ends. The
// database is asked while something waits, when somebody redrives, and now and
// then, for another process may have.
func (w *worker) retrying(ctx context.Context) error {
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	redriven, asked := int64(-1), time.Time{}
	for {
		now := w.redriven.Load()
		if w.waits.Load() || now != redriven || time.Since(asked) > rulesEvery {
			redriven, asked = now, time.Now()
			if err := w.retryDue(ctx); err != nil {
				if ctx.Err() != nil || errors.Is(err, errReplaced) {
					return err
				}
				w.log.Warn("deliveries cannot be tried again", "rule", w.rule.Name, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// lookForWaiting says whether anything is in the line. What comes into it
// meanwhile says so after.
func (w *worker) lookForWaiting(ctx context.Context) error {
	w.waits.Store(false)
	var n int
	err := w.db.QueryRowContext(ctx, w.db.Bind(`SELECT COUNT(*) FROM notify_delivery WHERE rule = ? AND dead = 0`), w.rule.Name).Scan(&n)
	if err != nil || n > 0 {
		w.waits.Store(true)
	}
	return err
}

// waiting is a delivery that is due.
type waiting struct {
	id, event string
	attempt   int
}

// retryDue tries what is due, the longest due first, until something fails in a
// way that the next would fail in, too.
func (w *worker) retryDue(ctx context.Context) error {
	for {
		due, err := w.due(ctx)
		if err != nil {
			return err
		}
		for _, one := range due {
			attempt := one.attempt + 1
			f := w.try(ctx, []byte(one.event), attempt)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := w.settle(ctx, one.id, attempt, f); err != nil {
				return err
			}
			if f != nil && !f.final {
				w.waits.Store(true)
				return nil // the others are due the next time
			}
		}
		if len(due) < retryPage {
			return w.lookForWaiting(ctx)
		}
	}
}

func (w *worker) due(ctx context.Context) (_ []waiting, err error) {
	rows, err := w.db.QueryContext(ctx, w.db.Bind(`SELECT id, event, attempt FROM notify_delivery WHERE rule = ? AND dead = 0 AND due <= ? ORDER BY due, first LIMIT `+strconv.Itoa(retryPage)),
		w.rule.Name, w.Clock().UnixMilli())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var all []waiting
	for rows.Next() {
		var one waiting
		if err := rows.Scan(&one.id, &one.event, &one.attempt); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// settle writes down what came of an attempt.
func (w *worker) settle(ctx context.Context, id string, attempt int, f *failure) error {
	now := w.Clock()
	if f != nil && f.off {
		defer w.rulesChanged()
	}
	return w.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		exec := func(stmt string, args ...any) error {
			_, err := tx.ExecContext(ctx, w.db.Bind(stmt), args...)
			return err
		}
		if f == nil {
			return errors.Join(
				exec(`DELETE FROM notify_delivery WHERE rule = ? AND id = ?`, w.rule.Name, id),
				exec(`UPDATE notify_rule SET delivered = delivered + 1, last = ?, note = CASE WHEN note LIKE ? THEN note ELSE '' END WHERE name = ?`, now.UnixMilli(), noteRefused+"%", w.rule.Name))
		}
		due := now.Add(f.wait(attempt)).UnixMilli()
		if f.busy { // it is in the way of the others, too
			attempt--
			if err := exec(`UPDATE notify_delivery SET due = ? WHERE rule = ? AND dead = 0 AND due < ?`, due, w.rule.Name, due); err != nil {
				return err
			}
		}
		dead := f.final || attempt >= MaxAttempts
		err := errors.Join(
			exec(`UPDATE notify_delivery SET attempt = ?, due = ?, last = ?, why = ?, dead = ? WHERE rule = ? AND id = ?`,
				attempt, due, now.UnixMilli(), f.why, flag(dead), w.rule.Name, id),
			exec(`UPDATE notify_rule SET note = ? WHERE name = ?`, f.why, w.rule.Name))
		if err == nil && f.off {
			err = w.switchOff(ctx, tx)
		}
		return err
	})
}

// DeadLetter is an event that could not be delivered to a rule's target.
type DeadLetter struct {
	Rule     string          `json:"rule"`
	ID       string          `json:"id"` // of the event
	Event    json.RawMessage `json:"event"`
	Attempts int             `json:"attempts"`
	First    time.Time       `json:"first"` // attempt
	Last     time.Time       `json:"last"`  // attempt
	Why      string          `json:"why"`
}

// maxLetters bounds a list of dead letters.
const maxLetters = 100

// DeadLetters lists the newest dead letters, of one rule or, when rule is "", of all.
func (d *Desk) DeadLetters(ctx context.Context, rule string) (_ []DeadLetter, err error) {
	rows, err := d.db.QueryContext(ctx, d.db.Bind(`SELECT rule, id, event, attempt, first, last, why FROM notify_delivery
		WHERE dead = 1 AND (? = '' OR rule = ?) ORDER BY last DESC, id LIMIT `+strconv.Itoa(maxLetters)), rule, rule)
	if err != nil {
		return nil, wrap("list dead letters", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all := []DeadLetter{}
	for rows.Next() {
		var l DeadLetter
		var text string
		var first, last int64
		if err := rows.Scan(&l.Rule, &l.ID, &text, &l.Attempts, &first, &last, &l.Why); err != nil {
			return nil, wrap("list dead letters", err)
		}
		l.Event, l.First, l.Last = json.RawMessage(text), time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
		all = append(all, l)
	}
	return all, wrap("list dead letters", rows.Err())
}

// Redrive has dead letters delivered again, with all their attempts before them:
// those of a rule, or one of them. n counts them; attune.NotFound when there is
// none of that id.
func (d *Desk) Redrive(ctx context.Context, rule, id string) (n int64, err error) {
	return d.letters(ctx, `UPDATE notify_delivery SET dead = 0, attempt = 1, due = 0`, rule, id)
}

// Drop forgets dead letters; n and errors are as of Redrive.
func (d *Desk) Drop(ctx context.Context, rule, id string) (n int64, err error) {
	return d.letters(ctx, `DELETE FROM notify_delivery`, rule, id)
}

func (d *Desk) letters(ctx context.Context, do, rule, id string) (int64, error) {
	if rule == "" {
		return 0, attune.Errorf(attune.Invalid, "say the rule whose dead letters are meant")
	}
	res, err := d.db.ExecContext(ctx, d.db.Bind(do+` WHERE dead = 1 AND rule = ? AND (? = '' OR id = ?)`), rule, id, id)
	if err != nil {
		return 0, wrap("change dead letters", err)
	}
	d.redriven.Add(1)
	n, err := res.RowsAffected()
	if err == nil && n == 0 && id != "" {
		return 0, attune.Errorf(attune.NotFound, "rule %.80q has no dead letter %.80q", rule, id)
	}
	return n, err
}

// pruneDeliveries forgets dead letters that are too old, or too many for one rule,
// and starts so old that their events have left the bus long ago.
func (d *Desk) pruneDeliveries(ctx context.Context) error {
	if _, err := d.db.ExecContext(ctx, d.db.Bind(`DELETE FROM notify_delivery WHERE dead = 1 AND last < ?`), d.Clock().Add(-keepDead).UnixMilli()); err != nil {
		return wrap("forget dead letters", err)
	}
	rules, err := d.rules(ctx, "")
	if err != nil {
		return err
	}
	for _, r := range rules {
		if r.Dead <= MaxDead {
			continue
		}
		_, err := d.db.ExecContext(ctx, d.db.Bind(`DELETE FROM notify_delivery WHERE rule = ? AND dead = 1 AND id IN
			(SELECT id FROM notify_delivery WHERE rule = ? AND dead = 1 ORDER BY last, id LIMIT ?)`), r.Name, r.Name, r.Dead-MaxDead)
		if err != nil {
			return wrap("forget dead letters", err)
		}
	}
	_, err = d.db.ExecContext(ctx, d.db.Bind(`DELETE FROM notify_start WHERE started < ?`), d.Clock().Add(-keepStarts).UnixMilli())
	return wrap("forget starts", err)
}

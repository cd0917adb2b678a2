package maintain

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/plan"
)

// runColumns are in the order that scanRun reads.
const runColumns = `id, configuration, version, purpose, solution, base_date, cause_kind, cause_id, status, started, ended, error, replacing, job, chain, workflow, told`

func scanRun(scan func(...any) error) (r Run, err error) {
	var started, ended int64
	var told, replace int
	err = scan(&r.ID, &r.Configuration, &r.Version, &r.Purpose, &r.Solution, &r.BaseDate, &r.Cause.Kind, &r.Cause.ID,
		&r.Status, &started, &ended, &r.Error, &replace, &r.Job, &r.chain, &r.workflow, &told)
	r.Started, r.Ended, r.told = moment(started), moment(ended), told != 0
	r.Replace = replace != 0
	return r, err
}

// errBusy refuses a run beside another.
type errBusy struct {
	error
	id string // of the run that is under way
}

// Unwrap gives the error of a known kind.
func (e *errBusy) Unwrap() error { return e.error }

// begin writes a run with its steps. When its cause, or its base date, has
// started a run already, that one is returned, and fresh is false. A run of the
// same purpose and solution that is under way refuses it (errBusy), and so does
// one that destroys; one that destroys is refused beside any. have are results
// of steps that are known from the start.
func (s *Store) begin(ctx context.Context, r *Run, steps []plan.Step, have map[string]plan.Result) (is *Run, fresh bool, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := s.lock(ctx, tx, r.Configuration); err != nil {
			return err
		}
		if is, err = s.same(ctx, tx, r); err != nil || is != nil {
			return err
		}
		if err := s.alone(ctx, tx, r); err != nil {
			return err
		}
		is, fresh = r, true
		return s.insert(ctx, tx, r, steps, have)
	})
	return is, fresh, wrap("start a run of "+r.Configuration, err)
}

// before finds the run that r's cause or base date has started; nil when there
// is none. It refuses r as begin would.
func (s *Store) before(ctx context.Context, r *Run) (is *Run, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if is, err = s.same(ctx, tx, r); err != nil || is != nil {
			return err
		}
		return s.alone(ctx, tx, r)
	})
	return is, wrap("look for a run of "+r.Configuration, err)
}

// same finds the run that r's cause or base date has started before. One that
// failed does not stand in the way of its base date.
func (s *Store) same(ctx context.Context, tx *sql.Tx, r *Run) (*Run, error) {
	for _, q := range []struct {
		where string
		args  []any
		none  bool // r has nothing to look for
	}{
		{`cause_kind = ? AND cause_id = ?`, []any{r.Cause.Kind, r.Cause.ID}, r.Cause.ID == ""},
		{`status IN ('RUNNING', 'SUCCEEDED') AND base_date = ?`, []any{r.BaseDate}, r.BaseDate == ""},
	} {
		if q.none {
			continue
		}
		row := tx.QueryRowContext(ctx, s.db.Bind(`SELECT `+runColumns+` FROM run WHERE configuration = ? AND purpose = ? AND solution = ? AND job = ? AND `+q.where),
			append([]any{r.Configuration, string(r.Purpose), r.Solution, r.Job}, q.args...)...)
		is, err := scanRun(row.Scan)
		if err == nil {
			return &is, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
	}
	return nil, nil
}

// alone refuses r beside what it must not run with.
func (s *Store) alone(ctx context.Context, tx *sql.Tx, r *Run) error {
	query := `SELECT id, purpose FROM run WHERE configuration = ? AND status = 'RUNNING'`
	args := []any{r.Configuration}
	if r.Purpose != plan.ForDestroy {
		query += ` AND (purpose = ? AND solution = ? AND job = ? OR purpose = ?)`
		args = append(args, string(r.Purpose), r.Solution, r.Job, string(plan.ForDestroy))
	}
	var id, purpose string
	err := tx.QueryRowContext(ctx, s.db.Bind(query+` LIMIT 1`), args...).Scan(&id, &purpose)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return &errBusy{attune.Errorf(attune.InUse, "run %s (%s of %s) is under way: wait for it with 'attune runs watch %s', or cancel it", id, purpose, r.Configuration, id), id}
}

func (s *Store) insert(ctx context.Context, tx *sql.Tx, r *Run, steps []plan.Step, have map[string]plan.Result) error {
	_, err := tx.ExecContext(ctx, s.db.Bind(`INSERT INTO run (`+runColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', ?, ?, ?, ?, 0)`),
		r.ID, r.Configuration, r.Version, string(r.Purpose), r.Solution, r.BaseDate, r.Cause.Kind, r.Cause.ID, string(r.Status), millis(r.Started), bit(r.Replace), r.Job, r.chain, r.workflow)
	if err != nil {
		return err
	}
	for i := range steps {
		step, err := text(steps[i])
		if err != nil {
			return err
		}
		state, body := StepWaiting, "{}"
		if known, ok := have[steps[i].Path]; ok {
			state = StepDone
			if body, err = text(RunStep{Result: known}); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, s.db.Bind(`INSERT INTO run_step (run, place, path, step, state, body) VALUES (?, ?, ?, ?, ?, ?)`),
			r.ID, i, steps[i].Path, step, string(state), body)
		if err != nil {
			return err
		}
	}
	return nil
}

// Run reads a run with its steps; attune.NotFound when there is none.
func (s *Store) Run(ctx context.Context, id string) (*Run, error) {
	r, err := s.head(ctx, id)
	if err != nil {
		return nil, err
	}
	r.Steps, err = collect(ctx, s.db, `SELECT step, state, body FROM run_step WHERE run = ? ORDER BY place`, []any{id}, scanStep)
	return r, wrap("read the steps of run "+id, err)
}

// head reads a run without its steps.
func (s *Store) head(ctx context.Context, id string) (*Run, error) {
	r, err := scanRun(s.db.QueryRowContext(ctx, s.db.Bind(`SELECT `+runColumns+` FROM run WHERE id = ?`), id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, attune.Errorf(attune.NotFound, "there is no run %q: 'attune runs list' shows those that are kept", id)
	}
	return &r, wrap("read run "+id, err)
}

func scanStep(scan func(...any) error) (t RunStep, err error) {
	var step, state, body string
	if err := scan(&step, &state, &body); err != nil {
		return t, err
	}
	if err := json.Unmarshal([]byte(body), &t); err != nil {
		return t, err
	}
	if err := json.Unmarshal([]byte(step), &t.step); err != nil {
		return t, err
	}
	t.Path, t.Kind, t.Name, t.State = t.step.Path, t.step.Kind, t.step.Name, StepStatus(state)
	return t, nil
}

// saveStep writes how far a step is. A step that has ended stays as it is.
func (s *Store) saveStep(ctx context.Context, run string, t *RunStep) error {
	if len(t.Error) > maxReason {
		t.Error = strings.ToValidUTF8(t.Error[:maxReason], "") + "…"
	}
	body, err := text(t)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, s.db.Bind(`UPDATE run_step SET state = ?, body = ? WHERE run = ? AND path = ? AND state IN ('WAITING', 'RUNNING')`),
		string(t.State), body, run, t.Path)
	return wrap("keep step "+t.Path, err)
}

// end closes a run, once; the steps that are open get what its status makes of
// them. It reports whether this call did it.
func (s *Store) end(ctx context.Context, id string, status RunStatus, reason string, at time.Time) (did bool, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, s.db.Bind(`UPDATE run SET status = ?, error = ?, ended = ? WHERE id = ? AND status = 'RUNNING'`),
			string(status), reason, millis(at), id)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if did = n == 1; err != nil || !did {
			return err
		}
		for from, to := range map[StepStatus]StepStatus{StepWaiting: StepLeft, StepRunning: StepCancelled} {
			if _, err := tx.ExecContext(ctx, s.db.Bind(`UPDATE run_step SET state = ? WHERE run = ? AND state = ?`), string(to), id, string(from)); err != nil {
				return err
			}
		}
		return nil
	})
	return did, wrap("end run "+id, err)
}

// tell notes that a run's end was announced, and lets go of the oldest runs of
// its configuration beyond runsKept.
func (s *Store) tell(ctx context.Context, r *Run) error {
	return wrap("note the end of run "+r.ID, s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		const old = `SELECT id FROM run WHERE configuration = ? AND status <> 'RUNNING' ORDER BY started DESC, id DESC LIMIT 1000 OFFSET ?`
		for _, stmt := range []struct {
			sql  string
			args []any
		}{
			{`UPDATE run SET told = 1 WHERE id = ?`, []any{r.ID}},
			{`DELETE FROM run_step WHERE run IN (` + old + `)`, []any{r.Configuration, runsKept}},
			{`DELETE FROM run WHERE id IN (` + old + `)`, []any{r.Configuration, runsKept}},
		} {
			if _, err := tx.ExecContext(ctx, s.db.Bind(stmt.sql), stmt.args...); err != nil {
				return err
			}
		}
		return nil
	}))
}

// open lists the runs that are under way, or whose end was not announced.
func (s *Store) open(ctx context.Context) ([]Run, error) {
	list, err := collect(ctx, s.db, `SELECT `+runColumns+` FROM run WHERE status = 'RUNNING' OR told = 0 ORDER BY id`, nil, scanRun)
	return list, wrap("list the runs under way", err)
}

// tries counts the runs that a base date has had.
func (s *Store) tries(ctx context.Context, r *Run) (n int, err error) {
	err = s.db.QueryRowContext(ctx, s.db.Bind(`SELECT COUNT(*) FROM run WHERE configuration = ? AND purpose = ? AND solution = ? AND base_date = ?`),
		r.Configuration, string(r.Purpose), r.Solution, r.BaseDate).Scan(&n)
	return n, wrap("count the runs of "+r.BaseDate, err)
}

// RunsQuery says which runs to list, newest first; zero fields do not restrict.
type RunsQuery struct {
	Configuration string    `json:"configuration,omitempty"`
	Status        RunStatus `json:"status,omitempty"`
	Before        string    `json:"before,omitempty"` // the last id of the page before
	Limit         int       `json:"limit,omitempty"`  // at most and by default maxRunsPage
}

// Runs lists runs without their steps.
func (s *Store) Runs(ctx context.Context, q RunsQuery) ([]Run, error) {
	query, args := `SELECT `+runColumns+` FROM run WHERE 1 = 1`, []any{}
	for _, f := range []struct{ column, value string }{{"configuration", q.Configuration}, {"status", string(q.Status)}} {
		if f.value != "" {
			query, args = query+` AND `+f.column+` = ?`, append(args, f.value)
		}
	}
	if q.Before != "" {
		last, err := s.head(ctx, q.Before)
		if err != nil {
			return nil, err
		}
		query, args = query+` AND (started < ? OR started = ? AND id < ?)`, append(args, millis(last.Started), millis(last.Started), last.ID)
	}
	if q.Limit <= 0 || q.Limit > maxRunsPage {
		q.Limit = maxRunsPage
	}
	list, err := collect(ctx, s.db, query+fmt.Sprintf(` ORDER BY started DESC, id DESC LIMIT %d`, q.Limit), args, scanRun)
	return list, wrap("list runs", err)
}

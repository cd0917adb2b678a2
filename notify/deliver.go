package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/notify/pattern"
)

const (
	// rulesEvery is how often rules are looked at that another process may have put.
	rulesEvery = 5 * time.Second
	// retryEvery is how often the clock is asked whether a delivery is due; the
	// clock of a strict node jumps.
	retryEvery = 200 * time.Millisecond
	// retryPage is how many due deliveries are read at once.
	retryPage = 20
	// skipped is how many events that a rule does not want it passes over before
	// it writes down where it is.
	skipped = 256

	// MaxAttempts is how often a delivery is tried before it is a dead letter;
	// with the pauses below that takes about seven hours.
	MaxAttempts = 15
	// firstPause doubles with every attempt up to maxPause.
	firstPause = 5 * time.Second
	maxPause   = time.Hour
	// busyPause is how often it is looked whether a run that is in the way has ended.
	busyPause = 15 * time.Second
	// failingFor is how long after a failed delivery the events that follow wait
	// in the line of retries, without a try of their own.
	failingFor = 30 * time.Second
	// maxWaiting bounds the line of retries of one rule; what comes then is a dead letter.
	maxWaiting = 10_000
	// MaxDead bounds the dead letters of one rule; the oldest go.
	MaxDead = 10_000
	// keepDead is how long a dead letter is kept: events of others may have in them
	// what should not be kept for ever, and what nobody asked for by then is missed by nobody.
	keepDead = 30 * 24 * time.Hour
	// maxWhy bounds what is kept of a failure, in bytes.
	maxWhy = 500
)

// failure says why an event was not delivered, and what is to be done.
type failure struct {
	why   string
	final bool          // trying again is no use
	off   bool          // the target wants nothing any more: the rule is switched off
	after time.Duration // what the target asked for; 0: nothing
	busy  bool          // another run is in the way: that it waits is no failed attempt
}

func (f *failure) Error() string { return f.why }

// wait is how long it is to the next attempt.
func (f *failure) wait(attempt int) time.Duration {
	if f.busy {
		return busyPause
	}
	return pause(attempt, f.after)
}

// errReplaced ends the worker of a rule that is not there any more as it was.
var errReplaced = errors.New("the rule was replaced")

// worker delivers for one rule as it was put.
type worker struct {
	*Desk
	rule    ruleRow
	pattern *pattern.Pattern
	secret  string      // of the webhook
	waits   atomic.Bool // something may be in the line of retries

	mu       sync.Mutex
	failedAt time.Time // of the last delivery, when it failed
}

// deliver runs a worker for every rule until ctx ends.
func (d *Desk) deliver(ctx context.Context) error {
	running := map[string]func(){}
	var wg sync.WaitGroup
	defer wg.Wait()
	tick := time.NewTicker(rulesEvery)
	defer tick.Stop()
	for {
		rules, err := d.rules(ctx, "")
		if err != nil && ctx.Err() == nil {
			d.log.Warn("rules cannot be read", "error", err)
		} else if err == nil {
			d.reconcile(ctx, &wg, running, rules)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.ruleKick:
		case <-tick.C:
		}
	}
}

// reconcile starts the workers that are missing and stops those whose rule is
// another now. running is by generation.
func (d *Desk) reconcile(ctx context.Context, wg *sync.WaitGroup, running map[string]func(), rules []ruleRow) {
	wanted := map[string]bool{}
	for _, r := range rules {
		wanted[r.generation] = !r.Disabled
	}
	for generation, stop := range running {
		if !wanted[generation] {
			stop() // and waits: the next worker of the rule begins where this one ended
			delete(running, generation)
		}
	}
	for _, r := range rules {
		if r.Disabled || running[r.generation] != nil {
			continue
		}
		w, err := d.newWorker(r)
		if err != nil {
			d.note(ctx, r, err.Error())
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		running[r.generation] = func() { cancel(); <-done }
		wg.Go(func() {
			defer close(done)
			if err := w.run(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, errReplaced) {
				d.log.Error("a rule's worker ended", "rule", r.Name, "error", err)
			}
		})
	}
}

func (d *Desk) newWorker(r ruleRow) (*worker, error) {
	p, err := pattern.Parse(r.Pattern)
	if err != nil {
		return nil, err
	}
	secret, err := d.open(ruleSecret+r.Name, r.secret)
	if err != nil {
		return nil, err
	}
	return &worker{Desk: d, rule: r, pattern: p, secret: secret}, nil
}

// run tells the rule what happens, and again what failed, until ctx ends.
func (w *worker) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.retrying(ctx) })
	g.Go(func() error { return w.following(ctx) })
	return g.Wait()
}

// following reads the bus from where the rule is. What goes wrong between here
// and the database is begun again from there.
func (w *worker) following(ctx context.Context) error {
	for {
		err := w.follow(ctx)
		if ctx.Err() != nil || errors.Is(err, errReplaced) {
			return err
		}
		w.log.Warn("a rule begins again", "rule", w.rule.Name, "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(relayEvery):
		}
		now, err := w.rules(ctx, w.rule.Name)
		if err == nil && (len(now) == 0 || now[0].generation != w.rule.generation) {
			return errReplaced
		}
		if err == nil {
			w.rule.Position = now[0].Position
		}
	}
}

func (w *worker) follow(ctx context.Context) error {
	first, last, err := w.Notices.Ends(ctx)
	if err != nil {
		return err
	}
	if last < w.rule.Position { // the bus was lost, or is an old copy: what is on it now may be new
		w.log.Warn("the bus counts anew", "rule", w.rule.Name, "position", w.rule.Position, "last", last)
		if err := w.move(ctx, nil, first-1, `note = 'the bus had lost events, and begins again'`); err != nil {
			return err
		}
	}
	if lost := int64(first) - 1 - int64(w.rule.Position); lost > 0 {
		if err := w.move(ctx, nil, first-1, `missed = missed + ?, note = 'the bus had forgotten events that it was behind with'`, lost); err != nil {
			return err
		}
	}
	passed, at := 0, w.rule.Position
	defer func() {
		if passed > 0 && ctx.Err() != nil { // so that nobody thinks later that the rule has missed them
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), relayEvery)
			defer cancel()
			_ = w.move(ctx, nil, at, `note = note`) // else they are passed over again
		}
	}()
	return w.Notices.Follow(ctx, w.rule.Position, func(n event.Notice) error {
		matches, err := w.pattern.Match(n.Data)
		if err != nil { // nobody can make anything of it
			w.log.Error("an event of the bus cannot be read", "seq", n.Seq, "error", err)
		}
		if matches {
			passed = 0
			return w.take(ctx, n)
		}
		if passed, at = passed+1, n.Seq; passed < skipped {
			return nil
		}
		passed = 0
		return w.move(ctx, nil, n.Seq, `note = note`)
	})
}

// move writes down where the rule is, and something more of it, in tx if there
// is one. Whoever commits a tx then says so to the worker, too.
func (w *worker) move(ctx context.Context, tx *sql.Tx, position uint64, set string, args ...any) error {
	args = append([]any{int64(position)}, append(args, w.rule.Name, w.rule.generation)...)
	stmt := `UPDATE notify_rule SET position = ?, ` + set + ` WHERE name = ? AND generation = ?`
	var err error
	if tx != nil {
		err = w.db.One(ctx, tx, stmt, args...)
	} else {
		err = w.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error { return w.db.One(ctx, tx, stmt, args...) })
	}
	if errors.Is(err, ledger.ErrNone) {
		return errReplaced
	}
	if err == nil && tx == nil {
		w.rule.Position = position
	}
	return err
}

// current fails with errReplaced when the rule is another by now: what happens
// after a rule was put is dealt with by that rule only.
func (w *worker) current(ctx context.Context) error {
	var n int
	row := w.db.QueryRowContext(ctx, w.db.Bind(`SELECT COUNT(*) FROM notify_rule WHERE name = ? AND generation = ? AND disabled = 0`), w.rule.Name, w.rule.generation)
	if err := row.Scan(&n); err != nil || n == 1 {
		return err
	}
	return errReplaced
}

// take delivers an event that the rule wants, or writes it down to be tried
// again, and moves the rule behind it in the same transaction.
func (w *worker) take(ctx context.Context, n event.Notice) error {
	if err := w.current(ctx); err != nil {
		return err
	}
	f := w.try(ctx, n.Data, 1)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := w.Clock()
	if f == nil {
		return w.move(ctx, nil, n.Seq, `delivered = delivered + 1, last = ?`, now.UnixMilli())
	}
	if f.off {
		defer w.rulesChanged()
	}
	defer w.waits.Store(true)
	err := w.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := w.move(ctx, tx, n.Seq, `note = ?`, f.why); err != nil {
			return err
		}
		var waiting int
		count := tx.QueryRowContext(ctx, w.db.Bind(`SELECT COUNT(*) FROM notify_delivery WHERE rule = ? AND dead = 0`), w.rule.Name)
		if err := count.Scan(&waiting); err != nil {
			return err
		}
		dead := f.final || waiting >= maxWaiting
		_, err := tx.ExecContext(ctx, w.db.Bind(`INSERT INTO notify_delivery (rule, id, event, attempt, due, first, last, why, dead) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
			w.rule.Name, n.ID, string(n.Data), 1, now.Add(f.wait(1)).UnixMilli(), now.UnixMilli(), now.UnixMilli(), f.why, flag(dead))
		if err == nil && f.off {
			err = w.switchOff(ctx, tx)
		}
		return err
	})
	if err == nil {
		w.rule.Position = n.Seq
	}
	return err
}

// switchOff disables a rule whose target wants nothing any more.
func (w *worker) switchOff(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, w.db.Bind(`UPDATE notify_rule SET disabled = 1 WHERE name = ? AND generation = ?`), w.rule.Name, w.rule.generation)
	return err
}

// try makes one attempt to deliver; nil when it went well. While the target
// fails, first attempts are not made: they would hold up the events behind.
func (w *worker) try(ctx context.Context, data []byte, attempt int) *failure {
	w.mu.Lock()
	failing := !w.failedAt.IsZero() && time.Since(w.failedAt) < failingFor
	w.mu.Unlock()
	if attempt == 1 && failing {
		return &failure{why: "it waits behind deliveries that failed"}
	}
	var e Event
	if err := json.Unmarshal(data, &e); err != nil {
		return &failure{why: "the event cannot be read", final: true}
	}
	var f *failure
	switch t := w.rule.Target; {
	case t.Webhook != nil:
		f = w.post(ctx, e, data, attempt)
	case t.Email != nil:
		f = w.mailer.send(ctx, t.Email.To, w.rule.Name, e)
	default:
		f = w.start(ctx, e)
	}
	w.metrics.delivered(w.rule.Target, f)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failedAt = (time.Time{}); f != nil && !f.final {
		w.failedAt = time.Now() // a wall's time: this is about the network
	}
	if f != nil {
		f.why = cut(f.why)
		level := slog.LevelInfo
		if f.busy && attempt > 1 { // and has been said to be
			level = slog.LevelDebug
		}
		w.log.Log(ctx, level, "an event was not delivered", "rule", w.rule.Name, "event", e.ID, "attempt", attempt, "final", f.final, "why", f.why)
	}
	return f
}

// cut shortens what is kept of a failure, to text that every database keeps:
// targets answer in all sorts of letters.
func cut(s string) string {
	s = s[:min(len(s), maxWhy)]
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}

// pause is how long to wait after an attempt, counted from 1: twice as long each
// time, and up to a quarter more by chance so that targets are not hit by all at once.
func pause(attempt int, asked time.Duration) time.Duration {
	p := maxPause
	if attempt < 12 {
		p = min(maxPause, firstPause<<(attempt-1))
	}
	p = max(p, min(asked, maxPause))
	return p + rand.N(p/4)
}

// note keeps what went wrong with a rule.
func (d *Desk) note(ctx context.Context, r ruleRow, why string) {
	_, err := d.db.ExecContext(ctx, d.db.Bind(`UPDATE notify_rule SET note = ? WHERE name = ? AND generation = ? AND note <> ?`), cut(why), r.Name, r.generation, cut(why))
	if err != nil && ctx.Err() == nil {
		d.log.Warn("a rule's note cannot be kept", "rule", r.Name, "error", err)
	}
}

// rulesChanged has the rules looked at now.
func (d *Desk) rulesChanged() {
	select {
	case d.ruleKick <- struct{}{}:
	default:
	}
}

package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/attune-io/attune"
)

const (
	// keepStarts is how long it is known what a rule has started for an event:
	// longer than the bus knows the event.
	keepStarts = 14 * 24 * time.Hour
	// startTimeout bounds the start of one run: what a rule waits for, others may, too.
	startTimeout = time.Minute
	// MaxStarts bounds how many runs one rule starts in an hour. A circle that
	// leads through the outside, where causes are lost, stops here.
	MaxStarts = 60
)

// Start is what a rule asks of room maintain. The same Key is the same run.
type Start struct {
	Maintain
	Key   string // of the rule and the event
	Event Event
	Date  string // of the data, yyyymmdd, when the rule says where the event has it
}

// Starter starts a run, or finds the one that was started with the key. An error
// of kind attune.Invalid, attune.NotFound or attune.Denied is final; attune.InUse,
// that another run is in the way, is waited for; others are tried again.
type Starter func(ctx context.Context, s Start) (run string, err error)

// start does what a rule with the target maintain is for.
func (w *worker) start(ctx context.Context, e Event) *failure {
	var run string
	known := w.db.QueryRowContext(ctx, w.db.Bind(`SELECT run FROM notify_start WHERE rule = ? AND event = ?`), w.rule.Name, e.ID)
	if err := known.Scan(&run); !errors.Is(err, sql.ErrNoRows) {
		if err != nil {
			return &failure{why: err.Error()}
		}
		return nil
	}
	target := *w.rule.Target.Maintain
	key := w.rule.Name + "/" + e.ID
	before, err := w.chain(ctx, e)
	if err != nil {
		return &failure{why: err.Error()}
	}
	cause, err := before.next(e.ID, target.Config)
	if err != nil {
		return w.refuse(ctx, e, before, err)
	}
	now := w.Clock()
	var recent int
	count := w.db.QueryRowContext(ctx, w.db.Bind(`SELECT COUNT(*) FROM notify_start WHERE rule = ? AND started > ?`), w.rule.Name, now.Add(-time.Hour).UnixMilli())
	if err := count.Scan(&recent); err != nil {
		return &failure{why: err.Error()}
	}
	if recent >= MaxStarts {
		err := attune.Errorf(attune.LimitExceeded, "the rule has started %d runs within an hour: no more follow, in case its events come from those", recent)
		if f := w.refuse(ctx, e, before, err); f != nil {
			return f
		}
		return &failure{why: noteRefused + err.Error(), final: true} // if they do not, somebody can redrive it
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	w.starting.RLock()
	defer w.starting.RUnlock()
	date, err := baseDate(e, target.BaseDate)
	if err == nil {
		run, err = w.starter(ctx, Start{Maintain: target, Key: key, Event: e, Date: date})
	}
	if err != nil {
		k := attune.KindOf(err)
		return &failure{why: err.Error(), final: k == attune.Invalid || k == attune.NotFound || k == attune.Denied, busy: k == attune.InUse}
	}
	cause.Run = run
	_, err = w.db.ExecContext(ctx, w.db.Bind(`INSERT INTO notify_start (rule, event, run, cause, started) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
		w.rule.Name, e.ID, run, cause.String(), now.UnixMilli())
	if err != nil { // the run is there, and will be found by its key
		return &failure{why: err.Error()}
	}
	w.log.Info("a rule started a run", "rule", w.rule.Name, "event", e.ID, "run", run)
	return nil
}

// chain is which runs led to an event: the one that it says, and what is known of
// how that one was started. A run knows itself only.
func (w *worker) chain(ctx context.Context, e Event) (Cause, error) {
	said, ok := CauseOf(e)
	if !ok {
		return Cause{}, nil
	}
	w.starting.Lock() // a run may end before it is written down what led to it
	defer w.starting.Unlock()
	var text string
	err := w.db.QueryRowContext(ctx, w.db.Bind(`SELECT cause FROM notify_start WHERE run = ? LIMIT 1`), said.Run).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) { // no rule started it
		return said, nil
	}
	if known, ok := ParseCause(text); ok && err == nil {
		return known, nil
	}
	return said, err
}

// noteRefused begins the note of a rule that did not start a run.
const noteRefused = "refused: "

// refused is the detail type of what refuse tells.
const refused = "Attune Trigger Refused"

// refuse tells that a rule did not start a run, and why. The event counts as
// dealt with: another try would be refused, too. That a refusal starts nothing is
// not told: the rule might want that as well, and so on for ever.
func (w *worker) refuse(ctx context.Context, e Event, before Cause, why error) *failure {
	w.note(ctx, w.rule, noteRefused+why.Error())
	if e.Source == SourceRules && e.DetailType == refused {
		return nil
	}
	detail := map[string]any{"Rule": w.rule.Name, "Event": e.ID, "Config": w.rule.Target.Maintain.Config, "Reason": why.Error()}
	if before.Run != "" { // so that a rule on refusals is in the same chain
		detail["Cause"] = before
	}
	text, err := json.Marshal(detail)
	if err == nil {
		id := sameID(refused + " " + w.rule.Name + "/" + e.ID)
		_, err = w.Put(ctx, Event{ID: id, Source: SourceRules, DetailType: refused, Detail: text})
	}
	if err != nil {
		return &failure{why: err.Error()}
	}
	return nil
}

// baseDate reads a date at a path of an event, like detail.date: yyyymmdd, also
// with hyphens and with a time behind. path may be "".
func baseDate(e Event, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return "", err
	}
	for name := range strings.SplitSeq(path, ".") {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	date, _ := v.(string)
	date, _, _ = strings.Cut(date, "T")
	date = strings.ReplaceAll(date, "-", "")
	if _, err := time.Parse("20060102", date); err != nil {
		return "", attune.Errorf(attune.Invalid, "the event has no date at %s: it should be like 2026-03-01", path)
	}
	return date, nil
}

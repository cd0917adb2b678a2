package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/notify/pattern"
)

const (
	// MaxRules bounds the rules: each has a reader on the bus.
	MaxRules = 100
	// maxTo bounds the addresses of one rule.
	maxTo = 20
	// maxURL bounds a URL, in bytes.
	maxURL = 2 << 10
)

// Rule says who is told of which events.
type Rule struct {
	Name     string          `json:"name"`
	Pattern  json.RawMessage `json:"pattern"` // package pattern
	Target   Target          `json:"target"`
	Disabled bool            `json:"disabled,omitempty"` // it tells nobody, and misses what happens meanwhile
}

// Target is who is told: one of them.
type Target struct {
	Webhook  *Webhook  `json:"webhook,omitempty"`
	Email    *Email    `json:"email,omitempty"`
	Maintain *Maintain `json:"maintain,omitempty"`
}

// Webhook is an HTTP endpoint that events are posted to.
type Webhook struct {
	URL    string `json:"url"`
	Secret string `json:"secret,omitempty"` // signs the requests; is put, and never shown
	Signed bool   `json:"signed,omitempty"` // there is a secret; is shown, and not put
}

// Email is whom a mail is sent.
type Email struct {
	To []string `json:"to"`
}

// Maintain is a run that is started.
type Maintain struct {
	Config  string `json:"config"`  // name of a configuration
	Purpose string `json:"purpose"` // in the words of room maintain: apply, import, full, update, …
	// Solution is the one that the run is for; "" for all that the purpose takes.
	Solution string `json:"solution,omitempty"`
	// BaseDate is where the event has the date of its data, like detail.date: there
	// is one run for each date. "" for runs without one.
	BaseDate string `json:"baseDate,omitempty"`
}

// String says the target without its secrets.
func (t Target) String() string {
	switch {
	case t.Webhook != nil:
		return "webhook " + t.Webhook.URL
	case t.Email != nil:
		return fmt.Sprintf("e-mail to %v", t.Email.To)
	case t.Maintain != nil:
		return "maintain " + t.Maintain.Config + " " + t.Maintain.Purpose
	}
	return "nobody"
}

// RuleState is a rule and how it fares.
type RuleState struct {
	Rule
	Created   time.Time `json:"created"`
	Updated   time.Time `json:"updated"`
	Position  uint64    `json:"position"`         // on the bus, up to which it has seen to events
	Delivered int64     `json:"delivered"`        // events
	Last      time.Time `json:"last,omitzero"`    // delivery
	Waiting   int64     `json:"waiting"`          // events that are tried again
	Dead      int64     `json:"dead"`             // events in the dead letters
	Missed    int64     `json:"missed,omitempty"` // events that the bus had forgotten before the rule saw them
	Note      string    `json:"note,omitempty"`   // what went wrong last
}

// nameForm is how rules and hooks are called: they stand in URLs and subjects.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func checkName(what, name string) error {
	if !nameForm.MatchString(name) {
		return attune.Errorf(attune.Invalid, "%s cannot be called %.80q: give 1 to 64 letters, digits, dots, hyphens and underscores", what, name)
	}
	return nil
}

// check refuses a rule that cannot be kept.
func (d *Desk) check(r *Rule) error {
	if err := checkName("a rule", r.Name); err != nil {
		return err
	}
	if _, err := pattern.Parse(r.Pattern); err != nil {
		return err
	}
	t, n := r.Target, 0
	if w := t.Webhook; w != nil {
		n++
		if err := checkURL(w.URL); err != nil {
			return err
		}
		if w.Secret != "" {
			if err := checkSecret("the secret of the webhook", w.Secret); err != nil {
				return err
			}
		}
	}
	if m := t.Email; m != nil {
		n++
		if err := d.checkMail(m); err != nil {
			return err
		}
	}
	if m := t.Maintain; m != nil {
		n++
		if d.starter == nil {
			return attune.Errorf(attune.Invalid, "this node maintains nothing: a rule cannot start a run")
		}
		if m.Config == "" || len(m.Config) > maxCauseName || m.Purpose == "" {
			return attune.Errorf(attune.Invalid, "a run is started with the name of a configuration and a purpose: give both")
		}
		if len(d.purposes) > 0 && !slices.Contains(d.purposes, m.Purpose) {
			return attune.Errorf(attune.Invalid, "a rule cannot start a run for the purpose %.40q: give one of %v", m.Purpose, d.purposes)
		}
	}
	if n != 1 {
		return attune.Errorf(attune.Invalid, "a rule has one target, not %d: give a webhook, an e-mail or a maintain", n)
	}
	return nil
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return attune.Errorf(attune.Invalid, "the URL of the webhook cannot be used: give one like https://host/path")
	}
	if u.User != nil {
		return attune.Errorf(attune.Invalid, "the URL of the webhook has a password, which would be shown: leave it out; requests are signed with the secret")
	}
	return nil
}

func (d *Desk) checkMail(m *Email) error {
	if d.mailer == nil {
		return attune.Errorf(attune.Invalid, "this node sends no mail: start it with --smtp smtp://user:password@host:587?from=attune@example.com")
	}
	if len(m.To) == 0 || len(m.To) > maxTo {
		return attune.Errorf(attune.Invalid, "an e-mail goes to 1 to %d addresses, not %d", maxTo, len(m.To))
	}
	for _, to := range m.To {
		if a, err := mail.ParseAddress(to); err != nil || a.Address != to || len(to) > maxWord {
			return attune.Errorf(attune.Invalid, "%.80q is no e-mail address: write it like name@example.com", to)
		}
	}
	return nil
}

// PutRule makes a rule, or replaces the one of its name. A new rule is told what
// happens from now on; a replaced one goes on where it was, and keeps its secret
// when the new one is put without. Errors: attune.Invalid, attune.LimitExceeded.
func (d *Desk) PutRule(ctx context.Context, r Rule) error {
	if err := d.check(&r); err != nil {
		return err
	}
	end, err := d.End(ctx)
	if err != nil {
		return err
	}
	secret := ""
	if w := r.Target.Webhook; w != nil {
		secret = d.seal(ruleSecret+r.Name, w.Secret)
		r.Target.Webhook = &Webhook{URL: w.URL}
	}
	target, err := json.Marshal(r.Target)
	if err != nil {
		return err
	}
	now := d.Clock().UnixMilli()
	err = d.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if w := r.Target.Webhook; w != nil && secret == "" {
			old := tx.QueryRowContext(ctx, d.db.Bind(`SELECT secret FROM notify_rule WHERE name = ?`), r.Name)
			if err := old.Scan(&secret); err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		err := d.db.One(ctx, tx, `UPDATE notify_rule SET pattern = ?, target = ?, secret = ?, disabled = ?, generation = ?, note = '', updated = ?,
			position = CASE WHEN disabled = 1 THEN ? ELSE position END WHERE name = ?`,
			string(r.Pattern), string(target), secret, flag(r.Disabled), newID(), now, int64(end), r.Name)
		if !errors.Is(err, ledger.ErrNone) {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM notify_rule`).Scan(&n); err != nil {
			return err
		}
		if n >= MaxRules {
			return attune.Errorf(attune.LimitExceeded, "there are %d rules, the most that there may be: delete one first", n)
		}
		return d.db.One(ctx, tx, `INSERT INTO notify_rule (name, pattern, target, secret, disabled, generation, position, delivered, last, missed, note, created, updated)
			VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, '', ?, ?)`,
			r.Name, string(r.Pattern), string(target), secret, flag(r.Disabled), newID(), int64(end), now, now)
	})
	if err != nil {
		return wrap("put rule "+r.Name, err)
	}
	d.rulesChanged()
	return nil
}

// ruleSecret and hookSecret come before a name in what a secret is sealed for.
const (
	ruleSecret = "rule "
	hookSecret = "hook "
)

// DeleteRule removes a rule with all that it had yet to deliver; attune.NotFound
// when there is none.
func (d *Desk) DeleteRule(ctx context.Context, name string) error {
	err := d.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := d.db.One(ctx, tx, `DELETE FROM notify_rule WHERE name = ?`, name); err != nil {
			return err
		}
		for _, table := range []string{"notify_delivery", "notify_start"} {
			if _, err := tx.ExecContext(ctx, d.db.Bind(`DELETE FROM `+table+` WHERE rule = ?`), name); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, ledger.ErrNone) {
		return noRule(name)
	}
	if err != nil {
		return wrap("delete rule "+name, err)
	}
	d.rulesChanged()
	return nil
}

func noRule(name string) error {
	return attune.Errorf(attune.NotFound, "there is no rule called %.80q", name)
}

// Rule finds a rule; attune.NotFound when there is none.
func (d *Desk) Rule(ctx context.Context, name string) (*RuleState, error) {
	all, err := d.rules(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, noRule(name)
	}
	return &all[0].RuleState, nil
}

// Rules lists all rules by name.
func (d *Desk) Rules(ctx context.Context) ([]RuleState, error) {
	all, err := d.rules(ctx, "")
	if err != nil {
		return nil, err
	}
	states := make([]RuleState, len(all))
	for i, r := range all {
		states[i] = r.RuleState
	}
	return states, nil
}

// ruleRow is a rule as it is kept.
type ruleRow struct {
	RuleState
	generation string // another whenever it is put
	secret     string // sealed
}

// rules reads one rule, or all when name is "".
func (d *Desk) rules(ctx context.Context, name string) (_ []ruleRow, err error) {
	rows, err := d.db.QueryContext(ctx, d.db.Bind(`SELECT name, pattern, target, secret, disabled, generation, position, delivered, last, missed, note, created, updated,
		(SELECT COUNT(*) FROM notify_delivery d WHERE d.rule = name AND dead = 0), (SELECT COUNT(*) FROM notify_delivery d WHERE d.rule = name AND dead = 1)
		FROM notify_rule WHERE ? = '' OR name = ? ORDER BY name`), name, name)
	if err != nil {
		return nil, wrap("read rules", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var all []ruleRow
	for rows.Next() {
		var r ruleRow
		var pattern, target string
		var position, last, created, updated int64
		if err := rows.Scan(&r.Name, &pattern, &target, &r.secret, &r.Disabled, &r.generation, &position, &r.Delivered, &last, &r.Missed, &r.Note,
			&created, &updated, &r.Waiting, &r.Dead); err != nil {
			return nil, wrap("read rules", err)
		}
		r.Pattern, r.Position = json.RawMessage(pattern), uint64(position)
		r.Created, r.Updated = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
		if last > 0 {
			r.Last = time.UnixMilli(last).UTC()
		}
		if err := json.Unmarshal([]byte(target), &r.Target); err != nil {
			return nil, fmt.Errorf("read the target of rule %s: %w", r.Name, err)
		}
		if r.Target.Webhook != nil {
			r.Target.Webhook.Signed = r.secret != ""
		}
		all = append(all, r)
	}
	return all, wrap("read rules", rows.Err())
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// wrap adds what was done to an error that is not a decision.
func wrap(what string, err error) error {
	if err == nil || attune.KindOf(err) != attune.Internal {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

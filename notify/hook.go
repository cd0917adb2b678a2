package notify

import (
	"context"
	"crypto/hmac"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/ledger"
)

const (
	// MaxHooks bounds the incoming webhooks.
	MaxHooks = 100
	// hookSkew is how far a signed time may be from ours: what was overheard is of
	// no use later.
	hookSkew = 5 * time.Minute
	// maxKey bounds an idempotency key, in bytes.
	maxKey = 256
)

// HookKind is how a caller of an incoming webhook shows that it knows the secret.
type HookKind string

// The kinds.
const (
	// BySignature: the header Attune-Signature as in the webhooks that we send, or
	// X-Hub-Signature-256: sha256=<hex HMAC-SHA256 over the body>.
	BySignature HookKind = "signature"
	// ByToken: the header Authorization: Bearer <secret>.
	ByToken HookKind = "token"
)

// Hook is an incoming webhook. What is posted to /attune/hooks/<name> becomes an
// event with the source hook.<name> and the body as detail.
type Hook struct {
	Name    string    `json:"name"`
	Kind    HookKind  `json:"kind"`
	Created time.Time `json:"created"`
}

// PutHook makes an incoming webhook, or gives the one of its name another secret.
// Errors: attune.Invalid, attune.LimitExceeded.
func (d *Desk) PutHook(ctx context.Context, name string, kind HookKind, secret string) error {
	if err := checkName("a hook", name); err != nil {
		return err
	}
	if kind != BySignature && kind != ByToken {
		return attune.Errorf(attune.Invalid, "a hook's kind is %s or %s, not %.40q", BySignature, ByToken, kind)
	}
	if err := checkSecret("the secret of the hook", secret); err != nil {
		return err
	}
	sealed := d.seal(hookSecret+name, secret)
	return wrap("put hook "+name, d.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		err := d.db.One(ctx, tx, `UPDATE notify_hook SET kind = ?, secret = ? WHERE name = ?`, string(kind), sealed, name)
		if !errors.Is(err, ledger.ErrNone) {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM notify_hook`).Scan(&n); err != nil {
			return err
		}
		if n >= MaxHooks {
			return attune.Errorf(attune.LimitExceeded, "there are %d hooks, the most that there may be: delete one first", n)
		}
		return d.db.One(ctx, tx, `INSERT INTO notify_hook (name, kind, secret, created) VALUES (?, ?, ?, ?)`, name, string(kind), sealed, d.Clock().UnixMilli())
	}))
}

// Hooks lists the incoming webhooks by name.
func (d *Desk) Hooks(ctx context.Context) (_ []Hook, err error) {
	rows, err := d.db.QueryContext(ctx, `SELECT name, kind, created FROM notify_hook ORDER BY name`)
	if err != nil {
		return nil, wrap("list hooks", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all := []Hook{}
	for rows.Next() {
		var h Hook
		var created int64
		if err := rows.Scan(&h.Name, &h.Kind, &created); err != nil {
			return nil, wrap("list hooks", err)
		}
		h.Created = time.UnixMilli(created).UTC()
		all = append(all, h)
	}
	return all, wrap("list hooks", rows.Err())
}

// DeleteHook removes an incoming webhook; attune.NotFound when there is none.
func (d *Desk) DeleteHook(ctx context.Context, name string) error {
	err := d.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return d.db.One(ctx, tx, `DELETE FROM notify_hook WHERE name = ?`, name)
	})
	if errors.Is(err, ledger.ErrNone) {
		return attune.Errorf(attune.NotFound, "there is no hook called %.80q", name)
	}
	return wrap("delete hook "+name, err)
}

// Call is what was posted to an incoming webhook.
type Call struct {
	Signature    string // of SignatureHeader
	HubSignature string // of X-Hub-Signature-256
	Token        string // of Authorization, behind Bearer
	Key          string // of Idempotency-Key: two calls with one are one event; "" for none
	DetailType   string // of Attune-Detail-Type; "" for Attune Webhook
	Body         []byte // a JSON object
}

// CallHook puts what was posted on the bus, and returns the event's id. Errors:
// attune.Denied for a hook that is not there as for a secret that is not right,
// attune.Invalid, attune.Unavailable.
func (d *Desk) CallHook(ctx context.Context, name string, c Call) (id string, err error) {
	var kind HookKind
	var sealed string
	if checkName("a hook", name) != nil {
		name = "" // which no hook has; not every database can be asked for any text
	}
	row := d.db.QueryRowContext(ctx, d.db.Bind(`SELECT kind, secret FROM notify_hook WHERE name = ?`), name)
	if err := row.Scan(&kind, &sealed); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", wrap("read hook", err)
	}
	secret := ""
	if sealed != "" {
		if secret, err = d.open(hookSecret+name, sealed); err != nil { // told to us, and not to whoever calls
			d.log.Error("a hook cannot be used", "hook", name, "error", err)
		}
	}
	once, err := c.check(kind, secret)
	if err != nil {
		return "", err
	}
	if len(c.Key) > maxKey {
		return "", attune.Errorf(attune.Invalid, "the idempotency key has %d bytes: give at most %d", len(c.Key), maxKey)
	}
	e := Event{Source: sourceHook + name, DetailType: c.DetailType, Detail: c.Body}
	if e.DetailType == "" {
		e.DetailType = "Attune Webhook"
	}
	if c.Key != "" {
		once = "key " + c.Key
	}
	if once != "" {
		e.ID = sameID(name + " " + once)
	}
	return d.Put(ctx, e)
}

// check refuses a call that does not know the secret; "" is known by nobody. once
// is the same for a call that is sent again, or "".
func (c Call) check(kind HookKind, secret string) (once string, err error) {
	denied := attune.Errorf(attune.Denied, "there is no such hook, or the request does not show its secret: send Attune-Signature, X-Hub-Signature-256 or a bearer token, as the hook was made")
	if secret == "" {
		return "", denied
	}
	if kind == ByToken {
		if subtle.ConstantTimeCompare([]byte(c.Token), []byte(secret)) != 1 {
			return "", denied
		}
		return "", nil
	}
	if c.Signature == "" {
		given, err := hex.DecodeString(strings.TrimPrefix(c.HubSignature, "sha256="))
		if err != nil || !hmac.Equal(given, mac(secret, "", c.Body)) {
			return "", denied
		}
		return "", nil // it has no time in it: equal calls may be two
	}
	stamp, sum, _ := strings.Cut(strings.TrimPrefix(c.Signature, "t="), ",v1=")
	given, err := hex.DecodeString(sum)
	if err != nil || !hmac.Equal(given, mac(secret, stamp+".", c.Body)) {
		return "", denied
	}
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if off := time.Since(time.Unix(unix, 0)); err != nil || off.Abs() > hookSkew {
		return "", attune.Errorf(attune.Denied, "the signature is of another time (t=%.20s): sign when you send; it may be %s off", stamp, hookSkew)
	}
	return c.Signature, nil
}

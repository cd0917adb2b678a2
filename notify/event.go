package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
)

const (
	// MaxEvent bounds what an event from outside is made of, in bytes, as
	// EventBridge does: source, detail type, detail and resources together.
	MaxEvent = 256 << 10
	// maxWord bounds a source and a detail type, in bytes.
	maxWord = 256
	// maxID bounds an id that comes from outside, in bytes: it stands in headers.
	maxID = 128
	// maxResources bounds the resources of an event.
	maxResources = 100

	// SourceState is the source of changes of state. It is that of AWS's solution,
	// so that rules that were written for it hold.
	SourceState = "solutions.aws.personalize"
	// SourceRules is the source of what notify tells of its own doing.
	SourceRules = "attune.notify"
	// SourceMaintain is the source of what room maintain tells.
	SourceMaintain = "attune.maintain"
	// SourceObjects is the source of objects that appeared in the bucket.
	SourceObjects = "aws.s3"
)

// Event is one event of the bus, in EventBridge's shape.
type Event struct {
	Version    string          `json:"version"` // "0"
	ID         string          `json:"id"`      // the same whenever the event is told again
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       time.Time       `json:"time"` // whole seconds, UTC
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"` // an object
}

// size is what EventBridge counts of an entry.
func (e *Event) size() int {
	n := len(e.Source) + len(e.DetailType) + len(e.Detail)
	for _, r := range e.Resources {
		n += len(r)
	}
	return n
}

// check refuses what is no event; the error is attune.Invalid.
func (e *Event) check() error {
	for _, w := range []struct{ name, text string }{{"source", e.Source}, {"detail type", e.DetailType}} {
		if w.text == "" || len(w.text) > maxWord || !utf8.ValidString(w.text) || strings.ContainsFunc(w.text, func(r rune) bool { return r < ' ' }) {
			return attune.Errorf(attune.Invalid, "the event's %s is %.40q: give 1 to %d bytes of text on one line", w.name, w.text, maxWord)
		}
	}
	// Not every database keeps what is no UTF-8, which JSON may have in its texts.
	if d := bytes.TrimSpace(e.Detail); len(d) == 0 || d[0] != '{' || !json.Valid(d) || !utf8.Valid(d) {
		return attune.Errorf(attune.Invalid, "the event's detail is not a JSON object in UTF-8")
	}
	if len(e.Resources) > maxResources {
		return attune.Errorf(attune.Invalid, "the event has %d resources: give at most %d", len(e.Resources), maxResources)
	}
	if n := e.size(); n > MaxEvent {
		return attune.Errorf(attune.Invalid, "the event has %d bytes: give at most %d", n, MaxEvent)
	}
	return nil
}

const sourceHook = "hook." // before the name of an incoming webhook

// Put puts an event on the bus, and completes it: version, account and region,
// and where they are empty id, time and resources. It is on disk when Put returns. An
// id that was put in the last two minutes is not put again. Errors:
// attune.Invalid, attune.Unavailable.
func (d *Desk) Put(ctx context.Context, e Event) (id string, err error) {
	if err := e.check(); err != nil {
		return "", err
	}
	e.Version, e.Account, e.Region = "0", d.Account, d.Region
	if e.ID == "" {
		e.ID = newID()
	}
	if e.Time.IsZero() {
		e.Time = d.Clock()
	}
	e.Time = e.Time.UTC().Truncate(time.Second)
	if e.Resources == nil {
		e.Resources = []string{}
	}
	data, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("write an event: %w", err)
	}
	_, err = d.Notices.Publish(ctx, e.ID, data)
	return e.ID, err
}

// Receive is Put for events from outside, which may not be taken for ours. The
// error is attune.Denied for a source that begins with aws., attune. or hook.
func (d *Desk) Receive(ctx context.Context, e Event) (id string, err error) {
	if strings.HasPrefix(e.Source, "aws.") || strings.HasPrefix(e.Source, "attune.") || strings.HasPrefix(e.Source, sourceHook) {
		return "", attune.Errorf(attune.Denied, "the source %.60q is the server's own: give one that does not begin with aws., attune. or %s", e.Source, sourceHook)
	}
	if len(e.ID) > maxID || strings.ContainsFunc(e.ID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", attune.Errorf(attune.Invalid, "the event's id is %.40q: give at most %d letters, digits and signs of ASCII, or none", e.ID, maxID)
	}
	return d.Put(ctx, e)
}

// Told is an event with its place on the bus.
type Told struct {
	Seq   uint64 `json:"seq"`
	Event Event  `json:"event"`
}

// Page gives events behind a place of the bus. When there are none it waits for
// the first as long as ctx lasts, and then gives none, without an error.
func (d *Desk) Page(ctx context.Context, after uint64, limit int) ([]Told, error) {
	notices, err := d.Notices.Page(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	page := make([]Told, 0, len(notices))
	for _, n := range notices {
		e, err := readNotice(n)
		if err != nil {
			return nil, err
		}
		page = append(page, Told{n.Seq, e})
	}
	return page, nil
}

// End is the place of the newest event.
func (d *Desk) End(ctx context.Context) (uint64, error) {
	_, last, err := d.Notices.Ends(ctx)
	return last, err
}

func readNotice(n event.Notice) (e Event, err error) {
	if err := json.Unmarshal(n.Data, &e); err != nil {
		return e, fmt.Errorf("read event %d of the bus: %w", n.Seq, err)
	}
	return e, nil
}

// newID makes a version 4 UUID.
func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return uuid(b)
}

// sameID makes the id of what a text says: the same whenever it is told again.
func sameID(text string) string {
	sum := sha256.Sum256([]byte(text))
	return uuid(sum[:16])
}

// uuid writes 16 bytes as a version 4 UUID.
func uuid(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

package job

import (
	"crypto/ed25519"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/event"
)

// TestScan: whose sessions are found as trainings and profiles find them, and
// what goes is counted.
func TestScan(t *testing.T) {
	e, err := nats.Open(t.Context(), "", t.TempDir(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	log, err := event.Open(t.Context(), e.Client(), attune.WallClock, slog.New(slog.DiscardHandler), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	const g = event.Group("feed")
	if err := log.Create(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	do := func(user, session string) event.Body {
		return &event.Interaction{User: user, Session: session, Item: "i", At: time.UnixMilli(1), Value: math.NaN()}
	}
	upTo, err := log.Append(t.Context(), g,
		do("", "mine"), do("x", "mine"), do("", "mine"), do("other", "mine"), // x was first
		do("other", "shared"), do("x", "shared"), do("", "shared"), // other was first
		do("", "x"),                                // an anonymous session that is called like the user
		do("other", "x"),                           // kept, but for the name of its session
		do("x", "named"), do("named", "elsewhere"), // a session called like somebody
		&event.Imported{Dataset: "INTERACTIONS", Mode: event.Cleared, Job: "c"}, do("x", "shared"), do("", "shared"), // anew: x is first
		&event.User{ID: "x"}, &event.User{ID: "other"}, &event.Imported{Dataset: "USERS", Table: "table/a", Mode: event.Full, Rows: 3, Job: "j"},
		&event.ActionInteraction{User: "x", Session: "s", Action: "a", At: time.UnixMilli(1)}, &event.ActionInteraction{User: "other", Session: "s", Action: "a", At: time.UnixMilli(1)},
		&event.Impression{User: "x"}, &event.Impression{User: "mine"}, &event.Impression{User: "named"}, &event.Impression{User: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), g, do("x", "later"), do("", "later")); err != nil { // new data
		t.Fatal(err)
	}
	m := &Manager{Deps: Deps{Log: log}}
	p := deletionPlan{UpTo: upTo, Users: []string{"x"}}
	if err := m.scan(t.Context(), g, &p); err != nil {
		t.Fatal(err)
	}
	slices.Sort(p.Sessions)
	slices.Sort(p.Persons)
	if want := []string{"mine", "named", "s", "shared"}; !slices.Equal(p.Sessions, want) {
		t.Errorf("sessions %v, want %v", p.Sessions, want)
	}
	if want := []string{"mine", "s", "shared"}; !slices.Equal(p.Persons, want) {
		t.Errorf("persons %v, want %v", p.Persons, want)
	}
	if want := (Deleted{Interactions: 9, ActionInteractions: 1, Users: 1, Impressions: 2}); p.Deleted != want {
		t.Errorf("deleted %+v, want %+v", p.Deleted, want)
	}
	if !p.Named["table/a"] {
		t.Errorf("named %v", p.Named)
	}
	er := p.erasure()
	er.tables = map[string]Rewritten{"table/a": {Name: "table/b", Rows: 2}}
	for body, want := range map[event.Body]func(event.Body) bool{
		do("other", "x"): func(b event.Body) bool {
			i, ok := b.(*event.Interaction)
			return ok && i.Session == "" && i.User == "other"
		},
		&event.Imported{Table: "table/a", Rows: 3, Job: "j"}: func(b event.Body) bool {
			i, ok := b.(*event.Imported)
			return ok && *i == event.Imported{Table: "table/b", Rows: 2, Job: "j"}
		},
		do("other", "mine"):             func(b event.Body) bool { return b == nil },
		&event.Item{ID: "x"}:            func(b event.Body) bool { return b == nil },
		&event.Erased{}:                 func(b event.Body) bool { return b == nil },
		&event.Impression{User: "mine"}: func(b event.Body) bool { _, ok := b.(*event.Erased); return ok },
	} {
		if got, err := er.change(event.Record{Body: body}); err != nil || !want(got) {
			t.Errorf("%#v becomes %#v, %v", body, got, err)
		}
	}
}

// TestFilterOutputs: lines of others keep their bytes.
func TestFilterOutputs(t *testing.T) {
	e := (&deletionPlan{Users: []string{"x", "a<b"}, Persons: []string{"s"}}).erasure()
	for _, c := range []struct {
		name, in, want string
		erased         int64
		filter         func(io.Reader, io.Writer, *erasure, *Rewritten) error
	}{
		{"inference", `{"input":{"userId":"y"},"output":{"recommendedItems":["x"]},"error":null}
{"input":{"userId":"x"},"output":{"recommendedItems":["1"]},"error":null}
{"input": {"itemId": "x"}, "output": null}
{"input":"{\"userId\": \"x\" oops","output":null,"error":"no JSON"}
{"input":"something else","output":null,"error":"no JSON"}
not ours: x`, `{"input":{"userId":"y"},"output":{"recommendedItems":["x"]},"error":null}
{"input": {"itemId": "x"}, "output": null}
{"input":"something else","output":null,"error":"no JSON"}
not ours: x
`, 2, filterLines},
		{"segment", `{"input":{"itemId":"1"},"output":{"recommendedUsers":["y","x","z","s"]},"error":null}
{"input":{"itemId":"2"},"output":{"recommendedUsers":["<y>"]},"error":null}
`, `{"input":{"itemId":"1"},"output":{"recommendedUsers":["y","z"]},"error":null}
{"input":{"itemId":"2"},"output":{"recommendedUsers":["<y>"]},"error":null}
`, 2, filterLines},
		{"export", "ITEM_ID,USER_ID,NOTE\nx,y,\"a,b\"\n1,a<b,\n2,x,n\n", "ITEM_ID,USER_ID,NOTE\nx,y,\"a,b\"\n", 2, filterCSV},
		{"items", "ITEM_ID\nx\n", "ITEM_ID\nx\n", 0, filterCSV},
	} {
		var out strings.Builder
		var r Rewritten
		if err := c.filter(strings.NewReader(c.in), &out, e, &r); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if out.String() != c.want || r.Erased != c.erased {
			t.Errorf("%s: %d erased, left\n%s\nwant\n%s", c.name, r.Erased, out.String(), c.want)
		}
	}
}

// TestReceipt: a receipt verifies with its key and its users, and with no others.
func TestReceipt(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &Manager{Deps: Deps{ReceiptKey: key}}
	users := []string{"b", "a", "ü"}
	signed, err := Sign(Receipt{Format: 1, JobID: "j", Users: sealUsers(users), Models: []ReceiptModel{}}, key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := signed.Verify(m.ReceiptPublicKey(), []string{"ü", "a", "b", "a"})
	if err != nil || r.JobID != "j" || r.Users.Count != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, id := range users {
		if strings.Contains(string(signed.Receipt), `"`+id+`"`) {
			t.Errorf("the receipt names %s", id)
		}
	}
	if _, err := signed.Verify(m.ReceiptPublicKey(), []string{"a", "b"}); attune.KindOf(err) != attune.Invalid {
		t.Errorf("other users: %v", err)
	}
	changed := signed
	changed.Receipt = []byte(strings.Replace(string(signed.Receipt), `"jobId":"j"`, `"jobId":"k"`, 1))
	if _, err := changed.Verify(m.ReceiptPublicKey(), nil); attune.KindOf(err) != attune.Invalid {
		t.Errorf("another job: %v", err)
	}
	_, other, _ := ed25519.GenerateKey(nil)
	forged, _ := Sign(r, other)
	if _, err := forged.Verify(m.ReceiptPublicKey(), nil); attune.KindOf(err) != attune.Invalid {
		t.Errorf("another key: %v", err)
	}
	forged.PublicKey = m.ReceiptPublicKey()
	if _, err := forged.Verify(m.ReceiptPublicKey(), nil); attune.KindOf(err) != attune.Invalid {
		t.Errorf("another key under our name: %v", err)
	}
}

package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/notify"
)

func TestHooks(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	for name, kind := range map[string]notify.HookKind{"signed": notify.BySignature, "bearer": notify.ByToken} {
		if err := h.desk.PutHook(ctx, name, kind, secret); err != nil {
			t.Fatal(err)
		}
	}
	body := []byte(`{"job":"nightly","ok":true}`)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	hub := "sha256=" + hex.EncodeToString(m.Sum(nil))
	now := time.Now()
	for what, c := range map[string]struct {
		name string
		call notify.Call
		kind attune.Kind
		ok   bool
	}{
		"signed":               {"signed", notify.Call{Signature: notify.Sign(secret, now, body), Body: body}, 0, true},
		"signed as hubs do":    {"signed", notify.Call{HubSignature: hub, Body: body, DetailType: "Push"}, 0, true},
		"with a token":         {"bearer", notify.Call{Token: secret, Body: body}, 0, true},
		"another body":         {"signed", notify.Call{Signature: notify.Sign(secret, now, body), Body: []byte(`{}`)}, attune.Denied, false},
		"another secret":       {"signed", notify.Call{Signature: notify.Sign(secret+"x", now, body), Body: body}, attune.Denied, false},
		"an old signature":     {"signed", notify.Call{Signature: notify.Sign(secret, now.Add(-time.Hour), body), Body: body}, attune.Denied, false},
		"another hub":          {"signed", notify.Call{HubSignature: hub[:len(hub)-2] + "00", Body: body}, attune.Denied, false},
		"nothing":              {"signed", notify.Call{Body: body}, attune.Denied, false},
		"a token for a signed": {"signed", notify.Call{Token: secret, Body: body}, attune.Denied, false},
		"another token":        {"bearer", notify.Call{Token: secret + "x", Body: body}, attune.Denied, false},
		"no hook":              {"nobody", notify.Call{Token: secret, Body: body}, attune.Denied, false},
		"no hook, no token":    {"nobody", notify.Call{Body: body}, attune.Denied, false},
		"no object":            {"bearer", notify.Call{Token: secret, Body: []byte(`[1]`)}, attune.Invalid, false},
		"too large":            {"bearer", notify.Call{Token: secret, Body: []byte(`{"x":"` + strings.Repeat("x", notify.MaxEvent) + `"}`)}, attune.Invalid, false},
	} {
		id, err := h.desk.CallHook(ctx, c.name, c.call)
		if c.ok != (err == nil) || attune.KindOf(err) != c.kind || c.ok != (id != "") {
			t.Errorf("%s: %q, %v", what, id, err)
		}
	}
	for _, e := range h.told(0, 3) {
		if e.Source != "hook.signed" && e.Source != "hook.bearer" || string(e.Detail) != string(body) {
			t.Errorf("told %s", text(t, e))
		}
	}
	// One call that is sent again is one event.
	call := notify.Call{Token: secret, Key: "k1", Body: body}
	first, again := must[string](t)(h.desk.CallHook(ctx, "bearer", call)), must[string](t)(h.desk.CallHook(ctx, "bearer", call))
	if first != again {
		t.Errorf("one key gives %s and %s", first, again)
	}
	if all := must[[]notify.Hook](t)(h.desk.Hooks(ctx)); len(all) != 2 || strings.Contains(text(t, all), secret) {
		t.Errorf("hooks %s", text(t, all))
	}
	if err := h.desk.DeleteHook(ctx, "bearer"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.desk.CallHook(ctx, "bearer", call); attune.KindOf(err) != attune.Denied {
		t.Errorf("a deleted hook: %v", err)
	}
	if err := h.desk.DeleteHook(ctx, "bearer"); attune.KindOf(err) != attune.NotFound {
		t.Errorf("a second deletion: %v", err)
	}
	for _, err := range []error{h.desk.PutHook(ctx, "a/b", notify.ByToken, secret), h.desk.PutHook(ctx, "a", "x", secret), h.desk.PutHook(ctx, "a", notify.ByToken, "short")} {
		if attune.KindOf(err) != attune.Invalid || err == nil {
			t.Errorf("got %v", err)
		}
	}
}

// TestReceive: what comes from outside is not taken for ours.
func TestReceive(t *testing.T) {
	h := newHouse(t)
	for _, source := range []string{"aws.s3", "attune.notify", "hook.x"} {
		if _, err := h.desk.Receive(t.Context(), notify.Event{Source: source, DetailType: "x", Detail: []byte(`{}`)}); attune.KindOf(err) != attune.Denied {
			t.Errorf("%s: %v", source, err)
		}
	}
	for _, e := range []notify.Event{{}, {Source: "a", DetailType: "b"}, {Source: "a", DetailType: "b\nc", Detail: []byte(`{}`)}, {Source: "a", DetailType: "b", Detail: []byte(`{`)},
		{Source: "a", DetailType: "b", Detail: []byte(`7`)}, {Source: "a", DetailType: "b", Detail: []byte(`{}`), Resources: make([]string, 101)}} {
		if _, err := h.desk.Receive(t.Context(), e); attune.KindOf(err) != attune.Invalid || err == nil {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

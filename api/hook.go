package api

import (
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/notify"
)

// HookPrefix is the path of incoming webhooks, before their names.
const HookPrefix = "/attune/hooks/"

// Hooks answers incoming webhooks. Their callers have no key of this server, only
// the secret of their hook.
type Hooks struct {
	Desk   *notify.Desk
	Server *awsjson.Server
}

// ServeHTTP takes what is posted to a hook: a POST, as Doors sends it here.
func (h *Hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const operation = "CallHook"
	began := time.Now()
	id, err := h.call(r)
	if err != nil {
		h.Server.WriteError(w, r, access.ServiceAttune, operation, err)
		return
	}
	h.Server.WriteAnswer(w, r, access.ServiceAttune, operation, began, map[string]string{"eventId": id})
}

func (h *Hooks) call(r *http.Request) (string, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, notify.MaxEvent+1))
	if err != nil {
		return "", attune.Errorf(attune.Invalid, "the body could not be read to its end")
	}
	if len(body) > notify.MaxEvent {
		return "", attune.Errorf(attune.Invalid, "the body is larger than %d bytes", notify.MaxEvent)
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return h.Desk.CallHook(r.Context(), strings.TrimPrefix(r.URL.Path, HookPrefix), notify.Call{
		Signature: r.Header.Get(notify.SignatureHeader), HubSignature: r.Header.Get("X-Hub-Signature-256"), Token: token,
		Key: r.Header.Get("Idempotency-Key"), DetailType: r.Header.Get("Attune-Detail-Type"), Body: body,
	})
}

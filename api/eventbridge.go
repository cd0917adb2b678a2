package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/notify"
)

const (
	// targetEvents comes before the operation in EventBridge's X-Amz-Target.
	targetEvents = "AWSEvents."
	// maxEntries bounds the entries of one PutEvents, as EventBridge does.
	maxEntries = 10
)

// EventBridge answers PutEvents of EventBridge, so that a job that tells it what
// it has done needs another endpoint and nothing else. There is one bus: what an
// entry says of EventBusName and TraceHeader is taken and not looked at.
type EventBridge struct {
	Desk   *notify.Desk
	Server *awsjson.Server
}

type eventEntry struct {
	Time         *float64 // seconds since 1970
	Source       string
	Resources    []string
	DetailType   string
	Detail       string // JSON, as a text
	EventBusName string
	TraceHeader  string
}

// size is what EventBridge counts.
func (e *eventEntry) size() int {
	n := len(e.Source) + len(e.DetailType) + len(e.Detail)
	if e.Time != nil {
		n += 14
	}
	for _, r := range e.Resources {
		n += len(r)
	}
	return n
}

// eventAnswer is what became of one entry.
type eventAnswer struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

type eventsAnswer struct {
	FailedEntryCount int
	Entries          []eventAnswer
}

// ServeHTTP answers a request that is signed well.
func (b *EventBridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, operation := time.Now(), strings.TrimPrefix(r.Header.Get("X-Amz-Target"), targetEvents)
	out, err := b.answer(r, operation)
	if err != nil {
		b.Server.WriteError(w, r, access.ServiceEvents, operation, err)
		return
	}
	b.Server.WriteAnswer(w, r, access.ServiceEvents, operation, began, out)
}

func invalidEvents(format string, args ...any) error {
	return &awsjson.Named{Name: "ValidationException", Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

func (b *EventBridge) answer(r *http.Request, operation string) (*eventsAnswer, error) {
	if operation != "PutEvents" {
		return nil, &awsjson.Named{Name: awsjson.UnknownOperationException, Status: http.StatusBadRequest,
			Message: fmt.Sprintf("of EventBridge this server answers PutEvents, not %.80q; rules are put with 'attune rule put'", operation)}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxJSONBody))
	if err != nil {
		return nil, &awsjson.Named{Name: awsjson.SerializationException, Status: http.StatusBadRequest, Message: "the request body could not be read to its end"}
	}
	var in struct {
		Entries    []eventEntry
		EndpointID string `json:"EndpointId"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &awsjson.Named{Name: awsjson.SerializationException, Status: http.StatusBadRequest, Message: "the request is not what PutEvents takes: " + err.Error()}
	}
	if n := len(in.Entries); n < 1 || n > maxEntries {
		bound := "less than or equal to 10"
		if n == 0 {
			bound = "greater than or equal to 1"
		}
		return nil, invalidEvents("1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length %s", bound)
	}
	total := 0
	for i := range in.Entries {
		total += in.Entries[i].size()
	}
	if total > notify.MaxEvent {
		return nil, invalidEvents("Total size of the entries in the request is over the limit: %d bytes of %d", total, notify.MaxEvent)
	}
	out := &eventsAnswer{Entries: make([]eventAnswer, len(in.Entries))}
	for i := range in.Entries {
		if out.Entries[i] = b.put(r.Context(), &in.Entries[i]); out.Entries[i].ErrorCode != "" {
			out.FailedEntryCount++
		}
	}
	return out, nil
}

// put puts one entry on the bus, or says why not; the others do not mind.
func (b *EventBridge) put(ctx context.Context, e *eventEntry) eventAnswer {
	for _, m := range []struct{ name, value string }{{"Source", e.Source}, {"DetailType", e.DetailType}, {"Detail", e.Detail}} {
		if m.value == "" {
			return eventAnswer{ErrorCode: "InvalidArgument", ErrorMessage: fmt.Sprintf("Parameter %s is not valid. Reason: %s is a required argument.", m.name, m.name)}
		}
	}
	event := notify.Event{Source: e.Source, DetailType: e.DetailType, Resources: e.Resources, Detail: json.RawMessage(e.Detail)}
	if e.Time != nil {
		const most = 253402300800 // the year 10000, which RFC 3339 cannot write
		if !(*e.Time >= 0 && *e.Time < most) {
			return eventAnswer{ErrorCode: "InvalidArgument", ErrorMessage: "Parameter Time is not valid. Reason: it is out of range."}
		}
		event.Time = time.Unix(int64(math.Floor(*e.Time)), 0)
	}
	if d := strings.TrimSpace(e.Detail); !strings.HasPrefix(d, "{") || !json.Valid([]byte(d)) {
		return eventAnswer{ErrorCode: "MalformedDetail", ErrorMessage: "Detail is malformed."}
	}
	id, err := b.Desk.Receive(ctx, event)
	switch attune.KindOf(err) {
	case attune.Denied:
		return eventAnswer{ErrorCode: "NotAuthorizedForSourceException", ErrorMessage: err.Error()}
	case attune.Invalid:
		return eventAnswer{ErrorCode: "InvalidArgument", ErrorMessage: err.Error()}
	}
	if err != nil {
		return eventAnswer{ErrorCode: "InternalFailure", ErrorMessage: "The bus does not answer; try again."}
	}
	return eventAnswer{EventID: id}
}

package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/api/s3"
	"github.com/attune-io/attune/notify"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

const (
	// maxJSONBody bounds a signed JSON request, which is held in memory while its
	// hash is checked. Data comes through the object door instead.
	maxJSONBody = awsjson.MaxBody
	// maxObjectBody bounds one S3 request: the largest single PUT that S3 knows.
	maxObjectBody = s3.MaxPut
	// bodyTimeout bounds how long a request may take to arrive until its signature
	// is known to be good: for JSON the whole body, which is part of what is
	// signed. A caller without a key cannot hold a connection for longer.
	bodyTimeout = 30 * time.Second
)

// Doors sends a request to the door that it was signed for. The service in the
// credential scope decides, never the path: a bucket may be called items.
type Doors struct {
	Verifier    *access.Verifier // nil: signatures are not asked for
	Personalize *awsjson.Server
	Objects     *s3.Door
	Verbs       http.Handler // our own, under /attune/v1/
	Query       *Query
	Events      http.Handler // EventBridge
	Hooks       http.Handler // incoming webhooks, under HookPrefix
}

// ServeHTTP checks the signature and passes the request on.
func (d *Doors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(awsjson.WithRequestID(r.Context()))
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTimeout)) // an answer that is only recorded has no connection
	if _, signed := access.Scope(r); !signed && r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, HookPrefix) {
		d.Hooks.ServeHTTP(w, r)
		return
	}
	service, err := d.admit(r)
	if service == access.ServiceS3 {
		w.Header().Set(s3.HeaderRequestID, awsjson.RequestID(r.Context()))
	}
	if err != nil {
		d.refuse(w, r, service, err)
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	r = r.WithContext(resource.WithCause(r.Context(), causeOf(r)))
	switch service {
	case access.ServiceS3:
		d.Objects.ServeHTTP(w, r)
	case access.ServiceAttune:
		d.Verbs.ServeHTTP(w, r)
	case access.ServiceSTS, access.ServiceIAM:
		d.Query.ServeHTTP(w, r, service)
	case access.ServiceEvents:
		d.Events.ServeHTTP(w, r)
	default:
		d.Personalize.ServeHTTP(w, r)
	}
}

// causeOf is the run that a request is made for, by its own word; "" when it is
// for none. What is no cause counts as none.
func causeOf(r *http.Request) string {
	cause, ok := notify.ParseCause(r.Header.Get(notify.CauseHeader))
	if !ok {
		return ""
	}
	return cause.String()
}

// admit checks the signature and says which door the request is for. Only what
// is signed for S3 may be large: it is streamed and not held.
func (d *Doors) admit(r *http.Request) (service string, err error) {
	service, signed := access.Scope(r)
	if !signed {
		service = unsignedService(r)
	}
	limit := int64(maxJSONBody)
	if service == access.ServiceS3 && (signed || d.Verifier == nil) {
		limit = maxObjectBody
	}
	if d.Verifier == nil {
		_, err = access.Trust(r, limit)
		return service, err
	}
	id, err := d.Verifier.Verify(r, limit)
	if err != nil {
		return service, err
	}
	return id.Service, nil // what was signed, should Scope have read anything else
}

// unsignedService guesses the door of a request without a credential, for the
// form of its refusal and for servers that do not ask for signatures.
func unsignedService(r *http.Request) string {
	switch {
	case strings.HasPrefix(r.URL.Path, "/attune/v1/"):
		return access.ServiceAttune
	case r.Method == http.MethodPost && r.URL.Path == "/" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return access.ServiceSTS
	case strings.HasPrefix(r.Header.Get("X-Amz-Target"), targetEvents):
		return access.ServiceEvents
	case r.Header.Get("X-Amz-Target") != "", r.Method == http.MethodPost && strings.Contains(r.Header.Get("Content-Type"), "json"):
		return access.ServicePersonalize
	}
	return access.ServiceS3
}

// refuse answers in the protocol of the door.
func (d *Doors) refuse(w http.ResponseWriter, r *http.Request, service string, err error) {
	if service == access.ServiceS3 {
		d.Objects.WriteError(w, r, err)
		return
	}
	if service == access.ServiceSTS || service == access.ServiceIAM {
		d.Query.WriteError(w, r, service, "", err)
		return
	}
	var refused *access.Error
	if errors.As(err, &refused) {
		err = &awsjson.Named{Name: refused.Code, Status: refused.Status, Message: refused.Message}
	}
	op, ok := d.Personalize.Operation(r)
	if !ok {
		op = &wire.Operation{Service: service}
		if name, ok := strings.CutPrefix(r.URL.Path, "/attune/v1/"); ok {
			op.Name = name // for the log
		}
	}
	d.Personalize.WriteError(w, r, op.Service, op.Name, err)
}

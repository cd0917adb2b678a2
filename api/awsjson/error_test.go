package awsjson

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/wire"
)

func TestExceptionOfEachKind(t *testing.T) {
	var fail error
	s := New(nil, nil, nil)
	answerAll(s, func(*wire.Operation, any) (any, error) { return nil, fail })
	const control, runtime, events = wire.Personalize, wire.PersonalizeRuntime, wire.PersonalizeEvents
	for _, c := range []struct {
		kind       attune.Kind
		service    string
		op         string
		exception  string
		wantStatus int
	}{
		{attune.Invalid, control, "CreateSolution", "InvalidInputException", 400},
		{attune.Invalid, runtime, "GetRecommendations", "InvalidInputException", 400},
		{attune.Invalid, events, "PutEvents", "InvalidInputException", 400},
		{attune.NotFound, control, "DescribeSolution", "ResourceNotFoundException", 400},
		{attune.NotFound, control, "ListSolutions", "InvalidInputException", 400},
		{attune.NotFound, control, "ListSolutionVersions", "ResourceNotFoundException", 400},
		{attune.NotFound, runtime, "GetRecommendations", "ResourceNotFoundException", 404},
		{attune.NotFound, events, "PutItems", "ResourceNotFoundException", 404},
		{attune.NotFound, events, "PutEvents", "InvalidInputException", 400},
		{attune.Exists, control, "CreateSolution", "ResourceAlreadyExistsException", 400},
		{attune.Exists, control, "UpdateCampaign", "ResourceInUseException", 400},
		{attune.Exists, events, "PutItems", "ResourceInUseException", 409},
		{attune.InUse, control, "DeleteSolution", "ResourceInUseException", 400},
		{attune.InUse, control, "GetSolutionMetrics", "ResourceInUseException", 400},
		{attune.InUse, control, "DescribeSolution", "InvalidInputException", 400},
		{attune.InUse, events, "PutUsers", "ResourceInUseException", 409},
		{attune.InUse, events, "PutEvents", "InvalidInputException", 400},
		{attune.LimitExceeded, control, "CreateCampaign", "LimitExceededException", 400},
		{attune.LimitExceeded, control, "DeleteCampaign", "InvalidInputException", 400},
		{attune.TooManyTags, control, "TagResource", "TooManyTagsException", 400},
		{attune.TooManyTags, control, "CreateSchema", "LimitExceededException", 400},
		{attune.TooManyTagKeys, control, "UntagResource", "TooManyTagKeysException", 400},
		{attune.TooManyTagKeys, control, "TagResource", "TooManyTagsException", 400},
		{attune.InvalidNextToken, control, "ListSchemas", "InvalidNextTokenException", 400},
		{attune.InvalidNextToken, control, "DescribeSchema", "InvalidInputException", 400},
		{attune.Throttled, control, "CreateSolution", "ThrottlingException", 400},
		{attune.Throttled, runtime, "GetRecommendations", "ThrottlingException", 429},
		{attune.Denied, control, "CreateSolution", "AccessDeniedException", 400},
		{attune.Denied, events, "PutEvents", "AccessDeniedException", 403},
		{attune.Unavailable, control, "CreateSolution", "ServiceUnavailable", 503},
		{attune.Unavailable, events, "PutEvents", "ServiceUnavailable", 503},
		{attune.NotBuilt, control, "CreateSolution", "NotBuiltException", 400},
		{attune.NotBuilt, runtime, "GetRecommendations", "NotBuiltException", 400},
		{attune.Internal, control, "CreateSolution", "InternalFailure", 500},
		{attune.Internal, runtime, "GetRecommendations", "InternalFailure", 500},
	} {
		fail = fmt.Errorf("outer words: %w", attune.Errorf(c.kind, "what is wrong with %q", "films"))
		op := lookup(t, c.service, c.op)
		w, body := call(s, request(op, encode(t, minimal(t, op.Input))))
		want := `what is wrong with "films"`
		if c.kind == attune.Internal {
			want = "internal error; quote request id " + w.Header().Get("X-Amzn-Requestid")
		}
		if w.Code != c.wantStatus || body.Type != c.exception || body.Message != want {
			t.Errorf("%v from %s: %d %+v, want %d %s", c.kind, c.op, w.Code, body, c.wantStatus, c.exception)
		}
		if op.REST() != (w.Header().Get("x-amzn-ErrorType") == c.exception) {
			t.Errorf("%v from %s: error type header %q", c.kind, c.op, w.Header().Get("x-amzn-ErrorType"))
		}
	}
}

func TestInternalErrorsStayInside(t *testing.T) {
	const secret = "password=hunter2"
	for name, f := range map[string]func() error{
		"unclassified": func() error { return errors.New(secret) },
		"internal":     func() error { return attune.Errorf(attune.Internal, secret) },
		"panic":        func() error { panic(secret) },
		"nil pointer":  func() error { var in *wire.PutEventsRequest; return errors.New(in.TrackingId) },
		"cancelled":    func() error { return fmt.Errorf("%s: %w", secret, context.Canceled) }, // not by the client
	} {
		var out bytes.Buffer
		s := New(slog.New(slog.NewTextHandler(&out, nil)), nil, nil)
		Handle(s, wire.Personalize, "ListSchemas", func(context.Context, *wire.ListSchemasRequest) (*wire.ListSchemasResponse, error) {
			return nil, f()
		})
		w, body := call(s, request(lookup(t, wire.Personalize, "ListSchemas"), "{}"))
		id := w.Header().Get("X-Amzn-Requestid")
		if w.Code != 500 || body.Type != InternalFailure || body.Message != "internal error; quote request id "+id {
			t.Errorf("%s: %d %+v", name, w.Code, body)
		}
		logged := out.String()
		if !strings.Contains(logged, id) || !strings.Contains(logged, "level=ERROR") {
			t.Errorf("%s: log %s", name, logged)
		}
		if name != "nil pointer" && !strings.Contains(logged, secret) {
			t.Errorf("%s: the cause is not in the log: %s", name, logged)
		}
		if (name == "panic" || name == "nil pointer") && !strings.Contains(logged, "goroutine") {
			t.Errorf("%s: no stack in the log: %s", name, logged)
		}
	}
}

func TestAbortPassesThrough(t *testing.T) {
	s := New(nil, nil, nil)
	Handle(s, wire.Personalize, "ListSchemas", func(context.Context, *wire.ListSchemasRequest) (*wire.ListSchemasResponse, error) {
		panic(http.ErrAbortHandler)
	})
	defer func() {
		if cause, _ := recover().(error); !errors.Is(cause, http.ErrAbortHandler) {
			t.Errorf("recovered %v", cause)
		}
	}()
	call(s, request(lookup(t, wire.Personalize, "ListSchemas"), "{}"))
}

func TestOutputThatDoesNotEncode(t *testing.T) {
	s := New(nil, nil, nil)
	zero := 0.0
	Handle(s, wire.PersonalizeRuntime, "GetRecommendations", func(context.Context, *wire.GetRecommendationsRequest) (*wire.GetRecommendationsResponse, error) {
		return &wire.GetRecommendationsResponse{ItemList: []wire.PredictedItem{{Score: new(zero / zero)}}}, nil
	})
	if w, body := call(s, request(lookup(t, wire.PersonalizeRuntime, "GetRecommendations"), "{}")); w.Code != 500 || body.Type != InternalFailure {
		t.Errorf("a score that is not a number: %d %s", w.Code, w.Body)
	}
}

func TestWriteError(t *testing.T) {
	s := New(nil, nil, nil)
	refusal := &Named{InvalidSignatureException, 403, "Signature expired: 20260301T000000Z is now earlier than 20260301T000500Z"}
	for _, c := range []struct {
		path, service, op string
		err               error
		status            int
		name, typ         string
	}{
		{"/", wire.Personalize, "ListSchemas", refusal, 403, InvalidSignatureException, typeJSON11},
		{"/recommendations", wire.PersonalizeRuntime, "GetRecommendations", refusal, 403, InvalidSignatureException, typeREST},
		{"/attune/v1/Status", "attune", "Status", attune.Errorf(attune.NotFound, "no such verb"), 404, "ResourceNotFoundException", typeREST},
		{"/attune/v1/Status", "attune", "Status", attune.Errorf(attune.InUse, "busy"), 409, "ResourceInUseException", typeREST},
		{"/", "", "", attune.Errorf(attune.Invalid, "what"), 400, "InvalidInputException", typeJSON11},
		{"/", "", "", fmt.Errorf("check: %w", &Named{Name: "X", Message: "no status"}), 500, "X", typeJSON11},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", c.path, nil)
		r = r.WithContext(WithRequestID(r.Context()))
		s.WriteError(w, r, c.service, c.op, c.err)
		if w.Code != c.status || !strings.Contains(w.Body.String(), `"__type":"`+c.name+`"`) || w.Header().Get("Content-Type") != c.typ {
			t.Errorf("%s %s: %d %v %s", c.path, c.op, w.Code, w.Header(), w.Body)
		}
		if w.Header().Get("X-Amzn-Requestid") != RequestID(r.Context()) || w.Header().Get("Date") == "" {
			t.Errorf("%s: headers %v", c.path, w.Header())
		}
	}
}

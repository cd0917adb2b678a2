package awsjson

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/wire"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// request makes the request a client would send for an operation.
func request(op *wire.Operation, body string) *http.Request {
	r := httptest.NewRequest(op.Method, op.Path, strings.NewReader(body))
	if !op.REST() {
		r.Header.Set("X-Amz-Target", op.Target)
	}
	return r
}

// call sends a request through a server and decodes what an exception holds.
func call(s *Server, r *http.Request) (*httptest.ResponseRecorder, exceptionBody) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var body exceptionBody
	if w.Code != http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			body.Message = fmt.Sprintf("%v in %q", err, w.Body)
		}
	}
	return w, body
}

type exceptionBody struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

func lookup(t testing.TB, service, name string) *wire.Operation {
	t.Helper()
	op, ok := wire.Lookup(service, name)
	if !ok {
		t.Fatalf("no operation %s %s", service, name)
	}
	return op
}

// answerAll gives every operation a handler that runs f, without its types.
func answerAll(s *Server, f func(op *wire.Operation, in any) (any, error)) {
	for _, op := range wire.All() {
		rt := s.find(op.Service, op.Name)
		fill := newFiller(reflect.TypeOf(op.NewInput()).Elem())
		encode := newEncoder(reflect.TypeOf(op.NewOutput()).Elem())
		rt.call = func(_ context.Context, b []byte, tree any) ([]byte, error) {
			in := op.NewInput()
			fill(reflect.ValueOf(in).Elem(), tree)
			out, err := f(op, in)
			if err != nil || op.REST() && op.Output == nil {
				return nil, err
			}
			return encode(b, reflect.ValueOf(out).Elem())
		}
	}
}

func TestEveryOperationIsRouted(t *testing.T) {
	s := New(nil, nil, nil)
	var got *wire.Operation
	answerAll(s, func(op *wire.Operation, in any) (any, error) {
		got = op
		if reflect.TypeOf(in) != reflect.TypeOf(op.NewInput()) {
			t.Errorf("%s gets a %T", op.Name, in)
		}
		return op.NewOutput(), nil
	})
	for _, op := range wire.All() {
		body, err := json.Marshal(minimal(t, op.Input))
		if err != nil {
			t.Fatal(err)
		}
		r := request(op, string(body))
		if found, ok := s.Operation(r); !ok || found != op {
			t.Errorf("Operation finds %v for %s", found, op.Name)
		}
		got = nil
		w, _ := call(s, r)
		wantType, wantEmpty := typeJSON11, false
		if op.REST() {
			wantType, wantEmpty = typeREST, op.Output == nil
		}
		if w.Code != 200 || got != op || w.Header().Get("Content-Type") != wantType || wantEmpty != (w.Body.Len() == 0) {
			t.Errorf("%s: %d, type %q, body %q", op.Name, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

func TestCoverage(t *testing.T) {
	s := New(nil, nil, nil)
	Handle(s, wire.Personalize, "DeleteFilter", func(context.Context, *wire.DeleteFilterRequest) (*wire.Empty, error) { return nil, nil })
	counts, built := map[string]int{}, []string{}
	for _, c := range s.Coverage() {
		counts[c.Service]++
		if c.Built {
			built = append(built, c.Operation)
		}
	}
	if want := map[string]int{wire.Personalize: 71, wire.PersonalizeRuntime: 3, wire.PersonalizeEvents: 5}; !reflect.DeepEqual(counts, want) {
		t.Errorf("coverage %v, want %v", counts, want)
	}
	if !reflect.DeepEqual(built, []string{"DeleteFilter"}) {
		t.Errorf("built %v", built)
	}
	w, _ := call(s, request(lookup(t, wire.Personalize, "DeleteFilter"), `{"filterArn":"`+arnText+`"}`))
	if w.Code != 200 || w.Body.String() != "{}" {
		t.Errorf("an answer of nothing in json 1.1: %d %q", w.Code, w.Body)
	}
}

const arnText = "arn:aws:personalize:us-east-1:000000000000:filter/new"

func TestHandleRefusesMistakes(t *testing.T) {
	s := New(nil, nil, nil)
	f := func(context.Context, *wire.DeleteFilterRequest) (*wire.Empty, error) { return nil, nil }
	Handle(s, wire.Personalize, "DeleteFilter", f)
	for _, name := range []string{"DeleteFilter", "DeleteFilters", "DeleteSchema"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a handler of DeleteFilter passes as %s", name)
				}
			}()
			Handle(s, wire.Personalize, name, f)
		}()
	}
}

func TestInputArrivesAsSent(t *testing.T) {
	s := New(nil, nil, nil)
	var got *wire.PutEventsRequest
	var id string
	Handle(s, wire.PersonalizeEvents, "PutEvents", func(ctx context.Context, in *wire.PutEventsRequest) (*wire.Empty, error) {
		got, id = in, RequestID(ctx)
		return nil, nil
	})
	w, _ := call(s, request(lookup(t, wire.PersonalizeEvents, "PutEvents"), `{"trackingId":"t","TRACKINGID":"no","userId":null,"sessionId":"s","more":{"x":[1]},
		"eventList":[{"eventType":"click","sentAt":1767225600.25},
		{"eventType":"buy","itemId":"i","sentAt":0,"eventValue":0,"impression":["a","b"],"properties":"{\"a\":1}","metricAttribution":{"eventAttributionSource":"mail"}}]}`))
	want := &wire.PutEventsRequest{TrackingId: "t", SessionId: "s", EventList: []wire.Event{
		{EventType: "click", SentAt: wire.At(time.UnixMilli(1767225600250).UTC())},
		{EventType: "buy", ItemId: new("i"), SentAt: wire.At(time.Unix(0, 0).UTC()), EventValue: new(0.0), Impression: []string{"a", "b"},
			Properties: new(`{"a":1}`), MetricAttribution: &wire.EventsMetricAttribution{EventAttributionSource: "mail"}},
	}}
	if w.Code != 200 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d: got %+v", w.Code, got)
	}
	if header := w.Header().Get("x-amzn-requestid"); header != id || !isUUID(id) {
		t.Errorf("request id %q in the handler, %q in the header", id, header)
	}
}

func isUUID(s string) bool {
	return regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(s)
}

func TestOutput(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := New(nil, nil, &Options{Clock: func() time.Time { return at }})
	var out *wire.ListSolutionsResponse
	Handle(s, wire.Personalize, "ListSolutions", func(context.Context, *wire.ListSolutionsRequest) (*wire.ListSolutionsResponse, error) {
		return out, nil
	})
	op := lookup(t, wire.Personalize, "ListSolutions")
	for want, give := range map[string]*wire.ListSolutionsResponse{
		`{"solutions":[]}`: nil,
		`{"solutions":[{"name":"<a&b>","creationDateTime":1772366400.500}],"nextToken":"x"}`: {
			Solutions: []wire.SolutionSummary{{Name: new("<a&b>"), CreationDateTime: wire.At(at.Add(500 * time.Millisecond))}}, NextToken: new("x")},
	} {
		out = give
		w, _ := call(s, request(op, ""))
		if w.Body.String() != want {
			t.Errorf("got %s, want %s", w.Body, want)
		}
		if date := w.Header().Get("Date"); date != "Sun, 01 Mar 2026 12:00:00 GMT" {
			t.Errorf("Date %q", date)
		}
	}
	out = &wire.ListSolutionsResponse{}
	call(s, request(op, ""))
	if out.Solutions != nil {
		t.Error("the handler's own output was changed")
	}
}

func TestRefusedBeforeTheHandler(t *testing.T) {
	s := New(nil, nil, nil)
	answerAll(s, func(op *wire.Operation, _ any) (any, error) { return op.NewOutput(), nil })
	post := func(path, target, body string) *http.Request {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		if target != "" {
			r.Header.Set("X-Amz-Target", target)
		}
		return r
	}
	short := post("/events", "", "{}")
	short.Body, short.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader("{"), failing{io.ErrUnexpectedEOF})), 99
	chunked := post("/events", "", strings.Repeat(" ", MaxBody+1))
	chunked.ContentLength = -1
	for name, c := range map[string]struct {
		r       *http.Request
		status  int
		typ     string
		message string
	}{
		"unknown operation": {post("/", "AmazonPersonalize.CreateUnicorn", "{}"), 400, UnknownOperationException, "AmazonPersonalize.CreateUnicorn"},
		"other service":     {post("/", "DynamoDB_20120810.GetItem", "{}"), 400, UnknownOperationException, "DynamoDB"},
		"no target":         {post("/", "", "{}"), 400, UnknownOperationException, "X-Amz-Target"},
		"unknown path":      {post("/recommendation", "", "{}"), 404, UnknownOperationException, "POST /recommendation"},
		"wrong method":      {httptest.NewRequest("GET", "/recommendations", nil), 404, UnknownOperationException, "GET /recommendations"},
		"get root":          {httptest.NewRequest("GET", "/", nil), 404, UnknownOperationException, "GET /"},
		"not json":          {post("/events", "", "{"), 400, SerializationException, "not JSON"},
		"wrong type":        {post("/", "AmazonPersonalize.ListSolutions", `{"maxResults":"7"}`), 400, SerializationException, "'maxResults' must be a number"},
		"constraint":        {post("/", "AmazonPersonalize.ListSolutions", `{"maxResults":0}`), 400, "InvalidInputException", "greater than or equal to 1"},
		"not modelled":      {post("/", "AmazonPersonalize.ListSchemas", `{"maxResults":0}`), 400, "InvalidInputException", "greater than or equal to 1"},
		"too large":         {post("/events", "", strings.Repeat(" ", MaxBody+1)), 413, RequestEntityTooLargeException, "4 MiB"},
		"too large chunked": {chunked, 413, RequestEntityTooLargeException, "4 MiB"},
		"short":             {short, 400, SerializationException, "ended before"},
	} {
		w, body := call(s, c.r)
		if w.Code != c.status || body.Type != c.typ || !strings.Contains(body.Message, c.message) {
			t.Errorf("%s: %d %+v", name, w.Code, body)
		}
		if !isUUID(w.Header().Get("X-Amzn-Requestid")) || w.Header().Get("Date") == "" {
			t.Errorf("%s: headers %v", name, w.Header())
		}
		rest := c.r.URL.Path != "/"
		if rest != (w.Header().Get("X-Amzn-Errortype") == c.typ) || rest != (w.Header().Get("Content-Type") == typeREST) {
			t.Errorf("%s: protocol of %v", name, w.Header())
		}
	}
	exact := post("/events", "", `{"trackingId":"t","sessionId":"s","eventList":[{"eventType":"e","sentAt":0}]}`+strings.Repeat(" ", MaxBody-77))
	if exact.ContentLength != MaxBody {
		t.Fatalf("the largest body has %d bytes", exact.ContentLength)
	}
	if w, body := call(s, exact); w.Code != 200 {
		t.Errorf("a body of MaxBody bytes: %d %+v", w.Code, body)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestNotBuilt(t *testing.T) {
	s := New(nil, nil, nil)
	for _, op := range wire.All() {
		w, body := call(s, request(op, "{}"))
		want := "operation " + op.Name + " is not built in this version of attune; see 'attune api coverage'"
		if w.Code != 400 || body.Type != NotBuiltException || body.Message != want {
			t.Errorf("%s: %d %+v", op.Name, w.Code, body)
		}
	}
}

func TestGuard(t *testing.T) {
	type key struct{}
	refuse := error(&Named{InvalidSignatureException, 403, "the signature does not match"})
	s := New(nil, nil, &Options{Guard: func(r *http.Request, op *wire.Operation, body []byte) (context.Context, error) {
		if op.Name != "ListSchemas" || string(body) != " {} " || RequestID(r.Context()) == "" {
			t.Errorf("the guard sees %s %q", op.Name, body)
		}
		return context.WithValue(context.Background(), key{}, "ann"), refuse
	}})
	var who any
	Handle(s, wire.Personalize, "ListSchemas", func(ctx context.Context, _ *wire.ListSchemasRequest) (*wire.ListSchemasResponse, error) {
		who = ctx.Value(key{})
		if RequestID(ctx) == "" {
			t.Error("no request id behind the guard")
		}
		return nil, nil
	})
	op := lookup(t, wire.Personalize, "ListSchemas")
	if w, body := call(s, request(op, " {} ")); w.Code != 403 || body.Type != InvalidSignatureException || who != nil {
		t.Errorf("refused: %d %+v", w.Code, body)
	}
	refuse = nil
	if w, _ := call(s, request(op, " {} ")); w.Code != 200 || who != "ann" {
		t.Errorf("passed: %d, %v", w.Code, who)
	}
}

func TestMetricsAndLog(t *testing.T) {
	var out bytes.Buffer
	reg := prometheus.NewRegistry()
	s := New(slog.New(slog.NewJSONHandler(&out, nil)), reg, nil)
	answerAll(s, func(op *wire.Operation, _ any) (any, error) {
		if op.Name == "DescribeRecipe" {
			return nil, &Named{"InventedException", 418, "teapot"}
		}
		return op.NewOutput(), nil
	})
	call(s, request(lookup(t, wire.Personalize, "ListRecipes"), "{}"))
	call(s, request(lookup(t, wire.Personalize, "DescribeRecipe"), `{"recipeArn":"`+arnText+`"}`))
	call(s, request(lookup(t, wire.PersonalizeRuntime, "GetRecommendations"), "{}"))
	call(s, httptest.NewRequest("GET", "/made/up", nil))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "attune_api_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if n := m.GetCounter().GetValue(); n > 0 {
				got[labels(m)] = n
			}
		}
	}
	want := map[string]float64{"OK ListRecipes personalize": 1, "Other DescribeRecipe personalize": 1,
		"OK GetRecommendations personalize-runtime": 1, "UnknownOperationException unknown unknown": 1}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("counters %v, want %v", got, want)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 { // the recommendation is a debug line
		t.Fatalf("log:\n%s", out.String())
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"requestId", "service", "operation", "status", "code", "duration", "bytesIn", "bytesOut"} {
		if _, ok := line[field]; !ok {
			t.Errorf("log line without %s: %s", field, lines[0])
		}
	}
}

func labels(m *dto.Metric) string {
	var values []string
	for _, l := range m.GetLabel() { // sorted by name: code, operation, service
		values = append(values, l.GetValue())
	}
	return strings.Join(values, " ")
}

// TestOverTheWire runs a server on a real listener, with clients that hang up.
func TestOverTheWire(t *testing.T) {
	s := New(nil, nil, nil)
	var entered atomic.Bool
	left := make(chan error, 1)
	Handle(s, wire.Personalize, "ListSchemas", func(ctx context.Context, _ *wire.ListSchemasRequest) (*wire.ListSchemasResponse, error) {
		entered.Store(true)
		<-ctx.Done()
		left <- ctx.Err()
		return nil, ctx.Err()
	})
	web := httptest.NewServer(s)
	defer web.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for !entered.Load() {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	r, err := http.NewRequestWithContext(ctx, "POST", web.URL+"/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AmazonPersonalize.ListSchemas")
	if response, err := http.DefaultClient.Do(r); !errors.Is(err, context.Canceled) {
		if err == nil {
			response.Body.Close()
		}
		t.Fatalf("the call ended with %v", err)
	}
	select {
	case err := <-left:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the handler saw %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the handler was not told that the client left")
	}
	n := translate(nil, false, "id", true, fmt.Errorf("list: %w", context.Canceled))
	if n.Name != clientClosed || attune.KindOf(context.Canceled) != attune.Internal {
		t.Errorf("a client that left: %+v", n)
	}
}

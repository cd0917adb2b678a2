package awsjson

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/wire"
)

// Operation finds what a request asks for, without reading its body: ok is
// false when that is nothing published. Guards in front of the server use it.
func (s *Server) Operation(r *http.Request) (op *wire.Operation, ok bool) {
	rt, err := s.route(r)
	if err != nil {
		return nil, false
	}
	return rt.op, true
}

// route finds the operation, or a *Named error that says what was asked for.
func (s *Server) route(r *http.Request) (*route, error) {
	if rt := s.byPath[r.URL.Path]; rt != nil && r.Method == rt.op.Method {
		return rt, nil
	}
	if r.URL.Path != "/" || r.Method != http.MethodPost {
		return nil, &Named{UnknownOperationException, http.StatusNotFound,
			"nothing answers " + shorten(r.Method) + " " + shorten(r.URL.Path) +
				": send POST / with an X-Amz-Target header, or POST to the path of a runtime or events operation"}
	}
	target := r.Header.Get("X-Amz-Target")
	if target == "" {
		return nil, &Named{UnknownOperationException, http.StatusBadRequest,
			"POST / needs the header X-Amz-Target: AmazonPersonalize.<Operation>"}
	}
	if rt := s.byTarget[target]; rt != nil {
		return rt, nil
	}
	return nil, &Named{UnknownOperationException, http.StatusBadRequest,
		"X-Amz-Target " + shorten(target) + " names no operation of Personalize; 'attune api coverage' lists them"}
}

// exchange is one request while it is answered.
type exchange struct {
	op      *wire.Operation // nil: nothing published was asked for
	own     [2]string       // service and operation for the log when op is nil; "" is unknown
	rest    bool            // which protocol to answer in
	level   slog.Level
	ok      series
	id      string
	start   time.Time
	in, out int // bytes of the bodies
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := WithRequestID(r.Context())
	ex := &exchange{id: RequestID(ctx), start: s.clock(), level: slog.LevelInfo, rest: r.URL.Path != "/"}
	s.stamp(w, ex)
	rt, err := s.route(r)
	if err != nil {
		s.refuse(ctx, w, ex, err)
		return
	}
	ex.op, ex.rest, ex.level, ex.ok = rt.op, rt.op.REST(), rt.level, rt.ok
	buffer := s.buffers.Get().(*bytes.Buffer)
	defer s.putBuffer(buffer)
	buffer.Reset()
	if err := s.answer(ctx, w, r, rt, ex, buffer); err != nil {
		s.refuse(ctx, w, ex, err)
		return
	}
	contentType := typeJSON11
	if ex.rest {
		contentType = typeREST
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(http.StatusOK)
	ex.out, err = w.Write(buffer.Bytes())
	took := s.clock().Sub(ex.start)
	ex.ok.add(took)
	s.line(ctx, ex, http.StatusOK, codeOK, took, err)
}

// maxPooled is the largest buffer kept for the next answer; larger ones are rare
// and would stay for ever.
const maxPooled = 64 << 10

func (s *Server) putBuffer(b *bytes.Buffer) {
	if b.Cap() <= maxPooled {
		s.buffers.Put(b)
	}
}

// answer runs an operation and leaves the encoded output in buffer. A panic on
// the way becomes an error that is logged with its stack.
func (s *Server) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, rt *route, ex *exchange, buffer *bytes.Buffer) (err error) {
	defer func() {
		switch cause := recover(); cause {
		case nil:
		case http.ErrAbortHandler:
			panic(cause)
		default:
			err = attune.Errorf(attune.Internal, "panic: %v\n%s", cause, debug.Stack())
		}
	}()
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	ex.in = len(body)
	if s.guard != nil {
		guarded, err := s.guard(r.WithContext(ctx), rt.op, body)
		if err != nil {
			return err
		}
		if guarded != nil {
			ctx = WithRequestID(guarded)
		}
	}
	if rt.call == nil {
		return attune.Errorf(attune.NotBuilt,
			"operation %s is not built in this version of attune; see 'attune api coverage'", rt.op.Name)
	}
	tree, err := Parse(body)
	if err != nil {
		return err
	}
	if s.admit != nil {
		admitted, err := s.admit(ctx, rt.op, tree)
		if err != nil {
			return err
		}
		if admitted != nil {
			ctx = admitted
		}
	}
	if err := Check(rt.op.Input, tree); err != nil {
		return err
	}
	out, err := rt.call(ctx, buffer.AvailableBuffer(), tree)
	if err != nil {
		return err
	}
	_, err = buffer.Write(out) // never fails: it ends the process instead
	return err
}

// readBody reads at most MaxBody bytes.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := &Named{RequestEntityTooLargeException, http.StatusRequestEntityTooLarge,
		"the request body is larger than 4 MiB; import data through a dataset import job instead"}
	if r.ContentLength > MaxBody {
		return nil, tooLarge
	}
	// A promised length is believed up to a point: memory is for bytes that came.
	buffer := bytes.NewBuffer(make([]byte, 0, min(max(r.ContentLength, 0)+bytes.MinRead, maxPooled)))
	_, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, serialization("the request body ended before its Content-Length of %d bytes", r.ContentLength)
	case err != nil:
		return nil, serialization("the request body could not be read to its end")
	}
	return buffer.Bytes(), nil
}

// WriteError answers a request with an error, in the protocol of the operation,
// for layers in front of ServeHTTP (signature checks, limits). service and
// operation may be unknown or empty; the request then decides the protocol.
func (s *Server) WriteError(w http.ResponseWriter, r *http.Request, service, operation string, err error) {
	ctx := WithRequestID(r.Context())
	ex := &exchange{id: RequestID(ctx), start: s.clock(), level: slog.LevelInfo,
		rest: r.URL.Path != "/", in: int(max(r.ContentLength, 0))}
	if rt := s.find(service, operation); rt != nil {
		ex.op, ex.rest, ex.level = rt.op, rt.op.REST(), rt.level
	} else {
		ex.own = [2]string{service, shorten(operation)}
	}
	s.stamp(w, ex)
	s.refuse(ctx, w, ex, err)
}

// WriteAnswer answers a request for something that is not published, in the
// form of rest-json, with the headers and the log line that published
// operations have. began is when the request came.
func (s *Server) WriteAnswer(w http.ResponseWriter, r *http.Request, service, operation string, began time.Time, out any) {
	ctx := WithRequestID(r.Context())
	ex := &exchange{own: [2]string{service, operation}, id: RequestID(ctx), start: began, level: slog.LevelInfo,
		rest: true, in: int(max(r.ContentLength, 0))}
	s.stamp(w, ex)
	body, err := json.Marshal(out)
	if err != nil {
		s.refuse(ctx, w, ex, attune.Errorf(attune.Internal, "encode the answer of %s: %w", operation, err))
		return
	}
	w.Header().Set("Content-Type", typeREST)
	w.WriteHeader(http.StatusOK)
	ex.out, err = w.Write(append(body, '\n'))
	s.line(ctx, ex, http.StatusOK, codeOK, s.clock().Sub(began), err)
}

// WriteXML answers a request for something that is not published with a
// document of another protocol, with the request id and the log line that
// published operations have. failed is why, when it is a refusal.
func (s *Server) WriteXML(w http.ResponseWriter, r *http.Request, service, operation string, began time.Time, status int, failed error, v any) {
	ctx := WithRequestID(r.Context())
	ex := &exchange{own: [2]string{service, shorten(operation)}, id: RequestID(ctx), start: began, level: slog.LevelInfo,
		rest: true, in: int(max(r.ContentLength, 0))}
	s.stamp(w, ex)
	body, err := xml.Marshal(v)
	if err != nil {
		s.refuse(ctx, w, ex, attune.Errorf(attune.Internal, "encode the answer of %s: %w", operation, err))
		return
	}
	w.Header().Set("Content-Type", typeXML)
	w.WriteHeader(status)
	ex.out, err = w.Write(append([]byte(xml.Header), body...))
	code := codeOK
	if failed != nil {
		code, err = codeOther, failed
	}
	if status >= http.StatusInternalServerError {
		ex.level = slog.LevelError
	}
	s.line(ctx, ex, status, code, s.clock().Sub(began), err)
}

// stamp sets what every answer carries. Clients correct their clocks by Date.
func (s *Server) stamp(w http.ResponseWriter, ex *exchange) {
	h := w.Header()
	h[headerRequestID] = []string{ex.id}
	h["Date"] = []string{ex.start.UTC().Format(http.TimeFormat)}
}

// refuse answers with an exception; what is internal is logged here and only here.
func (s *Server) refuse(ctx context.Context, w http.ResponseWriter, ex *exchange, err error) {
	n := translate(ex.op, ex.rest, ex.id, ctx.Err() != nil, err)
	ex.out = writeNamed(w, ex.rest, n)
	took := s.clock().Sub(ex.start)
	s.meter.of(ex.op, n.Name).add(took)
	if n.Status >= http.StatusInternalServerError {
		ex.level = slog.LevelError
	}
	s.line(ctx, ex, n.Status, n.Name, took, err)
}

// line writes the log line of a request.
func (s *Server) line(ctx context.Context, ex *exchange, status int, code string, took time.Duration, err error) {
	if !s.log.Enabled(ctx, ex.level) {
		return
	}
	service, name := unknown, unknown
	if ex.op != nil {
		service, name = ex.op.Service, ex.op.Name
	} else {
		service, name = cmp.Or(ex.own[0], service), cmp.Or(ex.own[1], name)
	}
	attrs := []slog.Attr{slog.String("requestId", ex.id), slog.String("service", service), slog.String("operation", name),
		slog.Int("status", status), slog.String("code", code), slog.Duration("duration", took),
		slog.Int("bytesIn", ex.in), slog.Int("bytesOut", ex.out)}
	if err != nil {
		text := err.Error()
		if len(text) > maxErrorMessage {
			text = strings.ToValidUTF8(text[:maxErrorMessage], "") + "…"
		}
		attrs = append(attrs, slog.String("error", text))
	}
	s.log.LogAttrs(ctx, ex.level, "request", attrs...)
}

package awsjson

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"sync"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/wire"
	"github.com/prometheus/client_golang/prometheus"
)

// MaxBody is the largest request body in bytes. The largest legal one is PutItems:
// ten documents of 32,000 characters, each character up to 12 bytes when a
// client escapes everything. Import data never comes this way.
const MaxBody = 4 << 20

// Options are the choices of a Server; nil means all defaults.
type Options struct {
	// Guard decides whether a request may pass, after its body was read and
	// before it is looked into. It returns the context that the handler gets (nil:
	// unchanged). Its error is answered like a handler's; *Named goes out verbatim.
	// Default: everybody passes.
	Guard func(r *http.Request, op *wire.Operation, body []byte) (context.Context, error)
	// Admit decides once more when the body was parsed, before its constraints are
	// checked. input is what Parse makes. It returns the context that the handler
	// gets (nil: unchanged). Default: everybody passes.
	Admit func(ctx context.Context, op *wire.Operation, input any) (context.Context, error)
	// TokenKey seals page tokens. Default: a random key, so that tokens end with the process.
	TokenKey []byte
	// Clock dates the answers and times them. Default: attune.WallClock.
	Clock attune.Clock
}

// Server answers all operations of the three services. Register handlers with
// Handle before the first request; after that it is safe for concurrent use.
type Server struct {
	log      *slog.Logger
	meter    *meter
	guard    func(r *http.Request, op *wire.Operation, body []byte) (context.Context, error)
	admit    func(ctx context.Context, op *wire.Operation, input any) (context.Context, error)
	tokenKey []byte
	clock    attune.Clock
	byTarget map[string]*route // X-Amz-Target → operation of the control plane
	byPath   map[string]*route // path → operation of runtime and events
	buffers  sync.Pool         // of *bytes.Buffer: answers before they are sent
}

// route is one published operation and, once somebody built it, its handler.
type route struct {
	op    *wire.Operation
	call  func(ctx context.Context, b []byte, tree any) ([]byte, error) // appends the answer to b; nil: not built
	level slog.Level
	ok    series
}

// New makes a server that knows all operations and has built none. log and reg
// may be nil.
func New(log *slog.Logger, reg prometheus.Registerer, opts *Options) *Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if opts == nil {
		opts = &Options{}
	}
	s := &Server{log: log, meter: newMeter(reg), guard: opts.Guard, admit: opts.Admit, tokenKey: opts.TokenKey, clock: opts.Clock,
		byTarget: map[string]*route{}, byPath: map[string]*route{}}
	s.buffers.New = func() any { return new(bytes.Buffer) }
	if s.clock == nil {
		s.clock = attune.WallClock
	}
	if len(s.tokenKey) == 0 {
		s.tokenKey = make([]byte, 32)
		rand.Read(s.tokenKey) // never fails: it ends the process instead
	}
	for _, op := range wire.All() {
		rt := &route{op: op, level: slog.LevelInfo, ok: s.meter.of(op, codeOK)}
		if op.REST() {
			rt.level = slog.LevelDebug // one line per recommendation would be the larger part of the work
			s.byPath[op.Path] = rt
		} else {
			s.byTarget[op.Target] = rt
		}
	}
	return s
}

// find gives the route of a published operation, or nil.
func (s *Server) find(service, operation string) *route {
	op, ok := wire.Lookup(service, operation)
	if !ok {
		return nil
	}
	if op.REST() {
		return s.byPath[op.Path]
	}
	return s.byTarget[op.Target]
}

// Handle registers the handler of an operation: f gets a checked input that it
// owns, and returns the output (nil counts as empty) or an error whose Kind
// chooses the exception. The request id is in ctx. Nil lists and maps at the top
// of an output are sent empty. I and O are the operation's structs in wire; O is
// wire.Empty when it answers nothing. Registering an operation that is not
// published, twice, or with other structs panics: it is a mistake in the program.
func Handle[I, O any](s *Server, service, operation string, f func(ctx context.Context, in *I) (*O, error)) {
	rt := s.find(service, operation)
	switch {
	case rt == nil:
		panic(fmt.Sprintf("awsjson: %s has no operation %s", service, operation))
	case rt.call != nil:
		panic(fmt.Sprintf("awsjson: %s has a handler already", operation))
	}
	if in, out := rt.op.NewInput(), rt.op.NewOutput(); reflect.TypeOf(in) != reflect.TypeFor[*I]() || reflect.TypeOf(out) != reflect.TypeFor[*O]() {
		panic(fmt.Sprintf("awsjson: %s takes %T and gives %T", operation, in, out))
	}
	fill := newFiller(reflect.TypeFor[I]())
	closeLists := listCloser(reflect.TypeFor[O]())
	encode := newEncoder(reflect.TypeFor[O]())
	silent := rt.op.REST() && rt.op.Output == nil // rest-json answers nothing with nothing
	rt.call = func(ctx context.Context, b []byte, tree any) ([]byte, error) {
		in := new(I)
		fill(reflect.ValueOf(in).Elem(), tree)
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		if silent {
			return b, nil
		}
		answer := new(O)
		if out != nil {
			*answer = *out // the handler may keep and share its own
		}
		v := reflect.ValueOf(answer).Elem()
		closeLists(v)
		if b, err = encode(b, v); err != nil {
			return nil, fmt.Errorf("encode the answer of %s: %w", operation, err)
		}
		return b, nil
	}
}

// OperationCoverage says whether this build answers an operation.
type OperationCoverage struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
	Built     bool   `json:"built"`
}

// Coverage lists all 79 published operations, in the order of wire.All.
func (s *Server) Coverage() []OperationCoverage {
	all := wire.All()
	coverage := make([]OperationCoverage, len(all))
	for i, op := range all {
		coverage[i] = OperationCoverage{op.Service, op.Name, s.find(op.Service, op.Name).call != nil}
	}
	return coverage
}

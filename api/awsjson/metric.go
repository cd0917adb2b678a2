package awsjson

import (
	"time"

	"github.com/attune-io/attune/wire"
	"github.com/prometheus/client_golang/prometheus"
)

// unknown is the label of whatever is not published, so that clients cannot
// make new series.
const unknown = "unknown"

// Labels for an answer without exception, and for a Named that is not in the list.
const (
	codeOK    = "OK"
	codeOther = "Other"
)

// meter counts and times requests.
type meter struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	codes    map[string]bool
}

func newMeter(reg prometheus.Registerer) *meter {
	labels := []string{"service", "operation", "code"}
	m := &meter{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "attune_api_requests_total",
			Help: "Requests answered, by service, operation and exception name (OK when none).",
		}, labels),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "attune_api_request_seconds",
			Help: "Time from the first byte of a request to the last of its answer.",
			// From a cached answer to a long poll on a busy disk.
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, labels),
		codes: map[string]bool{},
	}
	for _, code := range []string{codeOK, InvalidSignatureException, UnrecognizedClientException,
		MissingAuthenticationTokenException, IncompleteSignatureException, AccessDeniedException,
		ThrottlingException, ServiceUnavailable, InternalFailure, SerializationException, UnknownOperationException,
		RequestEntityTooLargeException, NotBuiltException, clientClosed} {
		m.codes[code] = true
	}
	for _, op := range wire.All() {
		for _, code := range op.Errors {
			m.codes[code] = true
		}
	}
	if reg != nil {
		reg.MustRegister(m.requests, m.seconds)
	}
	return m
}

// series are the two of one label set, kept for the commonest one.
type series struct {
	requests prometheus.Counter
	seconds  prometheus.Observer
}

// of gives the series of an operation and code; both come from bounded sets.
func (m *meter) of(op *wire.Operation, code string) series {
	service, name := unknown, unknown
	if op != nil {
		service, name = op.Service, op.Name
	}
	if !m.codes[code] {
		code = codeOther
	}
	return series{m.requests.WithLabelValues(service, name, code), m.seconds.WithLabelValues(service, name, code)}
}

func (s series) add(took time.Duration) {
	s.requests.Inc()
	s.seconds.Observe(took.Seconds())
}

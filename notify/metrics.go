package notify

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	published     prometheus.Counter
	relayFailures prometheus.Counter
	deliveries    *prometheus.CounterVec // by target and outcome
}

// delivered counts an attempt.
func (m *metrics) delivered(t Target, f *failure) {
	target, outcome := "webhook", "delivered"
	switch {
	case t.Email != nil:
		target = "email"
	case t.Maintain != nil:
		target = "maintain"
	}
	switch {
	case f != nil && f.final:
		outcome = "final"
	case f != nil:
		outcome = "failed"
	}
	m.deliveries.WithLabelValues(target, outcome).Inc()
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		published: f.NewCounter(prometheus.CounterOpts{
			Name: "attune_notify_changes_published_total", Help: "Changes of state that were put on the bus.",
		}),
		relayFailures: f.NewCounter(prometheus.CounterOpts{
			Name: "attune_notify_relay_failures_total", Help: "Looks at the outbox that failed; what waits is tried again.",
		}),
		deliveries: f.NewCounterVec(prometheus.CounterOpts{
			Name: "attune_notify_deliveries_total", Help: "Attempts to deliver an event to a rule's target.",
		}, []string{"target", "outcome"}),
	}
}

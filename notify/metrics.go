package notify

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	published     prometheus.Counter
	relayFailures prometheus.Counter
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
	}
}

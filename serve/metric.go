package serve

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	releases prometheus.Gauge
	seconds  map[string]prometheus.Observer
	short    prometheus.Counter
	strange  prometheus.Counter
}

// The questions, as labels.
const (
	askRecommend = "recommend"
	askRank      = "rank"
	askActions   = "actions"
)

func newMetrics(reg prometheus.Registerer) *metrics {
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "attune_serve_seconds", Help: "Time to compute one answer, by question.",
		// From a small catalogue to a scan of millions of items.
		Buckets: []float64{.00005, .0001, .0002, .0004, .0008, .0015, .003, .006, .0125, .025, .05, .1, .25, 1},
	}, []string{"question"})
	m := &metrics{
		releases: prometheus.NewGauge(prometheus.GaugeOpts{Name: "attune_serve_releases", Help: "Campaigns that are answered for."}),
		short:    prometheus.NewCounter(prometheus.CounterOpts{Name: "attune_serve_short_answers_total", Help: "Answers with fewer items than were asked for."}),
		strange:  prometheus.NewCounter(prometheus.CounterOpts{Name: "attune_serve_cold_answers_total", Help: "Answers by popularity, because the user or the item is new to the model."}),
		seconds:  map[string]prometheus.Observer{askRecommend: seconds.WithLabelValues(askRecommend), askRank: seconds.WithLabelValues(askRank), askActions: seconds.WithLabelValues(askActions)},
	}
	if reg != nil {
		reg.MustRegister(m.releases, m.short, m.strange, seconds)
	}
	return m
}

func (m *metrics) took(question string, start time.Time) {
	m.seconds[question].Observe(time.Since(start).Seconds())
}

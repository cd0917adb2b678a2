package event

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	records   prometheus.Counter
	bytes     prometheus.Counter
	commits   prometheus.Histogram
	retries   prometheus.Counter
	throttled prometheus.Counter
	dropped   *prometheus.CounterVec // by reason
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		records: f.NewCounter(prometheus.CounterOpts{
			Name: "attune_event_appended_records_total", Help: "Records on disk and acknowledged.",
		}),
		bytes: f.NewCounter(prometheus.CounterOpts{
			Name: "attune_event_appended_bytes_total", Help: "Bytes of group commits on disk and acknowledged.",
		}),
		commits: f.NewHistogram(prometheus.HistogramOpts{
			Name: "attune_event_commit_seconds", Help: "From sending a group commit to its acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 16), // 50 µs … 1.6 s
		}),
		retries: f.NewCounter(prometheus.CounterOpts{
			Name: "attune_event_commit_retries_total", Help: "Group commits sent again because no acknowledgement came.",
		}),
		throttled: f.NewCounter(prometheus.CounterOpts{
			Name: "attune_event_throttled_total", Help: "Appends refused because the queue was full.",
		}),
		dropped: f.NewCounterVec(prometheus.CounterOpts{
			Name: "attune_event_impressions_dropped_total", Help: "Impressions that did not reach the log.",
		}, []string{"reason"}),
	}
}

package profile

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/attune-io/attune/event"
)

type metrics struct {
	applied     prometheus.Counter
	failures    prometheus.Counter
	checkpoints prometheus.Counter
	lag         prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, k *Keeper) *metrics {
	f := promauto.With(reg)
	if reg != nil {
		reg.MustRegister(sizes{k})
	}
	return &metrics{
		applied: f.NewCounter(prometheus.CounterOpts{
			Name: "attune_profile_applied_records_total", Help: "Records folded into profiles, those read again at a start or rebuild included.",
		}),
		failures: f.NewCounter(prometheus.CounterOpts{
			Name: "attune_profile_failures_total", Help: "Times that following or rebuilding a group failed and was started again.",
		}),
		checkpoints: f.NewCounter(prometheus.CounterOpts{
			Name: "attune_profile_checkpoints_total", Help: "Checkpoints written.",
		}),
		lag: f.NewHistogram(prometheus.HistogramOpts{
			Name: "attune_profile_lag_seconds", Help: "From the log taking a record to its being in the profile, for records followed as they came.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16), // 0.5 ms … 16 s
		}),
	}
}

// sizes are gauges of the groups there are when they are asked for.
type sizes struct{ k *Keeper }

var (
	usersDesc = prometheus.NewDesc("attune_profile_users", "Users known, anonymous sessions included.", []string{"group"}, nil)
	itemsDesc = prometheus.NewDesc("attune_profile_items", "Items known, also those only touched.", []string{"group"}, nil)
	readyDesc = prometheus.NewDesc("attune_profile_ready", "1 when the group has caught up with its log since the start.", []string{"group"}, nil)
)

// Describe implements prometheus.Collector.
func (s sizes) Describe(ch chan<- *prometheus.Desc) {
	ch <- usersDesc
	ch <- itemsDesc
	ch <- readyDesc
}

// Collect implements prometheus.Collector.
func (s sizes) Collect(ch chan<- prometheus.Metric) {
	s.k.mu.Lock()
	groups := make(map[event.Group]*watch, len(s.k.watches))
	for g, w := range s.k.watches {
		groups[g] = w
	}
	s.k.mu.Unlock()
	for g, w := range groups {
		ready := 0.0
		if w.ready.Load() {
			ready = 1
		}
		ch <- prometheus.MustNewConstMetric(readyDesc, prometheus.GaugeValue, ready, string(g))
		if v := w.view.Load(); v != nil {
			ch <- prometheus.MustNewConstMetric(usersDesc, prometheus.GaugeValue, float64(v.NumUsers()), string(g))
			ch <- prometheus.MustNewConstMetric(itemsDesc, prometheus.GaugeValue, float64(v.NumItems()), string(g))
		}
	}
}

package serve

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/attune-io/attune/model"
)

// BenchmarkFilter asks by turns with and without a filter, at 100,000 items,
// and reports what the filter adds: by the medians, and by the quickest tenths,
// which neighbours on the machine disturb least. Scoring is made cheap: what it
// takes is not in question here.
func BenchmarkFilter(b *testing.B) {
	const n, d = 100_000, 4
	rng := rand.New(rand.NewPCG(1, 1))
	s := newShop()
	m := &model.Model{Manifest: model.Manifest{Scores: scoreNone}}
	scorer := dots{d: d, data: make([]float32, n*d)}
	for i := range scorer.data {
		scorer.data[i] = float32(rng.NormFloat64())
	}
	for i := range n {
		m.Items = append(m.Items, fmt.Sprint("item", i))
	}
	for _, i := range rng.Perm(n) { // a profile numbers items in another order than a model
		number := s.add(m.Items[i])
		s.columns.Set(number, "GENRES", []string{fmt.Sprint("g", rng.IntN(20)), fmt.Sprint("g", rng.IntN(20))})
		s.columns.Set(number, "BRAND", fmt.Sprint("b", rng.IntN(2000)))
		s.columns.Set(number, "PRICE", rng.Float64()*100)
	}
	for range 500 {
		s.touch("u", m.Items[rng.IntN(n)], []string{"View", "Purchase", "Cart"}[rng.IntN(3)], 1)
	}
	s.people["u"] = 0
	s.users.Set(0, "AGE", 30)
	server := serverOf(b, s, User, m, scorer)
	for _, text := range []string{
		`EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")`,
		`INCLUDE ItemID WHERE Items.GENRES IN ("g1","g2") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")`,
		`INCLUDE ItemID WHERE Items.BRAND IN ("b1","b2","b3") AND Items.GENRES NOT IN ("g1")`,
		`INCLUDE ItemID WHERE Items.PRICE < 20`,
		`EXCLUDE ItemID WHERE Items.PRICE > 50 IF CurrentUser.AGE < 31`,
	} {
		b.Run(text, func(b *testing.B) {
			q := Request{Campaign: campaign, User: "u", N: 25}
			took := func() time.Duration {
				start := time.Now()
				if _, err := server.Recommend(b.Context(), q); err != nil {
					b.Fatal(err)
				}
				return time.Since(start)
			}
			var without, with []time.Duration
			e := parse(b, text)
			for b.Loop() {
				q.Filter = nil
				without = append(without, took())
				q.Filter = e
				with = append(with, took())
			}
			slices.Sort(without)
			slices.Sort(with)
			for name, part := range map[string]int{"median": 2, "quick": 10} {
				at := len(with) / part
				b.ReportMetric(float64(without[at].Nanoseconds()), name+"-without-ns")
				b.ReportMetric(float64((with[at] - without[at]).Nanoseconds()), name+"-added-ns")
			}
		})
	}
}

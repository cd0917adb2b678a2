package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/attune-io/attune/recipe"
)

// BenchmarkTrain trains on catalogues whose popularity falls as in shops.
func BenchmarkTrain(b *testing.B) {
	for _, c := range []struct{ users, items, events, rank int }{{5000, 8000, 120_000, 128}, {10000, 16000, 240_000, 128}} {
		r := rand.New(rand.NewPCG(1, 2))
		in := recipe.Input{Users: c.users, Items: make([]string, c.items), Params: map[string]string{ParamRank: fmt.Sprint(c.rank)}, Seed: 1}
		for range c.events {
			in.Events.User = append(in.Events.User, int32(r.IntN(c.users)))
			in.Events.Item = append(in.Events.Item, int32(float64(c.items)*math.Pow(r.Float64(), 2.5)))
		}
		b.Run(fmt.Sprintf("%dx%d", c.users, c.items), func(b *testing.B) {
			for b.Loop() {
				if _, err := New().Train(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(New().Seconds(in), "s-estimated")
		})
	}
}

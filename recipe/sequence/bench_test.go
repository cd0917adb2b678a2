package sequence

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// full is users with exactly length+1 events, so that every window is full.
func full(users, length, items int, params map[string]string) recipe.Input {
	lengths := make([]int, users)
	for u := range lengths {
		lengths[u] = length + 1
	}
	in := recipe.Input{Events: someEvents(lengths, items, false, 1), Users: users, Items: make([]string, items), Params: params, Seed: 1}
	in.Params[ParamLength] = fmt.Sprint(length)
	return in
}

// BenchmarkStep is one step of training: forward, backward, Adam. GF/s counts the
// products of the layers and of the softmax, three for each.
func BenchmarkStep(b *testing.B) {
	const batch, d, items, blocks = 128, 64, 3500, 2
	for _, length := range []int{50, 200} {
		for _, c := range []struct {
			name    string
			squares float64 // d×d products of a token and block
			params  map[string]string
		}{
			{"plain", 6, map[string]string{ParamGated: "0", ParamWide: "1", ParamDropout: "0.2"}},
			{"plain, 256 negatives", 6, map[string]string{ParamGated: "0", ParamWide: "1", ParamDropout: "0.2", ParamNegatives: "256"}},
			{"gated", 12, map[string]string{ParamDropout: "0.2"}},
		} {
			b.Run(fmt.Sprintf("length=%d/%s", length, c.name), func(b *testing.B) {
				in := full(batch, length, items, c.params)
				p, err := resolve(in)
				if err != nil {
					b.Fatal(err)
				}
				t := newTrainer(in, p)
				step, before := 0, 0.0
				for b.Loop() {
					if step == 1 {
						before = cpuSeconds() // the first one touches fresh memory
					}
					if _, err := t.step(b.Context(), t.windows, step); err != nil {
						b.Fatal(err)
					}
					step++
				}
				compared := items
				if p.negatives > 0 {
					compared = p.negatives
				}
				tokens := float64(batch * length)
				flops := 6 * tokens * d * (blocks*(c.squares*d+float64(length)) + float64(compared))
				each := (cpuSeconds() - before) / float64(max(1, step-1))
				b.ReportMetric(each, "cpu-s/step")
				b.ReportMetric(flops/each/1e9, "GF/cpu-s")
			})
		}
	}
}

// BenchmarkScore answers one query.
func BenchmarkScore(b *testing.B) {
	for _, history := range []int{10, 50, 200} {
		in := full(20, history, 3500, map[string]string{ParamEpochs: "1"})
		_, s := decoded(b, in)
		b.Run(fmt.Sprintf("history=%d", history), func(b *testing.B) {
			q, dst := model.Query{Item: model.NoItem}, make([]float32, 3500)
			r := rand.New(rand.NewPCG(1, 2))
			for range history {
				q.History = append(q.History, model.Touch{Item: int32(r.IntN(3500)), Weight: 1})
			}
			b.ReportAllocs()
			before := cpuSeconds()
			for b.Loop() {
				if err := s.Score(b.Context(), q, dst); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuSeconds()-before)*1e6/float64(b.N), "cpu-µs/op")
		})
	}
}

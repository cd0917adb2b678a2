package all_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// shop is a shop whose users and items are busy by a power law, and in which
// users keep to one of eight tastes and come back after hours.
func shop(users, items, events int) recipe.Input {
	r := rand.New(rand.NewPCG(1, 2))
	in := recipe.Input{Users: users, Items: make([]string, items), Seed: 1}
	for i := range in.Items {
		in.Items[i] = fmt.Sprint(i)
	}
	at := int64(0)
	for k := range events {
		u := int(float64(users) * (float64(k) + r.Float64()) / float64(events))
		i := int(float64(items/8) * math.Pow(r.Float64(), 2.5))
		if r.IntN(4) > 0 {
			i = i*8 + u%8
		} else {
			i = i*8 + r.IntN(8)
		}
		if at += 60_000; r.IntN(3) == 0 {
			at += 3 * 3_600_000
		}
		in.Events.User, in.Events.Item, in.Events.At = append(in.Events.User, int32(u)), append(in.Events.Item, int32(i)), append(in.Events.At, at)
	}
	return in
}

// BenchmarkTrain trains what is computed in blocks: seconds of all processors, and
// what came of it, so that two builds can be told apart.
func BenchmarkTrain(b *testing.B) {
	for name, params := range map[string]map[string]string{
		"ials": {"iterations": "3"}, "ials wide": {"iterations": "1", "hidden_dimension": "256"}, "ials exact": {"iterations": "2", "solver": "ialspp"},
		"itemknn": nil, "ease": {"neighbourhood": "0"}, "ease local": {"neighbourhood": "256"}, "graph": {"filter_rank": "128"},
	} {
		in := shop(20_000, 3_000, 400_000)
		if name == "ials wide" {
			in = shop(60_000, 20_000, 1_500_000) // both sides in strips
		}
		in.Params = params
		var room string
		_, _ = fmt.Sscan(name, &room)
		r, _ := all.ByName(room)
		b.Run(name, func(b *testing.B) {
			var m *model.Model
			var err error
			before := cpuSeconds(b)
			for b.Loop() {
				if m, err = r.Train(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuSeconds(b)-before)/float64(b.N), "cpu-s/op")
			digest, err := model.Digest(m)
			if err != nil {
				b.Fatal(err)
			}
			b.Logf("%s: %s", name, digest)
		})
	}
}

// cpuSeconds is the processor time of this process, of all threads.
func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

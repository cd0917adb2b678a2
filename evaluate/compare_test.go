package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// noisy draws n values like a metric's: many zeros, and a tail; b is a with a
// change for some users, and shift for all.
func noisy(r *rand.Rand, n int, shift float64) (a, b []float64) {
	for range n {
		v := 0.0
		if r.Float64() < 0.6 {
			v = r.Float64() * r.Float64()
		}
		w := v
		if r.Float64() < 0.5 {
			w = v + 0.2*r.NormFloat64()
		}
		a, b = append(a, v+shift), append(b, w)
	}
	return a, b
}

// TestPairedUnderTheNull: without a difference the p-values are uniform.
func TestPairedUnderTheNull(t *testing.T) {
	for _, n := range []int{40, 2600} { // flipped, and normal
		r := rand.New(rand.NewPCG(1, uint64(n)))
		const trials = 200
		low, half, less := 0, 0, 0
		for trial := range trials {
			a, b := noisy(r, n, 0)
			below, above := signFlip(uint64(trial), Difference(a, b)) // Paired without its interval, which takes the time
			p := min(1, 2*min(below, above))
			if p <= 0.05 {
				low++
			}
			if p <= 0.5 {
				half++
			}
			if below <= 0.05 {
				less++
			}
		}
		// Binomial: 10 ± 4σ of 3.1, 100 ± 4σ of 7.1.
		if low > 22 || low < 1 || half < 72 || half > 128 || less > 22 || less < 1 {
			t.Errorf("%d users: of %d, p ≤ 0.05 in %d, p ≤ 0.5 in %d, less ≤ 0.05 in %d", n, trials, low, half, less)
		}
	}
}

// TestUnpairedUnderTheNull: and those of Welch's test, with unequal spreads.
func TestUnpairedUnderTheNull(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	const trials = 2000
	low := 0
	for range trials {
		a, b := make([]float64, 30), make([]float64, 90)
		for i := range a {
			a[i] = 3 * r.NormFloat64()
		}
		for i := range b {
			b[i] = r.NormFloat64()
		}
		if Unpaired(a, b, 0).P <= 0.05 {
			low++
		}
	}
	if low < 61 || low > 139 { // 100 ± 4σ of 9.7
		t.Errorf("of %d, p ≤ 0.05 in %d", trials, low)
	}
}

// TestPairedFinds a planted difference that is small beside the spread of users.
func TestPairedFinds(t *testing.T) {
	for _, n := range []int{500, 2500} {
		found := 0
		for trial := range uint64(40) {
			a, b := noisy(rand.New(rand.NewPCG(3, trial)), n, 0.03)
			c := Paired(trial, a, b, 0)
			if c.P < 0.05 && c.Greater < 0.05 && c.Less > 0.5 {
				found++
			}
			if math.Abs(c.A-c.B-c.Difference.Mean) > 1e-9 || c.Difference.Low > c.Difference.Mean || c.Users != n {
				t.Fatalf("%+v", c)
			}
		}
		if found < 37 {
			t.Errorf("%d users: found in %d of 40", n, found)
		}
	}
	// Without pairs the same difference drowns in the spread of users.
	a, b := noisy(rand.New(rand.NewPCG(3, 1)), 500, 0.02)
	if paired, apart := Paired(1, a, b, 0), Unpaired(a, b, 0); paired.P >= apart.P {
		t.Errorf("paired %g, unpaired %g", paired.P, apart.P)
	}
}

// TestThreshold: a loss within the threshold is not worse, a gain within it not better.
func TestThreshold(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	live, slightly, much := make([]float64, 1000), make([]float64, 1000), make([]float64, 1000)
	for i := range live {
		live[i] = 0.5 + 0.2*r.NormFloat64()
		slightly[i] = 0.97*live[i] + 0.02*r.NormFloat64()
		much[i] = 0.8*live[i] + 0.02*r.NormFloat64()
	}
	for name, test := range map[string]func(a, b []float64, threshold float64) Comparison{
		"paired": func(a, b []float64, threshold float64) Comparison { return Paired(5, a, b, threshold) }, "unpaired": Unpaired,
	} {
		if c := test(slightly, live, 0.1); c.Less < 0.95 || c.Greater < 0.95 {
			t.Errorf("%s: 3 %% less, of 10 allowed: %+v", name, c)
		}
		if c := test(much, live, 0.1); c.Less > 0.001 {
			t.Errorf("%s: 20 %% less, of 10 allowed: %+v", name, c)
		}
		if c := test(live, much, 0.1); c.Greater > 0.001 {
			t.Errorf("%s: 25 %% more, of 10 asked: %+v", name, c)
		}
	}
	if c := Paired(5, slightly, live, 0); c.Less > 0.001 {
		t.Errorf("3 %% less, of nothing allowed: %+v", c)
	}
}

func TestComparisonsAreSymmetric(t *testing.T) {
	for _, n := range []int{40, 300, 5000} {
		a, b := noisy(rand.New(rand.NewPCG(5, uint64(n))), n, 0.01)
		for name, test := range map[string]func(a, b []float64) Comparison{
			"paired": func(a, b []float64) Comparison { return Paired(9, a, b, 0) }, "unpaired": func(a, b []float64) Comparison { return Unpaired(a, b, 0) },
		} {
			x, y := test(a, b), test(b, a)
			if !close(x.P, y.P) || !close(x.Less, y.Greater) || !close(x.Greater, y.Less) || !close(x.Difference.Mean, -y.Difference.Mean) {
				t.Errorf("%s of %d: %+v and %+v", name, n, x, y)
			}
			if again := test(a, b); again != x {
				t.Errorf("%s of %d: another answer the second time", name, n)
			}
		}
	}
}

func TestComparisonsOfLittle(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]Comparison{
		"nothing":      Paired(1, nil, nil, 0),
		"equal":        Paired(1, []float64{1, 2, 3}, []float64{1, 2, 3}, 0),
		"all NaN":      Paired(1, []float64{nan, 1}, []float64{1, nan}, 0),
		"nothing, two": Unpaired(nil, nil, 0),
		"one each":     Unpaired([]float64{1}, []float64{2}, 0.1),
		"no spread":    Unpaired([]float64{1, 1}, []float64{2, 2}, 0.1),
	} {
		if c.P != 1 || c.Less != 1 || c.Greater != 1 {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if c := Paired(1, []float64{nan, 1, 2}, []float64{5, 1, 1}, 0); c.Users != 2 || c.A != 1.5 || c.B != 1 {
		t.Errorf("NaN counts: %+v", c)
	}
	// All signs alike, of which there are 2⁸: the exact p-value is 1/256.
	ones := []float64{1, 1, 1, 1, 1, 1, 1, 1}
	if c := Paired(1, ones, make([]float64, 8), 0); math.Abs(c.Greater-1.0/256) > 0.002 || c.Less != 1 {
		t.Errorf("eight ones: %+v", c)
	}
}

// TestStudent compares with tables.
func TestStudent(t *testing.T) {
	for _, c := range []struct{ p, df, want float64 }{
		{0.975, 1, 12.7062}, {0.975, 10, 2.2281}, {0.95, 30, 1.6973}, {0.995, 5, 4.0321}, {0.975, 1e6, 1.9600},
	} {
		if got := studentQuantile(c.p, c.df); math.Abs(got-c.want) > 1e-4 {
			t.Errorf("t at %g with %g degrees: %g, want %g", c.p, c.df, got, c.want)
		}
	}
	if student(0, 7) != 0.5 || student(-40, 50) > 1e-30 || student(40, 50) != 1 {
		t.Errorf("ends: %g %g %g", student(0, 7), student(-40, 50), student(40, 50))
	}
}

func TestPerUser(t *testing.T) {
	users := []User{{NDCG25: 0.5, MRR25: 1}, {NDCG25: 0.25, Reward: 0.3, Rewarded: true}}
	got := PerUser(users)
	for name, want := range Mean(users, 0) {
		if name == Coverage {
			continue
		}
		if series := told(got[name]); !close(mean(series), want) {
			t.Errorf("%s: %v, mean %g", name, series, want)
		}
	}
	if len(got) != 8 || !math.IsNaN(got[Rewards][0]) || got[Rewards][1] != 0.3 {
		t.Errorf("got %v", got)
	}
	if _, ok := PerUser(users[:1])[Rewards]; ok {
		t.Error("rewards without any")
	}
}

func BenchmarkPaired(b *testing.B) {
	for _, n := range []int{2000, 5000, 100_000} {
		x, y := noisy(rand.New(rand.NewPCG(6, 6)), n, 0.01)
		b.Run("", func(b *testing.B) {
			for b.Loop() {
				Paired(1, x, y, 0.05)
			}
		})
	}
}

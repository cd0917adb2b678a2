package sequence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// keeping makes of a matrix what has only so many of the 23 bits behind the
// point of float32, rounded to nearest, to even between two: of 7, what tiles of
// bfloat16 read.
func keeping(bits int) func(kernel.View) kernel.View {
	drop := 23 - bits
	return func(v kernel.View) kernel.View {
		out := kernel.NewView(make([]float32, v.Rows*v.Cols), v.Cols)
		for i := range v.Rows {
			row := out.Row(i)
			for j, x := range v.Row(i) {
				b := math.Float32bits(x)
				row[j] = math.Float32frombits((b + 1<<(drop-1) - 1 + b>>drop&1) &^ (1<<drop - 1))
			}
		}
		return out
	}
}

// bfloat16 is 7 bits.
const bfloat16 = 7

// trained is a training whose large products are in float32, of operands with so many bits; 0 rounds nothing.
func trained(t testing.TB, in recipe.Input, bits int) *trainer {
	t.Helper()
	p, err := resolve(in)
	if err != nil {
		t.Fatal(err)
	}
	tr := newTrainer(in, p)
	tr.precision = kernel.Full
	if bits > 0 {
		tr.rounded = keeping(bits)
	}
	return tr
}

// The products that the layers and the softmax make in half precision are those
// that rounding their operands stands for, in every group of weights: what one
// step learns where tiles round is nearer to what it learns where the operands are
// rounded before than to what float32 learns. It is not the same, as sums in another
// order are rounded to other bfloat16 now and then, and those after them more often.
// Without tiles half is float32, bit for bit.
func TestHalfIsOfRoundedOperands(t *testing.T) {
	for _, params := range []map[string]string{{}, {ParamGated: "0"}, {ParamNegatives: "60"}, {ParamDimension: "50"}} {
		in := recipe.Input{Events: someEvents([]int{2, 120, 41, 6}, 200, false, 3), Users: 4, Items: make([]string, 200), Seed: 4,
			Params: recipe.With(params, ParamBatch, "50")}
		step := func(tr *trainer) []float32 {
			r := rand.New(rand.NewPCG(8, 9))
			for i := range tr.w {
				tr.w[i] += float32(r.NormFloat64() * 0.05)
			}
			if _, err := tr.step(t.Context(), tr.windows, 0); err != nil {
				t.Fatal(err)
			}
			return tr.g
		}
		exact, rounded := trained(t, in, 0), trained(t, in, bfloat16)
		half := trained(t, in, 0)
		half.precision = precisionFor(half.dimension)
		if half.precision != kernel.Half {
			t.Fatalf("%d dimensions are multiplied in %s precision", half.dimension, half.precision)
		}
		full, seen, got := step(exact), step(rounded), step(half)
		if kernel.Using() < kernel.AMX && !slices.Equal(got, full) {
			t.Errorf("%v: half precision is not float32 on %s", params, kernel.Using())
		}
		worst := 0.0
		for _, s := range exact.spans {
			if s.rows == 0 {
				continue
			}
			worst = max(worst, apart(s.of(got), s.of(seen))/apart(s.of(full), s.of(seen)))
			if off := apart(s.of(seen), s.of(full)); off < 2e-4 || off > 0.1 {
				t.Errorf("%v: rounding moves the gradient of %s by %.2g of its length", params, s.name, off)
			}
			if off := apart(s.of(got), s.of(seen)); kernel.Using() >= kernel.AMX && off > 0.6*apart(s.of(full), s.of(seen)) {
				t.Errorf("%v: tiles move the gradient of %s by %.2g of its length from that of rounded operands", params, s.name, off)
			}
		}
		t.Logf("%v: on %s half is at most %.2g as far from rounded operands as float32 is", params, kernel.Using(), worst)
	}
}

// apart is the length of a-b in lengths of b.
func apart(a, b []float32) float64 {
	var off, size float64
	for i, v := range b {
		off, size = off+math.Pow(float64(a[i]-v), 2), size+float64(v)*float64(v)
	}
	return math.Sqrt(off / size)
}

// Small models stay in float32, whatever the machine.
func TestSmallModelsStayExact(t *testing.T) {
	for d, want := range map[int]kernel.Precision{8: kernel.Full, 31: kernel.Full, 32: kernel.Half, 64: kernel.Half} {
		if got := precisionFor(d); got != want {
			t.Errorf("%d dimensions: %s", d, got)
		}
	}
}

// walkers are users who mostly go on from each item to one of five that follow
// it, the first of them most often, and sometimes to any other.
func walkers(users, items, length int, seed uint64) recipe.Input {
	in, r := recipe.Input{Users: users, Items: make([]string, items), Seed: seed}, rand.New(rand.NewPCG(seed, 5))
	for u := range users {
		at := r.IntN(items)
		for k := range length {
			in.Events.User, in.Events.Item, in.Events.At = append(in.Events.User, int32(u)), append(in.Events.Item, int32(at)), append(in.Events.At, int64(k))
			next := 0
			for next < 4 && r.IntN(2) == 0 {
				next++
			}
			if at = (at*7 + 31*next + 1) % items; r.IntN(5) == 0 {
				at = r.IntN(items)
			}
		}
	}
	return in
}

// gains is the mean NDCG@10 of everybody's last item, learned from all before it
// with operands of so many bits, and the loss of one more step.
func gains(t *testing.T, in recipe.Input, bits int) (ndcg, loss float64) {
	t.Helper()
	learn, test := in, []int(nil)
	learn.Events = dataset.Events{}
	in.Events.ByUser(func(_ int32, from, to int) {
		test = append(test, to-1)
		e := &learn.Events
		e.User, e.Item, e.At = append(e.User, in.Events.User[from:to-1]...), append(e.Item, in.Events.Item[from:to-1]...), append(e.At, in.Events.At[from:to-1]...)
	})
	tr := trained(t, learn, bits)
	if _, err := tr.train(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, dst := tr.scorer(), make([]float32, len(in.Items))
	for u, at := range test {
		q := model.Query{Item: model.NoItem}
		for k := range at {
			if in.Events.User[k] == int32(u) {
				q.History = append(q.History, model.Touch{Item: in.Events.Item[k], Weight: 1})
			}
		}
		if err := s.Score(t.Context(), q, dst); err != nil {
			t.Fatal(err)
		}
		right, rank := dst[in.Events.Item[at]], 1
		for _, v := range dst {
			if v > right {
				rank++
			}
		}
		if rank <= 10 {
			ndcg += 1 / math.Log2(float64(rank)+1) / float64(len(test))
		}
	}
	loss, err := tr.step(t.Context(), tr.windows, 0)
	if err != nil {
		t.Fatal(err)
	}
	return ndcg, loss
}

// Rounding to bfloat16 costs no loss, and no NDCG beyond what any other path to
// the same loss does; of the loss a single bit costs some percent, which is seen.
func TestHalfCostsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("what is rounded before is multiplied in float32, as on any other machine")
	}
	in := walkers(300, 300, 16, 1)
	in.Params = map[string]string{ParamDimension: "32", ParamBlocks: "1", ParamEpochs: "8", ParamRate: "0.005", ParamDropout: "0.1"}
	exact, lossExact := gains(t, in, 0)
	rounded, loss := gains(t, in, bfloat16)
	_, lossCoarse := gains(t, in, 1)
	t.Logf("NDCG@10 %.4f, in float32 %.4f; loss %.4f, in float32 %.4f, with one bit %.4f", rounded, exact, loss, lossExact, lossCoarse)
	switch {
	case exact < 0.4:
		t.Errorf("float32 learned no more than NDCG@10 %g", exact)
	case loss == lossExact:
		t.Error("rounding changes nothing")
	case math.Abs(loss/lossExact-1) > 1e-3:
		t.Errorf("the loss is %g, in float32 %g", loss, lossExact)
	case math.Abs(rounded/exact-1) > 0.015:
		t.Errorf("NDCG@10 is %g, in float32 %g", rounded, exact)
	case lossCoarse < 1.02*lossExact:
		t.Errorf("one bit costs nothing either: the loss is %g, in float32 %g", lossCoarse, lossExact)
	}
}

// BenchmarkHalf is BenchmarkPublished with large products in float32 and of
// operands rounded to bfloat16, the same on every machine, for ATTUNE_SEEDS seeds.
func BenchmarkHalf(b *testing.B) {
	seeds, err := strconv.ParseUint(os.Getenv("ATTUNE_SEEDS"), 10, 8)
	if err != nil {
		seeds = 1
	}
	for _, set := range sets("lastfm/seq.txt") {
		histories, items := readHistories(b, set)
		for seed := range seeds {
			for _, c := range []struct {
				name string
				bits int
			}{{"float32", 0}, {"bfloat16", bfloat16}} {
				b.Run(fmt.Sprintf("%s/seed=%d/%s", set, seed+1, c.name), func(b *testing.B) {
					for b.Loop() {
						leaveOneOut(b, set, histories, items, seed+1, func(b *testing.B, in recipe.Input) (*model.Model, model.Scorer) {
							tr := trained(b, in, c.bits)
							m, err := tr.train(b.Context())
							if err != nil {
								b.Fatal(err)
							}
							return m, tr.scorer()
						})
					}
				})
			}
		}
	}
}

package graph

import (
	"context"
	"math"
	"slices"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// judgeCases is how many users are asked for a choice, evenly from all.
	judgeCases = 2000
	// judgeAtOnce is a block of them, who are scored together.
	judgeAtOnce = 128
	// judgeWorkers bounds the memory that scoring them takes.
	judgeWorkers = 8
)

// judge measures filters without making them: every filter of one spectrum is
// its eigenvectors, weighed, and one product with the graph, shared by all.
type judge struct {
	cases    []dataset.Case
	leaveOut bool
	cut      int
	lists    func(lists [][]int32) float64 // the metric; nil for NDCG
}

func newJudge(v recipe.Validation) *judge {
	j := &judge{cases: v.Cases, leaveOut: v.LeaveOut, cut: v.Cut, lists: v.Score}
	if j.cut <= 0 {
		j.cut = 25
	}
	if n := len(j.cases); n > judgeCases && j.lists == nil { // a metric of lists wants all
		j.cases = make([]dataset.Case, judgeCases)
		for k := range j.cases {
			j.cases[k] = v.Cases[k*n/judgeCases]
		}
	}
	return j
}

// measure is the metric of each parameter set; all have the exponents that s was
// normalised with. Sets that differ only in the output exponent, and then those
// that differ only in the response, share the most work when they stand next to
// each other.
func (j *judge) measure(ctx context.Context, run recipe.Runner, s *spectrum, ps []parameters) ([]float64, error) {
	ranked := make([][][]int32, len(ps)) // by set and case
	for k := range ranked {
		ranked[k] = make([][]int32, len(j.cases))
	}
	packed := new(kernel.Packed)
	packed.PackT(kernel.NewView(s.vectors.Data, max(1, len(s.lambda))))
	err := run(ctx, recipe.Stage{Name: stageCases, Blocks: recipe.Cut(len(j.cases), judgeAtOnce), AtOnce: judgeWorkers}, func() func(recipe.Block) {
		w := newPanel(s, packed)
		return func(b recipe.Block) {
			for k, p := range ps {
				if ctx.Err() != nil {
					return
				}
				w.score(j.cases[b.From:b.To], p, k == 0)
				for c := b.From; c < b.To; c++ {
					ranked[k][c] = j.rank(w, j.cases[c], c-b.From)
				}
			}
		}
	}, nil)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(ps))
	for k, lists := range ranked {
		values[k] = j.value(lists)
	}
	return values, nil
}

func (j *judge) value(lists [][]int32) (mean float64) {
	if j.lists != nil {
		return j.lists(lists)
	}
	for c, list := range lists {
		mean += gain(list, j.cases[c].Truth, j.cut) / float64(len(lists))
	}
	return mean
}

// rank is the list for one case of a panel that is scored.
func (j *judge) rank(w *panel, c dataset.Case, row int) []int32 {
	scores := w.final
	kernel.Mul(scores, w.scores.Row(row), w.out)
	if j.leaveOut {
		for _, i := range c.Input.Item {
			scores[i] = float32(math.Inf(-1))
		}
	}
	return kernel.TopK(make([]int32, 0, j.cut), scores, j.cut, nil)
}

// gain is NDCG at cut: one true item at rank k gives 1/log₂(k+1), divided by
// what the best list gives.
func gain(ranked, truth []int32, cut int) float64 {
	var sum, ideal float64
	for k := range cut {
		discount := 1 / math.Log2(float64(k+2))
		if k < len(truth) {
			ideal += discount
		}
		if k < len(ranked) {
			if _, hit := slices.BinarySearch(truth, ranked[k]); hit {
				sum += discount
			}
		}
	}
	if ideal == 0 {
		return 0
	}
	return sum / ideal
}

// panel is the scratch of one goroutine: some askers and their scores.
type panel struct {
	*spectrum
	packed         *kernel.Packed // the transpose of the eigenvectors
	asked, middle  matrix.Dense   // items × askers, and users × askers
	smooth, scores matrix.Dense   // askers × items: what the graph says once, and what the filter says
	tastes, weighs matrix.Dense   // askers × eigenvalues
	out, final     []float32      // by item
	last           parameters     // those of the call before
	gemm           kernel.Gemm
	gatherer       scorer
	ask            ask
}

func newPanel(s *spectrum, packed *kernel.Packed) *panel {
	items, users, f := s.byUser.Cols, s.byUser.Rows, len(s.lambda)
	w := &panel{spectrum: s, packed: packed, asked: matrix.NewDense(items, judgeAtOnce), middle: matrix.NewDense(users, judgeAtOnce),
		smooth: matrix.NewDense(judgeAtOnce, items), scores: matrix.NewDense(judgeAtOnce, items), tastes: matrix.NewDense(judgeAtOnce, f),
		weighs: matrix.NewDense(judgeAtOnce, f), out: make([]float32, items), final: make([]float32, items)}
	w.gatherer = scorer{items: matrix.Dense{Rows: items}, ratio: make([]float32, items)}
	for i, d := range s.degree {
		if d > 0 {
			w.gatherer.ratio[i] = 1
		}
	}
	return w
}

// score fills scores, but for the output exponent, and out. fresh says that the
// cases are others than before.
func (w *panel) score(cases []dataset.Case, p parameters, fresh bool) {
	before := w.last
	w.last = p
	if fresh || before.input != p.input || before.recency != p.recency {
		w.listen(cases, p)
		fresh = true
	}
	if fresh || before.ideal != p.ideal || before.sharpening != p.sharpening || before.damping != p.damping || before.rank != p.rank {
		w.respond(len(cases), p)
	}
	if fresh || before.output != p.output {
		for i, d := range w.degree {
			w.out[i] = float32(power(d, p.output))
		}
	}
}

// listen lets the graph say once what the histories are near to: r·NᵀN and r·V.
func (w *panel) listen(cases []dataset.Case, p parameters) {
	clear(w.asked.Data)
	w.gatherer.p = p
	w.gatherer.p.scale = 1
	in := powers(w.degree, -p.input)
	for c := range cases {
		input := cases[c].Input
		touches := make([]model.Touch, input.Len())
		for k, i := range input.Item {
			touches[k] = model.Touch{Item: i, Weight: 1}
			if input.Weight != nil {
				touches[k].Weight = input.Weight[k]
			}
		}
		w.ask.gather(touches, &w.gatherer)
		taste := w.tastes.Row(c)
		clear(taste)
		for k, i := range w.ask.index {
			v := w.ask.weight[k] * float32(in[i])
			w.asked.Row(int(i))[c] = v
			kernel.Axpy(v, w.vectors.Row(int(i)), taste)
		}
	}
	w.byUser.MulRows(w.middle, w.asked, 0, w.byUser.Rows)
	w.byItem.MulRows(w.asked, w.middle, 0, w.byItem.Rows)
	for i := range w.asked.Rows {
		for c, v := range w.asked.Row(i)[:len(cases)] {
			w.smooth.Row(c)[i] = v
		}
	}
}

// respond is the filter: c·r·NᵀN + r·V·diag(h(λ)-c·λ)·Vᵀ.
func (w *panel) respond(cases int, p parameters) {
	known := min(w.known(), p.rank)
	tail := float32(1)
	if known > 0 {
		tail = float32(p.tail(float64(w.lambda[known-1])))
	}
	for c := range cases {
		to, from := w.weighs.Row(c), w.tastes.Row(c)
		clear(to)
		for k, lambda := range w.lambda[:known] {
			to[k] = from[k] * (float32(p.response(float64(lambda))) - tail*lambda)
		}
		row := w.scores.Row(c)
		for i, v := range w.smooth.Row(c) {
			row[i] = tail * v
		}
	}
	items, f := w.scores.Cols, w.weighs.Cols
	if f > 0 {
		w.gemm.NNPacked(kernel.NewView(w.scores.Data[:cases*items], items), kernel.NewView(w.weighs.Data[:cases*f], f), w.packed)
	}
}

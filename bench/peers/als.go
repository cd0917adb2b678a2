package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"text/tabwriter"

	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/ials"
)

//go:embed implicit.py
var implicitScript string

// The objective, in implicit's words: a pair that was seen counts so many times
// as much as one that was not, and every factor is pulled to 0 by so much.
const (
	confidence     = 30.0
	regularization = 30.0
)

// round is a line of output: one round of one side.
type round struct {
	Peer   string  `json:"peer"`
	Dim    int     `json:"factors"`
	Round  int     `json:"round"`
	CPU    float64 `json:"cpu_seconds"`
	Loss   float64 `json:"loss"`
	Kernel string  `json:"kernel"` // ours, or that of the peer's BLAS
}

// als compares alternating least squares of implicit feedback.
func als(ctx context.Context, r *run) error {
	py, err := r.environment(ctx, "implicit", "implicit", "numpy", "scipy", "threadpoolctl")
	if err != nil {
		return err
	}
	core, err := py.knowsProcessor(ctx)
	if err != nil {
		return err
	}
	size := func(n float64) int { return max(2, int(n*r.scale)) }
	p := powerLaw(size(138_000), size(20_000), size(float64(r.pairs)), 1)
	fmt.Fprintf(r.log, "%d users × %d items, %d pairs\n", p.users, p.items, len(p.item))
	if err := p.write(r.dir); err != nil {
		return err
	}
	table := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "factors\timplicit CPU s/round\tloss\tAttune CPU s/round\tloss\tratio\tratio to that loss\t\n")
	for _, d := range r.dims {
		theirs, err := r.implicit(ctx, py, p, d, core)
		if err != nil {
			return fmt.Errorf("implicit with %d factors: %w", d, err)
		}
		ours, err := r.attune(ctx, p, d)
		if err != nil {
			return fmt.Errorf("attune with %d factors: %w", d, err)
		}
		a, b := typical(theirs), typical(ours)
		fmt.Fprintf(table, "%d\t%.3f\t%.6g\t%.3f\t%.6g\t%.2f\t%s\t\n", d, a, theirs[len(theirs)-1].Loss, b, ours[len(ours)-1].Loss, a/b, sameLoss(theirs, ours, a, b))
	}
	return table.Flush()
}

// typical is the median of the rounds after the first, which also sorts the pairs.
func typical(rounds []round) float64 {
	var all []float64
	for _, r := range rounds[min(1, len(rounds)-1):] {
		all = append(all, r.CPU)
	}
	slices.Sort(all)
	return (all[len(all)/2] + all[(len(all)-1)/2]) / 2
}

// sameLoss compares the time until the peer's last loss, from typical rounds: a
// round that takes little and brings little is no good.
func sameLoss(theirs, ours []round, a, b float64) string {
	for _, r := range ours {
		if r.Loss <= theirs[len(theirs)-1].Loss {
			return fmt.Sprintf("%.2f", a*float64(len(theirs))/(b*float64(r.Round)))
		}
	}
	return "not reached"
}

// implicit trains with the peer.
func (r *run) implicit(ctx context.Context, py *python, p *pairs, d int, core string) (all []round, err error) {
	args := []string{r.dir, strconv.Itoa(d), strconv.Itoa(r.rounds), strconv.Itoa(runtime.GOMAXPROCS(0)),
		fmt.Sprint(confidence), fmt.Sprint(regularization), strconv.Itoa(p.users), strconv.Itoa(p.items)}
	err = py.script(ctx, implicitScript, args, func(line []byte) error {
		one := round{Peer: "implicit", Dim: d, Kernel: core}
		if err := json.Unmarshal(line, &one); err != nil {
			return err
		}
		users, err := readFloats(filepath.Join(r.dir, "users.f32"), p.users*d)
		if err != nil {
			return err
		}
		items, err := readFloats(filepath.Join(r.dir, "items.f32"), p.items*d)
		if err != nil {
			return err
		}
		one.Loss = p.loss(users, items, d)
		all = append(all, one)
		return r.line(one)
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("it made no round")
	}
	return all, err
}

// attune trains with ours.
func (r *run) attune(ctx context.Context, p *pairs, d int) ([]round, error) {
	w := &watcher{run: r, pairs: p, dim: d}
	err := w.train(ctx)
	return w.rounds, err
}

// watcher is a checkpoint that measures; what it does itself is outside the time
// that counts.
type watcher struct {
	run          *run
	pairs        *pairs
	dim          int
	since        float64
	rounds       []round
	users, items []float32 // after the last round, as the peer's objective wants them
}

// grow is what our factors are multiplied with. implicit's objective with
// confidence c is, but for a constant, c-1 for what was seen, with a target of
// v = c/(c-1), and 1 for all pairs, with a target of 0. Divided by v²(c-1), with
// factors divided by √v, it is ours.
var grow = float32(math.Sqrt(confidence / (confidence - 1)))

func (w *watcher) train(ctx context.Context) error {
	in := recipe.Input{Events: w.pairs.events(), Users: w.pairs.users, Items: make([]string, w.pairs.items), Seed: 1, Checkpoint: w,
		Params: map[string]string{
			ials.ParamDimension:  strconv.Itoa(w.dim),
			ials.ParamIterations: strconv.Itoa(w.run.rounds),
			ials.ParamUnobserved: recipe.FormatFloat(1 / (confidence - 1)),
			ials.ParamRegularize: recipe.FormatFloat(regularization / confidence),
			ials.ParamExponent:   "0",
		}}
	w.since = cpuSeconds()
	_, err := ials.New().Train(ctx, in)
	return err
}

// Load has nothing.
func (w *watcher) Load(context.Context) (int, map[string]model.Tensor, error) { return 0, nil, nil }

// Part is itself.
func (w *watcher) Part(string) recipe.Checkpoint { return w }

// Save measures the round that ended.
func (w *watcher) Save(_ context.Context, n int, state map[string]model.Tensor) error {
	took := cpuSeconds() - w.since
	w.users, w.items = slices.Clone(state["users"].F32), slices.Clone(state["items"].F32)
	kernel.Scale(grow, w.users)
	kernel.Scale(grow, w.items)
	one := round{Peer: "attune", Dim: w.dim, Round: n, CPU: took, Loss: w.pairs.loss(w.users, w.items, w.dim), Kernel: kernel.Using().String()}
	w.rounds = append(w.rounds, one)
	err := w.run.line(one)
	w.since = cpuSeconds()
	return err
}

// loss is implicit's objective: Σ_seen c(1 - x·y)² + Σ_unseen (x·y)² +
// regularization·(|X|² + |Y|²). The sum over all pairs is the product of the two
// Gram matrices.
func (p *pairs) loss(users, items []float32, d int) float64 {
	x, y := matrix.Dense{Rows: p.users, Cols: d, Data: users}, matrix.Dense{Rows: p.items, Cols: d, Data: items}
	each := make([]float64, p.users)
	var done sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		done.Go(func() {
			for u := w; u < p.users; u += workers {
				for _, i := range p.of(u) {
					s := float64(kernel.Dot(x.Row(u), y.Row(int(i))))
					each[u] += confidence*(1-s)*(1-s) - s*s
				}
			}
		})
	}
	done.Wait()
	sum := regularization * (kernel.Norm2(users) + kernel.Norm2(items))
	for _, v := range each {
		sum += v
	}
	g, h := squares(users, d), squares(items, d)
	for i := range g {
		sum += g[i] * h[i]
	}
	return sum
}

// squares is the Gram matrix, added up in float64 from parts.
func squares(data []float32, d int) []float64 {
	const rows = 512
	all, part := make([]float64, d*d), make([]float32, d*d)
	for at := 0; at < len(data); at += rows * d {
		clear(part)
		kernel.Gram(part, data[at:min(at+rows*d, len(data))], d)
		kernel.Mirror(part, d)
		for i, v := range part {
			all[i] += float64(v)
		}
	}
	return all
}

func readFloats(path string, n int) ([]float32, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(raw) != 4*n {
		return nil, fmt.Errorf("%s has %d bytes instead of %d", path, len(raw), 4*n)
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out, nil
}

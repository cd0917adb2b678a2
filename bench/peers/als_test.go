package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune/kernel"
)

func TestPowerLaw(t *testing.T) {
	p := powerLaw(2000, 5000, 40_000, 1)
	if n := len(p.item); n < 30_000 || n > 50_000 || int(p.start[p.users]) != n {
		t.Errorf("%d pairs, asked for 40000", n)
	}
	count := make([]int, p.items)
	for u := range p.users {
		items := p.of(u)
		if len(items) == 0 || !slices.IsSorted(items) || len(slices.Compact(slices.Clone(items))) != len(items) {
			t.Fatalf("user %d has %v", u, items)
		}
		for _, i := range items {
			count[i]++
		}
	}
	slices.Sort(count)
	if top, middle := count[p.items-1], count[p.items/2]; top < 4*middle {
		t.Errorf("the most popular item has %d users, the middle one %d: no power law", top, middle)
	}
	e := p.events()
	if e.Len() != len(p.item) || e.User[0] != 0 || e.User[e.Len()-1] != 1999 {
		t.Errorf("%d events", e.Len())
	}
}

// The loss by Gram matrices is that of the sum over all pairs.
func TestLoss(t *testing.T) {
	const d = 5
	p := powerLaw(40, 30, 200, 2)
	r := rand.New(rand.NewPCG(1, 2))
	x, y := make([]float32, 40*d), make([]float32, 30*d)
	for _, f := range [][]float32{x, y} {
		for i := range f {
			f[i] = float32(r.NormFloat64()) / 3
		}
	}
	want := 0.0
	for _, v := range slices.Concat(x, y) {
		want += regularization * float64(v) * float64(v)
	}
	for u := range 40 {
		for i := range 30 {
			s := 0.0
			for k := range d {
				s += float64(x[u*d+k]) * float64(y[i*d+k])
			}
			if slices.Contains(p.of(u), int32(i)) {
				want += confidence * (1 - s) * (1 - s)
			} else {
				want += s * s
			}
		}
	}
	if got := p.loss(x, y, d); math.Abs(got/want-1) > 1e-5 {
		t.Errorf("got %g, want %g", got, want)
	}
}

// Ours minimises the peer's objective: the loss falls, and where it ends nothing
// is gained by factors that are a little larger or smaller, as would be if the
// parameters were translated wrongly.
func TestOursMinimisesTheirs(t *testing.T) {
	var out bytes.Buffer
	p := powerLaw(120, 60, 1500, 3)
	w := &watcher{run: &run{out: &out, log: io.Discard, rounds: 30}, pairs: p, dim: 16}
	if err := w.train(t.Context()); err != nil {
		t.Fatal(err)
	}
	rounds := w.rounds
	for i, r := range rounds[1:] {
		if r.Loss > rounds[i].Loss*(1+1e-6) {
			t.Errorf("round %d: %g after %g", r.Round, r.Loss, rounds[i].Loss)
		}
	}
	for _, change := range []float32{0.98, 1.02} {
		users, items := slices.Clone(w.users), slices.Clone(w.items)
		kernel.Scale(change, users)
		kernel.Scale(change, items)
		if loss := p.loss(users, items, 16); loss < rounds[29].Loss {
			t.Errorf("factors times %g have a loss of %g, those learned %g", change, loss, rounds[29].Loss)
		}
	}
	var last round
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last != rounds[29] || len(lines) != 30 {
		t.Errorf("%d lines, the last is %q (%v)", len(lines), lines[len(lines)-1], err)
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-dims", "64,x"}, {"-dims", "0"}, {"-scale", "NaN"}, {"-rounds", "0"}, {"-nonsense"}} {
		if err := compare(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
}

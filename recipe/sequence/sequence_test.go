package sequence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// chain is users who walk through items in a fixed order, each from a place of
// their own: after item i comes item i+stride.
func chain(users, items, stride, length int) recipe.Input {
	in := recipe.Input{Users: users, Items: make([]string, items), Seed: 2}
	for u := range users {
		for k := range length {
			in.Events.User = append(in.Events.User, int32(u))
			in.Events.Item = append(in.Events.Item, int32((u*3+k*stride)%items))
			in.Events.At = append(in.Events.At, int64(k))
		}
	}
	return in
}

func best(t *testing.T, s model.Scorer, items int, history ...int32) int {
	t.Helper()
	q, dst := model.Query{Item: model.NoItem}, make([]float32, items)
	for _, i := range history {
		q.History = append(q.History, model.Touch{Item: i, Weight: 1})
	}
	if err := s.Score(t.Context(), q, dst); err != nil {
		t.Fatal(err)
	}
	return slices.Index(dst, slices.Max(dst))
}

func learned(t *testing.T, in recipe.Input) model.Scorer {
	t.Helper()
	m, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What comes next depends on the last item only, and is learned for every item,
// with all items and with a sample of them, with both kinds of layer.
func TestChainIsLearned(t *testing.T) {
	for _, params := range []map[string]string{{}, {ParamNegatives: "8"}, {ParamGated: "0"}} {
		in := chain(120, 30, 7, 12)
		in.Params = map[string]string{ParamDimension: "16", ParamBlocks: "1", ParamEpochs: "30", ParamRate: "0.01", ParamBatch: "8", ParamDropout: "0.1"}
		for k, v := range params {
			in.Params[k] = v
		}
		s := learned(t, in)
		for i := range int32(30) {
			if got := best(t, s, 30, (i+9)%30, (i+16)%30, (i+23)%30, i); got != int(i+7)%30 {
				t.Errorf("%v: after %d comes %d, not %d", params, i, got, (i+7)%30)
			}
		}
	}
}

// The same items in another order are followed by something else: a and b lead
// to c, b and a to d, and nothing but the order tells them apart.
func TestOrderMatters(t *testing.T) {
	in := recipe.Input{Users: 80, Items: make([]string, 8), Seed: 3, Params: map[string]string{ParamDimension: "16", ParamEpochs: "40", ParamRate: "0.01", ParamBatch: "8"}}
	for u := range int32(80) {
		row := []int32{0, 1, 5, 2}
		if u%2 == 1 {
			row = []int32{1, 0, 5, 3}
		}
		for k, i := range row {
			in.Events.User, in.Events.Item, in.Events.At = append(in.Events.User, u), append(in.Events.Item, i), append(in.Events.At, int64(k))
		}
	}
	s := learned(t, in)
	if a, b := best(t, s, 8, 0, 1, 5), best(t, s, 8, 1, 0, 5); a != 2 || b != 3 {
		t.Errorf("after 0 1 5 comes %d, after 1 0 5 comes %d; they should be 2 and 3", a, b)
	}
}

// A scorer reads the last token alone through the last layer, and comes to the
// bits of reading all of them.
func TestNewestIsForward(t *testing.T) {
	in := chain(20, 30, 7, 40)
	in.Params = map[string]string{ParamEpochs: "3", ParamRate: "0.01", ParamDropout: "0", ParamLength: "40"}
	s := learned(t, in).(*scorer)
	n, all := &net{layout: s.layout}, &piece{start: []int{0, 40}}
	for i := range int32(40) {
		all.item, all.token = append(all.item, i*7%30), append(all.token, 0)
	}
	all.start[1] = 33
	whole := *all
	whole.item, whole.token = all.item[:33], all.token[:33]
	n.forward(s.w, &whole, s.vector)
	r := s.readers.New().(*reader)
	var history []model.Touch
	for _, i := range whole.item {
		history = append(history, model.Touch{Item: i, Weight: 1})
	}
	if !s.read(r, history) || !slices.Equal(r.state, n.h.Row(32)) {
		t.Errorf("the newest state is\n%v, of forward\n%v", r.state, n.h.Row(32))
	}
}

// A file holds 64 tensors, and a blend those of all its members: a deep model has no more than a flat one.
func TestDepthMakesNoTensors(t *testing.T) {
	in := chain(4, 8, 3, 5)
	in.Params = map[string]string{ParamDimension: "4", ParamBlocks: "16", ParamEpochs: "1"}
	m, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Tensors) != 3 {
		t.Errorf("%d tensors", len(m.Tensors))
	}
}

// A long history is learned from in all its parts, each event once.
func TestWindows(t *testing.T) {
	e := someEvents([]int{1, 2, 8, 0, 7, 20}, 9, false, 1)
	ws := windows(e, 6)
	var seen []int
	for _, w := range ws {
		if w.len() < 1 || w.len() > 6 || e.User[w.from] != e.User[w.to] {
			t.Errorf("window %v", w)
		}
		for k := w.from; k < w.to; k++ {
			seen = append(seen, k)
		}
	}
	slices.Sort(seen)
	if len(seen) != 1+7+6+19 || len(slices.Compact(seen)) != 33 {
		t.Errorf("%d tokens in %v", len(seen), ws)
	}
	n := 0
	for _, part := range shards(slices.Concat(ws, ws, ws, ws, ws, ws, ws, ws, ws, ws, ws, ws, ws, ws, ws, ws)) {
		n += len(part)
	}
	if n != 16*len(ws) {
		t.Errorf("%d windows in the shards of %d", n, 16*len(ws))
	}
}

// Items nobody had are ranked by what the catalogue says of them.
func TestFeaturesStandForNewItems(t *testing.T) {
	in, r := chain(60, 30, 2, 8), rand.New(rand.NewPCG(1, 2))
	for k, u := range in.Events.User {
		in.Events.Item[k] = int32(2*r.IntN(15)) + u%2 // odd and even items never meet
	}
	in.Items = append(in.Items, "new even", "new odd", "new unknown")
	in.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{{Name: "KIND", Categorical: true, Text: make([]string, 33)}}}
	for i := range 32 {
		in.ItemAttributes.Columns[0].Text[i] = fmt.Sprintf("all|kind %d", i%2)
	}
	in.Params = map[string]string{ParamDimension: "16", ParamEpochs: "20", ParamRate: "0.01", ParamBatch: "8"}
	s := learned(t, in)
	for i := range int32(10) {
		dst, history := make([]float32, 33), []model.Touch{{Item: i, Weight: 1}, {Item: i + 2, Weight: 1}}
		if err := s.Score(t.Context(), model.Query{History: history, Item: model.NoItem}, dst); err != nil {
			t.Fatal(err)
		}
		if like, other := dst[30+i%2], dst[31-i%2]; like <= other {
			t.Errorf("after item %d a new one of its kind scores %g, of the other %g", i, like, other)
		}
		if dst[32] != slices.Min(dst) {
			t.Errorf("an item of which nothing is known scores %g", dst[32])
		}
	}
}

// Every processor count makes the same bits where a step has many shards.
func TestShardsDoNotDependOnProcessors(t *testing.T) {
	in := chain(200, 50, 7, 15)
	in.Params = map[string]string{ParamDimension: "8", ParamBlocks: "1", ParamEpochs: "1", ParamBatch: "200"}
	if n := len(shards(windows(in.Events, 20))); n != maxShards {
		t.Fatalf("%d shards", n)
	}
	var want string
	for _, procs := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(procs)
		m, err := New().Train(t.Context(), in)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		got, err := model.Digest(m)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("with %d processors the model is another", procs)
		}
	}
}

// Gradients of scores that are far apart are 0 or normal numbers: arithmetic on
// denormals is many times slower.
func TestNoDenormals(t *testing.T) {
	row := make([]float32, 300)
	for i := range row {
		row[i] = -float32(i)
	}
	softmaxLoss(row, 7, 1e-3)
	for i, v := range row {
		if v != 0 && math.Abs(float64(v)) < 0x1p-126 {
			t.Errorf("element %d is %g", i, v)
		}
	}
}

func TestDropoutKeepsTheMean(t *testing.T) {
	const n = 1_000_003
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	for _, p := range []float64{0, 0.1, 0.5, 0.9} {
		y := make([]float32, n)
		newDropout(p).apply(y, x, 5)
		var sum, gone float64
		for _, v := range y {
			sum += float64(v)
			if v == 0 {
				gone++
			}
		}
		if math.Abs(sum/n-1) > 0.01 || math.Abs(gone/n-p) > 0.005 {
			t.Errorf("dropout of %g: mean %g, %g are gone", p, sum/n, gone/n)
		}
	}
}

// A rate that is far too high is refused with what to do, or it survives; a
// model never has numbers that are none.
func TestDivergenceIsSaid(t *testing.T) {
	in := chain(60, 30, 7, 12)
	in.Params = map[string]string{ParamRate: "1", ParamEpochs: "20", ParamBatch: "4", ParamDecay: "10", ParamDimension: "8"}
	m, err := New().Train(t.Context(), in)
	if err != nil {
		if attune.KindOf(err) != attune.Invalid {
			t.Error(err)
		}
		return
	}
	for name, tensor := range m.Tensors {
		for _, v := range tensor.F32 {
			if v != v || math.IsInf(float64(v), 0) {
				t.Fatalf("%s has %g", name, v)
			}
		}
	}
}

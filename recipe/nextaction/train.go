package nextaction

import (
	"context"
	"math"
	"math/bits"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// maxOffers bounds what is learned from, the newest: some hundred MiB of
	// features, and more than the weights can still profit from.
	maxOffers = 1_000_000
	// newtonSteps bounds the descent; it mostly ends after six to eight.
	newtonSteps = 15
	// gradientTolerance is how small the gradient must become, relative to that
	// at the start, for the descent to end.
	gradientTolerance = 1e-4
	// innerSteps and innerTolerance bound the conjugate gradients of one Newton
	// step: far from the minimum an exact step is of no use.
	innerSteps     = 25
	innerTolerance = 0.1
	// halvings bounds the search along a step.
	halvings = 20
	// rowsPerLook is how many offers lie between two looks at the context.
	rowsPerLook = 1 << 16
)

// task is the offers as a sparse matrix of features, one row per offer.
type task struct {
	start   []int // of each row in column and value, and the end
	column  []uint32
	value   []float32
	sign    []float64 // +1 taken, -1 not
	size    int       // number of weights, a power of two
	columns []userColumn
	actions [][]feature // of each action alone
}

// newTask computes the features of every offer as they were when it began, and
// chooses the number of bits when s does not say.
func newTask(in recipe.Input, s *settings, offers []recipe.Offer) *task {
	t := &task{columns: userColumns(in.UserAttributes), actions: make([][]feature, len(in.Items))}
	for row, id := range in.Items {
		t.actions[row] = actionFeatures(id, int32(row), in.ItemAttributes)
	}
	users := t.userFeatures(in, offers)
	if s.bits == 0 {
		s.bits = enoughBits(t.actions, users)
	}
	t.size = 1 << max(minBits, s.bits)
	outcomes := recipe.OutcomesOf(in.Events.Types)
	h := histories{events: in.Events, outcomes: outcomes, of: map[int32]*cursor{}}
	t.start = append(t.start, 0)
	for _, o := range offers {
		x := h.before(o.User, o.At).features(o.Action, o.At)
		t.add(t.actions[o.Action], users[o.User], actionHash(in.Items[o.Action]), x)
		sign := -1.0
		if o.Taken {
			sign = 1
		}
		t.sign = append(t.sign, sign)
	}
	return t
}

// userFeatures are those of the users that offers are about.
func (t *task) userFeatures(in recipe.Input, offers []recipe.Offer) map[int32][]feature {
	users := map[int32][]feature{}
	for _, o := range offers {
		if _, done := users[o.User]; done {
			continue
		}
		var list []feature
		for i := range t.columns {
			if c, ok := in.UserAttributes.Column(t.columns[i].name); ok {
				list = t.columns[i].features(list, c.Value(o.User))
			}
		}
		users[o.User] = list
	}
	return users
}

// enoughBits gives the features room: four weights for each that there may be,
// so that few share one.
func enoughBits(actions [][]feature, users map[int32][]feature) int {
	distinct, own := map[uint64]bool{}, map[uint64]bool{}
	for _, list := range users {
		for _, f := range list {
			distinct[f.hash] = true
		}
	}
	for _, list := range actions {
		for _, f := range list {
			own[f.hash] = true
		}
	}
	most := len(own) + numHistory + len(distinct) + len(actions)*(len(distinct)+numHistory-general)
	return min(maxBits, max(minBits, bits.Len(uint(4*most))))
}

// add appends the row of one offer.
func (t *task) add(action, user []feature, id uint64, history [numHistory]float32) {
	for _, f := range action {
		t.put(f.hash, f.value)
	}
	for _, f := range user {
		t.put(f.hash, f.value)
		t.put(pair(id, f.hash), f.value)
	}
	for i, x := range history {
		if x == 0 {
			continue
		}
		t.put(historyHash[i], x)
		if i >= general {
			t.put(pair(id, historyHash[i]), x)
		}
	}
	t.start = append(t.start, len(t.column))
}

func (t *task) put(hash uint64, x float32) {
	t.column = append(t.column, uint32(hash&uint64(t.size-1)))
	t.value = append(t.value, signed(hash, x))
}

// signed gives features that share a weight different signs half of the time,
// so that what they do to each other is nothing on average.
func signed(hash uint64, x float32) float32 {
	if hash>>63 == 1 {
		return -x
	}
	return x
}

// histories walks through users' events as offers come in the order of time.
type histories struct {
	events   dataset.Events
	outcomes []schema.ActionOutcome
	of       map[int32]*cursor
}

type cursor struct {
	past
	events dataset.Events
	next   int
}

// before is what a user did before a moment, which must not fall from call to call.
func (h *histories) before(user int32, at int64) *past {
	c := h.of[user]
	if c == nil {
		c = &cursor{past: past{with: map[int32]met{}}, events: h.events.Of(user)}
		h.of[user] = c
	}
	for ; c.next < c.events.Len() && c.events.At[c.next] < at; c.next++ {
		if t, ok := recipe.ActionTouch(c.events.Item[c.next], h.outcomes[c.events.Type[c.next]], c.events.At[c.next]); ok {
			c.add(t)
		}
	}
	return &c.past
}

// minimise is Newton's method on the regularised log-loss, from zero.
func (t *task) minimise(ctx context.Context, lambda float64, report func(done, total int)) ([]float64, error) {
	w, g, step, trial := make([]float64, t.size), make([]float64, t.size), make([]float64, t.size), make([]float64, t.size)
	curve := make([]float64, len(t.sign))
	loss, err := t.loss(ctx, w, lambda, g, curve)
	if err != nil {
		return nil, err
	}
	enough := gradientTolerance * norm(g)
	for n := range newtonSteps {
		report(n, newtonSteps)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !(norm(g) > enough) {
			break
		}
		if err := t.direction(ctx, g, curve, lambda, step); err != nil {
			return nil, err
		}
		slope, size := dot(g, step), 1.0
		for range halvings { // Armijo
			for i := range trial {
				trial[i] = w[i] + size*step[i]
			}
			next, err := t.loss(ctx, trial, lambda, nil, nil)
			if err != nil {
				return nil, err
			}
			if next <= loss+1e-4*size*slope {
				break
			}
			size /= 2
		}
		w, trial = trial, w
		if loss, err = t.loss(ctx, w, lambda, g, curve); err != nil {
			return nil, err
		}
	}
	report(newtonSteps, newtonSteps)
	return w, ctx.Err()
}

// loss is Σ log(1+exp(-y·z)) + λ/2·|w|². With g it also gives the gradient, and
// σ(z)·(1-σ(z)) of each row, of which the second derivative is made.
func (t *task) loss(ctx context.Context, w []float64, lambda float64, g, curve []float64) (float64, error) {
	sum := lambda / 2 * dot(w, w)
	for i := range g {
		g[i] = lambda * w[i]
	}
	for row, y := range t.sign {
		if row%rowsPerLook == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		z := t.times(row, w)
		sum += logistic(-y * z)
		if g != nil {
			p := recipe.Sigmoid(z)
			curve[row] = p * (1 - p)
			t.spread(row, p-(y+1)/2, g)
		}
	}
	return sum, nil
}

// logistic is log(1+exp(x)) without overflow.
func logistic(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(math.Exp(-x))
	}
	return math.Log1p(math.Exp(x))
}

// direction solves H·step = -g by conjugate gradients.
func (t *task) direction(ctx context.Context, g, curve []float64, lambda float64, step []float64) error {
	clear(step)
	r, p, q := make([]float64, t.size), make([]float64, t.size), make([]float64, t.size)
	for i := range r {
		r[i] = -g[i]
	}
	copy(p, r)
	rr := dot(r, r)
	small := rr * innerTolerance * innerTolerance
	for range innerSteps {
		if !(rr > small) {
			break
		}
		if err := t.curved(ctx, p, curve, lambda, q); err != nil {
			return err
		}
		pq := dot(p, q)
		if !(pq > 0) {
			break
		}
		alpha := rr / pq
		for i := range step {
			step[i] += alpha * p[i]
			r[i] -= alpha * q[i]
		}
		next := dot(r, r)
		for i := range p {
			p[i] = r[i] + next/rr*p[i]
		}
		rr = next
	}
	return nil
}

// curved writes the second derivative times v into dst.
func (t *task) curved(ctx context.Context, v, curve []float64, lambda float64, dst []float64) error {
	for i := range dst {
		dst[i] = lambda * v[i]
	}
	for row := range t.sign {
		if row%rowsPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		t.spread(row, curve[row]*t.times(row, v), dst)
	}
	return nil
}

func (t *task) times(row int, w []float64) float64 {
	var z float64
	for k := t.start[row]; k < t.start[row+1]; k++ {
		z += w[t.column[k]] * float64(t.value[k])
	}
	return z
}

// spread adds x times the row to dst.
func (t *task) spread(row int, x float64, dst []float64) {
	for k := t.start[row]; k < t.start[row+1]; k++ {
		dst[t.column[k]] += x * float64(t.value[k])
	}
}

func dot(a, b []float64) (sum float64) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

func norm(a []float64) float64 { return math.Sqrt(dot(a, a)) }

// Evidence that an action needs before its propensity is told, as the service
// publishes it.
const (
	enoughTaken = 50 // events Taken
	enoughLeft  = 50 // events Viewed or Not Taken
	recent      = 6 * 7 * 24 * time.Hour
)

// scored says of each action whether its propensity is told: 1 or 0. What
// counts are events up to six weeks older than the newest of all.
func scored(e dataset.Events, actions int) []int32 {
	taken, left, out := make([]int, actions), make([]int, actions), make([]int32, actions)
	outcomes := recipe.OutcomesOf(e.Types)
	var newest int64 = math.MinInt64
	for i := range e.Len() {
		if outcomes[e.Type[i]] != schema.NoOutcome {
			newest = max(newest, e.At[i])
		}
	}
	for i, row := range e.Item {
		switch outcome := outcomes[e.Type[i]]; {
		case outcome == schema.NoOutcome || e.At[i] < newest-recent.Milliseconds():
		case outcome == schema.Taken:
			taken[row]++
		default:
			left[row]++
		}
	}
	for row := range out {
		if taken[row] >= enoughTaken && left[row] >= enoughLeft {
			out[row] = 1
		}
	}
	return out
}

// model writes down what was learned.
func (t *task) model(in recipe.Input, s settings, w []float64) *model.Model {
	n := len(in.Items)
	weight, base := make([]float32, t.size), make([]float32, n)
	for i, x := range w {
		weight[i] = float32(x)
	}
	for row, list := range t.actions {
		for _, f := range list {
			base[row] += weight[f.hash&uint64(t.size-1)] * signed(f.hash, f.value)
		}
	}
	s.bits = bits.Len(uint(t.size)) - 1
	mean, scale := make([]float32, len(t.columns)), make([]float32, len(t.columns))
	for i, c := range t.columns {
		mean[i], scale[i] = c.mean, c.scale
	}
	m := &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: s.resolved(in, t.columns), Seed: in.Seed, Scores: model.ScoresPropensity,
			Users: in.Users, Items: n, Interactions: int64(in.Events.Len())},
		Items: in.Items,
		Tensors: map[string]model.Tensor{
			tensorWeight: {Shape: []int{t.size}, F32: weight},
			tensorBase:   {Shape: []int{n}, F32: base},
			tensorScored: {Shape: []int{n}, I32: scored(in.Events, n)},
		},
	}
	if len(t.columns) > 0 {
		m.Tensors[tensorMean] = model.Tensor{Shape: []int{len(mean)}, F32: mean}
		m.Tensors[tensorScale] = model.Tensor{Shape: []int{len(scale)}, F32: scale}
	}
	return m
}

package recipe_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/ials"
)

// upTo is a world's snapshot as it was before minute n of everybody's events.
func upTo(w *datasettest.World, n int) *dataset.Snapshot {
	s := *w.Snapshot
	s.Events = s.Events.Before(slices.Min(s.Events.At) + int64(n)*60_000)
	return &s
}

// live is a model that is in service.
func live(m *model.Model) recipe.Live {
	return recipe.Live{Version: "live", Manifest: m.Manifest, Open: func(context.Context) (*model.Model, model.Scorer, error) {
		s, err := recipe.Decode(ials.New(), m)
		return m, s, err
	}}
}

// TestLive: a model as good as the new one is no different, and one that learned
// from noise is worse, on what neither had seen.
func TestLive(t *testing.T) {
	w := datasettest.Blocks(200, 60, 3, 0.1, 1)
	old := spec(w)
	old.Snapshot = upTo(w, 10) // of twelve events; the last two are held out
	good := fit(t, old)
	noise := *old.Snapshot
	noise.Events.Item = slices.Clone(noise.Events.Item)
	r := rand.New(rand.NewPCG(1, 1))
	r.Shuffle(len(noise.Events.Item), func(i, j int) {
		noise.Events.Item[i], noise.Events.Item[j] = noise.Events.Item[j], noise.Events.Item[i]
	})
	old.Snapshot = &noise
	bad := fit(t, old)

	s := spec(w)
	alone := fit(t, s)
	s.Live = []recipe.Live{live(good), live(bad)}
	m := fit(t, s)
	if len(m.Manifest.Against) != 2 || len(m.Measured.Against) != 2 {
		t.Fatalf("against %+v", m.Manifest.Against)
	}
	of := func(i int) model.Compared { return m.Manifest.Against[i].Metrics[evaluate.NDCG25] }
	if a := m.Manifest.Against[0]; a.Version != "live" || a.Users != 200 || a.Words != "" || len(a.Metrics) != 7 {
		t.Errorf("against %+v", a)
	}
	if c := of(0); c.P < 0.01 || c.Live < 0.2 || math.Abs(c.New-c.Live-c.Difference.Mean) > 1e-9 {
		t.Errorf("beside one as good: %+v", c)
	}
	if c := of(1); c.P > 0.001 || c.Difference.Low <= 0 || c.New != of(0).New {
		t.Errorf("beside one that learned from noise: %+v", c)
	}
	if m.Manifest.Digest != alone.Manifest.Digest {
		t.Error("what is live changes what is learned")
	}
	own := m.Measured.Own[evaluate.NDCG25]
	if len(own) != 200 || len(m.Measured.Own) != 7 {
		t.Fatalf("%d series, %d users", len(m.Measured.Own), len(own))
	}
	sum := 0.0
	for _, v := range own {
		sum += float64(v)
	}
	if math.Abs(sum/200-m.Manifest.Evaluation.NDCG25.Mean) > 1e-6 {
		t.Errorf("the users' mean is %g, the metric %g", sum/200, m.Manifest.Evaluation.NDCG25.Mean)
	}
}

// byHand scores items by their places in a fixed order, in rows of its own.
type byHand struct{ order []string }

// Score gives the first item of the order the highest score.
func (b byHand) Score(_ context.Context, _ model.Query, dst []float32) error {
	for i := range dst {
		dst[i] = float32(-i)
	}
	return nil
}

// asked remembers whom a live model was asked about.
type asked struct {
	byHand
	name []atomic.Int32 // by user
}

func (a asked) Score(ctx context.Context, q model.Query, dst []float32) error {
	if n, ok := q.User["NAME"].(float64); ok {
		a.name[int(n)].Add(1)
	}
	return a.byHand.Score(ctx, q, dst)
}

// A live model is told who asks, as in serving, also where it knows nothing of their history.
func TestLiveAsksWhoTheUserIs(t *testing.T) {
	w := datasettest.Blocks(120, 60, 3, 0, 4)
	snap := *w.Snapshot
	name := dataset.Column{Name: "NAME"}
	for u := range 120 {
		name.Number = append(name.Number, float64(u))
	}
	snap.UserAttributes = &dataset.Attributes{Columns: []dataset.Column{name}}
	since := slices.Max(upTo(w, 11).Events.At)
	for what, items := range map[string][]string{"items of old": snap.Items.IDs(), "other items": {"gone-1", "gone-2"}} {
		a := asked{byHand{items}, make([]atomic.Int32, 120)}
		s := spec(w)
		s.Snapshot, s.Baselines = &snap, nil
		s.Live = []recipe.Live{{Version: "v", Manifest: model.Manifest{Newest: since}, Open: func(context.Context) (*model.Model, model.Scorer, error) {
			return &model.Model{Manifest: model.Manifest{Seen: model.SeenKept}, Items: items}, a, nil
		}}}
		fit(t, s)
		for u := range a.name {
			if n := a.name[u].Load(); n != 1 {
				t.Fatalf("%s: a live model is told %d times who user %d is", what, n, u)
			}
		}
	}
}

// TestLiveByHand counts again what a live model did, which has items that the
// data does not have, lacks some that it has, and has them in another order.
func TestLiveByHand(t *testing.T) {
	w := datasettest.Blocks(120, 60, 3, 0, 4)
	order := []string{"gone-1"}
	for i := 59; i >= 5; i-- {
		order = append(order, datasettest.ItemID(i))
	}
	order = append(order[:3:3], append([]string{"gone-2"}, order[3:]...)...)
	newest := upTo(w, 11).Events
	since := slices.Max(newest.At)
	for _, seen := range []string{model.SeenLeftOut, model.SeenKept} {
		s := spec(w)
		s.Live = []recipe.Live{{Version: "v", Manifest: model.Manifest{Newest: since}, Open: func(context.Context) (*model.Model, model.Scorer, error) {
			return &model.Model{Manifest: model.Manifest{Seen: seen}, Items: order}, byHand{order}, nil
		}}}
		m := fit(t, s)
		got := m.Measured.Against[0].Live[evaluate.NDCG25]
		if len(got) != 120 {
			t.Fatalf("%d users", len(got))
		}
		for u := range got {
			e := w.Snapshot.Events.Of(int32(u))
			n := e.Len() - (e.Len()+9)/10
			var list, truth []int32
			for _, id := range order {
				row, ok := w.Snapshot.Items.Row(id)
				if !ok {
					row = -1
				}
				if ok && seen == model.SeenLeftOut && slices.Contains(e.Item[:n], row) {
					continue
				}
				list = append(list, row)
			}
			for i := n; i < e.Len(); i++ {
				if e.At[i] > since {
					truth = append(truth, e.Item[i])
				}
			}
			slices.Sort(truth)
			if want := float32(evaluate.Measure(list, slices.Compact(truth)).NDCG25); got[u] != want {
				t.Fatalf("%s: user %d has %g, counted %g", seen, u, got[u], want)
			}
		}
	}
}

// TestLiveSaysWhyNot: what cannot be compared is said, and no training fails for it.
func TestLiveSaysWhyNot(t *testing.T) {
	w := datasettest.Blocks(120, 60, 3, 0, 5)
	s := spec(w)
	first := fit(t, s)
	broken := func(context.Context) (*model.Model, model.Scorer, error) { return nil, nil, errors.New("it is gone") }
	s.Live = []recipe.Live{
		{Version: "same", Manifest: first.Manifest, Open: broken}, // was asked the same: passed over
		{Version: "old", Open: broken},
		{Version: "current", Manifest: model.Manifest{Newest: slices.Max(w.Snapshot.Events.At)}, Open: broken},
		{Version: "broken", Manifest: model.Manifest{Newest: 1}, Open: broken},
		{Version: "one too many", Open: broken},
	}
	m := fit(t, s)
	var versions []string
	for i, a := range m.Manifest.Against {
		versions = append(versions, a.Version)
		want := []string{"older build", "too few users with later interactions", "it is gone"}[i]
		if !strings.HasPrefix(a.Words, "not comparable: ") || !strings.Contains(a.Words, want) || a.Metrics != nil {
			t.Errorf("%+v does not say %q", a, want)
		}
	}
	if strings.Join(versions, " ") != "old current broken" {
		t.Errorf("against %v", versions)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	s.Live = []recipe.Live{{Version: "late", Manifest: model.Manifest{Newest: 1}, Open: func(context.Context) (*model.Model, model.Scorer, error) {
		cancel(errors.New("enough"))
		return nil, nil, ctx.Err()
	}}}
	if _, err := recipe.Fit(ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("a training that was cancelled: %v", err)
	}
}

// mute cannot be asked.
type mute struct{}

func (mute) Score(context.Context, model.Query, []float32) error {
	return errors.New("it says nothing")
}

// TestLiveCannotBeAsked: a live model that fails does not fail the training.
func TestLiveCannotBeAsked(t *testing.T) {
	s := spec(datasettest.Blocks(120, 60, 3, 0, 7))
	s.Live = []recipe.Live{{Version: "v", Manifest: model.Manifest{Newest: 1}, Open: func(context.Context) (*model.Model, model.Scorer, error) {
		return &model.Model{Items: []string{datasettest.ItemID(1)}}, mute{}, nil
	}}}
	m := fit(t, s)
	if a := m.Manifest.Against; len(a) != 1 || !strings.Contains(a[0].Words, "could not be asked: it says nothing") || a[0].Metrics != nil {
		t.Errorf("against %+v", a)
	}
}

// TestHoldout: the same data cut the same way is the same holdout, whatever was
// learned; anything else is another.
func TestHoldout(t *testing.T) {
	w := datasettest.Blocks(120, 60, 3, 0, 6)
	s := spec(w)
	want := fit(t, s).Manifest.Evaluation.Holdout
	s.Params, s.Recipe, s.Baselines = map[string]string{"hidden_dimension": "8"}, ials.New(), nil
	if got := fit(t, s).Manifest.Evaluation.Holdout; got != want || len(got) != 64 {
		t.Errorf("other parameters: holdout %s, want %s", got, want)
	}
	for name, change := range map[string]func(*recipe.FitSpec){
		"protocol": func(s *recipe.FitSpec) { s.Protocol = dataset.LeaveOneOut },
		"rules":    func(s *recipe.FitSpec) { s.Rules = model.EventRules{{Type: datasettest.View}} },
		"data":     func(s *recipe.FitSpec) { s.Snapshot = upTo(w, 11) },
		"ids": func(s *recipe.FitSpec) {
			copied := *w.Snapshot
			ids := slices.Clone(copied.Users.IDs())
			ids[0] = "somebody"
			slices.Sort(ids[1:])
			copied.Users = dataset.NewVocabulary(ids)
			s.Snapshot = &copied
		},
	} {
		other := s
		change(&other)
		if fit(t, other).Manifest.Evaluation.Holdout == want {
			t.Errorf("another %s, the same holdout", name)
		}
	}
}

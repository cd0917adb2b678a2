package nextaction_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/nextaction"
)

func fit(t *testing.T, s *dataset.Snapshot, params map[string]string) *model.Model {
	t.Helper()
	m, err := recipe.Fit(t.Context(), recipe.FitSpec{Snapshot: s, Recipe: nextaction.New(), Name: "aws-next-best-action", Params: params, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func decode(t *testing.T, m *model.Model) model.Scorer {
	t.Helper()
	s, err := nextaction.New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// propensities are those that every user would get at the end of the world.
func propensities(t *testing.T, w *datasettest.ActionWorld, m *model.Model) [][]float32 {
	t.Helper()
	s, e := decode(t, m), w.Snapshot.ActionEvents
	outcomes := recipe.OutcomesOf(e.Types)
	now := w.Snapshot.AsOf.UnixMilli()
	out := make([][]float32, len(w.P))
	for u := range out {
		out[u] = make([]float32, len(m.Items))
		q := model.Query{Item: model.NoItem, Now: now, User: w.Snapshot.UserAttributes.Row(int32(u)),
			History: recipe.ActionTouches(nil, e.Of(int32(u)), outcomes, now)}
		if err := s.Score(t.Context(), q, out[u]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestKnownPropensities: in worlds whose true propensities are known, those
// that are told come near them, also where they are split by what they are,
// and the manifest's honest measurement says as much.
func TestKnownPropensities(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := datasettest.Offered(1500, 12, 12, seed)
			m := fit(t, w.Snapshot, nil)
			var off, mean, truth float64
			bins, binTruth := [5]float64{}, [5]float64{}
			n, told := [5]float64{}, 0.0
			for u, row := range propensities(t, w, m) {
				for a, p := range row {
					if p < 0 {
						continue // too little evidence: see TestEvidence
					}
					told++
					off += math.Abs(float64(p) - w.P[u][a])
					mean, truth = mean+float64(p), truth+w.P[u][a]
					b := min(4, int(p*5))
					bins[b], binTruth[b], n[b] = bins[b]+float64(p), binTruth[b]+w.P[u][a], n[b]+1
				}
			}
			if told < float64(len(w.P)*len(m.Items))/2 {
				t.Fatalf("only %g propensities are told", told)
			}
			if off/told > 0.06 || math.Abs(mean-truth)/told > 0.02 {
				t.Errorf("propensities are off by %.3f on average, their mean by %.3f", off/told, (mean-truth)/told)
			}
			for b := range bins {
				if n[b] > 100 && math.Abs(bins[b]-binTruth[b])/n[b] > 0.06 {
					t.Errorf("from %.1f to %.1f: %.3f on average, the truth is %.3f (%g propensities)", float64(b)/5, float64(b+1)/5, bins[b]/n[b], binTruth[b]/n[b], n[b])
				}
			}
			e := m.Manifest.Evaluation
			rates := e.Baselines[0].Metrics
			t.Logf("off %.4f; %v; rates %v", off/told, e.Metrics, rates)
			if e.Protocol != recipe.OffersByTime || e.Metrics[evaluate.CalibrationError] > 0.05 || e.Metrics[evaluate.LogLoss] > rates[evaluate.LogLoss]-0.01 ||
				e.Metrics[evaluate.AUC] < rates[evaluate.AUC]+0.03 || !(e.Baselines[0].Difference.Mean > 0) {
				t.Errorf("measured %+v", e)
			}
		})
	}
}

// TestHistoryCounts: an action that is hardly ever taken twice is told so to
// those who took it, though nothing else sets them apart.
func TestHistoryCounts(t *testing.T) {
	var sets dataset.RowSets
	sets.Actions = []dataset.Row{{Item: "once"}, {Item: "often"}}
	for u := range 400 {
		took := false
		for k := range 8 {
			item := []string{"once", "often"}[k%2]
			at := int64(k*20*24*3600+u) * 1000
			typ := "Not Taken"
			if item == "often" && (u+k/2)%2 == 0 || item == "once" && !took && (u+k)%4 < 2 {
				typ = "Taken"
				took = took || item == "once"
			}
			sets.ActionInteractions = append(sets.ActionInteractions, dataset.Row{User: fmt.Sprint("u", u), Item: item, Type: typ, At: at, Value: math.NaN()})
		}
	}
	s, err := sets.Snapshot(attune.WallClock())
	if err != nil {
		t.Fatal(err)
	}
	m, err := nextaction.New().Train(t.Context(), recipe.Input{Events: s.ActionEvents, Users: s.Users.Len(), Items: s.Actions.IDs(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	now := int64(200 * 24 * 3600 * 1000)
	ask := func(weights ...float32) float64 {
		q := model.Query{Item: model.NoItem, Now: now}
		for _, w := range weights {
			q.History = append(q.History, model.Touch{Item: 0, Weight: w, At: now - 20*24*3600*1000})
		}
		dst := make([]float32, 2)
		if err := decode(t, m).Score(t.Context(), q, dst); err != nil {
			t.Fatal(err)
		}
		p := float64(dst[0])
		return p - math.Floor(p) // of actions without enough evidence it is one less
	}
	if after, before := ask(1), ask(0); after > 0.15 || before < 0.3 {
		t.Errorf("propensity of taking it again %.3f, of taking it after a no %.3f", after, before)
	}
}

// TestEvidence: an action's propensity is told from 50 Taken and 50 others on,
// within six weeks of the newest event of all.
func TestEvidence(t *testing.T) {
	const day = 24 * 3600 * 1000
	events := func(rows *[]dataset.Row, action, typ string, n int, at int64) {
		for i := range n {
			*rows = append(*rows, dataset.Row{User: fmt.Sprint("u", i), Item: action, Type: typ, At: at + int64(i)*1000, Value: math.NaN()})
		}
	}
	var sets dataset.RowSets
	h := &sets.ActionInteractions
	events(h, "both", "TAKEN", 50, 43*day)
	events(h, "both", "not_taken", 25, 43*day+1)
	events(h, "both", "Viewed", 25, 44*day)
	events(h, "few taken", "Taken", 49, 43*day)
	events(h, "few taken", "Viewed", 90, 43*day+1)
	events(h, "few others", "Taken", 90, 43*day)
	events(h, "few others", "Viewed", 49, 43*day+1)
	events(h, "long ago", "Taken", 90, 1*day)
	events(h, "long ago", "Viewed", 90, 43*day)
	events(h, "other types", "Taken", 90, 43*day)
	events(h, "other types", "Clicked", 90, 43*day+1)
	events(h, "other types", "Clicked", 1, 900*day) // which is no news of actions
	sets.Actions = []dataset.Row{{Item: "new"}}
	s, err := sets.Snapshot(attune.WallClock())
	if err != nil {
		t.Fatal(err)
	}
	m, err := nextaction.New().Train(t.Context(), recipe.Input{Events: s.ActionEvents, Users: s.Users.Len(), Items: s.Actions.IDs()})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, len(m.Items))
	if err := decode(t, m).Score(t.Context(), model.Query{Item: model.NoItem}, got); err != nil {
		t.Fatal(err)
	}
	for row, id := range m.Items {
		if (got[row] >= 0) != (id == "both") || got[row] < -1 || got[row] > 1 {
			t.Errorf("%s scores %g", id, got[row])
		}
	}
}

// TestSameModel: the same bits on any number of processors, also in all that Fit chooses.
func TestSameModel(t *testing.T) {
	w := datasettest.Offered(300, 6, 6, 9)
	want := fit(t, w.Snapshot, nil).Manifest.Digest
	for _, procs := range []int{1, 3} {
		before := runtime.GOMAXPROCS(procs)
		got := fit(t, datasettest.Offered(300, 6, 6, 9).Snapshot, nil).Manifest.Digest
		runtime.GOMAXPROCS(before)
		if got != want {
			t.Errorf("with %d processors the model is another", procs)
		}
	}
}

func TestFitEdges(t *testing.T) {
	empty, err := dataset.RowSets{}.Snapshot(attune.WallClock())
	if err != nil {
		t.Fatal(err)
	}
	spec := recipe.FitSpec{Snapshot: empty, Recipe: nextaction.New(), Name: "aws-next-best-action"}
	if _, err := recipe.Fit(t.Context(), spec); attune.KindOf(err) != attune.Invalid {
		t.Errorf("no actions: %v", err)
	}
	quiet, err := dataset.RowSets{Actions: []dataset.Row{{Item: "a"}, {Item: "b"}}}.Snapshot(attune.WallClock())
	if err != nil {
		t.Fatal(err)
	}
	if m := fit(t, quiet, nil); m.Manifest.Evaluation != nil || m.Manifest.Items != 2 {
		t.Errorf("actions that nobody met: %+v", m.Manifest)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	spec.Snapshot = datasettest.Offered(300, 6, 6, 9).Snapshot
	if _, err := recipe.Fit(ctx, spec); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	spec.Memory = 1
	if _, err := recipe.Fit(t.Context(), spec); attune.KindOf(err) != attune.Invalid {
		t.Errorf("no memory: %v", err)
	}
}

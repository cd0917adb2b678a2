package recipe_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/itemknn"
	"github.com/attune-io/attune/recipe/popularity"
)

func spec(w *datasettest.World) recipe.FitSpec {
	return recipe.FitSpec{Snapshot: w.Snapshot, Recipe: ials.New(), Name: "aws-user-personalization", Seed: 3,
		Baselines: []recipe.Recipe{popularity.New(), itemknn.New()}, Params: map[string]string{"hidden_dimension": "16"}}
}

func fit(t *testing.T, s recipe.FitSpec) *model.Model {
	t.Helper()
	m, err := recipe.Fit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFitFillsTheManifest(t *testing.T) {
	w := datasettest.Blocks(200, 60, 3, 0.1, 1)
	s := spec(w)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s.Clock = func() time.Time { now = now.Add(time.Second); return now }
	m := fit(t, s)
	f := m.Manifest
	if f.Recipe != s.Name || f.Algorithm != "ials" || f.Snapshot != w.Snapshot.Name || f.Seed != 3 || f.Scores != "softmax" ||
		f.Users != 200 || f.Items != 60 || f.Interactions != int64(w.Snapshot.Events.Len()) {
		t.Errorf("manifest %+v", f)
	}
	if f.Created != "2026-03-01T12:00:01Z" || f.TrainingSeconds != 1 || len(f.Digest) != 64 {
		t.Errorf("created %s in %g s, digest %s", f.Created, f.TrainingSeconds, f.Digest)
	}
	if f.Parameters["hidden_dimension"] != "16" || f.Parameters["score_scale"] == "1" {
		t.Errorf("parameters %v", f.Parameters)
	}
	e := f.Evaluation
	if e.Protocol != dataset.Tail10 || e.Users != 200 || len(e.Metrics) != 8 || len(e.Baselines) != 2 {
		t.Fatalf("evaluation %+v", e)
	}
	if e.NDCG25.Mean != e.Metrics[evaluate.NDCG25] || !(e.NDCG25.Low < e.NDCG25.Mean && e.NDCG25.Mean < e.NDCG25.High) {
		t.Errorf("interval %+v of %v", e.NDCG25, e.Metrics)
	}
	for name, slice := range e.Slices {
		if slice.Users == 0 || slice.Users > e.Users || slice.NDCG25.Mean != slice.Metrics[evaluate.NDCG25] || len(slice.Baselines) != 2 {
			t.Errorf("slice %s: %+v", name, slice)
		}
	}
	for _, b := range e.Baselines {
		// All of a user's group is right, so popularity is right a third of the time.
		if b.Name == "popularity" && b.Difference.Low <= 0 {
			t.Errorf("no better than popularity: %+v", b)
		}
		if got := e.NDCG25.Mean - b.NDCG25.Mean; got-b.Difference.Mean > 1e-9 || b.Difference.Mean-got > 1e-9 {
			t.Errorf("%s: difference %g, means differ by %g", b.Name, b.Difference.Mean, got)
		}
		if b.Name == "itemknn" && b.Parameters["neighbours"] == "" {
			t.Errorf("itemknn parameters %v", b.Parameters)
		}
	}
}

func TestFitIsTheSameEveryTime(t *testing.T) {
	s := spec(datasettest.Blocks(150, 40, 2, 0.2, 2))
	first := fit(t, s).Manifest
	want := first.Digest
	if first.Kernel != kernel.Using().String() {
		t.Errorf("trained by %q, says the manifest", first.Kernel)
	}
	for _, procs := range []int{1, 5} {
		before := runtime.GOMAXPROCS(procs)
		got := fit(t, s).Manifest.Digest
		runtime.GOMAXPROCS(before)
		if got != want {
			t.Errorf("with %d processors the digest is another", procs)
		}
	}
	s.Seed++
	if fit(t, s).Manifest.Digest == want {
		t.Error("another seed gives the same model")
	}
}

func TestFitRefuses(t *testing.T) {
	big := datasettest.Checkerboard(100, 60, 1)
	high := 4.0
	for name, c := range map[string]struct {
		change func(*recipe.FitSpec)
		words  string
	}{
		"few interactions": {func(s *recipe.FitSpec) { s.Snapshot = datasettest.Checkerboard(30, 20, 1).Snapshot },
			"Dataset has fewer than 1000 interactions"},
		"few of a type": {func(s *recipe.FitSpec) { s.Rules = model.EventRules{{Type: "purchase"}} },
			"Dataset has fewer than 1000 interactions after filtering by event type: purchase"},
		"few above a value": {func(s *recipe.FitSpec) { s.Rules = model.EventRules{{Type: "Purchase", Threshold: &high}} },
			"by event type: Purchase by event value threshold: 4"},
		"few users": {func(s *recipe.FitSpec) { s.Snapshot = datasettest.Checkerboard(24, 400, 1).Snapshot },
			"Dataset has fewer than 25 users with at least 2 interactions each."},
		"few of the users": {func(s *recipe.FitSpec) { s.Snapshot, s.Least.Users = sparse(2000, 19, 60), 10 },
			"Dataset has fewer than 1 % of users with at least 2 interactions each."},
		"nobody has two": {func(s *recipe.FitSpec) { s.Snapshot, s.Least = sparse(40, 0, 0), recipe.Least{} }, "no user has two events"},
		"protocol":       {func(s *recipe.FitSpec) { s.Protocol = "random" }, "random"},
		"parameter":      {func(s *recipe.FitSpec) { s.Params = map[string]string{"hidden_dimension": "many"} }, "hidden_dimension"},
		"memory":         {func(s *recipe.FitSpec) { s.Memory = 1000 }, "KiB"},
	} {
		s := spec(big)
		s.Least = recipe.Least{Interactions: 1000, Users: 25, UserShare: 0.01}
		c.change(&s)
		_, err := recipe.Fit(t.Context(), s)
		if attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v (%v)", name, err, attune.KindOf(err))
		}
	}
}

// sparse is a snapshot of users with one interaction each, the first few of
// whom have each of them.
func sparse(users, few, each int) *dataset.Snapshot {
	s := &dataset.Snapshot{ItemAttributes: &dataset.Attributes{}, UserAttributes: &dataset.Attributes{}}
	var ids, items []string
	s.Events.Types = []string{"View"}
	for u := range users {
		ids = append(ids, fmt.Sprintf("u%05d", u))
		n := 1
		if u < few {
			n = each
		}
		for i := range n {
			s.Events.User, s.Events.Item = append(s.Events.User, int32(u)), append(s.Events.Item, int32(i))
			s.Events.At, s.Events.Type = append(s.Events.At, int64(i)), append(s.Events.Type, 0)
			s.Events.Value = append(s.Events.Value, float32(math.NaN()))
		}
	}
	for i := range max(each, 2) {
		items = append(items, fmt.Sprintf("i%05d", i))
	}
	s.Users, s.Items = dataset.NewVocabulary(ids), dataset.NewVocabulary(items)
	return s
}

// TestFitLittle learns from hardly anything when nobody asks for more.
func TestFitLittle(t *testing.T) {
	for _, users := range []int{1, 2, 5} {
		s := spec(&datasettest.World{Snapshot: sparse(users, users, 3)})
		if m := fit(t, s); m.Manifest.Interactions != int64(3*users) || m.Manifest.Evaluation.Users != users {
			t.Errorf("%d users: %+v", users, m.Manifest)
		}
	}
}

func TestFitLeavesSeenItemsOutUnlessTheyRepeat(t *testing.T) {
	w := datasettest.Checkerboard(100, 40, 1)
	if f := fit(t, spec(w)).Manifest; f.Seen != model.SeenLeftOut || f.RepeatShare != 0 {
		t.Errorf("seen %s with %g repeats", f.Seen, f.RepeatShare)
	}
	// Everybody comes back to everything, a day later.
	e := w.Snapshot.Events
	var twice dataset.Events
	twice.Types = e.Types
	e.ByUser(func(_ int32, from, to int) {
		for day := range int64(2) {
			for i := from; i < to; i++ {
				twice.User, twice.Item = append(twice.User, e.User[i]), append(twice.Item, e.Item[i])
				twice.At = append(twice.At, e.At[i]+day*24*3600*1000)
				twice.Type, twice.Value = append(twice.Type, e.Type[i]), append(twice.Value, e.Value[i])
			}
		}
	})
	w.Snapshot.Events = twice
	if f := fit(t, spec(w)).Manifest; f.Seen != model.SeenKept || f.RepeatShare < 0.9 {
		t.Errorf("seen %s with %g repeats", f.Seen, f.RepeatShare)
	}
}

// In a world where tastes have changed, what came last must weigh more, and
// nobody tells Fit so.
func TestFitLearnsThatTastesChange(t *testing.T) {
	w := datasettest.Drift(200, 80, 4, 3)
	f := fit(t, spec(w)).Manifest
	if f.Parameters["recency_half_life"] == "0" {
		t.Errorf("all history weighs alike: %v", f.Parameters)
	}
	s := spec(w)
	s.Params["recency_mask"] = "False"
	alike := fit(t, s).Manifest
	if alike.Parameters["recency_half_life"] != "0" {
		t.Errorf("recency although it was forbidden: %v", alike.Parameters)
	}
	if f.Evaluation.NDCG25.Mean <= alike.Evaluation.NDCG25.Mean {
		t.Errorf("NDCG@25 %g, and %g when all history weighs alike", f.Evaluation.NDCG25.Mean, alike.Evaluation.NDCG25.Mean)
	}
}

func TestFitRelated(t *testing.T) {
	s := spec(datasettest.Blocks(200, 60, 3, 0.1, 1))
	s.Recipe, s.Name, s.Params = itemknn.New(), "aws-sims", nil
	f := fit(t, s).Manifest
	if f.Parameters["min_cointeraction_count"] != "3" || f.Parameters["neighbours"] != "500" {
		t.Errorf("parameters %v are not the defaults", f.Parameters)
	}
	if f.Scores != "none" || f.Seen != model.SeenKept || len(f.Evaluation.Baselines) != 1 {
		t.Errorf("manifest %+v", f)
	}
}

// Where two halves of the users have two halves of the items, the best hundredth
// for an item are of its half; by chance half of them would be.
func TestFitSegments(t *testing.T) {
	s := spec(datasettest.Blocks(400, 40, 2, 0, 1))
	s.Name = "aws-item-affinity"
	e := fit(t, s).Manifest.Evaluation
	if e.Protocol != dataset.Tail20 || len(e.Metrics) != 3 || e.Metrics["coverage"] != 1 {
		t.Errorf("%+v", e)
	}
	// Of 4 users chosen for each of 40 items those hit went on to it, and of a
	// half of 200 users about as many do as their 20 % of events give each item.
	hits, recall := e.Metrics["hits_at_1_percent"], e.Metrics["recall_at_1_percent"]
	if !(hits > 0 && hits <= 4) || !(recall > 0 && recall < hits) {
		t.Errorf("hits %g, recall %g", hits, recall)
	}
}

func TestFitEveryProtocol(t *testing.T) {
	for _, protocol := range dataset.Protocols() {
		s := spec(datasettest.Blocks(300, 40, 2, 0.1, 1))
		s.Protocol = protocol
		if e := fit(t, s).Manifest.Evaluation; e.Protocol != protocol || e.Users == 0 || e.NDCG25.Mean < 0.2 {
			t.Errorf("%s: %+v", protocol, e)
		}
	}
}

// What is wrong with the data is told in the manifest, and stops nothing.
func TestFitTellsFindings(t *testing.T) {
	if e := fit(t, spec(datasettest.Blocks(200, 40, 2, 0.1, 1))).Manifest.Evaluation; e.Findings != nil {
		t.Errorf("clean: %+v", e.Findings)
	}
	w := datasettest.Blocks(200, 40, 2, 0.1, 1)
	e := &w.Snapshot.Events
	for i := range e.Len() {
		e.At[i] = 0
	}
	m := fit(t, spec(w)).Manifest
	var kinds []string
	for _, f := range m.Evaluation.Findings {
		kinds = append(kinds, f.Kind)
		if f.Words == "" || f.Count == 0 || f.Count > f.Of {
			t.Errorf("%+v", f)
		}
	}
	if !slices.Equal(kinds, []string{dataset.SameTime, dataset.ZeroTimes}) {
		t.Errorf("times of 0: %v", kinds)
	}
}

// With two events each, nobody is left to validate on; Fit must still work.
func TestFitWithoutValidation(t *testing.T) {
	w := datasettest.Checkerboard(600, 6, 1)
	e := w.Snapshot.Events
	var short dataset.Events
	short.Types = e.Types
	e.ByUser(func(_ int32, from, _ int) {
		for i := from; i < from+2; i++ {
			short.User, short.Item, short.At = append(short.User, e.User[i]), append(short.Item, e.Item[i]), append(short.At, e.At[i])
			short.Type, short.Value = append(short.Type, e.Type[i]), append(short.Value, e.Value[i])
		}
	})
	w.Snapshot.Events = short
	if f := fit(t, spec(w)).Manifest; f.Evaluation.Users != 600 || f.Parameters["score_scale"] != "1" {
		t.Errorf("%+v", f)
	}
	for i := 1; i < short.Len(); i += 2 {
		short.Item[i] = short.Item[i-1]
	}
	if f := fit(t, spec(w)).Manifest; f.RepeatShare != 0 {
		t.Errorf("only the test slice shows that %g repeat", f.RepeatShare)
	}
}

// Nothing is like itself, for the recipe as for its baselines: where everybody
// always has the same, nobody can be right.
func TestFitRelatedLeavesTheItemOut(t *testing.T) {
	w := datasettest.Blocks(200, 60, 3, 0.1, 1)
	e := w.Snapshot.Events
	for i := range e.Item {
		e.Item[i] = e.User[i] % 20
	}
	s := spec(w)
	s.Recipe, s.Name, s.Params = itemknn.New(), "aws-sims", nil
	f := fit(t, s).Manifest.Evaluation
	if f.NDCG25.Mean != 0 || f.Baselines[0].Name != "popularity" || f.Baselines[0].NDCG25.Mean != 0 {
		t.Errorf("%+v", f)
	}
}

func TestFitProgressAndCancel(t *testing.T) {
	s := spec(datasettest.Blocks(200, 60, 3, 0.1, 1))
	var stages []string
	last := 0
	s.Progress = func(stage string, done, total int) {
		if len(stages) == 0 || stages[len(stages)-1] != stage {
			stages, last = append(stages, stage), 0
		}
		if done < last || done > total {
			t.Errorf("%s: %d of %d after %d", stage, done, total, last)
		}
		last = done
	}
	fit(t, s)
	if got := strings.Join(stages, " "); got != "tune learn measure train" {
		t.Errorf("stages %s", got)
	}
	for _, at := range []string{recipe.StageTune, recipe.StageLearn, recipe.StageMeasure, recipe.StageTrain} {
		ctx, stop := context.WithCancel(t.Context())
		s.Progress = func(stage string, _, _ int) {
			if stage == at {
				stop()
			}
		}
		if _, err := recipe.Fit(ctx, s); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled in %s: %v", at, err)
		}
		stop()
	}
}

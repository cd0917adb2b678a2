package all_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// launch is a shop of three tastes. Everybody has items of their taste, old ones;
// of the last ones they went on to some are new, and hardly anybody has those. Items
// after those nobody has. What is said of items (GENRE) and users (CLUB) tells the taste, or, with
// noise, nothing.
func launch(old int, noise bool) *dataset.Snapshot {
	const users, young, unheard, tastes = 240, 120, 30, 3
	r := rand.New(rand.NewPCG(4, 7))
	s := &dataset.Snapshot{Name: "launch", Users: vocabulary("u", users), Items: vocabulary("i", old+young+unheard)}
	s.Events.Types = []string{""}
	for u := range users {
		own := byChance(r, old/tastes)
		for k := range 20 {
			item := own[k]*tastes + u%tastes // the first of each taste are the most popular
			if k >= 15 && r.Float64() < 0.4 {
				item = old + r.IntN(young/tastes)*tastes + u%tastes
			}
			e := &s.Events
			e.User, e.Item, e.At = append(e.User, int32(u)), append(e.Item, int32(item)), append(e.At, int64(k))
			e.Type, e.Value = append(e.Type, 0), append(e.Value, dataset.NoValue())
		}
	}
	said := func(n int, words ...string) []string {
		out := make([]string, n)
		for row := range out {
			if at := row % tastes; noise {
				out[row] = words[r.IntN(tastes)]
			} else {
				out[row] = words[at]
			}
		}
		return out
	}
	s.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{{Name: "GENRE", Categorical: true, Text: said(old+young+unheard, "noir", "musical", "western")}}}
	s.UserAttributes = &dataset.Attributes{Columns: []dataset.Column{{Name: "CLUB", Categorical: true, Text: said(users, "chess", "choir", "riding")}}}
	return s
}

// byChance orders numbers by chance, the lower ones sooner: as exponential clocks do, of rates 1/(1+n).
func byChance(r *rand.Rand, n int) []int {
	rows, at := make([]int, n), make([]float64, n)
	for i := range rows {
		rows[i], at[i] = i, r.ExpFloat64()*float64(1+i)
	}
	slices.SortFunc(rows, func(a, b int) int { return cmp.Compare(at[a], at[b]) })
	return rows
}

func vocabulary(letter string, n int) *dataset.Vocabulary {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s%04d", letter, i)
	}
	return dataset.NewVocabulary(ids)
}

func fitLaunch(t *testing.T, s *dataset.Snapshot) (*model.Model, model.Scorer) {
	t.Helper()
	popularity, _ := all.ByName("popularity")
	m, err := recipe.Fit(t.Context(), recipe.FitSpec{Snapshot: s, Recipe: all.Blend(), Name: "aws-user-personalization", Seed: 1,
		Params:    map[string]string{"members": "popularity,ials,demographic", "hidden_dimension": "16"},
		Baselines: []recipe.Recipe{popularity}})
	if err != nil {
		t.Fatal(err)
	}
	scorer, err := recipe.Decode(all.Blend(), m)
	if err != nil {
		t.Fatal(err)
	}
	return m, scorer
}

func slice(m *model.Model, name string) float64 {
	return m.Manifest.Evaluation.Slices[name].NDCG25.Mean
}

// With attributes that tell something, items and users that nothing else is
// known of get the right answers, and the manifest says so. Those that tell
// nothing do no harm.
func TestBlendOfNewcomers(t *testing.T) {
	without := launch(72, false)
	without.ItemAttributes, without.UserAttributes = nil, nil
	plain, _ := fitLaunch(t, without)
	m, scorer := fitLaunch(t, launch(72, false))
	t.Logf("with attributes %v, gain %s, opening %s: NDCG %.4f, cold items %.4f, strangers %.4f", m.Manifest.Members(), m.Manifest.Parameters["cold_item_gain"],
		m.Manifest.Parameters["opening.demographic"], m.Manifest.Evaluation.NDCG25.Mean, slice(m, model.SliceColdItems), slice(m, model.SliceStrangers))
	t.Logf("without %v: NDCG %.4f, cold items %.4f", plain.Manifest.Members(), plain.Manifest.Evaluation.NDCG25.Mean, slice(plain, model.SliceColdItems))
	if a, b := slice(m, model.SliceColdItems), slice(plain, model.SliceColdItems); a < b+0.01 {
		t.Errorf("cold items are found with %.4f, without attributes with %.4f", a, b)
	}
	strangers := m.Manifest.Evaluation.Slices[model.SliceStrangers]
	if p := strangers.Baselines["popularity"]; strangers.NDCG25.Low <= p.High {
		t.Errorf("strangers are answered with %+v, by popularity with %+v", strangers.NDCG25, p)
	}
	if !m.Manifest.AsksUser {
		t.Error("serving would not look attributes up")
	}
	scores := make([]float32, len(m.Items))
	best := func(q model.Query, from int) (row int) { // of the items from a row on
		t.Helper()
		q.Item = model.NoItem
		if err := scorer.Score(t.Context(), q, scores); err != nil {
			t.Fatal(err)
		}
		row = from
		for i := from; i < len(scores); i++ {
			if scores[i] > scores[row] {
				row = i
			}
		}
		return row
	}
	for taste, club := range []string{"chess", "choir", "riding"} {
		if row := best(model.Query{User: map[string]any{"CLUB": club}}, 0); row%3 != taste {
			t.Errorf("a stranger of the club of %s is offered item %d", club, row)
		}
		history := []model.Touch{{Item: int32(taste), Weight: 1}, {Item: int32(3 + taste), Weight: 1, At: 1}}
		if row := best(model.Query{History: history}, 192); row%3 != taste {
			t.Errorf("of the items that nobody had, one of taste %d is offered item %d", taste, row)
		}
	}
}

func TestBlendOfNoise(t *testing.T) {
	without := launch(240, true)
	without.ItemAttributes, without.UserAttributes = nil, nil
	plain, _ := fitLaunch(t, without)
	m, _ := fitLaunch(t, launch(240, true))
	if gain := m.Manifest.Parameters["cold_item_gain"]; gain != "" {
		t.Errorf("cold items borrow by noise, with gain %s", gain)
	}
	for key := range m.Manifest.Parameters {
		if strings.HasPrefix(key, "opening.") {
			t.Errorf("strangers are answered by noise: %s", key)
		}
	}
	a, b := m.Manifest.Evaluation, plain.Manifest.Evaluation
	t.Logf("noise %v: NDCG %.4f, without %.4f", m.Manifest.Members(), a.NDCG25.Mean, b.NDCG25.Mean)
	if a.NDCG25.Mean < b.NDCG25.Mean-0.005 || slice(m, model.SliceColdItems) < slice(plain, model.SliceColdItems)-0.01 {
		t.Errorf("with noise NDCG is %.4f and %.4f of cold items, without %.4f and %.4f", a.NDCG25.Mean, slice(m, model.SliceColdItems), b.NDCG25.Mean, slice(plain, model.SliceColdItems))
	}
	if p := a.Slices[model.SliceStrangers].Baselines["popularity"].Mean; math.Abs(slice(m, model.SliceStrangers)-p) > 0.02 {
		t.Errorf("strangers are answered with %.4f, by popularity with %.4f", slice(m, model.SliceStrangers), p)
	}
}

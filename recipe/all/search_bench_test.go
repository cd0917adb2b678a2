package all_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/index"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// BenchmarkSearch lets the blend choose by itself on public sets, and tells what
// it tried, what the choice is worth on the validation slice, and what on the
// test slice, which nothing was chosen on. ATTUNE_BUDGET names a budget.
func BenchmarkSearch(b *testing.B) {
	budget := recipe.Budget(os.Getenv("ATTUNE_BUDGET"))
	for _, set := range []struct {
		name string
		cut  int
		open func(testing.TB, string) question
	}{
		{"small/ml-100k", 25, likedMovies}, {"cf/ml1m-bars", 20, splitBaskets},
		{"seq/lastfm", 10, lastOut}, {"seq/beauty", 10, lastOut}, {"seq/ml1m", 10, lastOut},
	} {
		b.Run(set.name, func(b *testing.B) {
			q := set.open(b, dataDir(b, set.name))
			for b.Loop() {
				q.measure(b, set.cut, budget)
			}
		})
	}
}

// question is a set as a search sees it: what to learn the choice from and
// what to choose on, then what to learn from at last, and what is asked.
type question struct {
	inner, outer *dataset.Split
	users, items int
}

func (q question) measure(b *testing.B, cut int, budget recipe.Budget) {
	r := all.Blend()
	in := recipe.Input{Events: q.inner.Train, Users: q.users, Items: make([]string, q.items), Seed: 1}
	begin := time.Now()
	cases := q.inner.Cases
	if len(cases) > 4000 {
		cases = slices.Clone(cases)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
		cases = cases[:4000]
	}
	found, err := r.(recipe.Searcher).Search(b.Context(), in, recipe.Validation{Cases: cases, LeaveOut: true, Cut: cut,
		Seconds: budget.Seconds(q.outer.Train.Len()), After: 2})
	if err != nil {
		b.Fatal(err)
	}
	fmt.Printf("%d events, %d users, %d items; searched %v of %.0f s\n", q.outer.Train.Len(), q.users, q.items, time.Since(begin).Round(time.Millisecond), budget.Seconds(q.outer.Train.Len()))
	for _, t := range found.Trials {
		fmt.Printf("%-12s %.4f %v\n", t.Recipe, t.Value, t.Parameters)
	}
	begin = time.Now()
	in.Events, in.Params = q.outer.Train, found.Params
	m, err := r.Train(b.Context(), in)
	if err != nil {
		b.Fatal(err)
	}
	s, err := r.Decode(m)
	if err != nil {
		b.Fatal(err)
	}
	recall, ndcg := askCases(b, s, q.outer.Cases, q.items, cut)
	fmt.Printf("trained %v; NDCG@%d %.4f on validation; on test NDCG@%d %.4f recall@%d %.4f\n", time.Since(begin).Round(time.Millisecond), cut, found.Value, cut, ndcg, cut, recall)
	b.ReportMetric(ndcg, "ndcg")
	b.ReportMetric(recall, "recall")
}

func askCases(b testing.TB, s model.Scorer, cases []dataset.Case, items, cut int) (recall, ndcg float64) {
	scores := make([]float32, items)
	for _, c := range cases {
		q, mask := model.Query{Item: model.NoItem}, index.NewMask(items)
		for k, i := range c.Input.Item {
			q.History = append(q.History, model.Touch{Item: i, Weight: 1, At: c.Input.At[k]})
			mask.Set(i)
		}
		if err := s.Score(b.Context(), q, scores); err != nil {
			b.Fatal(err)
		}
		var rows []int32
		for _, hit := range index.Top(scores, cut, mask) {
			rows = append(rows, hit.Row)
		}
		hits, gain := evaluate.Recall(rows, c.Truth, cut)
		recall, ndcg = recall+hits, ndcg+gain
	}
	n := float64(len(cases))
	return recall / n, ndcg / n
}

func eventsOf(rows [][]int32, ordered bool) dataset.Events {
	var e dataset.Events
	e.Types = []string{""}
	for u, row := range rows {
		for k, i := range row {
			e.User, e.Item, e.At = append(e.User, int32(u)), append(e.Item, i), append(e.At, 0)
			if ordered {
				e.At[len(e.At)-1] = int64(k)
			}
			e.Type, e.Value = append(e.Type, 0), append(e.Value, 1)
		}
	}
	return e
}

func sizes(rows ...[][]int32) (users, items int) {
	for _, of := range rows {
		users = max(users, len(of))
		for _, row := range of {
			for _, i := range row {
				items = max(items, int(i)+1)
			}
		}
	}
	return users, items
}

func nested(b testing.TB, e dataset.Events, protocol string) (inner, outer *dataset.Split) {
	outer, err := dataset.NewSplit(e, protocol, 1)
	if err == nil {
		inner, err = dataset.NewSplit(outer.Train, protocol, 2)
	}
	if err != nil {
		b.Fatal(err)
	}
	return inner, outer
}

func likedMovies(b testing.TB, _ string) question {
	s := movieLens100K(b)
	e := s.Events.Where(func(i int) bool { return s.Events.Value[i] >= 4 })
	inner, outer := nested(b, e, dataset.Tail10)
	return question{inner, outer, s.Users.Len(), s.Items.Len()}
}

func lastOut(b testing.TB, dir string) question {
	path := filepath.Join(dir, "seq.txt")
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join(dir, "seq_all3706.txt")
	}
	rows := baskets(b, path)
	users, items := sizes(rows)
	inner, outer := nested(b, eventsOf(rows, true), dataset.LeaveOneOut)
	return question{inner, outer, users, items}
}

func splitBaskets(b testing.TB, dir string) question {
	train, test := baskets(b, filepath.Join(dir, "train.txt")), baskets(b, filepath.Join(dir, "test.txt"))
	users, items := sizes(train, test)
	random := rand.New(rand.NewPCG(1, 2))
	part, held := make([][]int32, len(train)), make([][]int32, len(train))
	for u, row := range train {
		mixed := slices.Clone(row)
		random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		held[u], part[u] = mixed[:len(mixed)/5], mixed[len(mixed)/5:]
	}
	split := func(train, truth [][]int32) *dataset.Split {
		s := &dataset.Split{Train: eventsOf(train, false)}
		for u, row := range truth {
			if len(row) > 0 && len(train[u]) > 0 {
				row = slices.Clone(row)
				slices.Sort(row)
				s.Cases = append(s.Cases, dataset.Case{User: int32(u), Input: s.Train.Of(int32(u)), Truth: slices.Compact(row)})
			}
		}
		return s
	}
	return question{split(part, held), split(train, test), users, items}
}

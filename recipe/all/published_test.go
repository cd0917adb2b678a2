package all_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/index"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// BenchmarkPublished measures Recall@20 and NDCG@20 on splits that papers
// report on. Parameters are chosen on a fifth of each user's training items,
// never on the test items. Order and time are unknown in these sets.
func BenchmarkPublished(b *testing.B) {
	grids := map[string][]string{
		"popularity": {""},
		"itemknn": {"neighbours=20", "neighbours=50", "neighbours=200", "popularity_discount_factor=0.3 neighbours=20",
			"popularity_discount_factor=0.3 neighbours=50", "popularity_discount_factor=0.3 neighbours=200"},
		"ials": {"", "regularization=0.004", "hidden_dimension=256 regularization=0.006",
			"hidden_dimension=256 regularization=0.01"},
	}
	for _, set := range []string{"cf/ml1m-bars", "cf/gowalla"} {
		for _, r := range all.List() {
			b.Run(set+"/"+r.Name(), func(b *testing.B) {
				dir := dataDir(b, set)
				train, test := baskets(b, filepath.Join(dir, "train.txt")), baskets(b, filepath.Join(dir, "test.txt"))
				for b.Loop() {
					recall, ndcg, params := published(b, r, grids[r.Name()], train, test)
					b.ReportMetric(recall, "recall@20")
					b.ReportMetric(ndcg, "ndcg@20")
					b.Logf("%s %s: recall@20 %.4f, NDCG@20 %.4f with %v", set, r.Name(), recall, ndcg, params)
				}
			})
		}
	}
}

// published chooses on a validation slice, learns from all of train and asks about test.
func published(b *testing.B, r recipe.Recipe, grid []string, train, test [][]int32) (recall, ndcg float64, chosen map[string]string) {
	items := 0
	for _, row := range slices.Concat(train, test) {
		for _, i := range row {
			items = max(items, int(i)+1)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	part, held := make([][]int32, len(train)), make([][]int32, len(train))
	for u, row := range train {
		mixed := slices.Clone(row)
		random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		held[u], part[u] = mixed[:len(mixed)/5], mixed[len(mixed)/5:]
	}
	top := math.Inf(-1)
	for _, line := range grid {
		params := map[string]string{}
		for _, kv := range strings.Fields(line) {
			k, v, _ := strings.Cut(kv, "=")
			params[k] = v
		}
		if r.Name() == "itemknn" {
			params["min_cointeraction_count"] = "1"
		}
		if len(grid) == 1 {
			chosen = params
			break
		}
		if _, n := askBaskets(b, r, params, items, part, held); n > top {
			top, chosen = n, params
		}
	}
	recall, ndcg = askBaskets(b, r, chosen, items, train, test)
	return recall, ndcg, chosen
}

func askBaskets(b *testing.B, r recipe.Recipe, params map[string]string, items int, train, truth [][]int32) (recall, ndcg float64) {
	var e dataset.Events
	for u, row := range train {
		for k, i := range row {
			e.User, e.Item, e.At = append(e.User, int32(u)), append(e.Item, i), append(e.At, int64(k))
		}
	}
	m, err := r.Train(b.Context(), recipe.Input{Events: e, Users: len(train), Items: make([]string, items), Params: params, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	s, err := r.Decode(m)
	if err != nil {
		b.Fatal(err)
	}
	scores, n := make([]float32, items), 0.0
	for u, row := range truth {
		if len(row) == 0 {
			continue
		}
		q, mask := model.Query{Item: model.NoItem}, index.NewMask(items)
		for _, i := range train[u] {
			q.History = append(q.History, model.Touch{Item: i, Weight: 1})
			mask.Set(i)
		}
		if err := s.Score(b.Context(), q, scores); err != nil {
			b.Fatal(err)
		}
		var rows []int32
		for _, hit := range index.Top(scores, 20, mask) {
			rows = append(rows, hit.Row)
		}
		sorted := slices.Clone(row)
		slices.Sort(sorted)
		hits, gain := evaluate.Recall(rows, slices.Compact(sorted), 20)
		recall, ndcg, n = recall+hits, ndcg+gain, n+1
	}
	return recall / n, ndcg / n
}

// baskets reads lines of "user item item …".
func baskets(b testing.TB, path string) [][]int32 {
	b.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	var out [][]int32
	for n, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		var row []int32
		for k, field := range strings.Fields(line) {
			v, err := strconv.ParseInt(field, 10, 32)
			if err != nil {
				b.Fatal(fmt.Errorf("line %d: %w", n+1, err))
			}
			if k == 0 {
				for int64(len(out)) <= v {
					out = append(out, nil)
				}
				continue
			}
			row = append(row, int32(v))
		}
		user, _, _ := strings.Cut(line, " ")
		u, err := strconv.Atoi(user)
		if err != nil {
			b.Fatal(fmt.Errorf("line %d: %w", n+1, err))
		}
		out[u] = row
	}
	return out
}

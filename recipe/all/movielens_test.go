package all_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// dataDir is where public data sets for measuring lie; none of them is part of
// this repository.
func dataDir(t testing.TB, set string) string {
	t.Helper()
	root := os.Getenv("ATTUNE_DATA")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
			if dir == filepath.Dir(dir) {
				t.Fatal("no go.mod above the test")
			}
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(dir, "..", "shared", "data")
	}
	dir := filepath.Join(root, filepath.FromSlash(set))
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("%s is not here: set ATTUNE_DATA to a folder that holds %s to measure on it", dir, set)
	}
	return dir
}

// movieLens100K reads u.data: user, item, rating, Unix seconds.
func movieLens100K(t testing.TB) *dataset.Snapshot {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dataDir(t, "small/ml-100k"), "u.data"))
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		user, item string
		at         int64
		value      float32
	}
	var rows []row
	var users, items []string
	for n, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			t.Fatalf("line %d: %q", n+1, line)
		}
		value, err1 := strconv.ParseFloat(f[2], 32)
		at, err2 := strconv.ParseInt(f[3], 10, 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("line %d: %v %v", n+1, err1, err2)
		}
		rows = append(rows, row{f[0], f[1], at * 1000, float32(value)})
		users, items = append(users, f[0]), append(items, f[1])
	}
	s := &dataset.Snapshot{Name: "ml-100k", Users: dataset.NewVocabulary(users), Items: dataset.NewVocabulary(items)}
	e := dataset.Events{Types: []string{"rating"}}
	sort.Slice(rows, func(i, j int) bool {
		a, b := rows[i], rows[j]
		if a.user != b.user {
			return a.user < b.user
		}
		if a.at != b.at {
			return a.at < b.at
		}
		return a.item < b.item
	})
	for _, r := range rows {
		u, _ := s.Users.Row(r.user)
		i, _ := s.Items.Row(r.item)
		e.User, e.Item, e.At = append(e.User, u), append(e.Item, i), append(e.At, r.at)
		e.Type, e.Value = append(e.Type, 0), append(e.Value, r.value)
	}
	s.Events = e
	return s
}

func TestMovieLens100K(t *testing.T) {
	s := movieLens100K(t)
	liked := 4.0
	for _, c := range []struct{ name, algorithm string }{
		{"aws-user-personalization", "blend"}, {"aws-user-personalization-v2", "ials"}, {"aws-sims", "itemknn"}, {"aws-popularity-count", "popularity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			learner, ok := all.ByName(c.algorithm)
			if !ok {
				t.Fatal("not listed")
			}
			popularity, _ := all.ByName("popularity")
			itemKNN, _ := all.ByName("itemknn")
			begin := time.Now()
			m, err := recipe.Fit(t.Context(), recipe.FitSpec{Snapshot: s, Recipe: learner, Name: c.name, Seed: 1,
				Baselines: []recipe.Recipe{popularity, itemKNN}, Rules: model.EventRules{{Threshold: &liked}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%v for %s", time.Since(begin).Round(time.Millisecond), s)
			show(t, m)
			if c.algorithm == "popularity" {
				return
			}
			for _, b := range m.Manifest.Evaluation.Baselines {
				if b.Name == "popularity" && b.Difference.Low <= 0 {
					t.Errorf("no better than popularity: difference %+v", b.Difference)
				}
			}
		})
	}
}

func show(t testing.TB, m *model.Model) {
	t.Helper()
	e := m.Manifest.Evaluation
	t.Logf("%s, %s, %d users, seen %s (%.2f%% repeats), parameters %v", m.Manifest.Recipe, e.Protocol, e.Users, m.Manifest.Seen, 100*m.Manifest.RepeatShare, m.Manifest.Parameters)
	t.Logf("%-12s NDCG@25 %s", m.Manifest.Algorithm, interval(e.NDCG25))
	for _, b := range e.Baselines {
		t.Logf("%-12s NDCG@25 %s, difference %s, parameters %v", b.Name, interval(b.NDCG25), interval(b.Difference), b.Parameters)
	}
	var keys []string
	for k := range e.Metrics {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	w := new(strings.Builder)
	out := bufio.NewWriter(w)
	for _, k := range keys {
		_, _ = fmt.Fprintf(out, "%s %.4f  ", k, e.Metrics[k])
	}
	_ = out.Flush()
	t.Log(w.String())
}

func interval(i model.Interval) string {
	return fmt.Sprintf("%.4f [%.4f, %.4f]", i.Mean, i.Low, i.High)
}

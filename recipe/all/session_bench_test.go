package all_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// BenchmarkSessions measures the share of right answers among the first 20,
// and their mean reciprocal rank, over every prefix of the test sessions that
// papers report on; nothing is left out of answers. Parameters are chosen among
// a recipe's own candidates, on prefixes of the last tenth of the training
// sessions, which are in the order of time. ATTUNE_VALIDATION=only stops there
// and shows what each candidate was worth:
//
//	go test ./recipe/all -run xxx -bench Sessions/diginetica/rule -benchtime 1x
func BenchmarkSessions(b *testing.B) {
	for _, set := range []string{"diginetica", "retailrocket"} {
		for _, name := range []string{"rule", "session", "itemknn", "popularity"} {
			r, ok := all.ByName(name)
			if !ok {
				continue
			}
			b.Run(set+"/"+name, func(b *testing.B) {
				dir := dataDir(b, "session/"+set)
				train, test := lines(b, filepath.Join(dir, "train_sessions.txt")), lines(b, filepath.Join(dir, "test_prefix_target.tsv"))
				items := 0
				for _, row := range slices.Concat(train, test) {
					items = max(items, int(slices.Max(row))+1)
				}
				for b.Loop() {
					sessions(b, r, train, test, items)
				}
			})
		}
	}
}

// validationPrefixes is how many are asked for a choice, as in recipe.Fit.
const validationPrefixes = 4000

func sessions(b *testing.B, r recipe.Recipe, train, test [][]int32, items int) {
	cut := len(train) * 9 / 10
	var held [][]int32
	for _, s := range train[cut:] {
		for n := 2; n <= len(s); n++ {
			held = append(held, s[:n])
		}
	}
	some := make([][]int32, min(len(held), validationPrefixes))
	for i := range some {
		some[i] = held[i*len(held)/len(some)]
	}
	chosen, best := map[string]string(nil), -1.0
	for _, trained := range candidates(r, sessionInput(train[:cut], items, nil)) {
		m, err := r.Train(b.Context(), sessionInput(train[:cut], items, trained))
		if err != nil {
			b.Fatal(err)
		}
		for _, refined := range refinements(r, sessionInput(train[:cut], items, trained)) {
			other := *m
			other.Manifest.Parameters = maps.Clone(m.Manifest.Parameters)
			maps.Copy(other.Manifest.Parameters, refined)
			hits, reciprocal, _ := askSessions(b, r, &other, some)
			b.Logf("validation: %.2f %.2f with %v", 100*hits, 100*reciprocal, refined)
			if v := hits + reciprocal; v > best {
				best, chosen = v, refined
			}
		}
	}
	if os.Getenv("ATTUNE_VALIDATION") == "only" {
		return
	}
	begin := time.Now()
	m, err := r.Train(b.Context(), sessionInput(train, items, chosen))
	if err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	hits, reciprocal, each := askSessions(b, r, m, test)
	b.ReportMetric(100*hits, "p@20")
	b.ReportMetric(100*reciprocal, "mrr@20")
	b.ReportMetric(float64(each.Microseconds()), "µs/answer")
	b.Logf("%s: P@20 %.2f, MRR@20 %.2f with %v; training took %s, an answer %s", r.Name(), 100*hits, 100*reciprocal, chosen, took, each)
}

func candidates(r recipe.Recipe, in recipe.Input) []map[string]string {
	if t, ok := r.(recipe.Tuner); ok {
		return t.Candidates(in)
	}
	return []map[string]string{in.Params}
}

func refinements(r recipe.Recipe, in recipe.Input) []map[string]string {
	if t, ok := r.(recipe.Refiner); ok {
		return t.Refinements(in)
	}
	return []map[string]string{in.Params}
}

// sessionInput is sessions as users; their order is their time.
func sessionInput(sessions [][]int32, items int, params map[string]string) recipe.Input {
	var e dataset.Events
	for u, s := range sessions {
		for _, i := range s {
			e.User, e.Item, e.At = append(e.User, int32(u)), append(e.Item, i), append(e.At, int64(len(e.At)))
		}
	}
	e.Type, e.Value = make([]uint16, e.Len()), make([]float32, e.Len())
	return recipe.Input{Events: e, Users: len(sessions), Items: make([]string, items), Params: params, Seed: 1}
}

// askSessions asks for the last item of each row after the others; ties count against us.
func askSessions(b *testing.B, r recipe.Recipe, m *model.Model, rows [][]int32) (hits, reciprocal float64, each time.Duration) {
	s, err := r.Decode(m)
	if err != nil {
		b.Fatal(err)
	}
	scores, q := make([]float32, len(m.Items)), model.Query{Item: model.NoItem}
	for _, row := range rows {
		q.History = q.History[:0]
		for k, i := range row[:len(row)-1] {
			q.History = append(q.History, model.Touch{Item: i, Weight: 1, At: int64(k)})
		}
		begin := time.Now()
		if err := s.Score(b.Context(), q, scores); err != nil {
			b.Fatal(err)
		}
		each += time.Since(begin)
		truth, rank := row[len(row)-1], 0
		for _, v := range scores {
			if v >= scores[truth] {
				rank++
			}
		}
		if rank <= 20 {
			hits++
			reciprocal += 1 / float64(rank)
		}
	}
	n := float64(len(rows))
	return hits / n, reciprocal / n, each / time.Duration(len(rows))
}

// lines reads rows of item numbers.
func lines(b *testing.B, path string) [][]int32 {
	b.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	var out [][]int32
	for line := range strings.Lines(string(raw)) {
		var row []int32
		for _, field := range strings.Fields(line) {
			v, err := strconv.ParseInt(field, 10, 32)
			if err != nil {
				b.Fatal(err)
			}
			row = append(row, int32(v))
		}
		out = append(out, row)
	}
	return out
}

package graph

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/index"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// dataDir is where public data sets for measuring lie; none of them is part of
// this repository.
func dataDir(b *testing.B, set string) string {
	b.Helper()
	root := os.Getenv("ATTUNE_DATA")
	if root == "" {
		wd, err := os.Getwd()
		if err != nil {
			b.Fatal(err)
		}
		root = filepath.Join(wd, "..", "..", "..", "shared", "data")
	}
	dir := filepath.Join(root, filepath.FromSlash(set))
	if _, err := os.Stat(dir); err != nil {
		b.Skipf("%s is not here: set ATTUNE_DATA to a folder that holds %s to measure on it", dir, set)
	}
	return dir
}

// baskets reads lines of "user item item …".
func baskets(b *testing.B, path string) [][]int32 {
	b.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	var out [][]int32
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		var row []int32
		for k, field := range fields {
			v, err := strconv.ParseInt(field, 10, 32)
			if err != nil {
				b.Fatal(err)
			}
			if k == 0 {
				for int64(len(out)) <= v {
					out = append(out, nil)
				}
				continue
			}
			row = append(row, int32(v))
		}
		if len(fields) > 0 {
			user, _ := strconv.Atoi(fields[0])
			out[user] = row
		}
	}
	return out
}

func eventsOf(rows [][]int32) (e dataset.Events) {
	for u, row := range rows {
		for k, i := range row {
			e.User, e.Item, e.At = append(e.User, int32(u)), append(e.Item, i), append(e.At, int64(k))
		}
	}
	e.Type, e.Value = make([]uint16, e.Len()), make([]float32, e.Len())
	return e
}

// holdOut takes a fifth of every user's items away.
func holdOut(rows [][]int32) (part, held [][]int32) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, row := range rows {
		mixed := slices.Clone(row)
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		held, part = append(held, mixed[:len(mixed)/5]), append(part, mixed[len(mixed)/5:])
	}
	return part, held
}

func casesOf(input, truth [][]int32, most int) (cases []dataset.Case) {
	e, at := eventsOf(input), 0
	for u, row := range truth {
		n := 0
		if u < len(input) {
			n = len(input[u])
		}
		if at += n; len(row) > 0 && n > 0 {
			sorted := slices.Clone(row)
			slices.Sort(sorted)
			cases = append(cases, dataset.Case{User: int32(u), Input: e.Slice(at-n, at), Truth: slices.Compact(sorted)})
		}
	}
	if most > 0 && len(cases) > most {
		for k := range most {
			cases[k] = cases[k*len(cases)/most]
		}
		cases = cases[:most]
	}
	return cases
}

// askAll is Recall@20 and NDCG@20 over the cases, without the items of their input.
func askAll(b *testing.B, m *model.Model, cases []dataset.Case) (recall, ndcg float64) {
	s, err := New().Decode(m)
	if err != nil {
		b.Fatal(err)
	}
	many := s.(model.ManyScorer)
	const batch = 32
	dst := make([][]float32, batch)
	for k := range dst {
		dst[k] = make([]float32, len(m.Items))
	}
	for from := 0; from < len(cases); from += batch {
		part := cases[from:min(from+batch, len(cases))]
		var queries []model.Query
		for _, c := range part {
			q := model.Query{Item: model.NoItem}
			for _, i := range c.Input.Item {
				q.History = append(q.History, model.Touch{Item: i, Weight: 1})
			}
			queries = append(queries, q)
		}
		if err := many.ScoreMany(b.Context(), queries, dst[:len(part)]); err != nil {
			b.Fatal(err)
		}
		for k, c := range part {
			mask := index.NewMask(len(m.Items))
			for _, i := range c.Input.Item {
				mask.Set(i)
			}
			var rows []int32
			for _, hit := range index.Top(dst[k], 20, mask) {
				rows = append(rows, hit.Row)
			}
			hits := 0
			for _, row := range rows {
				if _, hit := slices.BinarySearch(c.Truth, row); hit {
					hits++
				}
			}
			recall += float64(hits) / float64(len(c.Truth)) / float64(len(cases))
			ndcg += gain(rows, c.Truth, 20) / float64(len(cases))
		}
	}
	return recall, ndcg
}

func processorTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// load reads a set in the form of "user item item …".
func load(b *testing.B, set string) (train, test [][]int32, items int) {
	b.Helper()
	dir := dataDir(b, set)
	train, test = baskets(b, filepath.Join(dir, "train.txt")), baskets(b, filepath.Join(dir, "test.txt"))
	for _, row := range slices.Concat(train, test) {
		for _, i := range row {
			items = max(items, int(i)+1)
		}
	}
	return train, test, items
}

// BenchmarkPublished measures on splits that papers report on. Parameters are
// searched on a fifth of each user's training items and never on the test items.
// GRAPH_PARAMS="damping=0.1 neighbours=500" measures given ones on the validation
// slice instead, several sets with semicolons between; GRAPH_SECONDS is another
// budget of the search.
func BenchmarkPublished(b *testing.B) {
	for _, set := range []string{"cf/ml1m-bars", "cf/gowalla"} {
		b.Run(set, func(b *testing.B) {
			train, test, items := load(b, set)
			part, held := holdOut(train)
			validation := recipe.Input{Events: eventsOf(part), Users: len(train), Items: make([]string, items), Seed: 1}
			if lines := os.Getenv("GRAPH_PARAMS"); lines != "" {
				for line := range strings.SplitSeq(lines, ";") {
					validation.Params = parse(line)
					report(b, set+" validation", validation, casesOf(part, held, 3000))
				}
				return
			}
			begin, budget := processorTime(b), 600.0
			if text := os.Getenv("GRAPH_SECONDS"); text != "" {
				var err error
				if budget, err = strconv.ParseFloat(text, 64); err != nil {
					b.Fatal(err)
				}
			}
			found, err := New().Search(b.Context(), validation, recipe.Validation{Cases: casesOf(part, held, 0), LeaveOut: true, Cut: 20, Seconds: budget})
			if err != nil {
				b.Fatal(err)
			}
			trials := new(strings.Builder)
			for _, t := range found.Trials {
				fmt.Fprintf(trials, "\n%.4f user %s item %s input %s output %s damping %s ideal %s sharpening %s rank %s recency %s", t.Value, t.Parameters[ParamUser],
					t.Parameters[ParamItem], t.Parameters[ParamInput], t.Parameters[ParamOutput], t.Parameters[ParamDamping], t.Parameters[ParamIdeal],
					t.Parameters[ParamSharpening], t.Parameters[ParamRank], t.Parameters[ParamRecency])
			}
			if dir := os.Getenv("GRAPH_TRIALS"); dir != "" {
				_ = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(set, "/", "-")), []byte(trials.String()), 0o600)
			}
			b.Logf("%s: searched in %v of CPU, %d trials: %.4f with %v", set, processorTime(b)-begin, len(found.Trials), found.Value, found.Params)
			whole := recipe.Input{Events: eventsOf(train), Users: len(train), Items: make([]string, items), Seed: 1, Params: found.Params}
			recall, ndcg := report(b, set+" test", whole, casesOf(train, test, 0))
			b.ReportMetric(recall, "recall@20")
			b.ReportMetric(ndcg, "ndcg@20")
		})
	}
}

func parse(line string) map[string]string {
	params := map[string]string{}
	for _, kv := range strings.Fields(line) {
		k, v, _ := strings.Cut(kv, "=")
		params[k] = v
	}
	return params
}

func report(b *testing.B, what string, in recipe.Input, cases []dataset.Case) (recall, ndcg float64) {
	begin, wall := processorTime(b), time.Now()
	m, err := New().Train(b.Context(), in)
	if err != nil {
		b.Fatal(err)
	}
	took, waited := processorTime(b)-begin, time.Since(wall)
	recall, ndcg = askAll(b, m, cases)
	bytes := 0
	for _, t := range m.Tensors {
		bytes += 4 * (len(t.F32) + len(t.I32))
	}
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	b.Logf("%s: recall@20 %.4f NDCG@20 %.4f; %.1f s CPU, %.1f s wall on %d (%.1f s on two estimated), model %d MB, peak %d MB (%d estimated); %v", what, recall, ndcg,
		took.Seconds(), waited.Seconds(), runtime.GOMAXPROCS(0), New().Seconds(in), bytes>>20, r.Maxrss>>10, New().Bytes(in)>>20, fmt.Sprint(in.Params))
	return recall, ndcg
}

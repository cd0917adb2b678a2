package sequence

import (
	"bufio"
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// BenchmarkPublished measures HR@10 and NDCG@10 on sets that papers report on:
// the last item of everybody is asked for, all items are ranked but those the
// user had before. The number of epochs is chosen on the second-last item,
// learning from what is before it; then everything before the last is learned
// from with as many. ATTUNE_SETS, ATTUNE_PARAMS ("name=value …") and
// ATTUNE_PATIENCE (rounds without a better one) change what is tried; with
// ATTUNE_VALID the last item is never looked at.
func BenchmarkPublished(b *testing.B) {
	for _, set := range sets("lastfm/seq.txt", "beauty/seq.txt", "ml1m/seq_all3706.txt") {
		b.Run(set, func(b *testing.B) {
			histories, items := readHistories(b, set)
			for b.Loop() {
				leaveOneOut(b, set, histories, items, 1, decoded)
			}
		})
	}
}

// sets are those of ATTUNE_SETS, or some.
func sets(some ...string) []string {
	if sets := strings.Fields(os.Getenv("ATTUNE_SETS")); len(sets) > 0 {
		return sets
	}
	return some
}

// decoded is a model as everybody gets it, and its scorer.
func decoded(b *testing.B, in recipe.Input) (*model.Model, model.Scorer) {
	m, err := New().Train(b.Context(), in)
	if err != nil {
		b.Fatal(err)
	}
	s, err := New().Decode(m)
	if err != nil {
		b.Fatal(err)
	}
	return m, s
}

func leaveOneOut(b *testing.B, set string, histories [][]int32, items int, seed uint64, learn func(*testing.B, recipe.Input) (*model.Model, model.Scorer)) {
	params := map[string]string{}
	for _, kv := range strings.Fields(os.Getenv("ATTUNE_PARAMS")) {
		name, value, _ := strings.Cut(kv, "=")
		params[name] = value
	}
	patience, err := strconv.Atoi(os.Getenv("ATTUNE_PATIENCE"))
	if err != nil {
		patience = 5
	}
	before := cpuSeconds()
	in := recipe.Input{Events: eventsOf(histories, 2), Users: len(histories), Items: make([]string, items), Params: params, Seed: seed}
	k := &onDisk{Path: os.Getenv("ATTUNE_KEEP"), Top: -1}
	if k.Path != "" {
		in.Checkpoint = k
	}
	in.Watch = func(round int, now func() (model.Scorer, error)) (bool, error) {
		s, err := now()
		if err != nil {
			return false, err
		}
		hr, ndcg := ranked(b, s, some(histories), items, 1)
		b.Logf("%s epoch %d: HR@10 %.4f NDCG@10 %.4f on the second-last items, %.0f CPU seconds", set, round, hr, ndcg, cpuSeconds()-before)
		if ndcg > k.Top {
			k.Top, k.Chosen = ndcg, round
		}
		return round >= k.Chosen+patience, nil
	}
	m, _ := learn(b, in)
	b.Logf("%s: %v, best round %d with %.4f, estimate %.0f s, %.0f MB", set, m.Manifest.Parameters, k.Chosen, k.Top, New().Seconds(in), float64(New().Bytes(in))/1e6)
	if os.Getenv("ATTUNE_VALID") != "" {
		return
	}
	in.Watch, in.Events = nil, eventsOf(histories, 1)
	if k.Path != "" {
		in.Checkpoint = &onDisk{Path: k.Path + ".all"}
	}
	in.Params = recipe.With(m.Manifest.Parameters, ParamEpochs, strconv.Itoa(k.Chosen))
	_, s := learn(b, in)
	hr, ndcg := ranked(b, s, histories, items, 0)
	b.ReportMetric(hr, "HR@10")
	b.ReportMetric(ndcg, "NDCG@10")
	b.ReportMetric(cpuSeconds()-before, "cpu-s")
	b.Logf("%s: HR@10 %.4f NDCG@10 %.4f after %d epochs, %.0f CPU seconds", set, hr, ndcg, k.Chosen, cpuSeconds()-before)
}

// some are enough histories to choose a round by, evenly taken.
func some(histories [][]int32) (out [][]int32) {
	step := (len(histories) + 4999) / 5000
	for u := 0; u < len(histories); u += step {
		out = append(out, histories[u])
	}
	return out
}

// onDisk is a checkpoint in a file, so that a long measurement can be made in
// pieces: ATTUNE_KEEP names it.
type onDisk struct {
	Path   string
	Round  int
	State  map[string]model.Tensor
	Top    float64 // the best validation so far, and after which round
	Chosen int
}

func (k *onDisk) Load(context.Context) (int, map[string]model.Tensor, error) {
	raw, err := os.ReadFile(k.Path)
	if err != nil {
		return 0, nil, nil // none yet
	}
	if err := gob.NewDecoder(bytes.NewReader(raw)).Decode(k); err != nil {
		return 0, nil, err
	}
	return k.Round, k.State, nil
}

func (k *onDisk) Save(_ context.Context, round int, state map[string]model.Tensor) error {
	k.Round, k.State = round, state
	var raw bytes.Buffer
	if err := gob.NewEncoder(&raw).Encode(k); err != nil {
		return err
	}
	if err := os.WriteFile(k.Path+".new", raw.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(k.Path+".new", k.Path)
}

func (k *onDisk) Part(name string) recipe.Checkpoint { return &onDisk{Path: k.Path + "." + name} }

// eventsOf is the histories without their last items.
func eventsOf(histories [][]int32, without int) (e dataset.Events) {
	for u, row := range histories {
		for k := range max(0, len(row)-without) {
			e.User, e.Item, e.At = append(e.User, int32(u)), append(e.Item, row[k]), append(e.At, int64(k))
		}
	}
	return e
}

// ranked asks for the item that so many come after.
func ranked(b *testing.B, s model.Scorer, histories [][]int32, items, after int) (hr, ndcg float64) {
	const atOnce = 32
	scores := make([][]float32, atOnce)
	for k := range scores {
		scores[k] = make([]float32, items)
	}
	for from := 0; from < len(histories); from += atOnce {
		rows := histories[from:min(from+atOnce, len(histories))]
		queries := make([]model.Query, len(rows))
		for k, row := range rows {
			queries[k].Item = model.NoItem
			for _, i := range row[:len(row)-1-after] {
				queries[k].History = append(queries[k].History, model.Touch{Item: i, Weight: 1})
			}
		}
		if err := s.(model.ManyScorer).ScoreMany(b.Context(), queries, scores[:len(rows)]); err != nil {
			b.Fatal(err)
		}
		for k, row := range rows {
			if rank := rankOf(scores[k], row, len(row)-1-after); rank <= 10 {
				hr, ndcg = hr+1, ndcg+1/math.Log2(float64(rank)+1)
			}
		}
	}
	return hr / float64(len(histories)), ndcg / float64(len(histories))
}

// rankOf is the place of row[at] among all items but those before it; who scores the same is ahead.
func rankOf(scores []float32, row []int32, at int) int {
	right := scores[row[at]]
	for _, i := range row[:at] {
		scores[i] = float32(math.Inf(-1))
	}
	scores[row[at]] = float32(math.Inf(-1))
	rank := 1
	for _, v := range scores {
		if v >= right {
			rank++
		}
	}
	return rank
}

func cpuSeconds() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

// readHistories reads lines of "user item item …"; items become rows.
func readHistories(b *testing.B, set string) (histories [][]int32, items int) {
	b.Helper()
	_, here, _, _ := runtime.Caller(0)
	root := os.Getenv("ATTUNE_DATA")
	if root == "" {
		root = filepath.Join(filepath.Dir(here), "..", "..", "..", "shared", "data")
	}
	path := filepath.Join(root, "seq", set)
	file, err := os.Open(path)
	if err != nil {
		b.Skipf("no data to measure on: set ATTUNE_DATA to the folder that holds seq/%s (%v)", set, err)
	}
	defer file.Close()
	rows := map[string]int32{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 {
			b.Fatal(fmt.Errorf("%s: a history of %d items cannot be split", path, len(fields)-1))
		}
		var history []int32
		for _, id := range fields[1:] {
			if _, ok := rows[id]; !ok {
				rows[id] = int32(len(rows))
			}
			history = append(history, rows[id])
		}
		histories = append(histories, slices.Clip(history))
	}
	if err := lines.Err(); err != nil {
		b.Fatal(err)
	}
	return histories, len(rows)
}

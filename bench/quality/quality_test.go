package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
)

// TestMain lets the test's own binary be the child that run starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "--child" {
		main()
	}
	os.Exit(m.Run())
}

// shop makes users who walk around a circle of items that is their group's: what
// they have tells what else they like, and what comes next.
func shop(r *rand.Rand, users, length int) [][]string {
	out := make([][]string, users)
	for u := range out {
		at := r.IntN(15)
		for range length {
			if r.IntN(10) == 0 {
				out[u] = append(out[u], fmt.Sprint(r.IntN(60)))
				continue
			}
			out[u] = append(out[u], fmt.Sprint(u%4*15+at%15))
			at++
		}
	}
	return out
}

func write(t *testing.T, path string, lines []string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// madeUp writes a set of each kind.
func madeUp(t *testing.T, dir string) {
	r := rand.New(rand.NewPCG(1, 1))
	var train, test, ncf, seq, sessions, prefixes []string
	for u, items := range shop(r, 120, 12) {
		distinct := slices.Compact(slices.Sorted(slices.Values(items)))
		r.Shuffle(len(distinct), func(i, j int) { distinct[i], distinct[j] = distinct[j], distinct[i] })
		train = append(train, fmt.Sprint(u, " ", strings.Join(distinct[3:], " ")))
		test = append(test, fmt.Sprint(u, " ", strings.Join(distinct[:3], " "), " 9999")) // one that training has not seen
		negatives := []string{}
		for range 99 {
			negatives = append(negatives, fmt.Sprint((u%4*15+15+r.IntN(45))%60)) // of the other groups
		}
		ncf = append(ncf, fmt.Sprint(u, " ", distinct[0], " ", strings.Join(negatives, " ")))
		seq = append(seq, fmt.Sprint(u, " ", strings.Join(items, " ")))
	}
	for _, items := range shop(r, 300, 4) {
		sessions = append(sessions, strings.Join(items, " "))
	}
	for _, items := range shop(r, 60, 4) {
		for k := len(items) - 1; k > 0; k-- {
			prefixes = append(prefixes, strings.Join(items[:k], " ")+"\t"+items[k])
		}
	}
	write(t, filepath.Join(dir, "cf", "train.txt"), train)
	write(t, filepath.Join(dir, "cf", "test.txt"), test)
	write(t, filepath.Join(dir, "ncf", "train.txt"), train)
	write(t, filepath.Join(dir, "ncf", "test.txt"), ncf)
	write(t, filepath.Join(dir, "loo", "seq.txt"), seq)
	write(t, filepath.Join(dir, "session", "train_sessions.txt"), sessions)
	write(t, filepath.Join(dir, "session", "test_prefix_target.tsv"), prefixes)
}

// measure runs the command and gives what it printed.
func measure(t *testing.T, args ...string) []result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, &stdout, &stderr); code != 0 {
		t.Fatalf("%v: exit %d\n%s", args, code, stderr.String())
	}
	out, err := parseResults(stdout.Bytes(), "stdout")
	if err != nil || len(out) == 0 {
		t.Fatalf("%v: %q %v", args, stdout.String(), err)
	}
	return out
}

// TestStrangeSets drives the command over a made-up set of each format.
func TestStrangeSets(t *testing.T) {
	dir := t.TempDir()
	madeUp(t, dir)
	page, kept := filepath.Join(dir, "RESULTS.md"), filepath.Join(dir, "results.jsonl")
	for i, c := range []struct {
		kind      kind
		questions int
		protocol  string
		least     float64 // of the first metric; chance is 20/60 and 10/60, 10/100 for ncf
	}{{kindCF, 120, "cf-holdout-v1", 0.55}, {kindNCF, 120, "cf-holdout-v1", 0.8}, {kindLOO, 120, "loo-v1", 0.35}, {kindSession, 180, "session-prefix-v1", 0.7}} {
		got := measure(t, "--dir", filepath.Join(dir, string(c.kind)), "--protocol", string(c.kind), "--recipe", "itemknn", "--budget", "standard", "--out", page, "--results", kept)
		r := got[0]
		if len(got) != 1 || r.Set != string(c.kind) || r.Questions != c.questions || r.Validation.Protocol != c.protocol || len(r.Digest) != 64 || r.Environment.Command == "" {
			t.Errorf("%s: %+v", c.kind, r)
		}
		if runtime.GOOS == "linux" && (r.PeakBytes < 1<<20 || r.Seconds["cpu"] <= 0) {
			t.Errorf("%s: peak %d, %v", c.kind, r.PeakBytes, r.Seconds)
		}
		m, b := r.Metrics[0], r.Baselines[0]
		if m.Mean < c.least || m.Low > m.Mean || m.High < m.Mean || b.Name != "popularity" || m.Mean <= b.Metrics[0].Mean || b.Difference[0].Low <= 0 || b.Difference[0].P > 0.01 {
			t.Errorf("%s: %+v beside %+v", c.kind, m, b)
		}
		text, err := os.ReadFile(page)
		if err != nil || !strings.Contains(string(text), "| "+string(c.kind)+" |") || !strings.Contains(string(text), "| cf |") {
			t.Errorf("page after %s: %v\n%s", c.kind, err, text)
		}
		if all, err := readResults(kept); err != nil || len(all) != i+1 {
			t.Errorf("%d lines kept: %v", len(all), err)
		}
	}
	again := measure(t, "--dir", filepath.Join(dir, "loo"), "--protocol", "loo", "--recipe", "itemknn", "--budget", "standard", "--out", page, "--results", kept)
	all, err := readResults(kept)
	if err != nil || len(all) != 4 || all[2].Digest != again[0].Digest || all[2].Environment.Time != again[0].Environment.Time {
		t.Errorf("measured again: %d lines, %v", len(all), err)
	}
}

// TestPipeline drives the automatic pipeline, with nothing said but the folder.
func TestPipeline(t *testing.T) {
	dir := t.TempDir()
	madeUp(t, dir)
	for _, k := range []kind{kindLOO, kindCF, kindNCF, kindSession} {
		r := measure(t, "--dir", filepath.Join(dir, string(k)), "--protocol", string(k), "--budget", "standard", "--out", "", "--results", "", "--keep", filepath.Join(dir, "models"))[0]
		if r.Recipe != pipelineName() || r.Trials < 2 || len(r.Baselines) != 2 || r.Metrics[0].Mean < r.Baselines[0].Metrics[0].Mean {
			t.Errorf("%s: %+v", k, r)
		}
		if _, err := os.Stat(filepath.Join(dir, "models", string(k), filepath.FromSlash(modelName))); err != nil {
			t.Error(err)
		}
	}
}

// TestLeaks: a test row that training has is told of.
func TestLeaks(t *testing.T) {
	c, err := load(kindCF, cut("u 1 2 3", "v 1 2 3"))
	if err != nil {
		t.Fatal(err)
	}
	asked, err := c.questions(kindCF, cut("u 4 2", "v 1 5"))
	if err != nil {
		t.Fatal(err)
	}
	found := leaks(kindCF, c, asked)
	if len(found) != 2 || found[0].Kind != dataset.TestRowsInTrain || found[0].Count != 2 || found[1].Kind != dataset.NewItemsInTest || found[1].Count != 2 {
		t.Errorf("%+v", found)
	}
}

// TestKnownKinds drives the sets that are no ranked lists, on made-up files.
func TestKnownKinds(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(2, 2))
	// Two policies over four items of rates 1 to 4 per cent: one likes the first.
	log := func(p [4]float64) (lines []string) {
		lines = []string{",timestamp,item_id,position,click,propensity_score"}
		for n := range 8000 {
			u, item := r.Float64(), 0
			for item < 3 && u >= p[item] {
				u -= p[item]
				item++
			}
			click := 0
			if r.Float64() < 0.05*float64(1+item) {
				click = 1
			}
			lines = append(lines, fmt.Sprintf("%d,2020-01-01,%d,1,%d,%g", n, item, click, p[item]))
		}
		return lines
	}
	write(t, filepath.Join(dir, "ope", "obd-men-bts", "men.csv"), log([4]float64{0.4, 0.3, 0.2, 0.1}))
	write(t, filepath.Join(dir, "ope", "obd-men-random", "men.csv"), log([4]float64{0.25, 0.25, 0.25, 0.25}))
	var ratings []string
	for u, items := range shop(r, 120, 12) {
		for k, item := range items {
			ratings = append(ratings, fmt.Sprintf("%d\t%s\t%d\t%d", u, item, 3+k%3, 1_600_000_000+1000*k+u))
		}
	}
	write(t, filepath.Join(dir, "small", "ml-100k", "u.data"), ratings)

	page := filepath.Join(dir, "RESULTS.md")
	got := measure(t, "--data", dir, "--set", "obd,ml-100k", "--recipe", "itemknn", "--budget", "standard", "--out", page, "--results", filepath.Join(dir, "r.jsonl"))
	if len(got) != 1+len(ratingProtocols) {
		t.Fatalf("%d results", len(got))
	}
	g := goals["obd"]
	if p, covers := g.got(got[0]); !covers || p[1] > 0.1 || got[0].Warning != "" || !g.reached(got[0], g.must) {
		t.Errorf("obd: %v %v %+v", p, covers, got[0])
	}
	for i, protocol := range ratingProtocols {
		if r := got[1+i]; r.Protocol != protocol || r.Metrics[0].Mean <= 0 || len(r.Baselines) != 1 {
			t.Errorf("%s: %+v", protocol, r)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(text), "DRos") || !strings.Contains(string(text), "aws-2019-v1") {
		t.Errorf("page: %v\n%s", err, text)
	}
}

// TestScale: ten times the interactions stand beside the smaller world.
func TestScale(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "RESULTS.md")
	got := measure(t, "--scale", "--events", "2000,20000", "--out", page, "--results", "")
	if len(got) != 2 || len(got[0].Scale) != len(got[1].Scale) || len(got[0].Scale) < 4 || got[1].Scale[0].Events != 20000 {
		t.Fatalf("%+v", got)
	}
	text, err := os.ReadFile(page)
	if err != nil || strings.Count(string(text), "| 10.0 |") != len(got[0].Scale) {
		t.Errorf("page: %v\n%s", err, text)
	}
}

func TestFlagsThatMakeNoSense(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ args, words string }{
		{"", "--set"}, {"--set gowala", "gowalla"}, {"--nonsense", "nonsense"}, {"--set all more", "more"}, {"--set seq-lastfm --budget little", "thorough"},
		{"--set seq-lastfm --budget=", "empty"}, {"--set seq-lastfm --budget 90", "such as 90s"}, {"--set seq-lastfm --budget NaN", "such as 90s"},
		{"--set seq-lastfm --budget -90s", "above 0"}, {"--set seq-lastfm --budget 0s", "above 0"}, {"--set seq-lastfm --budget 48h", "24 hours"},
		{"--dir " + dir + " --protocol full", "loo"}, {"--dir " + dir + " --protocol loo", "seq"}, {"--scale --events 12", "1000"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append(strings.Fields(c.args), "--out", "", "--results", ""), &stdout, &stderr); code != 2 || !strings.Contains(stderr.String(), c.words) || stdout.Len() > 0 {
			t.Errorf("%q: exit %d, %q", c.args, code, stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"--set", "seq-lastfm", "--data", dir, "--out", "", "--results", ""}, &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), "--data") {
		t.Errorf("no data: exit %d, %q", code, stderr.String())
	}
}

// TestVault: nothing opens the test before the model is sealed, or after it changed.
func TestVault(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "train.txt"), []string{"1 2 3"})
	write(t, filepath.Join(dir, "test.txt"), []string{"1 4"})
	write(t, filepath.Join(dir, "seq.txt"), []string{"1 2 3 4", "2 7", "3 5 6"})
	store, _, end, err := modelStore(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	for _, k := range []kind{kindCF, kindLOO} {
		s, err := strangeSet(dir, k)
		if err != nil {
			t.Fatal(err)
		}
		v, err := openVault(s, dir)
		if err != nil {
			t.Fatal(err)
		}
		learned, err := v.learn()
		if err != nil || k == kindLOO && fmt.Sprint(learned) != "[[1 2 3] [2] [3 5]]" || k == kindCF && fmt.Sprint(learned) != "[[1 2 3]]" {
			t.Errorf("%s learns from %v, %v", k, learned, err)
		}
		if lines, err := v.ask(); attune.KindOf(err) != attune.Internal || lines != nil {
			t.Fatalf("%s: opened before the model is sealed: %v, %v", k, lines, err)
		}
		m := &model.Model{Items: []string{"a", "b"}, Tensors: map[string]model.Tensor{"x": {Shape: []int{2}, F32: []float32{1, 2}}}}
		if err := v.Seal(t.Context(), store, "model/"+string(k), m); err != nil {
			t.Fatal(err)
		}
		asked, err := v.ask()
		if err != nil || k == kindLOO && fmt.Sprint(asked) != "[[1 4] [3 6]]" || k == kindCF && fmt.Sprint(asked) != "[[1 4]]" {
			t.Errorf("%s asks %v, %v", k, asked, err)
		}
		if err := v.Seal(t.Context(), store, "model/again", m); err == nil {
			t.Errorf("%s: sealed twice", k)
		}
		m.Tensors["x"].F32[1] = 3
		if _, err := v.ask(); attune.KindOf(err) != attune.Internal {
			t.Errorf("%s: opened with another model: %v", k, err)
		}
	}
}

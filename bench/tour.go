package main

import (
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	// tourRuns is how often the tour is walked.
	tourRuns = 3
	// dataSetsVariable names the folder of data sets that are measured with and never shipped.
	dataSetsVariable = "ATTUNE_DATA_SETS"
)

// tour measures the guided tour on MovieLens 100K from exec to exit.
func (b *bench) tour() error {
	dir, ok := b.movieLens()
	if !ok {
		b.note("Not measured: MovieLens 100K is not here. Set %s to a folder that has it as ml-100k or small/ml-100k.", dataSetsVariable)
		return nil
	}
	if _, err := b.binaryPath(); err != nil {
		return err
	}
	var times []time.Duration
	for range pick(b, tourRuns, 1) {
		began := time.Now()
		if err := b.demo("--movielens", dir); err != nil {
			return err
		}
		times = append(times, time.Since(began))
	}
	t := newTable("`attune demo --exit --movielens ml-100k`", "median", "least", "most")
	t.add("after build", median(times), slices.Min(times), slices.Max(times))
	b.note("Start, import of 100 000 ratings and 1 682 films, training and measuring two models beside their baselines, deploying, asking and ending; wall time of the process, %d runs:", len(times))
	t.write(b.out)
	return nil
}

// movieLens finds MovieLens 100K where people keep it.
func (b *bench) movieLens() (string, bool) {
	var places []string
	if dir := os.Getenv(dataSetsVariable); dir != "" {
		places = []string{dir, filepath.Join(dir, "ml-100k"), filepath.Join(dir, "small", "ml-100k")}
	}
	places = append(places, filepath.Join(b.root, "..", "shared", "data", "small", "ml-100k"))
	for _, dir := range places {
		if _, err := os.Stat(filepath.Join(dir, "u.data")); err == nil {
			dir, err = filepath.Abs(dir)
			return dir, err == nil
		}
	}
	return "", false
}

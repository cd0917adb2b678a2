package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// ratingProtocols are what the set of ratings is measured by, each a Fit of its own.
var ratingProtocols = []string{dataset.Tail10, dataset.AWSDoc, dataset.AWS2019, dataset.Temporal}

// likedRating is from which rating on an event counts, as in the service's own examples.
const likedRating = 4

// runRatings measures recipe.Fit, which the service calls, on ratings with times.
// What is held out it holds out itself, before it trains.
func runRatings(ctx context.Context, s set, root string, o options) ([]result, error) {
	snapshot, err := readRatings(filepath.Join(root, filepath.FromSlash(s.dir), s.train))
	if err != nil {
		return nil, err
	}
	r, ok := all.ByName(o.recipe)
	if !ok {
		return nil, attune.Errorf(attune.Invalid, "recipe %q is unknown: recipe/all lists those that there are", o.recipe)
	}
	var beside []recipe.Recipe
	for _, name := range baselines {
		if b, ok := all.ByName(name); ok {
			beside = append(beside, b)
		}
	}
	w := newWatch(s.name, o.stderr)
	defer w.end()
	w.say("%s", snapshot)
	least := float64(likedRating)
	var out []result
	for _, protocol := range ratingProtocols {
		began, cpu := time.Now(), cpuSeconds()
		m, err := recipe.Fit(ctx, recipe.FitSpec{Snapshot: snapshot, Recipe: r, Name: "aws-user-personalization", Baselines: beside, Seed: seed, Protocol: protocol, Budget: recipe.Budget(o.budget), Memory: memory(),
			Rules: model.EventRules{{Threshold: &least}}, Progress: func(stage string, done, total int) { w.stage(stage+" "+protocol, done, total) }})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", protocol, err)
		}
		out = append(out, ratingResult(s, o, m, snapshot, map[string]float64{"wall": time.Since(began).Seconds(), "cpu": cpuSeconds() - cpu}))
	}
	return out, nil
}

func ratingResult(s set, o options, m *model.Model, snapshot *dataset.Snapshot, seconds map[string]float64) result {
	e := m.Manifest.Evaluation
	out := result{Set: s.name, Kind: s.kind, Protocol: e.Protocol, Budget: o.budget, Questions: e.Users, Recipe: m.Manifest.Algorithm,
		Data:       fmt.Sprintf("%s, rating ≥ %d", snapshot, likedRating),
		Parameters: maps.Clone(m.Manifest.Parameters), Digest: m.Manifest.Digest, Seconds: seconds, PeakBytes: peakBytes(), Tier: tier(), Environment: surroundings(o.command)}
	for _, f := range e.Findings {
		out.Findings = append(out.Findings, dataset.Finding(f))
	}
	if m.Manifest.Search != nil {
		out.Trials = len(m.Manifest.Search.Trials)
	}
	of := func(at model.Interval, metrics map[string]float64) []measured {
		return []measured{{"NDCG@25", at}, {"MRR@25", model.Interval{Mean: metrics[evaluate.MRR25]}}, {"coverage", model.Interval{Mean: metrics[evaluate.Coverage]}}}
	}
	out.Metrics = of(e.NDCG25, e.Metrics)
	for _, b := range e.Baselines {
		out.Baselines = append(out.Baselines, baseline{Name: b.Name, Parameters: b.Parameters, Metrics: of(b.NDCG25, b.Metrics), Difference: []compared{{Interval: b.Difference}}})
	}
	return out
}

// readRatings reads lines "user item rating seconds", with tabs between.
func readRatings(path string) (*dataset.Snapshot, error) {
	lines, err := fields(path, "\t")
	if err != nil {
		return nil, err
	}
	type row struct {
		user, item int32
		at         int64
		value      float32
	}
	var users, items []string
	for n, f := range lines {
		if len(f) != 4 {
			return nil, attune.Errorf(attune.Invalid, "%s, line %d has %d fields, 4 are wanted", path, n+1, len(f))
		}
		users, items = append(users, f[0]), append(items, f[1])
	}
	s := &dataset.Snapshot{Name: filepath.Base(filepath.Dir(path)), Users: dataset.NewVocabulary(users), Items: dataset.NewVocabulary(items)}
	rows := make([]row, len(lines))
	for n, f := range lines {
		value, err1 := strconv.ParseFloat(f[2], 32)
		at, err2 := strconv.ParseInt(f[3], 10, 64)
		if err1 != nil || err2 != nil {
			return nil, attune.Errorf(attune.Invalid, "%s, line %d: rating %q and time %q are to be numbers", path, n+1, f[2], f[3])
		}
		u, _ := s.Users.Row(f[0]) // both are in the vocabulary made of them
		i, _ := s.Items.Row(f[1])
		rows[n] = row{u, i, at * 1000, float32(value)}
	}
	slices.SortFunc(rows, func(a, b row) int {
		for _, d := range []int64{int64(a.user) - int64(b.user), a.at - b.at, int64(a.item) - int64(b.item)} {
			if d != 0 {
				return int(max(-1, min(1, d)))
			}
		}
		return 0
	})
	e := dataset.Events{Types: []string{"rating"}}
	for _, r := range rows {
		e.User, e.Item, e.At = append(e.User, r.user), append(e.Item, r.item), append(e.At, r.at)
		e.Type, e.Value = append(e.Type, 0), append(e.Value, r.value)
	}
	s.Events = e
	s.ItemAttributes, err = readItems(filepath.Join(filepath.Dir(path), "u.item"), s.Items)
	return s, err
}

// genres are those of u.item, in the order of its flags.
var genres = [...]string{"unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Film-Noir",
	"Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"}

// readItems reads lines "id|title|release date|video release date|URL|flags…" in
// Latin-1, as a customer would import them; nil where the file is missing.
func readItems(path string, items *dataset.Vocabulary) (*dataset.Attributes, error) {
	lines, err := fields(path, "\n") // not cut: empty fields count here
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	genre, title := make([]string, items.Len()), make([]string, items.Len())
	for n, line := range lines {
		f := strings.Split(line[0], "|")
		if len(f) != 5+len(genres) {
			return nil, attune.Errorf(attune.Invalid, "%s, line %d has %d fields, %d are wanted", path, n+1, len(f), 5+len(genres))
		}
		row, ok := items.Row(f[0])
		if !ok {
			continue
		}
		var latin []rune
		for _, b := range []byte(f[1]) {
			latin = append(latin, rune(b)) // the first 256 code points are Latin-1
		}
		var has []string
		for i, flag := range f[5:] {
			if flag == "1" {
				has = append(has, genres[i])
			}
		}
		title[row], genre[row] = string(latin), strings.Join(has, "|")
	}
	return &dataset.Attributes{Columns: []dataset.Column{
		{Name: "GENRES", Kind: schema.String, Categorical: true, Text: genre},
		{Name: "TITLE", Kind: schema.String, Textual: true, Text: title},
	}}, nil
}

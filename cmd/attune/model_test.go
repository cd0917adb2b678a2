package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/attune-io/attune/model"
)

// TestFindings: what was found in the data is read before the numbers are.
func TestFindings(t *testing.T) {
	var out bytes.Buffer
	findings(&out, nil)
	findings(&out, &model.Evaluation{})
	if out.Len() > 0 {
		t.Errorf("nothing was found: %q", out.String())
	}
	findings(&out, &model.Evaluation{Findings: []model.Finding{{Kind: "duplicate-rows", Words: "3 of 9 interactions"}, {Kind: "one-item", Words: "5 of 9"}}})
	if got := out.String(); !strings.HasPrefix(got, "duplicate-rows: 3 of 9 interactions\n\n") || !strings.Contains(got, "one-item: 5 of 9\n") {
		t.Errorf("%q", got)
	}
}

// TestSlicesAreShown: the model and its baselines once more for each slice.
func TestSlicesAreShown(t *testing.T) {
	var rows []string
	evaluationRows(&model.Evaluation{Slices: map[string]model.Slice{model.SliceColdItems: {Users: 7, NDCG25: model.Interval{Mean: 0.25},
		Baselines: map[string]model.Interval{"popularity": {Mean: 0.125}}}}}, func(cells ...any) { rows = append(rows, fmt.Sprint(cells...)) })
	if len(rows) != 3 || !strings.HasPrefix(rows[1], "model, cold-items (7 users)0.2500") || !strings.HasPrefix(rows[2], "popularity, cold-items0.1250") {
		t.Errorf("%q", rows)
	}
}

// TestSearchIsShown: the best trials first, those passed over with why at the
// end, and no more than fit on a screen.
func TestSearchIsShown(t *testing.T) {
	var out bytes.Buffer
	searched(&out, nil)
	searched(&out, &model.Search{})
	if out.Len() > 0 {
		t.Errorf("nothing was searched: %q", out.String())
	}
	s := &model.Search{Metric: "coverage", Trials: []model.Trial{{Recipe: "graph", Words: "too big"}, {Recipe: "ease", Value: 0.25}, {Recipe: "ials", Value: 0.5, Parameters: map[string]string{"b": "2", "a": "1"}}}}
	searched(&out, s)
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 6 || strings.Join(strings.Fields(lines[1]), " ") != "0.5000 ials a=1 b=2" || !strings.HasPrefix(lines[2], "  0.2500  ease") || !strings.HasPrefix(lines[3], "  passed over: too big:  graph") {
		t.Errorf("%q", lines)
	}
	for range 2 * shownTrials {
		s.Trials = append(s.Trials, model.Trial{Recipe: "rule"})
	}
	out.Reset()
	searched(&out, s)
	if got := out.String(); strings.Count(got, "\n") != shownTrials+3 || !strings.Contains(got, fmt.Sprintf("and %d more", 3+shownTrials)) {
		t.Errorf("%s", got)
	}
	out.Reset()
	blended(&out, model.Manifest{Search: s})
	if got := out.String(); !strings.HasPrefix(got, "chosen from 27 trials by coverage\n") {
		t.Errorf("%q", got)
	}
}

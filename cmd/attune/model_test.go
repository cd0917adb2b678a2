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

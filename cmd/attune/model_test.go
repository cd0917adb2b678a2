package main

import (
	"bytes"
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

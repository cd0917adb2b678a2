package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// Ours learns from walks: the loss falls from round to round, and each is told in a line.
func TestTransformerLearnsWalks(t *testing.T) {
	var out bytes.Buffer
	r := &run{out: &out, log: io.Discard, rounds: 3}
	all, err := r.transformer(t.Context(), walks(sasrecBatch, 9, 1))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 || strings.Count(out.String(), "\n") != 3 {
		t.Fatalf("%d rounds, printed as %q", len(all), out.String())
	}
	for n := 1; n < len(all); n++ {
		if all[n].Loss >= all[n-1].Loss || all[n].CPU < 0 {
			t.Errorf("round %d: %+v after %+v", n+1, all[n], all[n-1])
		}
	}
}

// Two items in three follow from the one before, in the same way everywhere.
func TestWalks(t *testing.T) {
	next, same, all := map[int32]int32{}, 0, 0
	for _, row := range walks(400, 50, 1) {
		for k, i := range row[1:] {
			if was, ok := next[row[k]]; ok {
				all++
				if was == i {
					same++
				}
			}
			next[row[k]] = i
		}
	}
	if share := float64(same) / float64(all); share < 0.4 || share > 0.6 { // both of two follow: 4 in 9, and a little
		t.Errorf("%.2f of the items are followed by what followed them before", share)
	}
}

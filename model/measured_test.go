package model

import (
	"math"
	"slices"
	"testing"

	"github.com/attune-io/attune"
)

func TestMeasured(t *testing.T) {
	s, m := store(t), sample()
	nan := float32(math.NaN())
	m.Manifest.Against = []Against{{Version: "a", Words: "nothing to compare"}, {Version: "b", Users: 2}}
	m.Measured = &Measured{Own: map[string][]float32{"x": {1, nan, 3}},
		Against: []Duel{{}, {New: map[string][]float32{"x": {1, 2}}, Live: map[string][]float32{"x": {3, 4}}}}}
	digest, err := Save(t.Context(), s, "model/x", m)
	if err != nil {
		t.Fatal(err)
	}
	got, manifest, err := OpenMeasured(t.Context(), s, MeasuredName("model/x"))
	if err != nil {
		t.Fatal(err)
	}
	own := got.Own["x"]
	if len(own) != 3 || own[0] != 1 || own[1] == own[1] || len(got.Against) != 2 || got.Against[0].New != nil ||
		!slices.Equal(got.Against[1].New["x"], []float32{1, 2}) || !slices.Equal(got.Against[1].Live["x"], []float32{3, 4}) {
		t.Errorf("got %+v", got)
	}
	if manifest.Recipe != m.Manifest.Recipe || len(manifest.Against) != 2 {
		t.Errorf("manifest %+v", manifest)
	}
	opened, err := Open(t.Context(), s, "model/x")
	if err != nil || opened.Measured != nil || len(opened.Manifest.Against) != 2 {
		t.Errorf("opened %+v, %v", opened, err)
	}
	// What was live then is no part of what was learned.
	m.Manifest.Against = nil
	if again, err := Digest(m); err != nil || again != digest {
		t.Errorf("digest %s, %s without a comparison; %v", digest, again, err)
	}
	if _, _, err := OpenMeasured(t.Context(), s, MeasuredName("model/y")); attune.KindOf(err) != attune.NotFound {
		t.Errorf("missing: %v", err)
	}
}

// TestMeasuredFits: the most that is kept of a model is no more tensors than a file may have.
func TestMeasuredFits(t *testing.T) {
	s, m := store(t), sample()
	eight := map[string][]float32{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		eight[name] = []float32{1}
	}
	m.Measured = &Measured{Own: eight}
	for range MaxAgainst {
		m.Manifest.Against = append(m.Manifest.Against, Against{})
		m.Measured.Against = append(m.Measured.Against, Duel{eight, eight})
	}
	if _, err := Save(t.Context(), s, "model/x", m); err != nil {
		t.Error(err)
	}
	m.Measured.Against[0].Live = map[string][]float32{"a": {1, 2}}
	if _, err := Save(t.Context(), s, "model/odd", m); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenMeasured(t.Context(), s, MeasuredName("model/odd")); attune.KindOf(err) != attune.Internal {
		t.Errorf("series that do not pair: %v", err)
	}
}

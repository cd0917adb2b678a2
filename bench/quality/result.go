package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
)

// result is one JSON line: what was measured on one set.
type result struct {
	Set         string             `json:"set"`
	Kind        kind               `json:"kind"`
	Protocol    string             `json:"protocol"` // how the test was made
	Budget      string             `json:"budget,omitempty"`
	Data        string             `json:"data"`
	Questions   int                `json:"questions"`
	Metrics     []measured         `json:"metrics"` // the two of the set first
	Baselines   []baseline         `json:"baselines,omitempty"`
	Validation  *validation        `json:"validation,omitempty"`
	Recipe      string             `json:"recipe,omitempty"`
	Parameters  map[string]string  `json:"parameters,omitempty"` // of the model: the blend that was chosen
	Trials      int                `json:"trials,omitempty"`
	Digest      string             `json:"digest,omitempty"`
	ModelBytes  int64              `json:"modelBytes,omitempty"`
	Findings    []dataset.Finding  `json:"findings,omitempty"`
	Warning     string             `json:"warning,omitempty"`
	Seconds     map[string]float64 `json:"seconds"` // by part, "wall" and "cpu" of all
	PeakBytes   int64              `json:"peakBytes"`
	Tier        string             `json:"tier"`
	Scale       []scaled           `json:"scale,omitempty"`
	Environment environment        `json:"environment"`
}

// measured is a metric with its 95 % interval.
type measured struct {
	Name string `json:"name"`
	model.Interval
}

// compared is a difference, paired by unit, with its interval and p-value.
type compared struct {
	model.Interval
	P float64 `json:"p"`
}

// baseline is a simple method on the same questions.
type baseline struct {
	Name       string            `json:"name"`
	Parameters map[string]string `json:"parameters,omitempty"`
	Metrics    []measured        `json:"metrics"`
	Difference []compared        `json:"difference"` // model minus baseline, in the order of Metrics
}

// validation is what the model was chosen on.
type validation struct {
	Protocol string  `json:"protocol"`
	Cases    int     `json:"cases"`
	Metric   string  `json:"metric"`
	Value    float64 `json:"value"`
}

// environment is where and when.
type environment struct {
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Memory  int64  `json:"memoryBytes,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Version string `json:"version"` // of the code, as the build knows it
	Time    string `json:"time"`
	Command string `json:"command"`
}

func told(i evaluate.Interval) model.Interval { return model.Interval(i) }

// metric finds a metric by name.
func (r result) metric(name string) (measured, bool) {
	i := slices.IndexFunc(r.Metrics, func(m measured) bool { return m.Name == name })
	if i < 0 {
		return measured{}, false
	}
	return r.Metrics[i], true
}

// readResults reads the lines kept; none where there is no file yet.
func readResults(path string) ([]result, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseResults(text, path)
}

func parseResults(text []byte, from string) ([]result, error) {
	var out []result
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 16<<20) // a line with thousands of parameters has a few hundred KiB
	for n := 1; lines.Scan(); n++ {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, attune.Errorf(attune.Invalid, "%s, line %d: %v", from, n, err)
		}
		out = append(out, r)
	}
	return out, lines.Err()
}

// merge puts new results in the place of those of the same set and protocol; all
// others stay.
func merge(kept, fresh []result) []result {
	out := slices.Clone(kept)
	for _, r := range fresh {
		i := slices.IndexFunc(out, func(o result) bool { return o.Set == r.Set && o.Protocol == r.Protocol })
		if i < 0 {
			out = append(out, r)
		} else {
			out[i] = r
		}
	}
	return out
}

func writeResults(path string, all []result) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, r := range all {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

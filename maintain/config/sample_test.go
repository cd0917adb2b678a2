package config

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestSamples reads every sample of testdata without a word, and so does an editor.
func TestSamples(t *testing.T) {
	editor := compiled(t)
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		n++
		text := sample(t, f.Name())
		c, err := Read(text, f.Name())
		if err != nil || len(c.Warnings) > 0 {
			t.Errorf("%s: %v, %v", f.Name(), err, c)
		}
		if strings.HasSuffix(f.Name(), ".yaml") {
			var root tree
			if err := yaml.Unmarshal(text, &root); err != nil {
				t.Fatal(err)
			}
			if text, err = json.Marshal(root); err != nil {
				t.Fatal(err)
			}
		}
		if err := editor.Validate(decoded(t, text)); err != nil {
			t.Errorf("the JSON Schema refuses %s: %v", f.Name(), err)
		}
	}
	if n < 5 {
		t.Errorf("only %d samples", n)
	}
}

// TestBothLanguages reads one configuration in each.
func TestBothLanguages(t *testing.T) {
	var texts []string
	for _, name := range []string{"full.json", "full.yaml"} {
		c, err := Read(sample(t, name), name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Errorf("JSON and YAML differ:\n%s\n%s", texts[0], texts[1])
	}
}

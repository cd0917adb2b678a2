package config

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestGuide reads every sample configuration of the original's guide, whose text
// (of any edition) the variable ATTUNE_TEST_GUIDE names. Where a sample refers to
// another one instead of repeating its datasets, they are put in.
func TestGuide(t *testing.T) {
	path := os.Getenv("ATTUNE_TEST_GUIDE")
	if path == "" {
		t.Skip("ATTUNE_TEST_GUIDE names no guide")
	}
	guide, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n, datasets := 0, any(nil)
	for rest := string(guide); ; {
		i := strings.Index(rest, "\n{")
		if i < 0 {
			break
		}
		rest = rest[i+1:]
		d := json.NewDecoder(strings.NewReader(rest))
		d.UseNumber()
		var root tree
		if d.Decode(&root) != nil || root["datasetGroup"] == nil {
			continue // shell output, an event or a policy
		}
		n++
		given, _ := root["datasets"].(tree)
		switch {
		case given["interactions"] != nil:
			datasets = given
		case given != nil:
			root["datasets"] = datasets
		}
		text, err := json.MarshalIndent(root, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		c, err := Read(text, "sample.json")
		if err != nil {
			t.Errorf("sample %d:\n%s\nis refused:\n%v", n, text, err)
			continue
		}
		t.Logf("sample %d: group %s, %d solutions, warnings %v", n, c.Group.Name, len(c.Solutions), c.Warnings)
	}
	if n < 4 {
		t.Errorf("only %d samples found", n)
	}
}

package config

import (
	"bytes"

	"go.yaml.in/yaml/v3"

	"github.com/attune-io/attune"
)

// YAML writes a JSON text as YAML, with its members in the same order.
// attune.Invalid when it is not JSON.
func YAML(text []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil { // JSON is YAML in flow style
		return nil, attune.Errorf(attune.Invalid, "the text is not JSON: %w", err)
	}
	plainStyle(&doc)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return nil, attune.Errorf(attune.Invalid, "the text cannot be written as YAML: %w", err)
	}
	return out.Bytes(), enc.Close()
}

// plainStyle forgets braces and quotes. The tags stay, so that a text which looks
// like a number is quoted again.
func plainStyle(n *yaml.Node) {
	n.Style = 0
	for _, c := range n.Content {
		plainStyle(c)
	}
}

package config

import (
	"encoding/json"
	"strings"

	"github.com/attune-io/attune/dataset/schema"
)

// columns holds a schema against what its dataset type asks
// for in the schema's domain. Whatever is
// wrong with single fields is told at them; what is wrong with the whole, at it.
func (b *builder) columns(n *node, avro, kind, domain, path string) {
	whole, err := schema.Parse(avro)
	if err != nil {
		if !b.fields(n, path) {
			b.refusedSchema(n, path, err)
		}
		return
	}
	t, err := schema.ParseType(kind)
	if err != nil {
		return
	}
	if err := whole.Check(t, domain); err != nil {
		b.refusedSchema(n, path, err)
	}
}

// fields looks at each field alone, and says whether it found anything wrong.
func (b *builder) fields(n *node, path string) (found bool) {
	for i, f := range n.list("fields") {
		var one strings.Builder
		f.json(&one, true)
		alone := `{"type":"record","name":"One","fields":[` + one.String() + `]}`
		if !json.Valid([]byte(alone)) {
			continue
		}
		if _, err := schema.Parse(alone); err != nil {
			b.refusedSchema(f, at(path+".fields", i), err)
			found = true
		}
	}
	return found
}

func (b *builder) refusedSchema(n *node, path string, err error) {
	what, instead := strings.TrimPrefix(err.Error(), "schema "), "repair the schema here"
	if before, after, ok := strings.Cut(what, ": "); ok {
		what, instead = before, after
	}
	b.fail(n.place, path, what, instead)
}

package config

import (
	"encoding/json"
	"fmt"
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

// domain holds a dataset against the domain of its group: the service takes a
// schema of the same domain only, and has no actions in a domain.
func (b *builder) domain(n *node, kind, path string) {
	service := n.get("schema", "serviceConfig")
	group, ok := domainOf(b.root.get("datasetGroup", "serviceConfig"))
	own, known := domainOf(service)
	if !ok || !known {
		return // something else is wrong
	}
	if group != "" && (kind == "Actions" || kind == "Action_Interactions") {
		b.fail(n.place, path, "the dataset group is of domain "+group+", which has no actions", "move it to a group without a domain")
		return
	}
	if own == group {
		return
	}
	where, instead := service.place, "write domain: "+group
	if given := service.get("domain"); given != nil {
		where = given.place
	}
	if group == "" {
		instead = "remove it"
	}
	b.fail(where, path+".schema.serviceConfig.domain", fmt.Sprintf("is %q, and that of the dataset group is %q", own, group), instead)
}

// domainOf is the domain that a serviceConfig names, "" for none; false when it
// is none that could be.
func domainOf(service *node) (string, bool) {
	if service == nil || service.sort != object {
		return "", false
	}
	n := service.get("domain")
	if n == nil {
		return "", true
	}
	return n.text, n.sort == text && (n.text == "" || n.text == schema.Ecommerce || n.text == schema.VideoOnDemand)
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

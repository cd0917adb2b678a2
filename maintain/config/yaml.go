package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlLine finds the line in a message of the YAML reader.
var yamlLine = regexp.MustCompile(`line (\d+): `)

// readYAML makes the tree of a YAML text. Aliases are followed; merge keys and
// more than one document are not taken.
func readYAML(data []byte) (n *node, bad *misread) {
	defer func() { // the reader of YAML is not ours, and texts come from anywhere
		if p := recover(); p != nil {
			n, bad = nil, &misread{place{1, 1}, fmt.Sprintf("not YAML: %v", p), "write it more simply, or as JSON"}
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return &node{place: place{1, 1}}, nil
		}
		return nil, yamlMisread(err)
	}
	err := decoder.Decode(&more)
	if err == nil {
		return nil, &misread{place{more.Line, more.Column}, "a second YAML document", "one file holds one configuration: remove the --- line and what is below"}
	}
	if !errors.Is(err, io.EOF) {
		return nil, yamlMisread(err)
	}
	c := converter{done: map[*yaml.Node]*node{}}
	n = c.node(&doc, 0)
	return n, c.bad
}

func yamlMisread(err error) *misread {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	at := place{1, 1}
	if found := yamlLine.FindStringSubmatch(message); found != nil {
		if line, err := strconv.Atoi(found[1]); err == nil {
			at.line = line
		}
		message = strings.Replace(message, found[0], "", 1)
	}
	return &misread{at, "not YAML: " + message, "repair it here; nothing after this place was looked at"}
}

// converter makes our nodes of YAML's.
type converter struct {
	done map[*yaml.Node]*node // nil while it is being made
	bad  *misread
}

func (c *converter) stop(y *yaml.Node, what, instead string) {
	if c.bad == nil {
		c.bad = &misread{place{max(y.Line, 1), max(y.Column, 1)}, what, instead}
	}
}

func (c *converter) node(y *yaml.Node, depth int) *node {
	if old, ok := c.done[y]; ok {
		if old == nil {
			c.stop(y, "an alias that stands inside of what it names", "write it out")
			return &node{}
		}
		return old
	}
	if depth > maxDepth {
		c.stop(y, fmt.Sprintf("nested deeper than %d levels", maxDepth), "no part of a configuration is that deep")
		return &node{}
	}
	c.done[y] = nil
	n := &node{place: place{max(y.Line, 1), max(y.Column, 1)}, weight: 1}
	switch y.Kind {
	case yaml.DocumentNode:
		n = c.node(y.Content[0], depth)
	case yaml.AliasNode:
		n = c.node(y.Alias, depth)
	case yaml.MappingNode:
		c.mapping(n, y, depth)
	case yaml.SequenceNode:
		n.sort = list
		for _, item := range y.Content {
			below := c.node(item, depth+1)
			n.items = append(n.items, below)
			c.add(n, below, item)
		}
	default:
		c.scalar(n, y)
	}
	c.done[y] = n
	return n
}

// add counts what is below; sums of what is bounded cannot overflow.
func (c *converter) add(n, below *node, y *yaml.Node) {
	if n.weight += below.weight; n.weight > maxNodes {
		n.weight = maxNodes
		c.stop(y, fmt.Sprintf("more than %d values, with what aliases repeat", maxNodes), "split it by dataset group")
	}
}

func (c *converter) mapping(n *node, y *yaml.Node, depth int) {
	n.sort = object
	seen := map[string]bool{}
	for i := 0; i+1 < len(y.Content) && c.bad == nil; i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			c.stop(key, "a key that is no plain word", "keys are the names of settings")
			return
		}
		if key.Tag == "!!merge" {
			c.stop(key, "a merge key (<<)", "write the members out, or use an alias for a whole value")
			return
		}
		m := member{name: key.Value, at: place{y.Content[i].Line, y.Content[i].Column}, node: c.node(value, depth+1)}
		c.add(n, m.node, value)
		if seen[m.name] {
			n.twice = append(n.twice, m)
			continue
		}
		seen[m.name] = true
		n.members = append(n.members, m)
	}
}

// scalar reads a word as YAML does; what JSON has no type for (dates) is a text.
func (c *converter) scalar(n *node, y *yaml.Node) {
	n.sort, n.text = text, y.Value
	switch y.ShortTag() {
	case "!!null":
		n.sort, n.text = nothing, ""
	case "!!bool":
		var b bool
		if y.Decode(&b) == nil {
			n.sort, n.text = boolean, strconv.FormatBool(b)
		}
	case "!!int":
		var i int64
		var u uint64
		switch {
		case y.Decode(&i) == nil:
			n.sort, n.text = number, strconv.FormatInt(i, 10)
		case y.Decode(&u) == nil:
			n.sort, n.text = number, strconv.FormatUint(u, 10)
		}
	case "!!float":
		var f float64
		if y.Decode(&f) != nil {
			return
		}
		if math.IsInf(f, 0) || math.IsNaN(f) {
			c.stop(y, y.Value+" is no number that a service takes", "write digits, or put it in quotes")
			return
		}
		n.sort, n.text = number, strconv.FormatFloat(f, 'g', -1, 64)
	}
}

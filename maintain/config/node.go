package config

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// sort is what a node is.
type sort uint8

const (
	nothing sort = iota // null
	object
	list
	text
	number
	boolean
)

var sortNames = [...]string{"null", "an object", "a list", "a string", "a number", "true or false"}

func (s sort) String() string { return sortNames[s] }

// place is a line and a column of the file, both from 1; columns count characters.
type place struct{ line, column int }

// node is a value of the file, JSON or YAML, with its place. Trees are read only
// once they are made; with YAML's aliases a node may stand in several places.
type node struct {
	place
	sort    sort
	text    string   // of a text; of a number, its digits as JSON has them; of a boolean, true or false
	members []member // of an object, in the order of the file, each name once
	items   []*node  // of a list
	twice   []member // of an object: members whose name was there already
	weight  int      // how many nodes it is with all below, aliases counted each time
}

// member is a name in an object with its value.
type member struct {
	name string
	at   place // of the name
	node *node
}

// get is the member of an object; nil when it is absent, null or n is no object.
func (n *node) get(path ...string) *node {
	for _, name := range path {
		if n == nil || n.sort != object {
			return nil
		}
		var found *node
		for _, m := range n.members {
			if m.name == name {
				found = m.node
			}
		}
		if n = found; n == nil || n.sort == nothing {
			return nil
		}
	}
	return n
}

// list is the items of a member; none when it is absent or no list.
func (n *node) list(path ...string) []*node {
	if n = n.get(path...); n == nil || n.sort != list {
		return nil
	}
	return n.items
}

// string is a text member; "" when it is absent or no text.
func (n *node) string(path ...string) string {
	if n = n.get(path...); n == nil || n.sort != text {
		return ""
	}
	return n.text
}

// isTrue says whether a member is true.
func (n *node) isTrue(path ...string) bool {
	n = n.get(path...)
	return n != nil && n.sort == boolean && n.text == "true"
}

// empty says whether the value is one of those that are never sent: null, false, 0, "", [] and {}.
func (n *node) empty() bool {
	switch n.sort {
	case nothing:
		return true
	case boolean:
		return n.text == "false"
	case text:
		return n.text == ""
	case number:
		f, err := strconv.ParseFloat(n.text, 64)
		return err == nil && f == 0
	case list:
		return len(n.items) == 0
	default:
		return len(n.members) == 0
	}
}

// json writes the node as compact JSON with its members in the order of the
// file. Members that are null are left out. Numbers are as in the file when
// exact, else without a fraction where it is nothing.
func (n *node) json(b *strings.Builder, exact bool) {
	switch n.sort {
	case nothing:
		b.WriteString("null")
	case boolean:
		b.WriteString(n.text)
	case number:
		if exact {
			b.WriteString(n.text)
		} else {
			b.WriteString(whole(n.text))
		}
	case text:
		quote(b, n.text)
	case list:
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.json(b, exact)
		}
		b.WriteByte(']')
	case object:
		b.WriteByte('{')
		first := true
		for _, m := range n.members {
			if m.node.sort == nothing {
				continue
			}
			if !first {
				b.WriteByte(',')
			}
			first = false
			quote(b, m.name)
			b.WriteByte(':')
			m.node.json(b, exact)
		}
		b.WriteByte('}')
	}
}

// quote writes a JSON string and leaves < > & as they are.
func quote(b *strings.Builder, s string) {
	var line strings.Builder
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err == nil { // always, for a string
		b.WriteString(strings.TrimSuffix(line.String(), "\n"))
	}
}

// whole writes a number without a fraction where it has none, so that 1.0 and
// 1e2 are read by clients that want an integer.
func whole(digits string) string {
	if !strings.ContainsAny(digits, ".eE") {
		return digits
	}
	if f, err := strconv.ParseFloat(digits, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return digits
}

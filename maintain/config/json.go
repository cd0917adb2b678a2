package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// maxDepth bounds nesting. The deepest path of a configuration has 12 levels.
	maxDepth = 64
	// maxNodes bounds the values of a file, aliases counted each time, so that a
	// small file cannot take a lot of memory. A large configuration has thousands.
	maxNodes = 100_000
)

// misread is why a text cannot be read at all, and where.
type misread struct {
	place
	what, instead string
}

// reader walks text that is known to be well-formed JSON.
type reader struct {
	data  []byte
	pos   int
	line  int
	mark  int // a byte of the line, at or before pos, …
	runes int // … and the characters before it in the line, so that long lines are counted once
	nodes int
	bad   *misread // the first reason to stop
}

// readJSON makes the tree of a JSON text.
func readJSON(data []byte) (*node, *misread) {
	r := &reader{data: data, line: 1}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		at := len(data)
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = min(int(syntax.Offset), len(data))
		}
		if at > 0 && at < len(data) || at > 0 && !strings.Contains(err.Error(), "unexpected end") {
			at-- // the offset is after the byte
		}
		return nil, r.syntax(at, err)
	}
	n := r.value(0)
	if r.bad != nil {
		return nil, r.bad
	}
	return n, nil
}

// syntax says what is wrong at a byte.
func (r *reader) syntax(at int, err error) *misread {
	line := 1 + bytes.Count(r.data[:at], []byte("\n"))
	start := bytes.LastIndexByte(r.data[:at], '\n') + 1
	bad := &misread{place: place{line, 1 + utf8.RuneCount(r.data[start:at])}}
	bad.what = "not JSON: " + strings.TrimPrefix(err.Error(), "json: ")
	before := bytes.TrimRight(r.data[:at], " \t\r\n")
	switch {
	case at < len(r.data) && (r.data[at] == '}' || r.data[at] == ']') && bytes.HasSuffix(before, []byte(",")):
		bad.instead = "remove the comma before " + string(r.data[at])
	case at < len(r.data) && (r.data[at] == '/' || r.data[at] == '#'):
		bad.instead = "JSON has no comments: remove this one, or write YAML"
	case at < len(r.data) && r.data[at] == '\'':
		bad.instead = `strings stand in double quotes`
	case strings.Contains(err.Error(), "unexpected end"):
		bad.instead = "the file ends too early: close what was opened"
	default:
		bad.instead = "repair it here; nothing after this place was looked at"
	}
	return bad
}

// here is the place of the next byte.
func (r *reader) here() place {
	r.runes += utf8.RuneCount(r.data[r.mark:r.pos])
	r.mark = r.pos
	return place{r.line, 1 + r.runes}
}

// stop records why reading ends.
func (r *reader) stop(at place, what, instead string) {
	if r.bad == nil {
		r.bad = &misread{at, what, instead}
	}
}

// peek skips white space and gives the next byte, or 0 at the end.
func (r *reader) peek() byte {
	for ; r.pos < len(r.data); r.pos++ {
		switch c := r.data[r.pos]; c {
		case ' ', '\t', '\r':
		case '\n':
			r.line, r.mark, r.runes = r.line+1, r.pos+1, 0
		default:
			return c
		}
	}
	return 0
}

// next is peek and a step over the byte.
func (r *reader) next() byte {
	c := r.peek()
	r.pos++
	return c
}

// value reads one value. After a reason to stop, what it gives is of no use.
func (r *reader) value(depth int) *node {
	c := r.peek()
	n := &node{place: r.here(), weight: 1}
	if depth > maxDepth {
		r.stop(n.place, fmt.Sprintf("nested deeper than %d levels", maxDepth), "no part of a configuration is that deep")
		return n
	}
	if r.nodes++; r.nodes > maxNodes {
		r.stop(n.place, fmt.Sprintf("more than %d values", maxNodes), "split it by dataset group")
		return n
	}
	switch c {
	case '{':
		r.object(n, depth)
	case '[':
		r.items(n, depth)
	case '"':
		n.sort, n.text = text, r.text()
	case 't', 'f', 'n':
		n.sort, n.text = boolean, r.word()
		if c == 'n' {
			n.sort = nothing
		}
	default:
		n.sort, n.text = number, r.word()
	}
	return n
}

func (r *reader) object(n *node, depth int) {
	n.sort = object
	r.next()
	if r.peek() == '}' {
		r.next()
		return
	}
	seen := map[string]bool{}
	for r.bad == nil {
		r.peek()
		m := member{at: r.here(), name: r.text()}
		r.next() // the colon
		m.node = r.value(depth + 1)
		n.weight += m.node.weight
		if seen[m.name] {
			n.twice = append(n.twice, m)
		} else {
			seen[m.name] = true
			n.members = append(n.members, m)
		}
		if r.next() == '}' {
			return
		}
	}
}

func (r *reader) items(n *node, depth int) {
	n.sort = list
	r.next()
	if r.peek() == ']' {
		r.next()
		return
	}
	for r.bad == nil {
		item := r.value(depth + 1)
		n.weight += item.weight
		n.items = append(n.items, item)
		if r.next() == ']' {
			return
		}
	}
}

// word is the letters and digits of a number, true, false or null.
func (r *reader) word() string {
	start := r.pos
	for r.pos < len(r.data) && strings.IndexByte(" \t\r\n,]}", r.data[r.pos]) < 0 {
		r.pos++
	}
	return string(r.data[start:r.pos])
}

// text reads a string.
func (r *reader) text() string {
	at, start := r.here(), r.pos
	for r.pos++; r.data[r.pos] != '"'; r.pos++ {
		if r.data[r.pos] == '\\' {
			r.pos++
		}
	}
	r.pos++
	raw := r.data[start:r.pos]
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		r.stop(at, "not a string: "+err.Error(), "write it again")
	}
	if strings.ContainsRune(s, utf8.RuneError) && !bytes.Contains(raw, []byte("\uFFFD")) && !bytes.Contains(bytes.ToLower(raw), []byte(`\ufffd`)) {
		r.stop(at, `half a character: a \ud800…\udfff without its other half`, "write both halves, or the character itself")
	}
	return s
}

package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/attune-io/attune"
)

const (
	// MaxBytes bounds the text of a pattern; that of EventBridge is 2 KiB.
	MaxBytes = 16 << 10
	// maxDepth bounds how deep patterns and events are looked into.
	maxDepth = 32
)

// Pattern says which events are wanted. It never changes, and may be used by
// many goroutines.
type Pattern struct{ root *node }

// node is one level of a pattern: all of its fields and choices must hold.
type node struct {
	fields  []field
	choices [][]*node // of each $or
}

// field is what one member of an event must be: deeper, or one of these.
type field struct {
	name string
	sub  *node
	any  []matcher
}

// Parse compiles a pattern. The error is attune.Invalid, and says where in the
// pattern what is wrong.
func Parse(text []byte) (*Pattern, error) {
	if len(text) > MaxBytes {
		return nil, attune.Errorf(attune.Invalid, "the pattern has %d bytes: give at most %d", len(text), MaxBytes)
	}
	v, err := decode(text)
	if err != nil {
		return nil, attune.Errorf(attune.Invalid, "the pattern is not JSON: %w", err)
	}
	root, ok := v.(*object)
	if !ok {
		return nil, attune.Errorf(attune.Invalid, `the pattern is %s: give an object, like {"source": ["attune"]}`, describe(v))
	}
	n, err := compile("", root, 0)
	if err != nil {
		return nil, err
	}
	return &Pattern{n}, nil
}

// wrong says what is wrong at a place of a pattern.
func wrong(at, format string, args ...any) error {
	if at == "" {
		at = "the pattern"
	}
	return attune.Errorf(attune.Invalid, "pattern: %s %s", at, fmt.Sprintf(format, args...))
}

func below(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

func compile(at string, o *object, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, wrong(at, "is deeper than %d: no event is", maxDepth)
	}
	if len(o.members) == 0 {
		return nil, wrong(at, "is empty: name a member of the event, or leave it out")
	}
	n := &node{}
	for _, m := range o.members {
		at := below(at, m.name)
		switch v := m.value.(type) {
		case *object:
			sub, err := compile(at, v, depth+1)
			if err != nil {
				return nil, err
			}
			n.fields = append(n.fields, field{name: m.name, sub: sub})
		case []any:
			if m.name == "$or" {
				choice, err := compileOr(at, v, depth)
				if err != nil {
					return nil, err
				}
				n.choices = append(n.choices, choice)
				continue
			}
			alternatives, err := compileList(at, v)
			if err != nil {
				return nil, err
			}
			n.fields = append(n.fields, field{name: m.name, any: alternatives})
		default:
			return nil, wrong(at, "is %s: give a list of alternatives, like [%s], or an object", describe(v), sample(v))
		}
	}
	return n, nil
}

func compileOr(at string, list []any, depth int) ([]*node, error) {
	if len(list) < 2 {
		return nil, wrong(at, "has %d patterns: give two or more", len(list))
	}
	var choice []*node
	for i, v := range list {
		at := at + "[" + strconv.Itoa(i) + "]"
		o, ok := v.(*object)
		if !ok {
			return nil, wrong(at, "is %s: give an object with a pattern", describe(v))
		}
		n, err := compile(at, o, depth+1)
		if err != nil {
			return nil, err
		}
		choice = append(choice, n)
	}
	return choice, nil
}

func compileList(at string, list []any) ([]matcher, error) {
	if len(list) == 0 {
		return nil, wrong(at, "is an empty list, which nothing matches: give alternatives")
	}
	var all []matcher
	for i, v := range list {
		m, err := compileMatcher(at+"["+strconv.Itoa(i)+"]", v)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// Match says whether an event, a JSON object, matches; the error is
// attune.Invalid when it is none.
func (p *Pattern) Match(event []byte) (bool, error) {
	dec := json.NewDecoder(bytes.NewReader(event))
	dec.UseNumber()
	var v map[string]any
	if err := dec.Decode(&v); err != nil {
		return false, attune.Errorf(attune.Invalid, "the event is not a JSON object: %w", err)
	}
	if v == nil {
		return false, attune.Errorf(attune.Invalid, "the event is null: give a JSON object")
	}
	return p.root.match(v), nil
}

func (n *node) match(event map[string]any) bool {
	for _, f := range n.fields {
		v, there := event[f.name]
		if f.sub != nil && !f.deeper(v, maxDepth) || f.sub == nil && !f.alternative(v, there, maxDepth) {
			return false
		}
	}
	for _, choice := range n.choices {
		if !matchOne(choice, event) {
			return false
		}
	}
	return true
}

func matchOne(choice []*node, event map[string]any) bool {
	for _, n := range choice {
		if n.match(event) {
			return true
		}
	}
	return false
}

// deeper says whether v, or an element of it, is an object that the field's own
// pattern matches. An absent one is tried as an empty object, so that what must
// not exist does not.
func (f *field) deeper(v any, depth int) bool {
	switch v := v.(type) {
	case map[string]any:
		return f.sub.match(v)
	case []any:
		for _, e := range v {
			if depth > 0 && f.deeper(e, depth-1) {
				return true
			}
		}
		return len(v) == 0 && f.sub.match(nil)
	}
	return f.sub.match(nil)
}

// alternative says whether v, or an element of it, is one of the field's.
func (f *field) alternative(v any, there bool, depth int) bool {
	if list, ok := v.([]any); ok && there {
		for _, e := range list {
			if depth > 0 && f.alternative(e, true, depth-1) {
				return true
			}
		}
		return len(list) == 0 && f.alternative(nil, false, 0)
	}
	if _, deep := v.(map[string]any); deep {
		there = false // an object is no leaf
	}
	for _, m := range f.any {
		if m(v, there) {
			return true
		}
	}
	return false
}

// object is a JSON object as it was written: patterns may not name a member twice.
type object struct{ members []member }

type member struct {
	name  string
	value any
}

// decode reads one JSON value with its objects as *object and its numbers as json.Number.
func decode(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v, err := decodeValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows its end")
	}
	return v, nil
}

func decodeValue(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth > 2*maxDepth {
		return nil, errors.New("it is nested too deep")
	}
	if delim == '[' {
		list := []any{}
		for dec.More() {
			v, err := decodeValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	}
	o, seen := &object{}, map[string]bool{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		text, _ := name.(string) // the decoder takes nothing else here
		if seen[text] {
			return nil, fmt.Errorf("it names %q twice in one object", text)
		}
		seen[text] = true
		v, err := decodeValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		o.members = append(o.members, member{text, v})
	}
	_, err = dec.Token()
	return o, err
}

// describe says what sort of JSON value v is.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return "the number " + v.String()
	case []any:
		return "a list"
	}
	return "an object"
}

// sample writes a leaf again, for an example of how it is meant.
func sample(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "…"
	}
	return string(text)
}

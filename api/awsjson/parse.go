package awsjson

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/attune-io/attune"
)

const (
	// maxDepth bounds nesting. The deepest published input has 8 levels; unknown
	// members may bring more, but nobody needs four times that.
	maxDepth = 32
	// maxValues bounds the JSON values in one body, so that a body of "[],[],…"
	// cannot take many times its size in memory. The widest published input is a
	// solution with hyper-parameter ranges: about 10,000.
	maxValues = 100_000
)

// serialization is the failure to read a body: Kind Invalid, sent under AWS's name for it.
func serialization(format string, args ...any) error {
	err := attune.Errorf(attune.Invalid, format, args...)
	named := &Named{Name: SerializationException, Status: 400, Message: err.Error()}
	return &attune.Error{Kind: attune.Invalid, Message: named.Message, Err: named}
}

// Parse reads a JSON body into map[string]any, []any, string, json.Number,
// bool and nil. It is stricter than encoding/json: bytes that are not UTF-8,
// repeated member names, nesting beyond 32 and bodies of more than 100,000 values
// are refused. An empty body is an empty object. Errors have Kind Invalid.
func Parse(body []byte) (any, error) {
	if !utf8.Valid(body) {
		at := 0
		for rest := body; ; {
			r, n := utf8.DecodeRune(rest)
			if r == utf8.RuneError && n <= 1 {
				break
			}
			at, rest = at+n, rest[n:]
		}
		return nil, serialization("the request body is not UTF-8 at byte %d", at)
	}
	p := parser{data: body}
	if p.peek(); p.pos == len(body) {
		return map[string]any{}, nil
	}
	var raw json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, serialization("the request body is not JSON at byte %d: %v", syntax.Offset, err)
		}
		return nil, serialization("the request body is not JSON: %v", err)
	}
	return p.value(0)
}

// parser walks text that is known to be well-formed JSON.
type parser struct {
	data   []byte
	pos    int
	values int
}

// peek skips white space and gives the next byte, or 0 at the end.
func (p *parser) peek() byte {
	for ; p.pos < len(p.data); p.pos++ {
		switch c := p.data[p.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// next is peek and a step over the byte.
func (p *parser) next() byte {
	c := p.peek()
	p.pos++
	return c
}

func (p *parser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, serialization("the request body is nested deeper than %d levels at byte %d", maxDepth, p.pos)
	}
	if p.values++; p.values > maxValues {
		return nil, serialization("the request body holds more than %d values", maxValues)
	}
	switch p.peek() {
	case '{':
		return p.object(depth)
	case '[':
		return p.list(depth)
	case '"':
		return p.text()
	case 't':
		p.pos += len("true")
		return true, nil
	case 'f':
		p.pos += len("false")
		return false, nil
	case 'n':
		p.pos += len("null")
		return nil, nil
	}
	start := p.pos
	for p.pos < len(p.data) && strings.IndexByte("+-.0123456789eE", p.data[p.pos]) >= 0 {
		p.pos++
	}
	return json.Number(p.data[start:p.pos]), nil
}

func (p *parser) object(depth int) (any, error) {
	p.next()
	object := make(map[string]any, 8)
	if p.peek() == '}' {
		p.next()
		return object, nil
	}
	for {
		p.peek()
		at := p.pos
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if _, twice := object[name]; twice {
			return nil, serialization("member '%s' appears twice in one object, at byte %d", shorten(name), at)
		}
		p.next() // the colon
		if object[name], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		if p.next() == '}' {
			return object, nil
		}
	}
}

func (p *parser) list(depth int) (any, error) {
	p.next()
	list := []any{}
	if p.peek() == ']' {
		p.next()
		return list, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if p.next() == ']' {
			return list, nil
		}
	}
}

// text reads a string and copies it, so that a kept id does not keep its body.
func (p *parser) text() (string, error) {
	start := p.pos
	p.pos++
	for escaped := false; ; {
		switch p.data[p.pos] {
		case '"':
			p.pos++
			if !escaped {
				return string(p.data[start+1 : p.pos-1]), nil
			}
			var s string
			if err := json.Unmarshal(p.data[start:p.pos], &s); err != nil {
				return "", serialization("the request body has a bad string at byte %d: %v", start, err)
			}
			return s, nil
		case '\\':
			escaped = true
			p.pos += 2
		default:
			p.pos++
		}
	}
}

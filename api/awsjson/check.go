package awsjson

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/wire"
	"github.com/attune-io/attune/wire/check"
)

const (
	// maxReported is how many violations a message spells out; the count at its
	// beginning covers all of them.
	maxReported = 10
	// maxEcho is how many characters of a client's value come back in a message:
	// enough to recognise it, too few to fill a log.
	maxEcho = 256
)

// Check holds v, as Parse makes it, against every published constraint of the
// shape. All violations are reported in one error of Kind Invalid, in AWS's
// words ("2 validation errors detected: Value 'a b' at 'name' failed to satisfy
// constraint: …; …"). A value of the wrong JSON type is reported alone, as a
// SerializationException. Lengths count characters, not bytes.
//
// List elements are named 'list.1.member' and map values 'map.KEY.value', also
// where AWS would only name the list, so that the one bad id among 500 is found.
func Check(shape *wire.Shape, v any) error {
	var c checker
	if err := c.value(shape, v, nil, false); err != nil {
		return err
	}
	if c.total == 0 {
		return nil
	}
	noun := "errors"
	if c.total == 1 {
		noun = "error"
	}
	text := strings.Join(c.reported, "; ")
	if more := c.total - len(c.reported); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return attune.Errorf(attune.Invalid, "%d validation %s detected: %s", c.total, noun, text)
}

// path is where a value stands; it is only written out when something is wrong.
type path struct {
	above *path
	name  string
}

func (p *path) String() string {
	if p == nil {
		return ""
	}
	if p.above == nil {
		return p.name
	}
	return p.above.String() + "." + p.name
}

type checker struct {
	reported []string
	total    int
}

// fail records one violated constraint.
func (c *checker) fail(shown string, at *path, format string, args ...any) {
	if c.total++; c.total <= maxReported {
		c.reported = append(c.reported, fmt.Sprintf("Value%s at '%s' failed to satisfy constraint: %s",
			shown, at, fmt.Sprintf(format, args...)))
	}
}

const notNull = "Member must not be null"

// value returns an error only for a wrong JSON type; violations go to the checker.
func (c *checker) value(s *wire.Shape, v any, at *path, document bool) error {
	switch s.Type {
	case wire.Structure:
		return c.structure(s, v, at)
	case wire.List:
		return c.list(s, v, at)
	case wire.Map:
		return c.mapping(s, v, at)
	case wire.String:
		text, ok := v.(string)
		if !ok && document {
			return wrongType(at, "a JSON document inside a string", v)
		}
		if !ok {
			return wrongType(at, "a string", v)
		}
		c.text(s, text, at)
	case wire.Boolean:
		if _, ok := v.(bool); !ok {
			return wrongType(at, "true or false", v)
		}
	default:
		n, ok := v.(json.Number)
		if !ok {
			return wrongType(at, "a number", v)
		}
		return c.number(s, n, at)
	}
	return nil
}

func (c *checker) structure(s *wire.Shape, v any, at *path) error {
	object, ok := v.(map[string]any)
	if !ok {
		return wrongType(at, "an object", v)
	}
	for i := range s.Members {
		m := &s.Members[i]
		value := object[m.Name]
		if value == nil {
			if m.Required {
				c.fail(" null", &path{at, m.Name}, notNull)
			}
			continue
		}
		if err := c.value(m.Shape, value, &path{at, m.Name}, m.JSONValue); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) list(s *wire.Shape, v any, at *path) error {
	list, ok := v.([]any)
	if !ok {
		return wrongType(at, "a list", v)
	}
	c.size(s, len(list), at)
	for i, value := range list {
		if value == nil {
			c.fail(" null", &path{at, strconv.Itoa(i+1) + ".member"}, notNull)
			continue
		}
		if text, ok := value.(string); ok && s.Element.Type == wire.String {
			if !check.Fits(s.Element, text) { // spares the path of the many good ones
				c.text(s.Element, text, &path{at, strconv.Itoa(i+1) + ".member"})
			}
			continue
		}
		if err := c.value(s.Element, value, &path{at, strconv.Itoa(i+1) + ".member"}, false); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) mapping(s *wire.Shape, v any, at *path) error {
	object, ok := v.(map[string]any)
	if !ok {
		return wrongType(at, "an object", v)
	}
	c.size(s, len(object), at)
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys) // the same request gets the same message
	for _, key := range keys {
		below := &path{at, shorten(key)}
		for _, broken := range check.Text(s.Key, key) {
			c.fail(shownText(s.Key, key), at, "Map keys must satisfy constraint: [%s]", words(s.Key, broken))
		}
		if object[key] == nil {
			c.fail(" null", &path{below, "value"}, notNull)
			continue
		}
		if err := c.value(s.Value, object[key], &path{below, "value"}, false); err != nil {
			return err
		}
	}
	return nil
}

// size checks the number of elements; AWS calls it length as well.
func (c *checker) size(s *wire.Shape, n int, at *path) {
	for _, broken := range check.Size(s, n) {
		c.fail(shownSize(n), at, "%s", words(s, broken))
	}
}

// shownSize stands for a whole list or map, whose members may be sensitive.
func shownSize(n int) string { return fmt.Sprintf(" '[%d members]'", n) }

func (c *checker) text(s *wire.Shape, text string, at *path) {
	for _, broken := range check.Text(s, text) {
		c.fail(shownText(s, text), at, "%s", words(s, broken))
	}
}

// words says a broken rule as AWS does.
func words(s *wire.Shape, broken check.Rule) string {
	switch broken {
	case check.TooLong:
		return fmt.Sprintf("Member must have length less than or equal to %.0f", s.Max.N)
	case check.TooShort:
		return fmt.Sprintf("Member must have length greater than or equal to %.0f", s.Min.N)
	case check.Unlike:
		return "Member must satisfy regular expression pattern: " + s.Pattern.Published
	case check.Unlisted:
		return "Member must satisfy enum value set: [" + strings.Join(s.Enum, ", ") + "]"
	case check.TooSmall:
		return "Member must have value greater than or equal to " + plain(s.Min.N)
	default:
		return "Member must have value less than or equal to " + plain(s.Max.N)
	}
}

func (c *checker) number(s *wire.Shape, n json.Number, at *path) error {
	for _, broken := range check.Number(s, n) {
		switch broken {
		case check.NotATime:
			_, err := wire.ParseTime(string(n))
			return serialization("member '%s': %v", at, err)
		case check.NotWhole:
			return serialization("member '%s' must be a whole number between %d and %d, not %s",
				at, math.MinInt32, math.MaxInt32, shorten(string(n)))
		case check.NotFinite:
			return serialization("member '%s' must be a number that fits in 64 bits, not %s", at, shorten(string(n)))
		default:
			c.fail(shownText(s, string(n)), at, "%s", words(s, broken))
		}
	}
	return nil
}

// plain writes a bound without an exponent.
func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// shownText quotes a value for a message, unless its shape is sensitive.
func shownText(s *wire.Shape, text string) string {
	if s.Sensitive {
		return ""
	}
	return " '" + shorten(text) + "'"
}

// shorten cuts a client's text for a message.
func shorten(text string) string {
	n := 0
	for i := range text {
		if n++; n > maxEcho {
			return text[:i] + "…"
		}
	}
	return text
}

// wrongType reports a JSON type that the shape cannot be.
func wrongType(at *path, want string, v any) error {
	var got string
	switch v := v.(type) {
	case nil:
		got = "null"
	case map[string]any:
		got = "an object"
	case []any:
		got = "a list"
	case string:
		got = "a string"
	case bool:
		got = strconv.FormatBool(v)
	case json.Number:
		got = "a number"
	default:
		got = fmt.Sprintf("a Go %T", v)
	}
	if at == nil {
		return serialization("the request body must be %s, not %s", want, got)
	}
	return serialization("member '%s' must be %s, not %s", at, want, got)
}

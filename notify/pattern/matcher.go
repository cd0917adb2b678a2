package pattern

import (
	"encoding/json"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// matcher is one alternative. there tells whether the event has the member, and
// has no object in it; v is then a leaf, null included.
type matcher func(v any, there bool) bool

// ofText lifts a test of texts.
func ofText(test func(string) bool) matcher {
	return func(v any, there bool) bool {
		s, ok := v.(string)
		return there && ok && test(s)
	}
}

func compileMatcher(at string, v any) (matcher, error) {
	o, ok := v.(*object)
	if !ok {
		return compileLeaf(at, v)
	}
	if len(o.members) != 1 {
		return nil, wrong(at, "has %d members: an alternative has one, like {\"prefix\": \"x\"}", len(o.members))
	}
	name, arg := o.members[0].name, o.members[0].value
	at = at + "." + name
	switch name {
	case "exists":
		want, ok := arg.(bool)
		if !ok {
			return nil, wrong(at, "is %s: give true or false", describe(arg))
		}
		return func(_ any, there bool) bool { return there == want }, nil
	case "numeric":
		return compileNumeric(at, arg)
	case "cidr":
		return compileCIDR(at, arg)
	case "anything-but":
		return compileBut(at, arg)
	}
	test, err := compileText(at, name, arg)
	if err != nil {
		return nil, err
	}
	return ofText(test), nil
}

// compileLeaf is equality.
func compileLeaf(at string, v any) (matcher, error) {
	switch want := v.(type) {
	case string:
		return ofText(func(s string) bool { return s == want }), nil
	case json.Number:
		x, err := number(at, want)
		if err != nil {
			return nil, err
		}
		return func(v any, there bool) bool {
			y, ok := value(v)
			return there && ok && x == y
		}, nil
	case bool, nil:
		return func(v any, there bool) bool { return there && v == want }, nil
	}
	return nil, wrong(at, "is a list in a list: give texts, numbers, true, false, null, or an object like {\"prefix\": \"x\"}")
}

// compileText compiles the tests that look at a text.
func compileText(at, name string, arg any) (func(string) bool, error) {
	switch name {
	case "prefix", "suffix":
		has, fold := strings.HasPrefix, foldPrefix
		if name == "suffix" {
			has, fold = strings.HasSuffix, foldSuffix
		}
		if o, ok := arg.(*object); ok {
			if len(o.members) != 1 || o.members[0].name != "equals-ignore-case" {
				return nil, wrong(at, "takes a text, or {\"equals-ignore-case\": \"x\"}")
			}
			arg, has, at = o.members[0].value, fold, at+".equals-ignore-case"
		}
		want, err := text(at, arg)
		return func(s string) bool { return has(s, want) }, err
	case "equals-ignore-case":
		want, err := text(at, arg)
		return func(s string) bool { return strings.EqualFold(s, want) }, err
	case "wildcard":
		want, err := text(at, arg)
		if err != nil {
			return nil, err
		}
		return compileWildcard(at, want)
	}
	return nil, wrong(at, "is not known: say prefix, suffix, equals-ignore-case, wildcard, numeric, cidr, exists or anything-but")
}

func text(at string, v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", wrong(at, "is %s: give a text", describe(v))
	}
	return s, nil
}

// foldPrefix and foldSuffix compare as many characters as want has.
func foldPrefix(s, want string) bool {
	r, w := []rune(s), []rune(want)
	return len(r) >= len(w) && strings.EqualFold(string(r[:len(w)]), want)
}

func foldSuffix(s, want string) bool {
	r, w := []rune(s), []rune(want)
	return len(r) >= len(w) && strings.EqualFold(string(r[len(r)-len(w):]), want)
}

// compileWildcard cuts a wildcard into the texts between its stars.
func compileWildcard(at, want string) (func(string) bool, error) {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(want); i++ {
		switch c := want[i]; {
		case c == '\\' && i+1 < len(want) && (want[i+1] == '*' || want[i+1] == '\\'):
			i++
			part.WriteByte(want[i])
		case c == '\\':
			return nil, wrong(at, `has a backslash before something else: write \\ for a backslash and \* for a star`)
		case c == '*' && i > 0 && want[i-1] == '*' && part.Len() == 0 && len(parts) > 0:
			return nil, wrong(at, "has two stars in a row: one means the same")
		case c == '*':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(c)
		}
	}
	parts = append(parts, part.String())
	return func(s string) bool { return matchParts(parts, s) }, nil
}

// matchParts finds the parts in their order, the first at the start and the last at the end.
func matchParts(parts []string, s string) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return s == first
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

func number(at string, n json.Number) (float64, error) {
	x, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || math.IsInf(x, 0) {
		return 0, wrong(at, "is %s, which is out of range", n)
	}
	return x, nil
}

// value reads a number of an event.
func value(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	x, err := strconv.ParseFloat(n.String(), 64)
	return x, err == nil
}

// compileNumeric takes one comparison, or two that make a range.
func compileNumeric(at string, arg any) (matcher, error) {
	list, ok := arg.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, wrong(at, `takes one comparison or two: ["=", 5] or [">", 0, "<=", 5]`)
	}
	var tests []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		op, _ := list[i].(string)
		n, ok := list[i+1].(json.Number)
		if !ok {
			return nil, wrong(at+"["+strconv.Itoa(i+1)+"]", "is %s: give a number", describe(list[i+1]))
		}
		x, err := number(at, n)
		if err != nil {
			return nil, err
		}
		var test func(float64) bool
		switch op {
		case "=":
			test = func(v float64) bool { return v == x }
		case "<":
			test = func(v float64) bool { return v < x }
		case "<=":
			test = func(v float64) bool { return v <= x }
		case ">":
			test = func(v float64) bool { return v > x }
		case ">=":
			test = func(v float64) bool { return v >= x }
		default:
			return nil, wrong(at+"["+strconv.Itoa(i)+"]", `is no comparison: say =, <, <=, > or >=`)
		}
		tests = append(tests, test)
	}
	return func(v any, there bool) bool {
		x, ok := value(v)
		if !there || !ok {
			return false
		}
		for _, test := range tests {
			if !test(x) {
				return false
			}
		}
		return true
	}, nil
}

func compileCIDR(at string, arg any) (matcher, error) {
	s, err := text(at, arg)
	if err != nil {
		return nil, err
	}
	block, err := netip.ParsePrefix(s)
	if err != nil {
		return nil, wrong(at, "is %q: give a block of addresses, like 10.0.0.0/8", s)
	}
	block = block.Masked()
	return ofText(func(s string) bool {
		addr, err := netip.ParseAddr(s)
		return err == nil && block.Contains(addr)
	}), nil
}

// compileBut matches what is there and is none of what it names.
func compileBut(at string, arg any) (matcher, error) {
	var not []matcher
	switch arg := arg.(type) {
	case []any:
		if len(arg) == 0 {
			return nil, wrong(at, "is an empty list: name what is not wanted")
		}
		for i, v := range arg {
			m, err := compileButLeaf(at+"["+strconv.Itoa(i)+"]", v)
			if err != nil {
				return nil, err
			}
			not = append(not, m)
		}
	case *object:
		if len(arg.members) != 1 {
			return nil, wrong(at, "has %d members: name one of prefix, suffix, equals-ignore-case, wildcard", len(arg.members))
		}
		name, of := arg.members[0].name, arg.members[0].value
		at := at + "." + name
		list, ok := of.([]any)
		if !ok {
			list = []any{of}
		}
		if len(list) == 0 {
			return nil, wrong(at, "is an empty list: name what is not wanted")
		}
		for _, v := range list {
			test, err := compileText(at, name, v)
			if err != nil {
				return nil, err
			}
			not = append(not, ofText(test))
		}
	default:
		m, err := compileButLeaf(at, arg)
		if err != nil {
			return nil, err
		}
		not = append(not, m)
	}
	return func(v any, there bool) bool {
		for _, m := range not {
			if m(v, there) {
				return false
			}
		}
		return there
	}, nil
}

func compileButLeaf(at string, v any) (matcher, error) {
	switch v.(type) {
	case string, json.Number:
		return compileLeaf(at, v)
	}
	return nil, wrong(at, "is %s: give a text, a number, a list of them, or an object like {\"prefix\": \"x\"}", describe(v))
}

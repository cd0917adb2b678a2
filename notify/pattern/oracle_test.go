package pattern_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/attune-io/attune/notify/pattern"
)

// TestOracle: a compiled pattern answers as one that is read anew for every
// event, in the plainest way.
func TestOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, event := drawPattern(t, 2), drawObject(t, 2)
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		p, err := pattern.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, err := p.Match(data)
		if err != nil {
			t.Fatal(err)
		}
		if should := naive(want, event); got != should {
			t.Fatalf("%s on %s: %t, should be %t", text, data, got, should)
		}
	})
}

func names() *rapid.Generator[string] { return rapid.SampledFrom([]string{"a", "b", "c"}) }
func texts() *rapid.Generator[string] { return rapid.StringMatching(`[xXy]{0,3}`) }
func numbers() *rapid.Generator[float64] {
	return rapid.SampledFrom([]float64{-1, 0, 0.5, 1, 2, 1e6})
}

func drawLeaf(t *rapid.T) any {
	switch rapid.IntRange(0, 4).Draw(t, "leaf") {
	case 0:
		return numbers().Draw(t, "number")
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return nil
	}
	return texts().Draw(t, "text")
}

func drawValue(t *rapid.T, depth int) any {
	switch n := rapid.IntRange(0, 5).Draw(t, "value"); {
	case n == 0 && depth > 0:
		return drawObject(t, depth-1)
	case n == 1 && depth > 0:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			list = append(list, drawValue(t, depth-1))
		}
		return list
	}
	return drawLeaf(t)
}

func drawObject(t *rapid.T, depth int) map[string]any {
	o := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		o[names().Draw(t, "name")] = drawValue(t, depth)
	}
	return o
}

func drawPattern(t *rapid.T, depth int) map[string]any {
	p := map[string]any{}
	for range rapid.IntRange(1, 2).Draw(t, "fields") {
		if depth > 0 && rapid.IntRange(0, 2).Draw(t, "deeper") == 0 {
			p[names().Draw(t, "name")] = drawPattern(t, depth-1)
			continue
		}
		var list []any
		for range rapid.IntRange(1, 2).Draw(t, "alternatives") {
			list = append(list, drawAlternative(t))
		}
		p[names().Draw(t, "name")] = list
	}
	if depth > 0 && rapid.IntRange(0, 3).Draw(t, "or") == 0 {
		p["$or"] = []any{drawPattern(t, depth-1), drawPattern(t, depth-1)}
	}
	return p
}

func drawText(t *rapid.T) (string, any) {
	op := rapid.SampledFrom([]string{"prefix", "suffix", "equals-ignore-case", "wildcard"}).Draw(t, "op")
	if op == "wildcard" {
		return op, rapid.SampledFrom([]string{"*", "x*", "*y", "x*y", "*x*y*", "xX"}).Draw(t, "wildcard")
	}
	if op != "equals-ignore-case" && rapid.Bool().Draw(t, "fold") {
		return op, map[string]any{"equals-ignore-case": texts().Draw(t, "text")}
	}
	return op, texts().Draw(t, "text")
}

func drawAlternative(t *rapid.T) any {
	switch rapid.IntRange(0, 6).Draw(t, "alternative") {
	case 0:
		return map[string]any{"exists": rapid.Bool().Draw(t, "exists")}
	case 1:
		return map[string]any{"numeric": []any{rapid.SampledFrom([]string{"=", "<", "<=", ">", ">="}).Draw(t, "op"), numbers().Draw(t, "number")}}
	case 2:
		op, arg := drawText(t)
		return map[string]any{op: arg}
	case 3:
		op, arg := drawText(t)
		if rapid.Bool().Draw(t, "list") {
			arg = []any{arg, texts().Draw(t, "text2")}
			if op == "wildcard" {
				arg = []any{"x*", "*y"}
			}
		}
		return map[string]any{"anything-but": map[string]any{op: arg}}
	case 4:
		return map[string]any{"anything-but": []any{texts().Draw(t, "text"), numbers().Draw(t, "number")}}
	}
	return drawLeaf(t)
}

// leaves are the values of a member as the language sees them: none when it is
// absent, an object or an empty list.
func leaves(v any, there bool) (all []any, deep bool) {
	switch v := v.(type) {
	case map[string]any:
		return nil, true
	case []any:
		for _, e := range v {
			l, d := leaves(e, true)
			all, deep = append(all, l...), deep || d
		}
		return all, deep
	}
	if there {
		all = []any{v}
	}
	return all, false
}

func objects(v any) (all []map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		for _, e := range v {
			if got := objects(e); len(got) > 0 {
				all = append(all, got...)
			} else {
				all = append(all, nil)
			}
		}
	}
	if len(all) == 0 {
		all = []map[string]any{nil}
	}
	return all
}

func naive(p, event map[string]any) bool {
	for name, want := range p {
		ok := false
		v, there := event[name]
		switch want := want.(type) {
		case map[string]any:
			for _, o := range objects(v) {
				ok = ok || naive(want, o)
			}
		case []any:
			if name == "$or" {
				for _, one := range want {
					ok = ok || naive(one.(map[string]any), event)
				}
				break
			}
			for _, one := range want {
				ok = ok || naiveMember(one, v, there)
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

func naiveMember(one, v any, there bool) bool {
	all, deep := leaves(v, there)
	if o, ok := one.(map[string]any); ok && o["exists"] == false {
		list, isList := v.([]any)
		return len(all) == 0 || deep || isList && hasEmpty(list)
	}
	for _, leaf := range all {
		if naiveLeaf(one, leaf) {
			return true
		}
	}
	return false
}

func hasEmpty(list []any) bool {
	for _, e := range list {
		if inner, ok := e.([]any); ok && (len(inner) == 0 || hasEmpty(inner)) {
			return true
		}
	}
	return len(list) == 0
}

func naiveLeaf(one, leaf any) bool {
	o, ok := one.(map[string]any)
	if !ok {
		return one == leaf
	}
	for op, arg := range o {
		switch op {
		case "exists":
			return arg == true
		case "numeric":
			x, ok := leaf.(float64)
			y := arg.([]any)[1].(float64)
			return ok && map[string]bool{"=": x == y, "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[arg.([]any)[0].(string)]
		case "anything-but":
			if list, ok := arg.([]any); ok {
				return leaf != list[0] && leaf != list[1]
			}
			for op, arg := range arg.(map[string]any) {
				list, ok := arg.([]any)
				if !ok {
					list = []any{arg}
				}
				for _, arg := range list {
					if naiveText(op, arg, leaf) {
						return false
					}
				}
			}
			return true
		default:
			return naiveText(op, arg, leaf)
		}
	}
	return false
}

func naiveText(op string, arg, leaf any) bool {
	s, ok := leaf.(string)
	if !ok {
		return false
	}
	if fold, ok := arg.(map[string]any); ok {
		s, arg = strings.ToLower(s), strings.ToLower(fold["equals-ignore-case"].(string))
	}
	want := regexp.QuoteMeta(arg.(string))
	return regexp.MustCompile(map[string]string{
		"prefix": `^` + want, "suffix": want + `$`, "equals-ignore-case": `(?i)^` + want + `$`,
		"wildcard": `^` + strings.ReplaceAll(want, `\*`, `.*`) + `$`,
	}[op]).MatchString(s)
}

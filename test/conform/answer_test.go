package conform_test

import (
	"encoding/json"
	"fmt"
	"slices"
)

// problems lists what an answer has that its published shape does not: unknown
// members, wrong types, values outside an enumeration, required members that are
// missing.
func (op *operation) problems(body map[string]any) []string {
	if op.Output == nil {
		if len(body) > 0 {
			return []string{fmt.Sprintf("%s publishes no answer, but %v came", op.Name, body)}
		}
		return nil
	}
	var all []string
	op.of.hold(*op.Output, body, op.Name, func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) })
	return all
}

func (s *service) hold(r ref, v any, at string, wrong func(string, ...any)) {
	sh := s.shape(r)
	var ok bool
	switch sh.Type {
	case "structure":
		var object map[string]any
		if object, ok = v.(map[string]any); ok {
			s.holdStructure(sh, object, at, wrong)
		}
	case "list":
		var list []any
		if list, ok = v.([]any); ok {
			for i, one := range list {
				s.hold(*sh.Member, one, fmt.Sprintf("%s[%d]", at, i), wrong)
			}
		}
	case "map":
		var object map[string]any
		if object, ok = v.(map[string]any); ok {
			for key, one := range object {
				s.hold(*sh.Value, one, at+"."+key, wrong)
			}
		}
	case "string":
		var text string
		if text, ok = v.(string); ok && len(sh.Enum) > 0 && !slices.Contains(sh.Enum, text) {
			wrong("%s is %q, which is not one of %v", at, text, sh.Enum)
		}
	case "boolean":
		_, ok = v.(bool)
	default: // numbers, and times, which are numbers of seconds
		_, ok = v.(json.Number)
	}
	if !ok {
		wrong("%s should be a %s, but is %T", at, sh.Type, v)
	}
}

func (s *service) holdStructure(sh *shape, object map[string]any, at string, wrong func(string, ...any)) {
	for name, one := range object {
		member, known := sh.Members[name]
		if !known {
			wrong("%s has a member %q, which is not published", at, name)
			continue
		}
		s.hold(member, one, at+"."+name, wrong)
	}
	for _, name := range sh.Required {
		if object[name] == nil {
			wrong("%s lacks its required member %q", at, name)
		}
	}
}

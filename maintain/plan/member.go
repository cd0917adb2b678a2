package plan

import (
	"bytes"
	"encoding/json"
	"reflect"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/attune-io/attune"
)

// members are a request or a description in the wire's words: what JSON has,
// and times as time.Time.
type members map[string]any

// text is a member that is a string; "" when there is none.
func (m members) text(name string) string {
	s, _ := m[name].(string)
	return s
}

// when is a member that is a time; the zero time when there is none.
func (m members) when(name string) time.Time {
	at, _ := m[name].(time.Time)
	return at
}

// object is a member that has members; nil when there is none.
func (m members) object(name string) members {
	o, _ := m[name].(map[string]any)
	return o
}

// readMembers reads what a configuration gives to a call.
func readMembers(raw json.RawMessage) (members, error) {
	m := members{}
	if len(bytes.TrimSpace(raw)) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, attune.Errorf(attune.Invalid, "the members of a call are not a JSON object: %w", err)
	}
	if m == nil { // null
		m = members{}
	}
	return m, nil
}

// fill puts members into the input of an SDK call, whose fields have the wire's
// names but for the first letter. A member that the call has no field for would
// never be sent, so it is an error.
func fill(in any, m members) error {
	text, err := json.Marshal(m)
	if err != nil {
		return attune.Errorf(attune.Invalid, "the members of a call cannot be written: %w", err)
	}
	if err := json.Unmarshal(text, in); err != nil {
		return attune.Errorf(attune.Invalid, "the members of a call do not have the types that it takes: %w", err)
	}
	var given map[string]any
	if err := json.Unmarshal(text, &given); err != nil {
		return err
	}
	if lost := compare(given, shape(in)); len(lost) > 0 {
		return attune.Errorf(attune.Invalid, "the call takes no %s, or not as %s: leave it out", lost[0].Member, lost[0].Want)
	}
	return nil
}

// shape gives an SDK value in the wire's words. Members without a value are absent.
func shape(v any) members {
	out, _ := shaped(reflect.ValueOf(v))
	m, _ := out.(map[string]any)
	return m
}

func shaped(v reflect.Value) (any, bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, false
		}
		return shaped(v.Elem())
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			return at.UTC(), true
		}
		return shapedStruct(v), true
	case reflect.Slice:
		if v.IsNil() {
			return nil, false
		}
		list := make([]any, 0, v.Len())
		for i := range v.Len() {
			x, _ := shaped(v.Index(i))
			list = append(list, x)
		}
		return list, true
	case reflect.Map:
		if v.IsNil() {
			return nil, false
		}
		m := map[string]any{}
		for it := v.MapRange(); it.Next(); {
			m[it.Key().String()], _ = shaped(it.Value()) // keys are the customer's: as they are
		}
		return m, true
	case reflect.String:
		return v.String(), true
	case reflect.Bool:
		return v.Bool(), true
	case reflect.Int, reflect.Int32, reflect.Int64:
		return float64(v.Int()), true
	case reflect.Float32, reflect.Float64:
		return v.Float(), true
	}
	return nil, false // the service's words have no other types
}

func shapedStruct(v reflect.Value) map[string]any {
	m := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Anonymous || f.Name == "ResultMetadata" {
			continue
		}
		if v.Field(i).Kind() == reflect.String && v.Field(i).Len() == 0 {
			continue // an enumeration that was not given
		}
		if x, ok := shaped(v.Field(i)); ok {
			first, n := utf8.DecodeRuneInString(f.Name)
			m[string(unicode.ToLower(first))+f.Name[n:]] = x
		}
	}
	return m
}

package awsjson

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/attune-io/attune/wire"
	"github.com/attune-io/attune/wire/check"
)

// filler copies a checked value into a Go value. encoding/json is not used for
// this because it matches member names whatever their case, so that a member
// that Check ignored could still arrive.
type filler func(dst reflect.Value, v any)

// newFiller prepares the filler of a wire type, once, at registration.
// It panics on types that wire does not use.
func newFiller(t reflect.Type) filler {
	if t == reflect.TypeFor[wire.Time]() {
		return func(dst reflect.Value, v any) {
			if parsed, err := wire.ParseTime(string(v.(json.Number))); err == nil {
				dst.Set(reflect.ValueOf(parsed))
			}
		}
	}
	switch t.Kind() {
	case reflect.Struct:
		return structFiller(t)
	case reflect.Pointer:
		elem := newFiller(t.Elem())
		return func(dst reflect.Value, v any) {
			dst.Set(reflect.New(t.Elem()))
			elem(dst.Elem(), v)
		}
	case reflect.Slice:
		elem := newFiller(t.Elem())
		return func(dst reflect.Value, v any) {
			list := v.([]any)
			dst.Set(reflect.MakeSlice(t, len(list), len(list)))
			for i, value := range list {
				elem(dst.Index(i), value)
			}
		}
	case reflect.Map:
		elem := newFiller(t.Elem())
		return func(dst reflect.Value, v any) {
			object := v.(map[string]any)
			dst.Set(reflect.MakeMapWithSize(t, len(object)))
			value := reflect.New(t.Elem()).Elem()
			for key, inner := range object {
				value.SetZero()
				elem(value, inner)
				dst.SetMapIndex(reflect.ValueOf(key), value)
			}
		}
	case reflect.String:
		return func(dst reflect.Value, v any) { dst.SetString(v.(string)) }
	case reflect.Bool:
		return func(dst reflect.Value, v any) { dst.SetBool(v.(bool)) }
	case reflect.Int:
		return func(dst reflect.Value, v any) {
			i, _ := check.Integer(v.(json.Number))
			dst.SetInt(int64(i))
		}
	case reflect.Float64:
		return func(dst reflect.Value, v any) {
			if f, err := v.(json.Number).Float64(); err == nil {
				dst.SetFloat(f)
			}
		}
	}
	panic(fmt.Sprintf("awsjson: no way to fill a %v", t))
}

func structFiller(t reflect.Type) filler {
	type field struct {
		name string
		fill filler
	}
	fields := make([]field, t.NumField())
	for i := range fields {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[i] = field{name, newFiller(t.Field(i).Type)}
	}
	return func(dst reflect.Value, v any) {
		object := v.(map[string]any)
		for i := range fields {
			if value := object[fields[i].name]; value != nil {
				fields[i].fill(dst.Field(i), value)
			}
		}
	}
}

// listCloser gives a function that replaces nil lists and maps at the top of an
// output by empty ones: clients expect "campaigns": [] and not its absence.
func listCloser(t reflect.Type) func(out reflect.Value) {
	var lists []int
	for i := range t.NumField() {
		if k := t.Field(i).Type.Kind(); k == reflect.Slice || k == reflect.Map {
			lists = append(lists, i)
		}
	}
	return func(out reflect.Value) {
		for _, i := range lists {
			f := out.Field(i)
			switch {
			case !f.IsNil():
			case f.Kind() == reflect.Slice:
				f.Set(reflect.MakeSlice(f.Type(), 0, 0))
			default:
				f.Set(reflect.MakeMap(f.Type()))
			}
		}
	}
}

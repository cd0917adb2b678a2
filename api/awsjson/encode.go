package awsjson

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/wire"
)

// encoder appends the JSON of a value. encoding/json is not used for answers
// because it writes the float 1 as 1, where the services write 1.0: a client in
// Python then gets an int where it has always had a float.
type encoder func(b []byte, v reflect.Value) ([]byte, error)

// newEncoder prepares the encoder of a wire type, once, at registration.
// It panics on types that wire does not use.
func newEncoder(t reflect.Type) encoder {
	if t == reflect.TypeFor[wire.Time]() {
		return func(b []byte, v reflect.Value) ([]byte, error) {
			return v.Interface().(wire.Time).AppendNumber(b), nil
		}
	}
	switch t.Kind() {
	case reflect.Struct:
		return structEncoder(t)
	case reflect.Pointer:
		elem := newEncoder(t.Elem())
		return func(b []byte, v reflect.Value) ([]byte, error) { return elem(b, v.Elem()) }
	case reflect.Slice:
		return listEncoder(newEncoder(t.Elem()))
	case reflect.Map:
		return mapEncoder(newEncoder(t.Elem()))
	case reflect.String:
		return func(b []byte, v reflect.Value) ([]byte, error) { return appendText(b, v.String()), nil }
	case reflect.Bool:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendBool(b, v.Bool()), nil }
	case reflect.Int:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendInt(b, v.Int(), 10), nil }
	case reflect.Float64:
		return func(b []byte, v reflect.Value) ([]byte, error) { return appendDouble(b, v.Float()) }
	}
	panic(fmt.Sprintf("awsjson: no way to encode a %v", t))
}

// structEncoder writes the members that are there, in the published order.
// Members without omitzero are always there.
func structEncoder(t reflect.Type) encoder {
	type field struct {
		key      string // "name":
		optional bool
		zero     func(reflect.Value) bool
		encode   encoder
	}
	fields := make([]field, t.NumField())
	for i := range fields {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		f := field{key: strconv.Quote(name) + ":", optional: options == "omitzero", zero: reflect.Value.IsZero, encode: newEncoder(t.Field(i).Type)}
		if t.Field(i).Type == reflect.TypeFor[wire.Time]() {
			f.zero = func(v reflect.Value) bool { return v.Interface().(wire.Time).IsZero() }
		}
		fields[i] = f
	}
	return func(b []byte, v reflect.Value) ([]byte, error) {
		b = append(b, '{')
		before := len(b)
		for i := range fields {
			f := &fields[i]
			value := v.Field(i)
			if f.optional && f.zero(value) {
				continue
			}
			if len(b) > before {
				b = append(b, ',')
			}
			b = append(b, f.key...)
			var err error
			if b, err = f.encode(b, value); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
}

func listEncoder(elem encoder) encoder {
	return func(b []byte, v reflect.Value) ([]byte, error) {
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = elem(b, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
}

// mapEncoder writes the keys in order, so that one answer is always one text.
func mapEncoder(elem encoder) encoder {
	return func(b []byte, v reflect.Value) ([]byte, error) {
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
		b = append(b, '{')
		for i, key := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, key.String()), ':')
			var err error
			if b, err = elem(b, v.MapIndex(key)); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
}

// appendDouble writes a number that reads back as the same float64 and shows
// that it is one: 1.0, 0.25, 1e-07.
func appendDouble(b []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, attune.Errorf(attune.Internal, "the number %v cannot be written as JSON", f)
	}
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, format, -1, 64)
	if format == 'f' && !slices.Contains(b[start:], '.') {
		b = append(b, '.', '0')
	}
	return b, nil
}

// appendText writes a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendText(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	const digits = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

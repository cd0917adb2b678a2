package check_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune/wire"
	"github.com/attune-io/attune/wire/check"
)

func TestRules(t *testing.T) {
	name := member(t, "CreateDatasetGroup", "name")
	domain := member(t, "CreateDatasetGroup", "domain")
	for _, c := range []struct {
		shape *wire.Shape
		text  string
		want  []check.Rule
	}{
		{name, "films", nil},
		{name, strings.Repeat("é", 64), []check.Rule{check.TooLong}},
		{name, strings.Repeat("a", 63), nil},
		{name, "", []check.Rule{check.TooShort, check.Unlike}},
		{name, "a b", []check.Rule{check.Unlike}},
		{domain, "ECOMMERCE", nil},
		{domain, "ecommerce", []check.Rule{check.Unlisted}},
	} {
		if got := check.Text(c.shape, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%q breaks %v, want %v", c.text, got, c.want)
		}
		if got := check.Fits(c.shape, c.text); got != (c.want == nil) {
			t.Errorf("%q fits: %t", c.text, got)
		}
	}
	whole := &wire.Shape{Type: wire.Integer, Min: wire.Bound{Set: true, N: 1}, Max: wire.Bound{Set: true, N: 10}}
	for _, c := range []struct {
		shape *wire.Shape
		text  json.Number
		want  []check.Rule
	}{
		{whole, "1", nil}, {whole, "1e1", nil}, {whole, "5.0", nil},
		{whole, "0", []check.Rule{check.TooSmall}}, {whole, "11", []check.Rule{check.TooLarge}},
		{whole, "1.5", []check.Rule{check.NotWhole}}, {whole, "1e10", []check.Rule{check.NotWhole}},
		{&wire.Shape{Type: wire.Double}, "1e999", []check.Rule{check.NotFinite}},
		{&wire.Shape{Type: wire.Timestamp}, "1e999", []check.Rule{check.NotATime}},
	} {
		if got := check.Number(c.shape, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s breaks %v, want %v", c.text, got, c.want)
		}
	}
	list := &wire.Shape{Type: wire.List, Min: whole.Min, Max: whole.Max}
	for n, want := range map[int][]check.Rule{0: {check.TooShort}, 1: nil, 10: nil, 11: {check.TooLong}} {
		if got := check.Size(list, n); !slices.Equal(got, want) {
			t.Errorf("%d elements break %v, want %v", n, got, want)
		}
	}
}

// member finds a member of a call's input.
func member(t *testing.T, operation, name string) *wire.Shape {
	t.Helper()
	op, _ := wire.Lookup(wire.Personalize, operation)
	i := slices.IndexFunc(op.Input.Members, func(m wire.Member) bool { return m.Name == name })
	return op.Input.Members[i].Shape
}

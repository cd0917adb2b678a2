package blend

import (
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/circumstance"
	"github.com/attune-io/attune/recipe/popularity"
)

// What the context takes counts beside the members, in what is asked for and in
// what a search holds together; nothing without one.
func TestContextCountsAsMemory(t *testing.T) {
	e := dataset.Events{User: []int32{0, 0}, Item: []int32{0, 1}, At: []int64{1, 2}, Type: make([]uint16, 2), Value: make([]float32, 2), Types: []string{""}}
	in := recipe.Input{Events: e, Users: 1, Items: make([]string, 1000), Params: map[string]string{ParamMembers: "popularity"}}
	r := New(popularity.New(), circumstance.New())
	without := r.Bytes(in)
	if r.heedingBytes(in) != 0 {
		t.Error("no context takes memory")
	}
	in.Events.Context = []dataset.Circumstance{{Name: "HOUR", Kind: schema.Float, Number: make([]float32, 2)}}
	more := circumstance.New().Bytes(in)
	if got := r.Bytes(in) - without; got != more || more < 1000 {
		t.Errorf("a context takes %d bytes, counted are %d", more, got)
	}
	s := &search{Recipe: r, in: in, beside: r.heedingBytes(in)}
	if got := s.bytes(nil, nil); got != more {
		t.Errorf("a search counts %d of %d", got, more)
	}
}

package model

import (
	"math"
	"reflect"
	"testing"
)

func TestOutcomes(t *testing.T) {
	none := float32(math.NaN())
	outcomes := Outcomes{{Type: "Dislike"}, {Type: "Rate", Below: new(0.3)}}
	for _, c := range []struct {
		typ   string
		value float32
		want  bool
	}{
		{"dislike", none, true}, {"DISLIKE", 5, true}, {"rate", 0.2, true}, {"Rate", 0.3, false}, {"Rate", none, false},
		{"Like", none, false}, {"", none, false}, {"", 0, false},
	} {
		if got := outcomes.For(c.typ).Is(c.value); got != c.want {
			t.Errorf("%q of %g is negative: %v", c.typ, c.value, got)
		}
	}
	if Outcomes(nil).For("Dislike").Is(0) {
		t.Error("without outcomes one was negative")
	}
}

// The newest negative outcome decides what counts, and later deeds decide what stands.
func TestRefusals(t *testing.T) {
	r := Refusals{}
	r.Add(1, 30)
	r.Add(1, 10) // older, noted later
	r.Add(2, 20)
	r.Add(3, -5)
	for _, c := range []struct {
		item int32
		at   int64
		want bool
	}{{3, -6, false}, {7, 0, true}, {1, 15, false}, {2, 20, false}, {1, 30, false}, {2, 21, true}, {2, 40, true}, {3, 1, true}} {
		if got := r.Allows(c.item, c.at); got != c.want {
			t.Errorf("item %d at %d counts: %v", c.item, c.at, got)
		}
	}
	if want := (Refusals{1: 30}); !reflect.DeepEqual(r, want) {
		t.Errorf("in the end %v stand refused, want %v", r, want)
	}
}

package recipe

import (
	"slices"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
)

func TestTrim(t *testing.T) {
	// Users 0 to 3 have 1, 2, 3 and 4 events; item 0 has four, the others fewer.
	var e dataset.Events
	for u := range int32(4) {
		for i := range u + 1 {
			e.User, e.Item, e.At = append(e.User, u), append(e.Item, i), append(e.At, int64(i))
			e.Type, e.Value = append(e.Type, 0), append(e.Value, dataset.NoValue())
		}
	}
	for name, c := range map[string]struct {
		params map[string]string
		users  []int32
	}{
		"nothing given":   {nil, e.User},
		"everything":      {map[string]string{paramMinUser: "0.0", paramMaxUser: "1.0"}, e.User},
		"no long history": {map[string]string{paramMaxUser: "0.9"}, []int32{0, 1, 1, 2, 2, 2}},
		"no short one":    {map[string]string{paramMinUser: "0.5"}, []int32{1, 1, 2, 2, 2, 3, 3, 3, 3}},
		"no common item":  {map[string]string{paramMaxItem: "0.9"}, []int32{1, 2, 2, 3, 3, 3}},
		"no rare item":    {map[string]string{paramMinItem: "0.7"}, []int32{0, 1, 1, 2, 2, 3, 3}},
	} {
		got, err := trim(e, c.params)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.User, c.users) || len(got.At) != len(got.User) || len(got.Value) != len(got.User) {
			t.Errorf("%s: users %v, want %v", name, got.User, c.users)
		}
	}
	for _, bad := range []string{"x", "-1", "2"} {
		if _, err := trim(e, map[string]string{paramMinItem: bad}); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

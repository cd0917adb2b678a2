package all_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// strange is a snapshot of events (user, item, time) and a column that says
// nothing: constant, or of nulls.
func strange(name string, events [][3]int64, id func(int64) string) *dataset.Snapshot {
	var users, items []string
	for _, e := range events {
		users, items = append(users, id(e[0])), append(items, id(e[1]))
	}
	s := &dataset.Snapshot{Name: name, Users: dataset.NewVocabulary(users), Items: dataset.NewVocabulary(items)}
	e := dataset.Events{Types: []string{""}}
	for _, x := range events { // sorted by user and time already
		u, _ := s.Users.Row(id(x[0]))
		i, _ := s.Items.Row(id(x[1]))
		e.User, e.Item, e.At = append(e.User, u), append(e.Item, i), append(e.At, x[2])
		e.Type, e.Value = append(e.Type, 0), append(e.Value, dataset.NoValue())
	}
	s.Events = e
	constant, nulls := make([]float64, s.Items.Len()), make([]float64, s.Items.Len())
	for i := range nulls {
		constant[i], nulls[i] = 7, math.NaN()
	}
	s.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{{Name: "CONSTANT", Number: constant}, {Name: "NULLS", Number: nulls}}}
	return s
}

// FuzzBlend trains on any events and parameters there are.
func FuzzBlend(f *testing.F) {
	f.Add([]byte{1, 2, 3, 1, 3, 4, 2, 2, 5, 2, 4, 6}, "weight.ials", "0.5")
	f.Add([]byte{0, 0, 0}, "ials.regularization", "NaN")
	f.Add([]byte{}, "members", "ials,ease,graph,itemknn,popularity")
	f.Add([]byte{9, 9, 9, 9, 9, 9}, "score_scale", "1e6")
	f.Fuzz(func(t *testing.T, raw []byte, key, value string) {
		var events [][3]int64
		for ; len(raw) >= 3 && len(events) < 200; raw = raw[3:] {
			events = append(events, [3]int64{int64(len(events) / 4), int64(raw[1] % 30), int64(len(events)) * int64(raw[2])})
		}
		s := strange("fuzz", events, func(n int64) string { return fmt.Sprintf("%04d", n) })
		params := map[string]string{"members": "popularity,itemknn,ease,ials", "ials.iterations": "2", "ials.hidden_dimension": "4"}
		params[key] = value
		in := recipe.Input{Events: s.Events, Users: s.Users.Len(), Items: s.Items.IDs(), ItemAttributes: s.ItemAttributes, Params: params, Seed: 1}
		m, err := all.Blend().Train(t.Context(), in)
		if err != nil {
			if attune.KindOf(err) != attune.Invalid {
				t.Fatal(err)
			}
			return
		}
		scorer, err := all.Blend().Decode(m)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float32, len(m.Items))
		q := model.Query{Item: model.NoItem}
		for i := range min(5, len(m.Items)) {
			q.History = append(q.History, model.Touch{Item: int32(i), Weight: 1, At: int64(i)})
		}
		if err := scorer.Score(t.Context(), q, dst); err != nil {
			t.Fatal(err)
		}
		for i, x := range dst {
			if x != x || math.IsInf(float64(x), 1) {
				t.Fatalf("item %d scores %g with %v", i, x, params)
			}
		}
	})
}

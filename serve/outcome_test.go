package serve

import (
	"slices"
	"testing"

	"github.com/attune-io/attune/model"
)

// What somebody refused is no reason to recommend more of it, and is not
// recommended to them, until they come back to it.
func TestNegativeOutcomes(t *testing.T) {
	did := func(s *shop, item, kind string, value float32, at int64) {
		s.touch("n", item, kind, value)
		h := s.histories["n"]
		h[len(h)-1].At = at
	}
	for name, test := range map[string]struct {
		kind    Kind
		tell    func(s *shop)
		history []int32 // model rows
		out     []string
		in      []string
	}{
		"a dislike": {User, func(s *shop) { did(s, "a0", "view", 0, 1); did(s, "b1", "DISLIKE", 0, 2) }, []int32{0}, []string{"b1"}, []string{"a0", "b2"}},
		"after all": {User, func(s *shop) { did(s, "a0", "view", 0, 1); did(s, "b0", "view", 0, 2); did(s, "a0", "dislike", 0, 3) }, []int32{1}, []string{"a0"}, []string{"b0"}},
		"at once":   {User, func(s *shop) { did(s, "a0", "dislike", 0, 3); did(s, "a0", "view", 0, 3) }, nil, []string{"a0"}, nil},
		"forgiven":  {User, func(s *shop) { did(s, "a0", "dislike", 0, 1); did(s, "a0", "view", 0, 2) }, []int32{0}, nil, []string{"a0"}},
		"by value":  {User, func(s *shop) { did(s, "a0", "rate", 2.5, 1); did(s, "b0", "rate", 3, 2) }, []int32{1}, []string{"a0"}, []string{"b0"}},
		"unheard":   {User, func(s *shop) { did(s, "who?", "dislike", 0, 1) }, nil, nil, []string{"a0"}},
		"related":   {Related, func(s *shop) { did(s, "b1", "dislike", 0, 1); did(s, "b2", "view", 0, 1) }, nil, []string{"b1"}, []string{"b2"}},
		"ranking":   {Ranking, func(s *shop) { did(s, "a0", "view", 0, 1); did(s, "b1", "dislike", 0, 2) }, []int32{0}, nil, []string{"b1"}},
	} {
		m, scorer := testModel("none", model.SeenKept)
		m.Manifest.Negative = model.Outcomes{{Type: "Dislike"}, {Type: "Rate", Below: new(3.0)}}
		s := testShop()
		test.tell(s)
		server := serverOf(t, s, test.kind, m, scorer)
		var a *Answer
		var err error
		if test.kind == Ranking {
			a, err = server.Rank(t.Context(), RankRequest{Campaign: campaign, User: "n", Items: []string{"b1", "a0"}})
		} else {
			a, err = server.Recommend(t.Context(), Request{Campaign: campaign, User: "n", Item: "b0"})
		}
		if err != nil {
			t.Fatal(name, err)
		}
		var history []int32
		for _, touch := range (<-scorer.last).History {
			history = append(history, touch.Item)
		}
		got := ids(a)
		if !slices.Equal(history, test.history) {
			t.Errorf("%s: asked with %v, want %v", name, history, test.history)
		}
		for _, item := range test.out {
			if slices.Contains(got, item) {
				t.Errorf("%s: %s is in %v", name, item, got)
			}
		}
		for _, item := range test.in {
			if !slices.Contains(got, item) {
				t.Errorf("%s: %s is not in %v", name, item, got)
			}
		}
	}
}

// Where everybody gets the same, nobody's refusals change that.
func TestNegativeOutcomesOfAnybody(t *testing.T) {
	m, scorer := testModel("none", model.SeenKept)
	m.Manifest.Negative = model.Outcomes{{Type: "dislike"}}
	s := testShop()
	s.touch("n", "a0", "dislike", 0)
	server := serverOf(t, s, User, m, scorer)
	r, _ := server.Get(campaign)
	r.Anybody = true
	if err := server.Load(r); err != nil {
		t.Fatal(err)
	}
	a, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: "n"})
	if err != nil || !slices.Contains(ids(a), "a0") {
		t.Errorf("%v, %v", ids(a), err)
	}
}

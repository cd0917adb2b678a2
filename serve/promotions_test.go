package serve

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/model"
)

// numbered makes answers whose ids, and so whose chance, are 1, 2, 3 …
func numbered() func() [16]byte {
	n := uint64(0)
	return func() (id [16]byte) {
		n++
		binary.BigEndian.PutUint64(id[8:], n)
		return id
	}
}

// chanceServer is a server with fixed chance.
func chanceServer(t testing.TB, s *shop, r Release, o *Options) *Server {
	t.Helper()
	if o == nil {
		o = &Options{NewID: numbered()}
	}
	server := newServer(func(event.Group) (view, bool) { return s, true }, nil, nil, o)
	r.Campaign, r.Group = campaign, "g"
	if err := server.Load(r); err != nil {
		t.Fatal(err)
	}
	return server
}

func only(t testing.TB, kind string) *filter.Expr {
	return parse(t, `INCLUDE ItemID WHERE Items.KIND = "`+kind+`"`)
}

// scored are the items of an answer that are there by their score, not as placeholders.
func scored(a *Answer) (out []string) {
	for _, x := range a.Items {
		if x.Reason == event.ByScore {
			out = append(out, x.ID)
		}
	}
	return out
}

// split divides an answer into what is promoted and the rest.
func split(a *Answer) (promoted, rest []string) {
	for _, x := range a.Items {
		if x.Reason == event.Promoted {
			promoted = append(promoted, x.ID)
		} else {
			rest = append(rest, x.ID)
		}
	}
	return promoted, rest
}

func TestPromotion(t *testing.T) {
	for _, test := range []struct {
		name           string
		kind           Kind
		seen           string
		req            Request
		promoted, rest []string
	}{
		{"half", User, model.SeenKept, Request{User: "u", N: 4, Promotion: &Promotion{Percent: 50, Filter: only(t, "b")}}, []string{"b1", "b2"}, []string{"a0", "a1"}},
		{"at least one", User, model.SeenKept, Request{User: "u", N: 3, Promotion: &Promotion{Percent: 1, Filter: only(t, "b")}}, []string{"b1"}, []string{"a0", "a1"}},
		{"all", User, model.SeenKept, Request{User: "u", N: 3, Promotion: &Promotion{Percent: 100, Filter: only(t, "b")}}, []string{"b1", "b2", "b0"}, nil},
		{"as many as there are, and new ones without a score", User, model.SeenKept,
			Request{User: "stranger", N: 6, Promotion: &Promotion{Percent: 50, Filter: only(t, "u")}}, []string{"unheard"}, []string{"a0", "b0", "a1", "b1", "a2"}},
		{"what the user had stays out", User, model.SeenLeftOut, Request{User: "u", N: 4, Promotion: &Promotion{Percent: 50, Filter: only(t, "a")}}, nil, []string{"b1", "b2", "b0"}},
		{"each under its own filter", User, model.SeenKept,
			Request{User: "u", N: 4, Filter: only(t, "a"), Promotion: &Promotion{Percent: 50, Filter: only(t, "b")}}, []string{"b1", "b2"}, []string{"a1", "a2"}},
		{"nothing twice", User, model.SeenKept,
			Request{User: "u", N: 4, Promotion: &Promotion{Percent: 50, Filter: only(t, "a")}}, []string{"a1", "a2"}, []string{"a0", "b1"}},
		{"related", Related, model.SeenKept, Request{Item: "b0", N: 3, Promotion: &Promotion{Percent: 34, Filter: only(t, "a")}}, []string{"a1"}, []string{"b1", "b2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, scorer := testModel("softmax", test.seen)
			scorer.last = nil
			server := chanceServer(t, testShop(), Release{Kind: test.kind, Model: m, Scorer: scorer}, nil)
			test.req.Campaign = campaign
			a, err := server.Recommend(t.Context(), test.req)
			if err != nil {
				t.Fatal(err)
			}
			promoted, rest := split(a)
			if !slices.Equal(promoted, test.promoted) || !slices.Equal(rest, test.rest) {
				t.Errorf("promoted %v, rest %v; want %v and %v", promoted, rest, test.promoted, test.rest)
			}
			for i, x := range a.Items {
				if (x.Score == nil) != (x.ID == "unheard") {
					t.Errorf("%s has score %v", x.ID, x.Score)
				}
				if len(test.promoted) > 0 && len(test.rest) > 0 && (a.Propensities == nil || !(a.Propensities[i] > 0 && a.Propensities[i] <= 1)) {
					t.Errorf("propensities %v", a.Propensities)
				}
			}
		})
	}
}

// TestPromotedPlaces holds that every choice of places is as likely, that the
// propensities say so, and that the same id gives the same answer.
func TestPromotedPlaces(t *testing.T) {
	m, scorer := testModel("softmax", model.SeenKept)
	scorer.last = nil
	r := Release{Kind: User, Model: m, Scorer: scorer}
	server, again := chanceServer(t, testShop(), r, nil), chanceServer(t, testShop(), r, nil)
	q := Request{Campaign: campaign, User: "u", N: 5, Promotion: &Promotion{Percent: 40, Filter: only(t, "b")}}
	const rounds = 6000
	seen := map[string]int{}
	for range rounds {
		a, err := server.Recommend(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		b, err := again.Recommend(t.Context(), q)
		if err != nil || !slices.Equal(ids(a), ids(b)) {
			t.Fatalf("the same id gives %v and %v; %v", ids(a), ids(b), err)
		}
		places, likely := "", 1.0
		for i, x := range a.Items {
			places += string("-+"[min(x.Reason, 1)])
			likely *= float64(a.Propensities[i])
		}
		if math.Abs(likely-0.1) > 1e-6 { // 2 of 5 places
			t.Fatalf("%s with propensities %v", places, a.Propensities)
		}
		seen[places]++
	}
	if len(seen) != 10 {
		t.Errorf("%d of 10 choices of places", len(seen))
	}
	for places, n := range seen { // 600 expected, standard deviation 23
		if n < 480 || n > 720 {
			t.Errorf("%s %d times of %d", places, n, rounds)
		}
	}
}

func TestPromotionRefusals(t *testing.T) {
	for name, p := range map[string]*Promotion{
		"no filter": {Percent: 20}, "nothing": {Filter: only(t, "a")}, "too much": {Percent: 101, Filter: only(t, "a")},
		"a value is missing": {Percent: 20, Filter: parse(t, `INCLUDE ItemID WHERE Items.A IN ($A)`)},
	} {
		m, scorer := testModel("softmax", model.SeenKept)
		if err := recommend(Request{User: "u", Promotion: p})(serverOf(t, testShop(), User, m, scorer)); attune.KindOf(err) != attune.Invalid || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnswersHold draws requests of every sort and holds what is true of all
// answers: nothing twice, no more than asked for, each part under its filter
// and in its order, and propensities that are probabilities.
func TestAnswersHold(t *testing.T) {
	m, scorer := testModel("softmax", model.SeenKept)
	scorer.last = nil
	filters := map[string]*filter.Expr{"a": only(t, "a"), "b": only(t, "b"), "u": only(t, "u"), "": nil}
	kinds := rapid.SampledFrom([]string{"a", "b", "u"})
	rapid.Check(t, func(rt *rapid.T) {
		s := testShop()
		server := chanceServer(t, s, Release{Kind: User, Model: m, Scorer: scorer,
			Explore: Exploration{Weight: rapid.SampledFrom([]float64{0, .3, 1}).Draw(rt, "weight"), MaxAge: DefaultMaxAge}}, nil)
		kind := rapid.SampledFrom([]string{"", "a", "b", "u"}).Draw(rt, "filter")
		q := Request{Campaign: campaign, User: rapid.SampledFrom([]string{"u", "stranger"}).Draw(rt, "user"), N: rapid.IntRange(1, 9).Draw(rt, "n"), Filter: filters[kind]}
		promotes := ""
		if rapid.Bool().Draw(rt, "promotion") {
			promotes = kinds.Draw(rt, "promotes")
			q.Promotion = &Promotion{Percent: rapid.IntRange(1, 100).Draw(rt, "percent"), Filter: filters[promotes]}
		}
		a, err := server.Recommend(t.Context(), q)
		if err != nil {
			rt.Fatal(err)
		}
		got := ids(a)
		slices.Sort(got)
		if len(slices.Compact(got)) != len(a.Items) || len(a.Items) > q.N {
			rt.Fatalf("%d asked for, got %v", q.N, ids(a))
		}
		promoted := 0
		for i, x := range a.Items {
			if p := a.Propensities; p != nil && !(p[i] > 0 && p[i] <= 1) {
				rt.Fatalf("propensities %v", p)
			}
			want := kind
			if x.Reason == event.Promoted {
				promoted++
				want = promotes
			}
			if want != "" && x.ID[:1] != want {
				rt.Fatalf("%s is there as %d under filter %q", x.ID, x.Reason, want)
			}
		}
		if q.Promotion != nil && promoted > q.Promotion.places(q.N) {
			rt.Fatalf("%d promoted of %d", promoted, q.N)
		}
	})
}

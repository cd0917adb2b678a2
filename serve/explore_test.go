package serve

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/profile"
)

// now is the time of these tests; the newest interaction of their shop is as old as it.
var now = time.Unix(1_767_225_600, 0).UTC()

// exploredShop is testShop with ages in days: a0 and b0 are old, a1 and b1 young,
// a2 has no creation time and an old interaction, b2 none at all; "unheard" and
// "cold" are not in the model, and cold is of kind b.
func exploredShop() *shop {
	s := testShop()
	s.columns.Set(s.add("cold"), "KIND", "b")
	for id, days := range map[string]int{"a0": 400, "b0": 31, "a1": 29, "b1": 1, "unheard": 90, "cold": 2} {
		s.columns.Set(s.add(id), creationTimestamp, float64(now.AddDate(0, 0, -days).Unix()))
	}
	s.counts = make([]profile.Count, len(s.ids))
	s.latest = now.UnixMilli()
	s.counts[s.numbers["a2"]] = profile.Count{Touched: 1, First: now.AddDate(0, 0, -90).UnixMilli()}
	s.counts[s.numbers["b1"]] = profile.Count{Touched: 3, Shown: 5, First: now.AddDate(0, 0, -1).UnixMilli()}
	return s
}

func explorer(t testing.TB, s *shop, e Exploration, clock attune.Clock) *Server {
	m, scorer := testModel("softmax", model.SeenKept)
	scorer.last = nil
	return chanceServer(t, s, Release{Kind: User, Model: m, Scorer: scorer, Explore: e}, &Options{NewID: numbered(), Clock: clock})
}

func atNow() time.Time { return now }

// explored gives the items that were drawn over some answers, by how often.
func explored(t testing.TB, server *Server, q Request, rounds int) map[string]int {
	t.Helper()
	q.Campaign, q.User = campaign, "stranger"
	drawn := map[string]int{}
	for range rounds {
		a, err := server.Recommend(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range a.Items {
			if x.Reason == event.Explored {
				drawn[x.ID]++
			}
		}
	}
	return drawn
}

func names(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }

func TestNoExploration(t *testing.T) {
	s := exploredShop()
	greedy := explorer(t, s, Exploration{}, atNow)
	zero := explorer(t, s, Exploration{Weight: 0, MaxAge: DefaultMaxAge}, atNow)
	for n := range 6 {
		q := Request{Campaign: campaign, User: "u", N: n + 1}
		a, err := greedy.Recommend(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		b, err := zero.Recommend(t.Context(), q)
		if err != nil || !reflect.DeepEqual(a.Items, b.Items) || b.Propensities != nil {
			t.Errorf("%v and %v with %v; %v", ids(a), ids(b), b.Propensities, err)
		}
	}
}

// TestWhoIsExplored holds which items are eligible, by age and by the request's filter.
func TestWhoIsExplored(t *testing.T) {
	days := func(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
	for _, test := range []struct {
		maxAge time.Duration
		kind   string // of the filter; "" for none
		want   []string
	}{
		{days(30), "", []string{"a1", "b1", "b2", "cold"}},
		{days(1), "", []string{"b1", "b2"}},
		{days(89), "", []string{"a1", "b0", "b1", "b2", "cold"}},
		{days(90), "", []string{"a1", "a2", "b0", "b1", "b2", "cold", "unheard"}},
		{days(30), "a", nil}, // a1 is the best of them anyway
		{days(30), "b", []string{"b1", "b2", "cold"}},
	} {
		server := explorer(t, exploredShop(), Exploration{Weight: .5, MaxAge: test.maxAge}, atNow)
		q := Request{N: 2}
		if test.kind != "" {
			q.Filter = only(t, test.kind)
		}
		if got := names(explored(t, server, q, 400)); !slices.Equal(got, test.want) {
			t.Errorf("%s, filter %q: %v are explored, want %v", test.maxAge, test.kind, got, test.want)
		}
	}
}

// TestPropensities holds that what is logged is what happens: how often an item
// stands first is its propensity there, and over all first items these add up to one.
func TestPropensities(t *testing.T) {
	for _, weight := range []float64{.3, 1} {
		server := explorer(t, exploredShop(), Exploration{Weight: weight, MaxAge: DefaultMaxAge}, atNow)
		const rounds = 20_000
		first, second, said := map[string]int{}, map[string]int{}, map[string]float64{}
		pairs, likely := map[string]int{}, map[string]float64{}
		for range rounds {
			a, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: "stranger", N: 2})
			if err != nil {
				t.Fatal(err)
			}
			x, y := a.Items[0].ID, a.Items[1].ID
			first[x]++
			second[y]++
			pairs[x+" "+y]++
			said[x] = float64(a.Propensities[0])
			likely[x+" "+y] = float64(a.Propensities[0]) * float64(a.Propensities[1])
		}
		sum := func(m map[string]float64) (total float64) {
			for _, p := range m {
				total += p
			}
			return total
		}
		if math.Abs(sum(said)-1) > 1e-5 || math.Abs(sum(likely)-1) > 1e-3 {
			t.Errorf("weight %g: the propensities of the first items add up to %g, of pairs to %g", weight, sum(said), sum(likely))
		}
		for pair, p := range likely {
			if got, deviation := float64(pairs[pair])/rounds, math.Sqrt(p*(1-p)/rounds); math.Abs(got-p) > 5*deviation+1e-9 {
				t.Errorf("weight %g: %s came in %.4f of the answers, propensity %.4f", weight, pair, got, p)
			}
		}
		if weight == 1 && first["a0"] > 0 {
			t.Error("the old a0 came first where everything is drawn")
		}
		if first["cold"] == 0 || weight < 1 && len(second) < 5 {
			t.Errorf("weight %g: first %v, second %v", weight, first, second)
		}
	}
}

// TestShownLessIsExploredMore lets the log show one newcomer often: it is drawn
// less from the next pool on, and not before.
func TestShownLessIsExploredMore(t *testing.T) {
	s, at := exploredShop(), now
	server := explorer(t, s, Exploration{Weight: .5, MaxAge: DefaultMaxAge}, func() time.Time { return at })
	const rounds = 3000
	before := explored(t, server, Request{N: 1}, rounds)["cold"]
	s.mu.Lock()
	s.counts[s.numbers["cold"]].Shown = 99
	s.mu.Unlock()
	if same := explored(t, server, Request{N: 1}, rounds)["cold"]; same < before*3/4 {
		t.Errorf("drawn %d times, then %d within the life of a pool", before, same)
	}
	at = at.Add(poolAge)
	if after := explored(t, server, Request{N: 1}, rounds)["cold"]; after*4 > before {
		t.Errorf("drawn %d times, and %d after it was shown 99 times", before, after)
	}
}

// TestAgesFollowTheGroup: ages are measured from the newest interaction, so a
// catalogue of the past is explored too, but never from a time that has not come.
func TestAgesFollowTheGroup(t *testing.T) {
	s := exploredShop()
	server := explorer(t, s, Exploration{Weight: .5, MaxAge: DefaultMaxAge}, func() time.Time { return now.AddDate(2, 0, 0) })
	if got := names(explored(t, server, Request{N: 2}, 400)); !slices.Equal(got, []string{"a1", "b1", "b2", "cold"}) {
		t.Errorf("two years after the last interaction %v are explored", got)
	}
	s = exploredShop()
	s.latest = now.AddDate(5, 0, 0).UnixMilli() // somebody's clock is wrong
	server = explorer(t, s, Exploration{Weight: .5, MaxAge: DefaultMaxAge}, atNow)
	if got := names(explored(t, server, Request{N: 2}, 400)); !slices.Equal(got, []string{"a1", "b1", "b2", "cold"}) {
		t.Errorf("with an interaction of the future %v are explored", got)
	}
}

// TestColdItemsByAttributes: an item that the model does not know is drawn more
// for users who like items of its kind.
func TestColdItemsByAttributes(t *testing.T) {
	s := exploredShop()
	s.touch("likes a", "a0", "View", 1)
	s.touch("likes b", "b0", "View", 1)
	server := explorer(t, s, Exploration{Weight: 1, MaxAge: DefaultMaxAge}, atNow)
	propensity := func(user string) float64 {
		for range 500 {
			a, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: user, N: 1})
			if err != nil {
				t.Fatal(err)
			}
			if a.Items[0].ID == "cold" {
				if s := a.Items[0].Score; s == nil || !(*s > 0 && *s < 1) {
					t.Errorf("the estimated score is %v", s)
				}
				return float64(a.Propensities[0])
			}
		}
		t.Fatalf("cold was never drawn for %s", user)
		return 0
	}
	if a, b := propensity("likes a"), propensity("likes b"); b < 2*a {
		t.Errorf("cold, of kind b, has propensity %g for who likes b and %g for who likes a", b, a)
	}
	s.touch("likes b", "cold", "View", 1)
	if got := explored(t, server, Request{N: 3}, 200); got["cold"] == 0 {
		t.Error("a touch of one user keeps cold from all")
	}
	for range 200 {
		a, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: "likes b", N: 3})
		if err != nil || slices.Contains(ids(a), "cold") {
			t.Fatalf("%v, who touched cold: %v", ids(a), err)
		}
	}
}

// TestPoolIsBounded holds the size of a pool, and that those met least are in it.
func TestPoolIsBounded(t *testing.T) {
	s := newShop()
	m, scorer := testModel("softmax", model.SeenKept)
	for i := range 10 * maxPool {
		n := s.add(fmt.Sprint("new", i))
		s.columns.Set(n, "KIND", "c")
		s.counts = append(s.counts, profile.Count{Touched: uint32(i * 7919 % (10 * maxPool)), First: now.UnixMilli()})
	}
	s.latest = now.UnixMilli()
	r := newRelease(Release{Model: m, Scorer: scorer, Explore: Exploration{Weight: .3, MaxAge: time.Hour}})
	p := r.newcomers(s, now)
	if len(p.newcomers) != maxPool {
		t.Fatalf("%d newcomers", len(p.newcomers))
	}
	for _, c := range p.newcomers {
		if s.counts[c.number].Touched >= maxPool {
			t.Errorf("a newcomer was touched %d times", s.counts[c.number].Touched)
		}
	}
}

func TestPlaceholders(t *testing.T) {
	s := testShop()
	for id, touched := range map[string]uint32{"new1": 5, "new2": 9, "new3": 0} {
		n := s.add(id)
		s.columns.Set(n, "KIND", "n")
		for int(n) >= len(s.counts) {
			s.counts = append(s.counts, profile.Count{})
		}
		s.counts[n].Touched = touched
	}
	s.touch("u", "new1", "View", 1)
	m, scorer := testModel("softmax", model.SeenKept)
	server := serverOf(t, s, User, m, scorer)
	for user, want := range map[string][]string{"stranger": {"new2", "new1", "new3"}, "u": {"new2", "new3"}} {
		a, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: user, Filter: only(t, "n")})
		if err != nil || !slices.Equal(ids(a), want) {
			t.Fatalf("%s gets %v, want %v; %v", user, ids(a), want, err)
		}
		for _, x := range a.Items {
			if x.Score != nil || x.Reason != event.Placeholder {
				t.Errorf("%s has score %v, reason %d", x.ID, x.Score, x.Reason)
			}
		}
	}
	a, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: "stranger"})
	if err != nil || len(a.Items) != 6 {
		t.Errorf("without a filter nothing is filled up: %v, %v", ids(a), err)
	}
}

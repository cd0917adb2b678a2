package serve

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/profile"
)

// filterShop has a price for every item of the model and two users.
func filterShop() *shop {
	s := newShop()
	for i, id := range []string{"new", "b2", "b1", "b0", "a2", "a1", "a0"} { // not the model's order
		s.columns.Set(s.add(id), "PRICE", i)
		s.columns.Set(int32(i), "KIND", id[:1])
	}
	s.people["child"], s.people["adult"] = 0, 1
	s.users.Set(0, "AGE", 9)
	s.users.Set(1, "AGE", 40)
	return s
}

func TestFilterKnowsWhoAsks(t *testing.T) {
	m, scorer := testModel("softmax", "")
	server := serverOf(t, filterShop(), User, m, scorer)
	ask := func(user, text string, want ...string) {
		t.Helper()
		a, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: user, Filter: parse(t, text)})
		if err != nil {
			t.Fatal(err)
		}
		if got := scored(a); !slices.Equal(got, want) {
			t.Errorf("%s: %s gives %v, want %v", user, text, got, want)
		}
	}
	all := []string{"a0", "b0", "a1", "b1", "a2", "b2"}
	young := `EXCLUDE ItemID WHERE Items.KIND IN ("b") IF CurrentUser.AGE < 18`
	ask("child", young, "a0", "a1", "a2")
	ask("adult", young, all...)
	ask("nobody", young, all...)
	ask("child", `EXCLUDE ItemID WHERE Items.KIND IN ("b") IF CurrentUser.USER_ID = "child"`, "a0", "a1", "a2")
	ask("adult", `INCLUDE ItemID WHERE Items.ITEM_ID IN ("b2", "a2", "new", "none")`, "a2", "b2")
	ask("adult", `EXCLUDE ItemID WHERE Items.ITEM_ID IN ("b2", "a2")`, "a0", "b0", "a1", "b1")
	ask("adult", `INCLUDE ItemID WHERE Items.PRICE > 4 OR Items.PRICE < 3 AND Items.KIND = "b"`, "a0", "a1", "b1", "b2")
	for text, says := range map[string]string{
		`INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE`: "CurrentItem",
		`INCLUDE ActionID WHERE Actions.VALUE < 3`:             "ActionID",
	} {
		_, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: "adult", Item: "a0", Filter: parse(t, text)})
		if attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestFilterKnowsTheItem(t *testing.T) {
	m, scorer := testModel("none", "")
	server := serverOf(t, filterShop(), Related, m, scorer)
	ask := func(item, text string, want ...string) {
		t.Helper()
		a, err := server.Recommend(t.Context(), Request{Campaign: campaign, Item: item, Filter: parse(t, text)})
		if err != nil {
			t.Fatal(err)
		}
		got := ids(a)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %s gives %v, want %v", item, text, got, want)
		}
	}
	ask("a2", `INCLUDE ItemID WHERE Items.PRICE > CurrentItem.PRICE AND Items.KIND IN CurrentItem.KIND`, "a0", "a1")
	ask("b1", `INCLUDE ItemID WHERE Items.KIND IN CurrentItem.KIND`, "b0", "b2")
	ask("new", `EXCLUDE ItemID WHERE Items.PRICE > CurrentItem.PRICE`)
	ask("unheard-of", `INCLUDE ItemID WHERE Items.KIND IN CurrentItem.KIND`)
	_, err := server.Recommend(t.Context(), Request{Campaign: campaign, Item: "a0", Filter: parse(t, `EXCLUDE ItemID WHERE Items.KIND = "b" IF CurrentUser.AGE < 18`)})
	if attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), "userId") {
		t.Errorf("a filter about the user, without one: %v", err)
	}
}

func TestRankHonoursFilters(t *testing.T) {
	m, scorer := testModel("softmax", "")
	server := serverOf(t, filterShop(), Ranking, m, scorer)
	q := RankRequest{Campaign: campaign, User: "child", Items: []string{"b2", "new", "a2", "unheard-of", "a0"},
		Filter: parse(t, `EXCLUDE ItemID WHERE Items.KIND IN ("b") IF CurrentUser.AGE < 18`)}
	a, err := server.Rank(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ids(a), []string{"a0", "a2", "new"}; !slices.Equal(got, want) {
		t.Errorf("ranked %v, want %v", got, want)
	}
	q.User = "adult"
	if a, err = server.Rank(t.Context(), q); err != nil || len(a.Items) != 4 {
		t.Errorf("ranked %v (%v), want all known items", a, err)
	}
}

// TestFilterBounds shows what the bounds of the service take from a filter's knowledge.
func TestFilterBounds(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	clock := func() time.Time { return now }
	m, scorer := testModel("softmax", "")
	ask := func(o *Options, want ...string) {
		t.Helper()
		s := newShop()
		for _, item := range []string{"a0", "b0", "a1"} {
			s.touch("u", item, "View", 1)
		}
		s.touch("u", "b1", "Purchase", 1)
		s.histories["u"] = slices.Clone(s.histories["u"])
		for i := range s.histories["u"] {
			s.histories["u"][i].At = now.Add(-48 * time.Hour).UnixMilli()
		}
		for _, id := range m.Items {
			s.add(id)
		}
		server := newServer(func(event.Group) (view, bool) { return s, true }, nil, nil, o)
		if err := server.Load(Release{Campaign: campaign, Version: "v", Group: "g", Kind: User, Model: m, Scorer: scorer}); err != nil {
			t.Fatal(err)
		}
		a, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: "u", Filter: parse(t, `INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)`)})
		if err != nil {
			t.Fatal(err)
		}
		got := ids(a)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %v, want %v", o, got, want)
		}
	}
	ask(nil, "a0", "a1", "b0", "b1")
	ask(&Options{Clock: clock, Filters: filter.Limits{History: 2}}, "a1", "b0", "b1")
	ask(&Options{Clock: clock, Filters: filter.Limits{Idle: 72 * time.Hour}}, "a0", "a1", "b0", "b1")
	ask(&Options{Clock: clock, Filters: filter.Limits{Idle: 24 * time.Hour}})
}

// TestFilterLeavesOutWhatHasNoNumber takes both ways from numbers to rows: few let through, and many.
func TestFilterLeavesOutWhatHasNoNumber(t *testing.T) {
	m, scorer := testModel("softmax", "")
	s := newShop()
	for i, id := range []string{"b2", "a0", "x", "b1", "y", "b0"} { // a1 and a2 are in the model alone
		s.columns.Set(s.add(id), "N", i)
	}
	s.histories["u"] = []profile.Touch{}
	server := serverOf(t, s, User, m, scorer)
	for text, want := range map[string][]string{
		`INCLUDE ItemID WHERE Items.N = 1`:  {"a0"},
		`INCLUDE ItemID WHERE Items.N >= 1`: {"a0", "b0", "b1"},
		`INCLUDE ItemID WHERE Items.N >= 0`: {"a0", "b0", "b1", "b2"},
		`INCLUDE ItemID WHERE Items.N < 0`:  {},
		`EXCLUDE ItemID WHERE Items.N = 3`:  {"a0", "b0", "b2"},
	} {
		a, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: "u", Filter: parse(t, text)})
		if err != nil {
			t.Fatal(err)
		}
		if got := scored(a); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

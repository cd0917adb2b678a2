package serve

import (
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/model"
)

const recommender = attune.ARN("arn:aws:personalize:us-east-1:000000000000:recommender/r")

// TestLeaveOut shows that what the asker has done one thing with is not
// recommended, from the moment it is done, and that doing something else changes nothing.
func TestLeaveOut(t *testing.T) {
	for _, kind := range []Kind{User, Related} {
		shop := testShop()
		server := newServer(func(event.Group) (view, bool) { return shop, true }, nil, nil, nil)
		m, scorer := testModel("none", model.SeenKept)
		if err := server.Load(Release{Campaign: recommender, Group: "g", Kind: kind, Model: m, Scorer: scorer, LeaveOut: []string{"PURCHASE"}}); err != nil {
			t.Fatal(err)
		}
		page := func() []string {
			t.Helper()
			a, err := server.Recommend(t.Context(), Request{Campaign: recommender, User: "u", Item: "b0"})
			if err != nil {
				t.Fatal(err)
			}
			return ids(a)
		}
		before := page() // u viewed a0 and a1, and purchased a2
		if slices.Contains(before, "a2") || !slices.Contains(before, "a0") || !slices.Contains(before, "a1") {
			t.Errorf("%s: before the purchase %v", kind, before)
		}
		shop.touch("u", "b1", "Review", 1)
		if got := page(); !slices.Equal(got, before) && kind == Related {
			t.Errorf("%s: after a review %v, before %v", kind, got, before)
		}
		shop.touch("u", "a1", "Purchase", 1)
		if got := page(); slices.Contains(got, "a1") || !slices.Contains(got, "b1") {
			t.Errorf("%s: after the purchase of a1 %v", kind, got)
		}
		_, err := server.Recommend(t.Context(), Request{Campaign: recommender, Item: "b0"})
		if attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), "userId is required by recommender "+string(recommender)) {
			t.Errorf("%s: nobody asks: %v", kind, err)
		}
	}
}

// TestAnybody shows that a release which answers all alike needs no asker.
func TestAnybody(t *testing.T) {
	shop := testShop()
	server := newServer(func(event.Group) (view, bool) { return shop, true }, nil, nil, nil)
	m, scorer := testModel("none", model.SeenKept)
	if err := server.Load(Release{Campaign: campaign, Group: "g", Kind: User, Model: m, Scorer: scorer, Anybody: true}); err != nil {
		t.Fatal(err)
	}
	a, err := server.Recommend(t.Context(), Request{Campaign: campaign, N: 2})
	if err != nil || !slices.Equal(ids(a), []string{"a0", "b0"}) {
		t.Errorf("%v, %v", a, err)
	}
}

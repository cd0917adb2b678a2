package serve

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/profile"
)

func TestRecommend(t *testing.T) {
	half := 0.5
	for _, test := range []struct {
		name string
		kind Kind
		seen string
		rule model.EventRules
		req  Request
		want []string
	}{
		{"everything", User, model.SeenKept, nil, Request{User: "u"}, []string{"a0", "a1", "a2", "b1", "b2", "b0"}},
		{"seen left out", User, model.SeenLeftOut, nil, Request{User: "u"}, []string{"b1", "b2", "b0"}},
		{"event type without case", User, model.SeenLeftOut, model.EventRules{{Type: "vieW"}}, Request{User: "u"}, []string{"a2", "b1", "b2", "b0"}},
		{"threshold drops what has no value", User, model.SeenLeftOut, model.EventRules{{Threshold: &half}}, Request{User: "u"}, []string{"a2", "b1", "b2", "b0"}},
		{"n", User, model.SeenKept, nil, Request{User: "u", N: 2}, []string{"a0", "a1"}},
		{"unknown user", User, model.SeenLeftOut, nil, Request{User: "stranger", N: 3}, []string{"a0", "b0", "a1"}},
		{"include", User, model.SeenKept, nil, Request{User: "u", Filter: parse(t, `INCLUDE ItemID WHERE Items.KIND = "b"`)}, []string{"b1", "b2", "b0"}},
		{"exclude what was bought", User, model.SeenKept, nil,
			Request{User: "u", Filter: parse(t, `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($T)`), FilterValues: map[string]string{"T": `"purchase"`}},
			[]string{"a0", "a1", "b1", "b2", "b0"}},
		{"nothing is filled up", User, model.SeenLeftOut, nil, Request{User: "u", Filter: parse(t, `INCLUDE ItemID WHERE Items.GENRES IN ("x")`)}, nil},
		{"related", Related, model.SeenLeftOut, nil, Request{Item: "b0", N: 2}, []string{"b1", "b2"}},
		{"related, filtered by history", Related, model.SeenLeftOut, nil,
			Request{Item: "a0", User: "u", N: 1, Filter: parse(t, `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")`)}, []string{"a2"}},
		{"related to the unknown", Related, model.SeenKept, nil, Request{Item: "unheard", N: 2}, []string{"a0", "b0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, scorer := testModel("softmax", test.seen)
			m.Manifest.Events = test.rule
			test.req.Campaign = campaign
			a, err := serverOf(t, testShop(), test.kind, m, scorer).Recommend(t.Context(), test.req)
			if err != nil {
				t.Fatal(err)
			}
			if got := ids(a); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if len(a.RecommendationID) != 36 || a.Release.Version != "v" {
				t.Errorf("answer has id %q and version %q", a.RecommendationID, a.Release.Version)
			}
		})
	}
}

func TestQueryHoldsOnlyWhatCounts(t *testing.T) {
	m, scorer := testModel("softmax", model.SeenKept)
	m.Manifest.Events = model.EventRules{{Type: "view"}}
	if _, err := serverOf(t, testShop(), User, m, scorer).Recommend(t.Context(), Request{Campaign: campaign, User: "u"}); err != nil {
		t.Fatal(err)
	}
	q := <-scorer.last
	if len(q.History) != 2 || q.History[0].Item != 2 || q.History[1].Item != 0 || q.Item != model.NoItem {
		t.Errorf("query %+v", q)
	}
}

// What an event counted in training it counts in the question, by its type and value.
func TestQueryWeighsEvents(t *testing.T) {
	m, scorer := testModel("softmax", model.SeenLeftOut)
	m.Manifest.Events = model.EventRules{{Type: "purchase", Weight: new(1.0)}, {Type: "View", Threshold: new(2.0), Weight: new(0.25)}}
	a, err := serverOf(t, testShop(), User, m, scorer).Recommend(t.Context(), Request{Campaign: campaign, User: "u"})
	if err != nil {
		t.Fatal(err)
	}
	q := <-scorer.last
	if len(q.History) != 2 || q.History[0] != (model.Touch{Item: 4, Weight: 1}) || q.History[1] != (model.Touch{Item: 0, Weight: 0.25}) {
		t.Errorf("query %+v", q)
	}
	if got := ids(a); !slices.Contains(got, "a1") || slices.Contains(got, "a2") {
		t.Errorf("%v: only what counts is left out", got)
	}
}

func TestScores(t *testing.T) {
	m, scorer := testModel("softmax", model.SeenLeftOut)
	server := serverOf(t, testShop(), User, m, scorer)
	sum := func(q Request) (total float64, last Scored) {
		t.Helper()
		q.Campaign = campaign
		a, err := server.Recommend(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range a.Items {
			total += *x.Score
		}
		return total, a.Items[len(a.Items)-1]
	}
	if all, _ := sum(Request{User: "stranger"}); math.Abs(all-1) > 1e-6 {
		t.Errorf("scores of the whole catalogue sum to %v", all)
	}
	_, plain := sum(Request{User: "u"})
	part, filtered := sum(Request{User: "u", Filter: parse(t, `INCLUDE ItemID WHERE Items.KIND = "b"`)})
	if part >= 1 || *plain.Score != *filtered.Score || plain.ID != filtered.ID {
		t.Errorf("a filter changes scores: %v of %s, %v of %s, sum %v", *plain.Score, plain.ID, *filtered.Score, filtered.ID, part)
	}
	m, scorer = testModel("none", model.SeenKept)
	a, err := serverOf(t, testShop(), Related, m, scorer).Recommend(t.Context(), Request{Campaign: campaign, Item: "a0"})
	if err != nil || a.Items[0].Score != nil {
		t.Errorf("%v, %v: want no score", a, err)
	}
}

func TestRank(t *testing.T) {
	m, scorer := testModel("softmax", model.SeenLeftOut)
	server := serverOf(t, testShop(), Ranking, m, scorer)
	a, err := server.Rank(t.Context(), RankRequest{Campaign: campaign, User: "u", Items: []string{"z", "b2", "unheard", "a2", "a1", "b1"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a1", "a2", "b1", "b2", "z", "unheard"}; !slices.Equal(ids(a), want) {
		t.Errorf("got %v, want %v", ids(a), want)
	}
	total := 0.0
	for _, x := range a.Items[:4] {
		total += *x.Score
	}
	if math.Abs(total-1) > 1e-6 || a.Items[4].Score != nil || a.Items[5].Score != nil {
		t.Errorf("scores sum to %v; unknown items have %v and %v", total, a.Items[4].Score, a.Items[5].Score)
	}
	a, err = server.Rank(t.Context(), RankRequest{Campaign: campaign, User: "u", Items: []string{"z", "b2", "a2", "a1"}, Filter: parse(t, `EXCLUDE ItemID WHERE Items.KIND = "b"`)})
	if want := []string{"a1", "a2"}; err != nil || !slices.Equal(ids(a), want) {
		t.Errorf("filtered: got %v, want %v; %v", ids(a), want, err)
	}
}

// broken is a scorer that has gone wrong.
type broken []float32

func (b broken) Score(_ context.Context, _ model.Query, dst []float32) error {
	copy(dst, b)
	return nil
}

// TestOddScoresAndLists holds that every answer can be sent: scores are numbers
// from 0 to 1, whatever the model says, and a list that names an item twice
// ranks it twice.
func TestOddScoresAndLists(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	list := []string{"b2", "a0", "a0", "z", "z", "b1"}
	for _, test := range []struct {
		scores       broken
		answer, rank []string
		sum          float64 // of the ranked list's scores
	}{
		{broken{1, 1, 1, 1, 1, 1}, []string{"a0", "b0", "a1", "b1", "a2", "b2"}, []string{"b2", "a0", "a0", "b1", "z", "z"}, 1},
		{broken{nan, 3, nan, 1, -inf, 2}, []string{"b0", "b2", "b1"}, []string{"b2", "b1", "a0", "a0", "z", "z"}, 1},
		{broken{inf, 3, nan, 1, inf, 2}, []string{"a0", "a2", "b0", "b2", "b1"}, []string{"a0", "a0", "b2", "b1", "z", "z"}, 0},
		{broken{nan, nan, nan, nan, nan, nan}, nil, []string{"b2", "a0", "a0", "z", "z", "b1"}, 0},
		{broken{3e4, -3e4, 0, -3e4, 0, 0}, []string{"a0", "a1", "a2", "b2", "b0", "b1"}, []string{"a0", "a0", "b2", "b1", "z", "z"}, 1},
	} {
		m, _ := testModel("softmax", model.SeenKept)
		a, err := serverOf(t, testShop(), User, m, test.scores).Recommend(t.Context(), Request{Campaign: campaign, User: "u"})
		if err != nil || !slices.Equal(ids(a), test.answer) {
			t.Errorf("%v: answer %v, want %v; %v", test.scores, ids(a), test.answer, err)
		}
		r, err := serverOf(t, testShop(), Ranking, m, test.scores).Rank(t.Context(), RankRequest{Campaign: campaign, User: "u", Items: list})
		if err != nil || !slices.Equal(ids(r), test.rank) {
			t.Errorf("%v: ranked %v, want %v; %v", test.scores, ids(r), test.rank, err)
		}
		total := 0.0
		for i, x := range append(a.Items, r.Items...) {
			if x.Score == nil {
				continue
			}
			if !(*x.Score >= 0 && *x.Score <= 1) {
				t.Errorf("%v: %s has score %v", test.scores, x.ID, *x.Score)
			}
			if i >= len(a.Items) {
				total += *x.Score
			}
		}
		if math.Abs(total-test.sum) > 1e-6 {
			t.Errorf("%v: ranked scores sum to %v, want %v", test.scores, total, test.sum)
		}
	}
}

func TestMetadata(t *testing.T) {
	m, scorer := testModel("softmax", model.SeenKept)
	a, err := serverOf(t, testShop(), User, m, scorer).Recommend(t.Context(),
		Request{Campaign: campaign, User: "u", N: 2, MetadataColumns: []string{"GENRES", "PRICE", "NONE"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(a.Items[0].Metadata, a.Items[1].Metadata), "map[] map[GENRES:x|y PRICE:2.5]"; got != want {
		t.Errorf("metadata %s, want %s", got, want)
	}
}

func TestRefusals(t *testing.T) {
	many := slices.Repeat([]string{"a0"}, 501)
	for _, test := range []struct {
		name string
		kind Kind
		ask  func(*Server) error
		want attune.Kind
	}{
		{"unknown campaign", User, recommend(Request{Campaign: "x", User: "u"}), attune.NotFound},
		{"no user", User, recommend(Request{}), attune.Invalid},
		{"no item", Related, recommend(Request{User: "u"}), attune.Invalid},
		{"ranking campaign", Ranking, recommend(Request{User: "u"}), attune.Invalid},
		{"too many", User, recommend(Request{User: "u", N: 501}), attune.Invalid},
		{"too many with metadata", User, recommend(Request{User: "u", N: 51, MetadataColumns: []string{"A"}}), attune.Invalid},
		{"too many columns", User, recommend(Request{User: "u", MetadataColumns: many[:11]}), attune.Invalid},
		{"metadata that was not enabled", User, func(s *Server) error {
			r, _ := s.Get(campaign)
			r.NoMetadata = true
			if err := s.Load(r); err != nil || recommend(Request{User: "u"})(s) != nil {
				return nil
			}
			return recommend(Request{User: "u", MetadataColumns: many[:1]})(s)
		}, attune.Invalid},
		{"missing parameter", User, recommend(Request{User: "u", Filter: parse(t, `INCLUDE ItemID WHERE Items.A IN ($A)`)}), attune.Invalid},
		{"history of nobody", Related, recommend(Request{Item: "a0", Filter: parse(t, `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE = "a"`)}), attune.Invalid},
		{"rank with another recipe", User, rank(RankRequest{User: "u", Items: many[:1]}), attune.Invalid},
		{"rank for nobody", Ranking, rank(RankRequest{Items: many[:1]}), attune.Invalid},
		{"rank nothing", Ranking, rank(RankRequest{User: "u"}), attune.Invalid},
		{"rank too much", Ranking, rank(RankRequest{User: "u", Items: many}), attune.Invalid},
		{"rank an empty id", Ranking, rank(RankRequest{User: "u", Items: []string{"a", ""}}), attune.Invalid},
	} {
		m, scorer := testModel("softmax", model.SeenKept)
		if err := test.ask(serverOf(t, testShop(), test.kind, m, scorer)); attune.KindOf(err) != test.want || err == nil {
			t.Errorf("%s: %v, want an error of kind %s", test.name, err, test.want)
		}
	}
	m, scorer := testModel("softmax", model.SeenKept)
	s := newServer(func(event.Group) (view, bool) { return nil, false }, nil, nil, nil)
	for _, r := range []Release{{}, {Campaign: campaign, Model: m, Scorer: scorer, Kind: "segment"}, {Campaign: campaign, Model: &model.Model{}, Scorer: scorer, Kind: User}} {
		if err := s.Load(r); attune.KindOf(err) != attune.Invalid {
			t.Errorf("Load(%+v): %v", r, err)
		}
	}
	if err := s.Load(Release{Campaign: campaign, Model: m, Scorer: scorer, Kind: User}); err != nil || !s.Has(campaign) {
		t.Fatal(err)
	}
	if err := recommend(Request{User: "u"})(s); attune.KindOf(err) != attune.Unavailable {
		t.Errorf("without a profile: %v", err)
	}
	s.Drop(campaign)
	if err := recommend(Request{User: "u"})(s); attune.KindOf(err) != attune.NotFound || s.Has(campaign) {
		t.Errorf("after Drop: %v", err)
	}
}

func recommend(q Request) func(*Server) error {
	return func(s *Server) error {
		if q.Campaign == "" {
			q.Campaign = campaign
		}
		_, err := s.Recommend(context.Background(), q)
		return err
	}
}

func rank(q RankRequest) func(*Server) error {
	return func(s *Server) error {
		q.Campaign = campaign
		_, err := s.Rank(context.Background(), q)
		return err
	}
}

// TestItemsLearntOfLater holds that an item that the profile hears of after the first request is understood.
func TestItemsLearntOfLater(t *testing.T) {
	s := newShop()
	s.touch("u", "b0", "View", 1)
	m, scorer := testModel("softmax", model.SeenLeftOut)
	server := serverOf(t, s, User, m, scorer)
	for _, step := range []struct {
		touch string
		want  []string
	}{{"unheard", []string{"b1", "b2", "a1", "a2", "a0"}}, {"b1", []string{"b2", "a1", "a2", "a0"}}, {"a0", []string{"b2", "a1", "a2"}}} {
		s.touch("u", step.touch, "View", 1)
		a, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: "u"})
		if err != nil {
			t.Fatal(err)
		}
		got, want := ids(a), slices.Clone(step.want)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("after %s: got %v, want %v in any order", step.touch, got, want)
		}
	}
}

// TestChangeWhileAnswering loads, drops, answers and learns of new items at once; run it with -race.
func TestChangeWhileAnswering(t *testing.T) {
	s := testShop()
	m, scorer := testModel("softmax", model.SeenLeftOut)
	small := &model.Model{Items: m.Items[:3], Manifest: m.Manifest}
	scorer.last = nil
	server := serverOf(t, s, User, m, scorer)
	e := parse(t, `EXCLUDE ItemID WHERE Items.KIND = "b" | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE = "Purchase"`)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 400 {
				q := Request{Campaign: campaign, User: "u"}
				if (worker+i)%2 == 0 {
					q.Filter = e
				}
				a, err := server.Recommend(context.Background(), q)
				if err != nil && attune.KindOf(err) != attune.NotFound {
					t.Error(err)
				}
				if err == nil && slices.Contains(ids(a), "a1") {
					t.Errorf("a seen item in %v", ids(a))
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 400 {
			id := fmt.Sprint("new", i)
			s.columns.Set(s.add(id), "KIND", "c")
			s.touch("u", id, fmt.Sprint("type", i%50), 1)
		}
	})
	for i := range 400 {
		switch i % 3 {
		case 0:
			server.Drop(campaign)
		case 1:
			if err := server.Load(Release{Campaign: campaign, Kind: User, Model: small, Scorer: dots{data: scorer.data[:6], d: 2}}); err != nil {
				t.Error(err)
			}
		case 2:
			if err := server.Load(Release{Campaign: campaign, Kind: User, Model: m, Scorer: scorer}); err != nil {
				t.Error(err)
			}
		}
	}
	wg.Wait()
}

// BenchmarkRecommend answers for 10 000 users over 10 000 items of 64 dimensions.
func BenchmarkRecommend(b *testing.B) {
	const n, d, users = 10_000, 64, 10_000
	rng := rand.New(rand.NewPCG(1, 1))
	s := newShop()
	m := &model.Model{Manifest: model.Manifest{Scores: "softmax", Seen: model.SeenLeftOut}}
	scorer := dots{d: d, data: make([]float32, n*d)}
	for i := range scorer.data {
		scorer.data[i] = float32(rng.NormFloat64()) / 8
	}
	for i := range n {
		m.Items = append(m.Items, fmt.Sprint("item", i))
		s.columns.Set(s.add(m.Items[i]), "GENRES", []string{fmt.Sprint("g", rng.IntN(20)), fmt.Sprint("g", rng.IntN(20))})
	}
	for u := range users {
		for range 20 {
			s.touch(fmt.Sprint("user", u), m.Items[rng.IntN(n)], "View", 1)
		}
	}
	server := serverOf(b, s, User, m, scorer)
	const exploring = campaign + "-exploring"
	s.latest = time.Now().UnixMilli()
	for range n {
		s.counts = append(s.counts, profile.Count{Touched: 20, First: s.latest})
	}
	if err := server.Load(Release{Campaign: exploring, Group: "g", Kind: User, Model: m, Scorer: scorer, Explore: Exploration{DefaultWeight, DefaultMaxAge}}); err != nil {
		b.Fatal(err)
	}
	genres := parse(b, `INCLUDE ItemID WHERE Items.GENRES IN ("g1","g2") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")`)
	sale := &Promotion{Percent: 20, Filter: parse(b, `INCLUDE ItemID WHERE Items.GENRES IN ("g3")`)}
	for _, test := range []struct {
		name     string
		campaign attune.ARN
		req      Request
	}{
		{"plain", campaign, Request{N: 10}},
		{"filtered", campaign, Request{N: 10, Filter: genres}},
		{"promoted", campaign, Request{N: 10, Promotion: sale}},
		{"explored", exploring, Request{N: 10}},
		{"everything", exploring, Request{N: 10, Filter: genres, Promotion: sale}},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			q := test.req
			q.Campaign = test.campaign
			for i := 0; b.Loop(); i++ {
				q.User = fmt.Sprint("user", i%users)
				if _, err := server.Recommend(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

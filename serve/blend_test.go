package serve

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/profile"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// bookshop has readers of crime and of poetry, whose names begin with c and p,
// and two books, one of each, that nobody has had. The model is a blend.
func bookshop(t *testing.T) (*shop, *Server) {
	t.Helper()
	const readers, books = 60, 16
	s := newShop()
	var users, items []string
	for u := range readers {
		users = append(users, fmt.Sprintf("%c%02d", "cp"[u%2], u))
	}
	for b := range books {
		items = append(items, fmt.Sprintf("%c%02d", "cp"[b%2], b))
	}
	items = append(items, "c-new", "p-new")
	snap := &dataset.Snapshot{Users: dataset.NewVocabulary(users), Items: dataset.NewVocabulary(items)}
	genre := dataset.Column{Name: "GENRE", Categorical: true, Text: make([]string, len(items))}
	for _, id := range items {
		row, _ := snap.Items.Row(id)
		genre.Text[row] = map[byte]string{'c': "crime", 'p': "poetry"}[id[0]]
		s.columns.Set(s.add(id), "GENRE", genre.Text[row])
	}
	name := dataset.Column{Name: "NAME", Categorical: true, Text: make([]string, readers)}
	e := dataset.Events{Types: []string{""}}
	for u := range int32(readers) {
		name.Text[u] = snap.Users.ID(u)[:1]
		for k := range 5 {
			row, _ := snap.Items.Row(fmt.Sprintf("%s%02d", name.Text[u], (int(u)*3+k*2)%(books/2)*2+map[string]int{"c": 0, "p": 1}[name.Text[u]]))
			e.User, e.Item, e.At = append(e.User, u), append(e.Item, row), append(e.At, int64(k))
		}
	}
	in := recipe.Input{Events: e, Users: readers, Items: snap.Items.IDs(), Seed: 1,
		ItemAttributes: &dataset.Attributes{Columns: []dataset.Column{genre}}, UserAttributes: &dataset.Attributes{Columns: []dataset.Column{name}},
		Params: map[string]string{"members": "ials,demographic", "weight.demographic": "0", "opening.demographic": "1", "cold_item_gain": "0.5", "hidden_dimension": "4"}}
	m, err := all.Blend().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	m.Manifest.Seen = model.SeenLeftOut
	scorer, err := all.Blend().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	s.counts, s.latest = make([]profile.Count, len(items)), time.Now().UnixMilli()
	for n := range books {
		s.counts[n] = profile.Count{Touched: 20, First: 1}
	}
	server := newServer(func(event.Group) (view, bool) { return s, true }, nil, nil, &Options{NewID: numbered()}) // so that chance is the same every time
	if err := server.Load(Release{Campaign: campaign, Version: "v", Group: "g", Kind: User, Model: m, Scorer: scorer, Explore: Exploration{MaxAge: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	if err := server.Load(Release{Campaign: recommender, Version: "v", Group: "g", Kind: User, Model: m, Scorer: scorer, Explore: Exploration{Weight: 1, MaxAge: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	return s, server
}

// A reader who has just signed up is answered by who they are, which serving
// looks up; one with a history by that.
func TestBlendAsksWhoTheUserIs(t *testing.T) {
	s, server := bookshop(t)
	s.touch("clara", "p00", "View", 1)
	s.touch("clara", "p01", "View", 1)
	s.touch("clara", "p03", "View", 1)
	for user, want := range map[string]byte{"carl": 'c', "paul": 'p', "clara": 'p'} {
		a, err := server.Recommend(t.Context(), Request{Campaign: campaign, User: user, N: 4})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids(a) {
			if id[0] != want {
				t.Errorf("%s is offered %v", user, ids(a))
				break
			}
		}
	}
}

// What cold items borrow decides among newcomers, and propensities stay what they are.
func TestBlendExplores(t *testing.T) {
	s, server := bookshop(t)
	for _, id := range []string{"c00", "c02", "c04"} {
		s.touch("carl", id, "View", 1)
	}
	first := map[string]int{}
	for range 300 {
		a, err := server.Recommend(t.Context(), Request{Campaign: recommender, User: "carl", N: 2})
		if err != nil {
			t.Fatal(err)
		}
		got := ids(a)
		if !slices.Contains(got, "c-new") || !slices.Contains(got, "p-new") {
			t.Fatalf("explored %v", got)
		}
		first[got[0]]++
		if p := float64(a.Propensities[0]); !(p > 0 && p < 1) || math.IsNaN(p) {
			t.Fatalf("propensities %v", a.Propensities)
		}
	}
	// Of two newcomers one stands a standard deviation above the mean, one below: e/(e+1/e) = 0.88.
	if n := first["c-new"]; n < 240 || n > 285 {
		t.Errorf("of 300 answers %d begin with the new book of the reader's genre, want about 264", n)
	}
}

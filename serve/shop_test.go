package serve

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/profile"
)

// shop is a view that a test writes by hand.
type shop struct {
	mu        sync.RWMutex
	ids       []string
	numbers   map[string]int32
	types     []string
	histories map[string][]profile.Touch
	columns   *filter.Columns
	people    map[string]int32 // rows of users
	users     *filter.Columns
	counts    []profile.Count
	latest    int64
}

func (s *shop) Counts(dst []profile.Count) ([]profile.Count, int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return append(dst[:0], s.counts...), s.latest
}

func newShop() *shop {
	return &shop{numbers: map[string]int32{}, histories: map[string][]profile.Touch{}, columns: filter.NewColumns(),
		people: map[string]int32{}, users: filter.NewColumns()}
}

func (s *shop) add(id string) int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.numbers[id]; ok {
		return n
	}
	n := int32(len(s.ids))
	s.ids, s.numbers[id] = append(s.ids, id), n
	return n
}

// touch appends to a user's history.
func (s *shop) touch(user, item, kind string, value float32) {
	n := s.add(item)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := slices.Index(s.types, kind)
	if t < 0 {
		t, s.types = len(s.types), append(s.types, kind)
	}
	s.histories[user] = append(s.histories[user], profile.Touch{Item: n, Type: uint16(t), Value: value})
}

func (s *shop) History(user string) []profile.Touch {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.histories[user])
}

func (s *shop) TypeName(n uint16) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.types[n]
}

func (s *shop) UserRow(user string) filter.Row {
	number, ok := s.people[user]
	if !ok {
		number = -1
	}
	return filter.Row{ID: user, Table: s.users, Number: number}
}

func (s *shop) Item(n int32) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.ids[n]
}

func (s *shop) ItemNumber(id string) (int32, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, ok := s.numbers[id]
	return n, ok
}

func (s *shop) NumItems() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.ids)
}

func (s *shop) Items() *filter.Columns { return s.columns }

func (s *shop) UserIDs() []string { return slices.Sorted(maps.Keys(s.histories)) }

func (s *shop) UserAttributes(user string) map[string]any { return map[string]any{"NAME": user[:1]} }

// dots scores by inner products with the mean of the history, or with the item
// in focus; for nobody and nothing, by how early the row is.
type dots struct {
	data []float32
	d    int
	last chan model.Query // when not nil, gets every query
}

func (s dots) Score(_ context.Context, q model.Query, dst []float32) error {
	if s.last != nil {
		q.History = slices.Clone(q.History)
		s.last <- q
	}
	query := make([]float32, s.d)
	for _, t := range q.History {
		kernel.Axpy(t.Weight/float32(len(q.History)), s.data[int(t.Item)*s.d:][:s.d], query)
	}
	if q.Item != model.NoItem {
		copy(query, s.data[int(q.Item)*s.d:])
	} else if len(q.History) == 0 {
		for i := range dst {
			dst[i] = -float32(i)
		}
		return nil
	}
	kernel.Gemv(dst, s.data, query)
	return nil
}

// The model of the tests: a0 a1 a2 are alike, b0 b1 b2 are; a0 is the most popular, b2 the least.
func testModel(scores, seen string) (*model.Model, dots) {
	m := &model.Model{Items: []string{"a0", "b0", "a1", "b1", "a2", "b2"}, Manifest: model.Manifest{Scores: scores, Seen: seen}}
	return m, dots{d: 2, data: []float32{1, 0, 0, 1, .9, .1, .1, .9, .8, .1, .1, .8}, last: make(chan model.Query, 100)}
}

const campaign = attune.ARN("arn:aws:personalize:us-east-1:000000000000:campaign/c")

func serverOf(t testing.TB, s *shop, k Kind, m *model.Model, scorer model.Scorer) *Server {
	t.Helper()
	server := newServer(func(event.Group) (view, bool) { return s, true }, nil, nil, nil)
	if err := server.Load(Release{Campaign: campaign, Version: "v", Group: "g", Kind: k, Model: m, Scorer: scorer}); err != nil {
		t.Fatal(err)
	}
	return server
}

func ids(a *Answer) []string {
	var out []string
	for _, x := range a.Items {
		out = append(out, x.ID)
	}
	return out
}

func parse(t testing.TB, text string) *filter.Expr {
	t.Helper()
	e, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func testShop() *shop {
	s := newShop()
	for _, id := range []string{"b2", "unheard", "a2", "a1", "b1", "b0"} { // numbers differ from rows
		s.columns.Set(s.add(id), "KIND", id[:1])
	}
	s.columns.Set(s.numbers["a1"], "GENRES", []string{"x", "y"})
	s.columns.Set(s.numbers["a1"], "PRICE", 2.50)
	s.touch("u", "a1", "View", 1)
	s.touch("u", "unheard", "View", 5)
	s.touch("u", "a2", "Purchase", float32(math.NaN()))
	s.touch("u", "a0", "VIEW", 5)
	return s
}

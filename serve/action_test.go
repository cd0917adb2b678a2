package serve

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/profile"
)

// A shop has no actions.
func (s *shop) ActionHistory(string) []profile.Touch { return nil }
func (s *shop) Action(int32) string                  { return "" }
func (s *shop) ActionNumber(string) (int32, bool)    { return 0, false }
func (s *shop) NumActions() int                      { return 0 }
func (s *shop) Actions() *filter.Columns             { return filter.NewColumns() }

// desk is a view with actions, whose items are those of the shop.
type desk struct {
	*shop
	attributes map[string]any
	now        time.Time
}

func (d *desk) ActionHistory(user string) []profile.Touch { return d.History(user) }
func (d *desk) Action(n int32) string                     { return d.Item(n) }
func (d *desk) ActionNumber(id string) (int32, bool)      { return d.ItemNumber(id) }
func (d *desk) NumActions() int                           { return d.NumItems() }
func (d *desk) Actions() *filter.Columns                  { return d.Items() }
func (d *desk) UserAttributes(string) map[string]any      { return d.attributes }

func (d *desk) did(user, action, typ string, at time.Time) {
	d.touch(user, action, typ, 0)
	h := d.histories[user]
	h[len(h)-1].At = at.UnixMilli()
}

// told scores as it was told, and remembers what it was asked.
type told struct {
	scores []float32
	asked  model.Query
}

func (t *told) Score(_ context.Context, q model.Query, dst []float32) error {
	t.asked = q
	t.asked.History = slices.Clone(q.History)
	copy(dst, t.scores)
	return nil
}

const offers attune.ARN = "arn:aws:personalize:us-east-1:000000000000:campaign/offers"

func newDesk(t *testing.T, scores ...float32) (*Server, *desk, *told) {
	t.Helper()
	d, scorer := &desk{shop: newShop()}, &told{scores: scores}
	s := newServer(func(event.Group) (view, bool) { return d, true }, nil, nil, &Options{Clock: func() time.Time { return d.now }})
	m := &model.Model{Manifest: model.Manifest{Scores: model.ScoresPropensity}}
	for i := range scores {
		m.Items = append(m.Items, fmt.Sprintf("a%d", i))
	}
	if err := s.Load(Release{Campaign: offers, Kind: Action, Model: m, Scorer: scorer}); err != nil {
		t.Fatal(err)
	}
	return s, d, scorer
}

func actionsOf(t *testing.T, s *Server, q ActionRequest) string {
	t.Helper()
	q.Campaign = offers
	a, err := s.RecommendActions(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, x := range a.Items {
		out = append(out, fmt.Sprintf("%s %.2f", x.ID, *x.Score))
	}
	return strings.Join(out, ", ")
}

func TestActions(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, d, scorer := newDesk(t, 0.25, 0.5, 0.25, -0.9, -0.1)
	d.now = now
	q := ActionRequest{User: "u"}
	same := func(what, want string) {
		t.Helper()
		if got := actionsOf(t, s, q); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	same("unknown to the profile", "a1 0.50, a0 0.25, a2 0.25, a4 0.00, a3 0.00")
	for i := range 5 {
		d.add(fmt.Sprintf("a%d", i))
	}
	d.columns.Set(2, "VALUE", 7.0)
	same("of equals the one of more value", "a1 0.50, a2 0.25, a0 0.25, a4 0.00, a3 0.00")
	q.N = 2
	same("two", "a1 0.50, a2 0.25")
	q.N = 0

	d.columns.Set(1, "ACTION_EXPIRATION_TIMESTAMP", float64(now.Unix()))
	same("expired now", "a2 0.25, a0 0.25, a4 0.00, a3 0.00")
	d.now = now.Add(-time.Second)
	same("a second before", "a1 0.50, a2 0.25, a0 0.25, a4 0.00, a3 0.00")
	d.now = now

	d.columns.Set(2, "REPEAT_FREQUENCY", 3.0)
	d.did("u", "a2", "Viewed", now.Add(-time.Hour))
	d.did("u", "a0", "TAKEN", now.Add(-time.Hour)) // which may be taken as often as one likes
	same("viewed lately", "a2 0.25, a0 0.25, a4 0.00, a3 0.00")
	d.did("u", "a2", "taken", now.AddDate(0, 0, -2))
	same("taken two days ago, again after three", "a0 0.25, a4 0.00, a3 0.00")
	d.now = now.AddDate(0, 0, 1)
	same("a day later", "a2 0.25, a0 0.25, a4 0.00, a3 0.00")
	d.now = now
	q.User = "other"
	same("somebody else", "a2 0.25, a0 0.25, a4 0.00, a3 0.00")

	q.User = "u"
	d.attributes = map[string]any{"TIER": "gold"}
	d.did("u", "a4", "NOT_TAKEN", now)
	d.did("u", "a4", "Clicked", now)
	d.did("u", "unknown", "Taken", now)
	actionsOf(t, s, q)
	at := func(d time.Duration) int64 { return now.Add(d).UnixMilli() }
	want := []model.Touch{{Item: 2, At: at(-time.Hour)}, {Item: 0, Weight: 1, At: at(-time.Hour)}, {Item: 2, Weight: 1, At: at(-48 * time.Hour)}, {Item: 4, At: at(0)}}
	if got := scorer.asked; !slices.Equal(got.History, want) || got.Now != now.UnixMilli() || fmt.Sprint(got.User) != "map[TIER:gold]" {
		t.Errorf("asked %+v, want history %v", got, want)
	}
}

func TestActionFilters(t *testing.T) {
	s, d, _ := newDesk(t, 0.5, 0.4, 0.3)
	d.add("a0")
	d.add("a1")
	d.columns.Set(0, "LEVEL", "gold")
	d.columns.Set(1, "LEVEL", "silver")
	d.did("u", "a0", "Taken", time.Unix(1, 0))
	for text, want := range map[string]string{
		`INCLUDE ActionID WHERE Actions.LEVEL IN ("gold", "silver")`:              "a0 0.50, a1 0.40",
		`INCLUDE ActionID WHERE Actions.LEVEL IN ($L)`:                            "a1 0.40",
		`EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("TAKEN")`:      "a1 0.40",
		`INCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE NOT IN ("Viewed")`: "a0 0.50, a1 0.40",
	} {
		q := ActionRequest{User: "u", Filter: parse(t, text)}
		if strings.Contains(text, "$L") {
			q.FilterValues = map[string]string{"L": `"silver"`}
		}
		if got := actionsOf(t, s, q); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestWrongDoor: each operation refuses campaigns of the others, and says which to use.
func TestWrongDoor(t *testing.T) {
	s, _, _ := newDesk(t, 0.5)
	m, scorer := testModel("softmax", model.SeenKept)
	if err := s.Load(Release{Campaign: campaign, Kind: User, Model: m, Scorer: scorer}); err != nil {
		t.Fatal(err)
	}
	_, recommend := s.Recommend(t.Context(), Request{Campaign: offers, User: "u"})
	_, rank := s.Rank(t.Context(), RankRequest{Campaign: offers, User: "u", Items: []string{"a0"}})
	_, items := s.RecommendActions(t.Context(), ActionRequest{Campaign: campaign, User: "u"})
	_, nobody := s.RecommendActions(t.Context(), ActionRequest{Campaign: offers})
	_, many := s.RecommendActions(t.Context(), ActionRequest{Campaign: offers, User: "u", N: 101})
	_, items2 := s.RecommendActions(t.Context(), ActionRequest{Campaign: offers, User: "u", Filter: parse(t, `INCLUDE ItemID WHERE Items.GENRES IN ("x")`)})
	for words, err := range map[string]error{"use GetActionRecommendations": recommend, "GetActionRecommendations": rank, "recommends no actions": items,
		"userId is required": nobody, "from 1 to 100": many, "ItemID": items2} {
		if attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want %q", err, words)
		}
	}
}

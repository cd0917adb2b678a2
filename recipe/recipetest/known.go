package recipetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Known is a world with its right answers, for recipes that answer by something
// else than a history or an item in focus.
type Known struct {
	In      recipe.Input // without Params and Seed
	Answers []Answer
}

// Answer is what is right for one who asks: an order, or propensities.
type Answer struct {
	Who   string
	Query model.Query
	// First are sets of rows, the best first: every row of a set scores above all
	// of the sets after it, and all rows that are in none score below them.
	First [][]int32
	// Odds are the true propensities by row; nil where an order is right.
	Odds []float64
}

// knownSeed makes the known worlds.
const knownSeed = 11

// MostBought is a shop whose items were bought by fewer and fewer users; one of
// the rarest was bought again and again by one of them, which makes it no more popular.
func MostBought() Known {
	const items = 30
	order, rows := shuffled(items), []dataset.Row(nil)
	for place, item := range order {
		for u := range 2 * (items - place) {
			rows = append(rows, bought(u, int(item), place))
		}
	}
	for k := range 200 {
		rows = append(rows, bought(0, int(order[items-2]), 1000+k))
	}
	return Known{In: inputOf(rows, nil, nil), Answers: []Answer{
		{Who: "anybody", Query: model.Query{Item: model.NoItem}, First: oneByOne(order)},
		{Who: "one who has some", Query: model.Query{Item: model.NoItem, History: []model.Touch{{Item: order[items-1], Weight: 1}}}, First: oneByOne(order)},
	}}
}

// Drifting is a shop in which some items rise, the one more than the other, from
// one day to the next; most sell as they did, and more; some fall.
func Drifting() Known {
	const rising, steady, falling = 8, 20, 6
	order, rows := shuffled(rising+steady+falling), []dataset.Row(nil)
	sell := func(item int32, n, day int) {
		for k := range n {
			rows = append(rows, dataset.Row{User: datasettest.UserID(k), Item: datasettest.ItemID(int(item)), Type: datasettest.View, Value: math.NaN(),
				At: moment(0) + int64(day)*24*time.Hour.Milliseconds() + int64(k+1)*time.Minute.Milliseconds()})
		}
	}
	for place, item := range order {
		switch {
		case place < rising:
			sell(item, 2, 0)
			sell(item, 2+2*(rising-place), 1)
		case place < rising+steady:
			sell(item, 40+place, 0)
			sell(item, 40+place, 1)
		default:
			sell(item, 60, 0)
			sell(item, 20, 1)
		}
	}
	in := inputOf(rows, nil, nil)
	in.Now = moment(0) + 48*time.Hour.Milliseconds()
	return Known{In: in, Answers: []Answer{{Who: "anybody", Query: model.Query{Item: model.NoItem},
		First: append(oneByOne(order[:rising]), order[rising:rising+steady], order[rising+steady:])}}}
}

// tastes are the groups of the worlds in which something other than a history decides.
func tastes() []string { return []string{"chess", "go", "bowls"} }

// suits are the rows of items of a group, in worlds of groups.
func suits(w *datasettest.World, group int) []int32 {
	var out []int32
	for row, g := range w.ItemGroup {
		if g == group {
			out = append(out, int32(row))
		}
	}
	return out
}

// Clubs is a world of groups of which users say what theirs is.
func Clubs() Known {
	w := datasettest.Blocks(180, 36, len(tastes()), 0.2, knownSeed)
	club := dataset.Column{Name: "CLUB", Categorical: true, Text: make([]string, len(w.UserGroup))}
	for u, g := range w.UserGroup {
		club.Text[u] = tastes()[g]
	}
	s := w.Snapshot
	k := Known{In: recipe.Input{Events: s.Events, Users: s.Users.Len(), Items: s.Items.IDs(), ItemAttributes: s.ItemAttributes,
		UserAttributes: &dataset.Attributes{Columns: []dataset.Column{club}}}}
	for g, name := range tastes() {
		k.Answers = append(k.Answers, Answer{Who: "a newcomer of " + name, First: [][]int32{suits(w, g)},
			Query: model.Query{Item: model.NoItem, User: map[string]any{"CLUB": name}}})
	}
	return k
}

// Devices is a world in which everybody likes everything, each group of items on
// another device.
func Devices() Known {
	w := datasettest.Blocks(90, 36, len(tastes()), 0, knownSeed)
	r := rand.New(rand.NewPCG(knownSeed, 1))
	var rows []dataset.Row
	for u := range w.UserGroup {
		for k := range 24 {
			g := r.IntN(len(tastes()))
			item := suits(w, g)[r.IntN(len(suits(w, g)))]
			if r.Float64() < 0.15 {
				item = int32(r.IntN(len(w.ItemGroup)))
			}
			row := bought(u, int(item), k)
			row.Attributes = map[string]any{"DEVICE": tastes()[g]}
			rows = append(rows, row)
		}
	}
	k := Known{In: inputOf(rows, nil, nil)}
	for g, name := range tastes() {
		k.Answers = append(k.Answers, Answer{Who: "on " + name, First: [][]int32{suits(w, g)},
			Query: model.Query{Item: model.NoItem, Context: map[string]any{"DEVICE": name}}})
	}
	return k
}

// Offers is a world of actions whose true propensities are known of every user.
func Offers() Known {
	w := datasettest.Offered(600, 8, 14, knownSeed)
	s := w.Snapshot
	now, outcomes := s.AsOf.UnixMilli(), recipe.OutcomesOf(s.ActionEvents.Types)
	k := Known{In: recipe.Input{Events: s.ActionEvents, Users: s.Users.Len(), Items: s.Actions.IDs(), ItemAttributes: s.ActionAttributes, UserAttributes: s.UserAttributes}}
	for u := range int32(s.Users.Len()) {
		k.Answers = append(k.Answers, Answer{Who: s.Users.ID(u), Odds: w.P[u], Query: model.Query{Item: model.NoItem, Now: now,
			User: s.UserAttributes.Row(u), History: recipe.ActionTouches(nil, s.ActionEvents.Of(u), outcomes, now)}})
	}
	return k
}

// shuffled are n item rows in an order that is not that of rows.
func shuffled(n int) []int32 {
	out := make([]int32, n)
	for place, row := range rand.New(rand.NewPCG(knownSeed, 0)).Perm(n) {
		out[place] = int32(row)
	}
	return out
}

func oneByOne(rows []int32) [][]int32 {
	var out [][]int32
	for i := range rows {
		out = append(out, rows[i:i+1])
	}
	return out
}

// moment is the time of the n-th minute of a known world, in Unix milliseconds.
func moment(n int) int64 { return time.Date(2026, 1, 1, 0, n, 0, 0, time.UTC).UnixMilli() }

func bought(user, item, minute int) dataset.Row {
	return dataset.Row{User: datasettest.UserID(user), Item: datasettest.ItemID(item), Type: datasettest.Purchase, Value: math.NaN(), At: moment(minute)}
}

func inputOf(rows, items, users []dataset.Row) recipe.Input {
	s, err := dataset.NewSnapshot(time.Time{}, rows, items, users)
	if err != nil {
		panic(err) // one event type is never too many
	}
	return recipe.Input{Events: s.Events, Users: s.Users.Len(), Items: s.Items.IDs(), ItemAttributes: s.ItemAttributes, UserAttributes: s.UserAttributes}
}

// wrong tells what is wrong about scores that an order is known of.
func (a Answer) wrong(scores []float32) error {
	place := make([]int, len(scores)) // the set of each row
	for row := range place {
		place[row] = len(a.First)
	}
	for p, set := range a.First {
		for _, row := range set {
			place[row] = p
		}
	}
	for x := range scores {
		for y := range scores {
			if place[x] < place[y] && !(scores[x] > scores[y]) {
				return fmt.Errorf("%s: item %d scores %g, item %d, which is worse, %g", a.Who, x, scores[x], y, scores[y])
			}
		}
	}
	return nil
}

const (
	// oddsOff is by how much propensities may be off on average: twice what a fit
	// of that few offers is.
	oddsOff = 0.07
	// farApart are propensities of which everybody should know the greater, and
	// nearly all of them must be told so.
	farApart, nearlyAll = 0.3, 0.97
)

// check asks a scorer about everything that is known, and says what is wrong first.
func (k Known) check(t *testing.T, s model.Scorer) error {
	off, told, apart, right := 0.0, 0, 0, 0
	for _, a := range k.Answers {
		got := score(t, s, a.Query, len(k.In.Items))
		if a.Odds == nil {
			if err := a.wrong(got); err != nil {
				return err
			}
			continue
		}
		for x, p := range got {
			p -= float32(math.Floor(float64(p))) // of actions without enough evidence it is one less
			got[x] = p
			off, told = off+math.Abs(float64(p)-a.Odds[x]), told+1
		}
		for x := range got {
			for y := range got {
				if a.Odds[x] > a.Odds[y]+farApart {
					apart++
					if got[x] > got[y] {
						right++
					}
				}
			}
		}
	}
	if told > 0 && (off/float64(told) > oddsOff || float64(right) < nearlyAll*float64(apart)) {
		return fmt.Errorf("propensities are off by %.3f on average, and of %d pairs that are far apart %d are told apart", off/float64(told), apart, right)
	}
	return nil
}

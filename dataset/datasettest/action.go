package datasettest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
)

// ActionWorld is offers of actions to users whose true propensities are known.
type ActionWorld struct {
	Snapshot *dataset.Snapshot
	Begin    time.Time
	P        [][]float64 // by user row and action row: the probability that an offer is taken
}

// Offered makes a world in which every user is offered an action each times,
// over 60 days. Whether it is taken depends on the action, on the user's TIER
// (gold, silver or none), on the two together, and on AGE. An offer is a Viewed
// and, a minute later, a Taken, a Not Taken or nothing.
func Offered(users, actions, each int, seed uint64) *ActionWorld {
	r := rand.New(rand.NewPCG(seed, 0x6f66_6665_72)) // the second word keeps this stream apart from others of the same seed
	w := &ActionWorld{Begin: begin(), P: make([][]float64, users)}
	tiers := []string{"gold", "silver", "none"}
	base, gain := make([]float64, actions), make([][3]float64, actions)
	var sets dataset.RowSets
	for a := range actions {
		base[a] = -1.5 + 1.2*r.NormFloat64()
		for t := range tiers {
			gain[a][t] = 1.2 * r.NormFloat64()
		}
		sets.Actions = append(sets.Actions, dataset.Row{Item: ActionID(a), Attributes: map[string]any{schema.ActionValue: float64(1 + a)}})
	}
	for u := range users {
		tier, age := u%3, 18+r.IntN(60)
		w.P[u] = make([]float64, actions)
		for a := range w.P[u] {
			w.P[u][a] = 1 / (1 + math.Exp(-(base[a] + gain[a][tier] + float64(age-48)/40)))
		}
		sets.Users = append(sets.Users, dataset.Row{User: UserID(u), Attributes: map[string]any{"TIER": tiers[tier], "AGE": float64(age)}})
		for range each {
			a := r.IntN(actions)
			at := w.Begin.Add(time.Duration(r.Int64N(int64(60 * 24 * time.Hour)))).Truncate(time.Second)
			row := dataset.Row{User: UserID(u), Item: ActionID(a), Type: "Viewed", At: at.UnixMilli(), Value: math.NaN()}
			sets.ActionInteractions = append(sets.ActionInteractions, row)
			row.At += time.Minute.Milliseconds()
			switch {
			case r.Float64() < w.P[u][a]:
				row.Type = "Taken"
			case r.IntN(2) == 0:
				row.Type = "Not Taken"
			default:
				continue
			}
			sets.ActionInteractions = append(sets.ActionInteractions, row)
		}
	}
	s, err := sets.Snapshot(w.Begin.AddDate(0, 3, 0))
	if err != nil {
		panic(err) // three event types are never too many
	}
	for i := range s.UserAttributes.Columns {
		if c := &s.UserAttributes.Columns[i]; c.Name == "TIER" {
			c.Categorical = true
		}
	}
	w.Snapshot = s
	return w
}

// ActionID is the id of an action's row; the byte order of ids is the order of rows.
func ActionID(row int) string { return fmt.Sprintf("action-%04d", row) }

package session

import (
	"math"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// sessionsOfItem is how many sessions are looked at for an item, the newest:
// more of a favourite's change nothing but the time.
const sessionsOfItem = 5000

// rarePower is of the rarity of an item that is voted for.
const rarePower = 0.3

// Decode turns the sessions around, so that a query touches only those that
// share an item with it.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	p, err := resolve(recipe.Input{Params: m.Manifest.Parameters})
	if err != nil {
		return nil, err
	}
	start, err := recipe.CheckTensor(m, tensorStart, -1)
	if err != nil {
		return nil, err
	}
	item, err := recipe.CheckTensor(m, tensorItem, -1)
	if err != nil {
		return nil, err
	}
	count, err := recipe.CheckTensor(m, tensorCount, len(m.Items))
	if err != nil {
		return nil, err
	}
	if len(item.F32) > 0 || len(count.F32) > 0 || len(start.I32) == 0 {
		return nil, attune.Errorf(attune.Invalid, "session model: a tensor has the wrong type of element")
	}
	s := &scorer{parameters: p, start: start.I32, item: item.I32, rest: make([]float32, len(m.Items))}
	if err := s.check(); err != nil {
		return nil, err
	}
	s.turn()
	for i, n := range count.I32 {
		s.rest[i] = -1 / float32(1+max(n, 0))
	}
	for d := range s.near {
		s.near[d] = float32(math.Exp(-float64(d) / p.distance))
	}
	sessions := len(s.start) - 1
	s.scratch.New = func() any {
		return &scratch{common: make([]float32, sessions), sum: make([]float32, len(s.rest)), mine: make([]float32, len(s.rest))}
	}
	return s, nil
}

func (s *scorer) check() error {
	sessions := len(s.start) - 1
	if s.start[0] != 0 || int(s.start[sessions]) != len(s.item) {
		return attune.Errorf(attune.Invalid, "session model: %s does not span %s", tensorStart, tensorItem)
	}
	for i := range sessions {
		if s.start[i] > s.start[i+1] {
			return attune.Errorf(attune.Invalid, "session model: %s falls at session %d", tensorStart, i)
		}
	}
	for at, row := range s.item {
		if row < 0 || int(row) >= len(s.rest) {
			return attune.Errorf(attune.Invalid, "session model: event %d is of item %d of %d", at, row, len(s.rest))
		}
	}
	return nil
}

// turn makes the lists of sessions by item, and how rare items are: the
// logarithm of sessions per session that has it.
func (s *scorer) turn() {
	items, sessions := len(s.rest), len(s.start)-1
	last, n := make([]int32, items), make([]int32, items)
	each := func(do func(session, item int32)) {
		for i := range last {
			last[i] = -1
		}
		for k := range int32(sessions) {
			for _, i := range s.item[s.start[k]:s.start[k+1]] {
				if last[i] != k {
					last[i] = k
					do(k, i)
				}
			}
		}
	}
	each(func(_, i int32) { n[i]++ })
	s.from, s.rare, s.voted = make([]int32, items+1), make([]float32, items), make([]float32, items)
	skip := make([]int32, items) // the oldest of too many
	for i, of := range n {
		kept := min(of, sessionsOfItem)
		skip[i], s.from[i+1] = of-kept, s.from[i]+kept
		s.rare[i] = float32(math.Log(float64(1+sessions) / float64(max(1, of))))
		s.voted[i] = float32(math.Pow(float64(s.rare[i]), rarePower))
	}
	s.session = make([]int32, s.from[items])
	next := append([]int32(nil), s.from[:items]...)
	each(func(k, i int32) {
		if skip[i] > 0 {
			skip[i]--
			return
		}
		s.session[next[i]] = k
		next[i]++
	})
}

package nextaction

import (
	"context"
	"math/bits"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// scorer answers with propensities. Those of actions without enough evidence
// are one less, from -1 to 0: they order such actions behind all others.
type scorer struct {
	weight           []float32
	base             []float32
	scored           []int32
	hash             []uint64 // of actions' ids
	columns          []userColumn
	slope, intercept float64
}

// Decode makes a scorer of a model that Train made.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	weight, err := recipe.CheckTensor(m, tensorWeight, -1)
	if err != nil {
		return nil, err
	}
	base, err := recipe.CheckTensor(m, tensorBase, len(m.Items))
	if err != nil {
		return nil, err
	}
	told, err := recipe.CheckTensor(m, tensorScored, len(m.Items))
	if err != nil {
		return nil, err
	}
	if bits.OnesCount(uint(len(weight.F32))) != 1 || len(told.I32) != len(m.Items) || len(base.F32) != len(m.Items) {
		return nil, attune.Errorf(attune.Invalid, "%s model: %d weights are no power of two, or a tensor has numbers of another type", Name, len(weight.F32))
	}
	s := &scorer{weight: weight.F32, base: base.F32, scored: told.I32, hash: make([]uint64, len(m.Items))}
	if s.slope, s.intercept, err = recipe.Calibration(recipe.Input{Params: m.Manifest.Parameters}); err != nil {
		return nil, err
	}
	if s.columns, err = columnsOf(m); err != nil {
		return nil, err
	}
	for row, id := range m.Items {
		s.hash[row] = actionHash(id)
	}
	return s, nil
}

// columnsOf are the columns of users that the model has features of.
func columnsOf(m *model.Model) ([]userColumn, error) {
	text := m.Manifest.Parameters[paramColumns]
	if text == "" {
		return nil, nil
	}
	names := strings.Split(text, ",")
	mean, err := recipe.CheckTensor(m, tensorMean, len(names))
	if err != nil {
		return nil, err
	}
	scale, err := recipe.CheckTensor(m, tensorScale, len(names))
	if err != nil {
		return nil, err
	}
	if len(mean.F32) != len(names) || len(scale.F32) != len(names) {
		return nil, attune.Errorf(attune.Invalid, "%s model: %s and %s must be float32", Name, tensorMean, tensorScale)
	}
	columns := make([]userColumn, len(names))
	for i, name := range names {
		columns[i] = userColumn{name: name, mean: mean.F32[i], scale: scale.F32[i]}
	}
	return columns, nil
}

// Score writes a propensity for each action: see scorer.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	if len(dst) != len(s.base) {
		return attune.Errorf(attune.Internal, "%d scores asked for of a model with %d actions", len(dst), len(s.base))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p := past{with: map[int32]met{}}
	for _, t := range q.History {
		if t.Item >= 0 && int(t.Item) < len(s.base) {
			p.add(t)
		}
	}
	var user []feature
	for i := range s.columns {
		user = s.columns[i].features(user, q.User[s.columns[i].name])
	}
	var shared float32
	for _, f := range user {
		shared += s.at(f.hash, f.value)
	}
	for row := range dst {
		z := shared + s.base[row]
		for _, f := range user {
			z += s.at(pair(s.hash[row], f.hash), f.value)
		}
		for i, x := range p.features(int32(row), q.Now) {
			if x == 0 {
				continue
			}
			z += s.at(historyHash[i], x)
			if i >= general {
				z += s.at(pair(s.hash[row], historyHash[i]), x)
			}
		}
		dst[row] = float32(recipe.Sigmoid(s.slope*float64(z) + s.intercept))
		if s.scored[row] == 0 {
			dst[row]--
		}
	}
	return nil
}

// at is what one feature adds.
func (s *scorer) at(hash uint64, x float32) float32 {
	return s.weight[hash&uint64(len(s.weight)-1)] * signed(hash, x)
}

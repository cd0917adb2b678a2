package model

import (
	"context"

	"github.com/attune-io/attune"
)

// Tensors that a model may have beside those of its algorithm, each with one
// number from 0 to 1 for every item.
const (
	TensorObjective  = "objective_rank"       // share of the items with a smaller value of the objective's attribute; 0 for none
	TensorPopularity = "influence_popularity" // log(1 + users) over that of the most popular item
	TensorFreshness  = "influence_freshness"  // halves with every FreshHalfLife of age
)

// FreshHalfLife is the age at which an item is half as fresh as a new one, in days.
const FreshHalfLife = 30.0

// Objective is what a solution optimises beside relevance.
type Objective struct {
	Attribute   string  `json:"attribute"`   // numeric column of Items
	Sensitivity string  `json:"sensitivity"` // LOW, MEDIUM or HIGH
	Weight      float64 `json:"weight"`      // of the rank among the scores
}

// WithObjective adds the model's objective to the scores of s, which is s
// itself when the model has none:
//
//	score'(u, i) = score(u, i) + Weight · rank(i)
//
// Where scores are made into shares by softmax, the item with the greatest
// value has e^Weight times the odds that it would have with the smallest.
// A tensor that does not fit the model is attune.Invalid.
func WithObjective(s Scorer, m *Model) (Scorer, error) {
	if m.Manifest.Objective == nil {
		return s, nil
	}
	rank, err := m.perItem(TensorObjective)
	if err != nil {
		return nil, err
	}
	added := make([]float32, len(rank))
	for i, r := range rank {
		added[i] = float32(m.Manifest.Objective.Weight) * r
	}
	return shift(s, func(dst []float32) {
		for i, x := range added {
			dst[i] += x
		}
	}), nil
}

// WithInfluence lets popularity and freshness, each from 0 to 1, decide along
// with the scores of s:
//
//	score'(u, i) = (score(u, i) - least) / (most - least) + popularity · p(i) + freshness · f(i)
//
// with least and most over the items that can be recommended, and p and f the
// model's tensors. At 1 a factor is as strong as the whole range of the scores.
// A model without the tensors is attune.Invalid.
func WithInfluence(s Scorer, m *Model, popularity, freshness float64) (Scorer, error) {
	if popularity == 0 && freshness == 0 {
		return s, nil
	}
	p, err := m.perItem(TensorPopularity)
	if err != nil {
		return nil, err
	}
	f, err := m.perItem(TensorFreshness)
	if err != nil {
		return nil, err
	}
	added := make([]float32, len(p))
	for i := range added {
		added[i] = float32(popularity)*p[i] + float32(freshness)*f[i]
	}
	return shift(s, func(dst []float32) {
		least, most := ends(dst)
		scale := float32(0)
		if most > least {
			scale = 1 / (most - least)
		}
		for i, x := range dst {
			if finite(x) {
				dst[i] = (x-least)*scale + added[i]
			}
		}
	}), nil
}

// ends are the least and the greatest finite score.
func ends(scores []float32) (least, most float32) {
	first := true
	for _, x := range scores {
		if !finite(x) {
			continue
		}
		if first {
			least, most, first = x, x, false
		}
		least, most = min(least, x), max(most, x)
	}
	return least, most
}

func finite(x float32) bool { return x-x == 0 }

// perItem finds a tensor with one float32 for every item.
func (m *Model) perItem(name string) ([]float32, error) {
	t, ok := m.Tensors[name]
	if !ok || len(t.F32) != len(m.Items) {
		return nil, attune.Errorf(attune.Invalid, "model of %s has no fitting tensor %q: train it again", m.Manifest.Recipe, name)
	}
	return t.F32, nil
}

// shift is s with scores that are changed afterwards.
func shift(s Scorer, change func(dst []float32)) Scorer {
	one := shifted{s, change}
	if many, ok := s.(ManyScorer); ok {
		return shiftedMany{one, many}
	}
	return one
}

type shifted struct {
	scorer Scorer
	change func(dst []float32)
}

// Score is the scorer's, changed.
func (s shifted) Score(ctx context.Context, q Query, dst []float32) error {
	if err := s.scorer.Score(ctx, q, dst); err != nil {
		return err
	}
	s.change(dst)
	return nil
}

type shiftedMany struct {
	shifted
	many ManyScorer
}

// ScoreMany is Score of each query.
func (s shiftedMany) ScoreMany(ctx context.Context, queries []Query, dst [][]float32) error {
	if err := s.many.ScoreMany(ctx, queries, dst); err != nil {
		return err
	}
	for _, scores := range dst {
		s.change(scores)
	}
	return nil
}

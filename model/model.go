package model

import (
	"context"
)

// Model is what was learned: numbers (tensors), the items that their rows
// stand for, and a manifest that says where all of it came from. It holds no
// user ids: users are folded in from their history when they ask.
type Model struct {
	Manifest Manifest
	Items    []string          // row → item id; rows of every per-item tensor, in order
	Tensors  map[string]Tensor // by name, e.g. "item_factors"
	Measured *Measured         // what the evaluation rests on; written beside the model, nil in one that was opened
}

// Tensor is a dense row-major block of float32 (or int32 in I32), Shape its sizes.
type Tensor struct {
	Shape []int
	F32   []float32 // one of F32 and I32 is set
	I32   []int32
}

// Scorer answers how much each item suits a query. Implementations are safe
// for concurrent use and keep nothing of a query.
type Scorer interface {
	// Score writes one score per item row into dst, whose length is the number
	// of items; higher is better; items that cannot be recommended get -Inf.
	// It must not retain q or dst.
	Score(ctx context.Context, q Query, dst []float32) error
}

// ManyScorer is a Scorer that is quicker with several queries at once than one
// by one, and comes to the same numbers.
type ManyScorer interface {
	Scorer
	// ScoreMany is Score of each query: dst[i] gets the scores of queries[i].
	ScoreMany(ctx context.Context, queries []Query, dst [][]float32) error
}

// Folder is a Scorer whose scores are inner products of two vectors: that of who
// asks, made from the history, and that of the item. So it can also be asked
// the other way round, for the askers that suit an item.
type Folder interface {
	Scorer
	// Dim is the length of the vectors.
	Dim() int
	// Fold writes the vector of who asks; false when the history says nothing.
	// It must not retain history or dst.
	Fold(ctx context.Context, history []Touch, dst []float32) (bool, error)
	// Item is the vector of an item row, only to be read.
	Item(row int32) []float32
}

// Query is who asks, in terms of the model's own item rows.
type Query struct {
	History []Touch // oldest first; only rows this model knows
	Item    int32   // the item in focus for related items; NoItem otherwise

	// Attributes of who asks by column: string, []string, float64 or bool; nil
	// when none are known. In serving for models of actions, and those with
	// Manifest.AsksUser.
	User map[string]any
	// Context is what is the case as they ask, by column of the Interactions
	// dataset: float64, bool or string, which may also stand for either of them, as
	// requests write them; columns that the model does not know say nothing. In
	// serving for models with Manifest.AsksContext.
	Context map[string]any
	Now     int64 // the moment of the question, Unix milliseconds; of models of actions only
}

// NoItem stands for "no item in focus".
const NoItem int32 = -1

// Touch is one interaction of the asker with a known item.
type Touch struct {
	Item   int32   // row in Model.Items
	Weight float32 // confidence weight of the event, 1 unless the solution says otherwise; of an action 1 when it was taken, else 0
	At     int64   // Unix milliseconds
}

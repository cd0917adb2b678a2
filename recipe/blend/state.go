package blend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// A trial that is done is kept as the state of a Checkpoint of its own: the
// tensors of the model, and the rest as the bytes of JSON, one to a word.
const (
	stateTensors = "model."
	stateText    = "trial"
)

// textState is what a finished trial is besides tensors.
type textState struct {
	Manifest model.Manifest
	Params   map[string]string
	Cost     float64
	Spent    float64
	Value    float64
}

// partOf is where a member keeps a training with some parameters.
func partOf(c recipe.Checkpoint, params map[string]string) recipe.Checkpoint {
	if c == nil {
		return nil
	}
	text, _ := json.Marshal(params) // of strings, in the order of their keys: it cannot fail
	sum := sha256.Sum256(text)
	return c.Part(hex.EncodeToString(sum[:8]))
}

// finished is a trial that was made before this search was cut short; nil when
// there is none, or none that can be read.
func finished(ctx context.Context, c recipe.Checkpoint, items []string) (*trial, error) {
	if c == nil {
		return nil, nil
	}
	_, state, err := c.Load(ctx)
	if err != nil {
		return nil, err
	}
	words := state[stateText].I32
	raw := make([]byte, len(words))
	for i, w := range words {
		raw[i] = byte(w)
	}
	var text textState
	if json.Unmarshal(raw, &text) != nil {
		return nil, nil
	}
	t := &trial{params: text.Params, cost: text.Cost, spent: text.Spent, value: text.Value,
		model: &model.Model{Manifest: text.Manifest, Items: items, Tensors: map[string]model.Tensor{}}}
	for name, tensor := range state {
		if own, ok := strings.CutPrefix(name, stateTensors); ok {
			t.model.Tensors[own] = tensor
		}
	}
	t.resolved = t.model.Manifest.Parameters
	return t, nil
}

// keep writes a trial down.
func (t *trial) keep(ctx context.Context, c recipe.Checkpoint) error {
	if c == nil {
		return nil
	}
	raw, err := json.Marshal(textState{t.model.Manifest, t.params, t.cost, t.spent, t.value})
	if err != nil {
		return err
	}
	words := make([]int32, len(raw))
	for i, b := range raw {
		words[i] = int32(b)
	}
	state := map[string]model.Tensor{stateText: {Shape: []int{len(words)}, I32: words}}
	for name, tensor := range t.model.Tensors {
		state[stateTensors+name] = tensor
	}
	return c.Save(ctx, 1, state)
}

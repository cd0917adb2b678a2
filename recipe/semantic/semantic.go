package semantic

import (
	"context"
	"maps"
	"math"
	"strconv"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "semantic"

// Hyper-parameters, all of our own, and what the manifest says of an Embedder.
const (
	paramDimension = "latent_dimension" // directions of the latent part
	paramWeight    = "latent_weight"    // of the latent part in a cosine, at most (see join)

	paramModel = "embedding_model"     // name of the model whose vectors these are
	paramSize  = "embedding_dimension" // numbers in each
)

// The defaults are those that suit articles with tags and films with titles
// alike, as measured by BenchmarkTexts of recipe/all.
const (
	defaultDimension = 64
	defaultWeight    = 0.2
	maxDimension     = 1024
)

// Tensors of the model. The terms of item i are those at [start[i], start[i+1]).
// Models with vectors of an Embedder have no terms.
const (
	tensorStart  = "term_start"  // items+1
	tensorTerm   = "term"        // numbers of terms, ascending within an item; those that one item has alone are left out
	tensorWeight = "term_weight" // above 0
	tensorVector = "item_vector" // items × dimensions: the latent part, or the vectors of an Embedder
	tensorCount  = "item_count"  // items: interactions of each, for the order of what has nothing in common
)

// Recipe compares texts and categories.
type Recipe struct{ embedder Embedder }

// New makes the recipe; embedder is nil where there is no language model.
func New(embedder Embedder) Recipe { return Recipe{embedder} }

// Name is "semantic".
func (Recipe) Name() string { return Name }

// steps of a training, for progress.
const (
	stepsRead    = 40
	stepsReduce  = 60
	stepsOfWhole = stepsRead + stepsReduce
)

// Train reads the catalogue and makes a vector of each item.
func (r Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	p, err := resolve(in)
	if err != nil {
		return nil, err
	}
	in.Report(0, stepsOfWhole)
	m := &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: map[string]string{}, Seed: in.Seed, Scores: "none",
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items: in.Items,
	}
	maps.Copy(m.Manifest.Parameters, in.Params)
	delete(m.Manifest.Parameters, paramModel) // of a model that is made anew, perhaps without what it was made with
	delete(m.Manifest.Parameters, paramSize)
	var terms matrix.CSR
	var vectors matrix.Dense
	if r.embedder != nil {
		vectors, err = r.ask(ctx, in)
		m.Manifest.Parameters[paramModel], m.Manifest.Parameters[paramSize] = r.embedder.Model(), strconv.Itoa(vectors.Cols)
	} else {
		terms, vectors, err = learn(ctx, in, p)
		m.Manifest.Parameters[paramDimension], m.Manifest.Parameters[paramWeight] = strconv.Itoa(p.dimension), recipe.FormatFloat(p.weight)
	}
	if err != nil {
		return nil, err
	}
	if len(terms.Col) > math.MaxInt32 {
		return nil, attune.Errorf(attune.Invalid, "%d terms in all are too many to store: exclude text columns with trainingDataConfig", len(terms.Col))
	}
	m.Tensors = tensors(in, terms, vectors)
	in.Report(stepsOfWhole, stepsOfWhole)
	return m, ctx.Err()
}

// tensors are the vectors as they are stored; terms has no rows where the vectors
// are those of an Embedder.
func tensors(in recipe.Input, terms matrix.CSR, vectors matrix.Dense) map[string]model.Tensor {
	count := make([]int32, len(in.Items))
	for _, item := range in.Events.Item {
		count[item]++
	}
	all := map[string]model.Tensor{
		tensorVector: {Shape: []int{vectors.Rows, vectors.Cols}, F32: vectors.Data},
		tensorCount:  {Shape: []int{len(count)}, I32: count},
	}
	if len(terms.Start) == 0 {
		return all
	}
	start := make([]int32, len(terms.Start))
	for i, at := range terms.Start {
		start[i] = int32(at)
	}
	all[tensorStart] = model.Tensor{Shape: []int{len(start)}, I32: start}
	all[tensorTerm] = model.Tensor{Shape: []int{len(terms.Col)}, I32: terms.Col}
	all[tensorWeight] = model.Tensor{Shape: []int{len(terms.Value)}, F32: terms.Value}
	return all
}

// parameters are those of a training.
type parameters struct {
	dimension int
	weight    float64
}

func resolve(in recipe.Input) (p parameters, err error) {
	if p.dimension, err = in.Int(paramDimension, defaultDimension, 0, maxDimension); err != nil {
		return p, err
	}
	p.weight, err = in.Float(paramWeight, defaultWeight, 0, 1)
	return p, err
}

// learn makes the vectors of both parts, of length 1 at most together.
func learn(ctx context.Context, in recipe.Input, p parameters) (matrix.CSR, matrix.Dense, error) {
	terms, err := readAll(ctx, in)
	if err != nil {
		return terms, matrix.Dense{}, err
	}
	vectors, err := reduce(ctx, in, terms, p.dimension)
	if err == nil {
		join(terms, vectors, p.weight)
	}
	return terms, vectors, err
}

var (
	_ recipe.Recipe = Recipe{}
	_ recipe.Sizer  = Recipe{}
	_ recipe.Coster = Recipe{}
	_ model.Scorer  = (*scorer)(nil)
)

package sequence

import (
	"math"
	"slices"
	"strconv"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "sequence"

// The hyper-parameters. hidden_dimension is Personalize's.
const (
	ParamDimension = "hidden_dimension"
	ParamBlocks    = "blocks"
	ParamHeads     = "heads" // must divide hidden_dimension
	ParamLength    = "max_length"
	ParamDropout   = "dropout"
	ParamRate      = "learning_rate"
	ParamBatch     = "batch_size" // windows of a step
	ParamEpochs    = "epochs"
	ParamNegatives = "negatives"    // items a step tells the right ones from; 0 is all of them
	ParamWide      = "feed_forward" // width of the inner layer, in dimensions
	ParamGated     = "gated"        // 1 for gated layers, 0 for those of the SASRec paper
	ParamDecay     = "weight_decay" // of matrices, per step and unit of rate
	ParamScale     = "score_scale"  // chosen by recipe.Fit so that softmax scores are calibrated
)

// The defaults, chosen on validation slices of several public data sets.
const (
	defaultDimension = 64
	defaultBlocks    = 2
	defaultHeads     = 2
	defaultDropout   = 0.3
	defaultRate      = 2e-3
	defaultEpochs    = 30
	defaultNegatives = 2048 // where the catalogue is too large for all; near to all, in a fraction of the time
	defaultWide      = 2
	defaultScale     = 1

	// wholeCatalogue is up to how many items every step compares with all of them.
	wholeCatalogue = 5_000
	shortest       = 20 // default max_length is between these
	longest        = 200

	fewest, most  = 8, 128 // default batch_size is between these
	stepsPerEpoch = 48
	tokensPerStep = 2000
	itemsPerToken = 100 // a step moves the vectors of all items, so that more of them are worth more tokens
)

// Recipe is the transformer.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "sequence".
func (Recipe) Name() string { return Name }

// parameters as resolved.
type parameters struct {
	dimension, blocks, heads, length, batch, epochs, negatives, wide, gated int
	dropout, rate, decay, scale                                             float64
}

func resolve(in recipe.Input) (p parameters, _ error) {
	r := recipe.Reader{Input: in}
	r.Int(&p.dimension, ParamDimension, defaultDimension, 1, 1024)
	r.Int(&p.blocks, ParamBlocks, defaultBlocks, 1, 16)
	heads := defaultHeads
	for r.Err == nil && p.dimension%heads != 0 {
		heads--
	}
	r.Int(&p.heads, ParamHeads, heads, 1, 64)
	r.Int(&p.epochs, ParamEpochs, defaultEpochs, 1, 10_000)
	r.Int(&p.wide, ParamWide, defaultWide, 1, 16)
	r.Int(&p.gated, ParamGated, 1, 0, 1)
	negatives := 0
	if len(in.Items) > wholeCatalogue {
		negatives = defaultNegatives
	}
	r.Int(&p.negatives, ParamNegatives, negatives, 0, 1<<20)
	r.Float(&p.dropout, ParamDropout, defaultDropout, 0, 0.9)
	r.Float(&p.rate, ParamRate, defaultRate, 1e-7, 1)
	r.Float(&p.decay, ParamDecay, 0, 0, 10)
	r.Float(&p.scale, ParamScale, defaultScale, 1e-6, 1e6)
	r.Int(&p.length, ParamLength, lengthFor(in), 1, 4096)
	r.Int(&p.batch, ParamBatch, batchFor(in, max(1, p.length)), 1, 1<<16)
	if r.Err == nil && p.dimension%p.heads != 0 {
		r.Err = attune.Errorf(attune.Invalid, "%s is %d and %s %d: give a number of heads that divides the dimension",
			ParamDimension, p.dimension, ParamHeads, p.heads)
	}
	return p, r.Err
}

// lengthFor is a max_length that holds nineteen of twenty histories whole.
func lengthFor(in recipe.Input) int {
	var lengths []int
	in.Events.ByUser(func(_ int32, from, to int) { lengths = append(lengths, to-from) })
	if len(lengths) == 0 {
		return shortest
	}
	slices.Sort(lengths)
	high := lengths[len(lengths)*19/20]
	return min(longest, max(shortest, (high+9)/10*10))
}

// batchFor is a batch_size that gives a step about tokensPerStep, and an epoch of
// few users some dozens of steps: what is learned depends more on how many steps
// there are than on how sure each is of its direction.
func batchFor(in recipe.Input, length int) int {
	tokens, windows := count(in, length)
	perStep := max(tokensPerStep, len(in.Items)/itemsPerToken)
	return max(fewest, min(most, windows/stepsPerEpoch/4*4, perStep*windows/max(1, tokens)/4*4))
}

// count is how many tokens there are to learn from, in how many windows.
func count(in recipe.Input, length int) (tokens, windows int) {
	in.Events.ByUser(func(_ int32, from, to int) {
		n := to - from - 1
		tokens, windows = tokens+n, windows+(n+length-1)/length
	})
	return tokens, windows
}

// strings is how the manifest remembers the parameters, along with those
// given that mean nothing here.
func (p parameters) strings(given map[string]string) map[string]string {
	out := recipe.With(given, ParamDimension, strconv.Itoa(p.dimension))
	for name, n := range map[string]int{ParamBlocks: p.blocks, ParamHeads: p.heads, ParamLength: p.length, ParamBatch: p.batch,
		ParamEpochs: p.epochs, ParamNegatives: p.negatives, ParamWide: p.wide, ParamGated: p.gated} {
		out[name] = strconv.Itoa(n)
	}
	for name, x := range map[string]float64{ParamDropout: p.dropout, ParamRate: p.rate, ParamDecay: p.decay, ParamScale: p.scale} {
		out[name] = recipe.FormatFloat(x)
	}
	return out
}

// Bytes estimates the peak memory of Train: weights with both moments and their
// gradients, the shards' own gradients, the windows, and each worker's activations.
func (Recipe) Bytes(in recipe.Input) int64 {
	p, err := resolve(in)
	if err != nil {
		return 0 // Train says what is wrong
	}
	items, d, events := int64(len(in.Items)), int64(p.dimension), int64(in.Events.Len())
	layers := newLayout(p, 0, 0).size
	weights := 6 * (items*d + int64(layers)) // those, two moments, the gradient, the vectors with features, the model's
	shards := int64(maxShards * layers)
	if p.negatives == 0 {
		shards += maxShards * items * d
	}
	tokens := int64(p.batch * p.length)
	one := int64(max(microTokens, p.length))
	worker := one*d*int64(p.blocks*(12+4*p.wide)) + one*int64(p.length*p.heads*p.blocks) + lossElements
	return 4*(weights+shards+2*tokens*d+8*worker) + 16*events
}

// Seconds estimates Train on two cores with AVX2, from the multiplications it
// makes and what a step takes that no product does.
func (Recipe) Seconds(in recipe.Input) float64 {
	p, err := resolve(in)
	if err != nil {
		return 0
	}
	tokens, windows := count(in, p.length)
	var squares float64
	in.Events.ByUser(func(_ int32, from, to int) {
		squares += float64(to-from-1) * float64(min(to-from-1, p.length)) / 2
	})
	d := float64(p.dimension)
	compared := float64(p.negatives)
	if p.negatives == 0 {
		compared = float64(len(in.Items))
	}
	width, nanos := 4+2*float64(p.wide), plainNanos
	if p.gated == 1 {
		width, nanos = 6+3*float64(p.wide), gatedNanos
	}
	layers := float64(tokens)*float64(p.blocks)*width*d*d + squares*2*d*float64(p.blocks)
	// 6 operations for each multiplication: forward, and backward to both sides.
	flops := 6 * (layers + float64(tokens)*compared*d)
	small := float64(tokens) * d * float64(p.blocks) * nanos * 1e-9
	steps := math.Ceil(float64(windows) / float64(p.batch))
	adam := steps * float64(len(in.Items)) * d * adamNanos * 1e-9
	return float64(p.epochs) * (flops/flopsPerSecond + small + adam) / 2
}

// What Seconds reckons with for one core, measured on one with AVX2.
const (
	flopsPerSecond = 55e9
	plainNanos     = 45.0 // for each element of a token and block: norms, dropout, attention's softmax
	gatedNanos     = 80.0 // the same with gates
	adamNanos      = 3    // for each weight of an item and step
)

var (
	_ recipe.Recipe    = Recipe{}
	_ recipe.Sizer     = Recipe{}
	_ recipe.Coster    = Recipe{}
	_ model.ManyScorer = (*scorer)(nil)
)

package graph

import (
	"context"
	"math"

	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/recipe"
)

// maxUserItems leaves users with more distinct items out of the graph: they are
// robots or shop counters, their pairs say nothing, and the work grows with the
// square of their history.
const maxUserItems = 10000

// spectrum is the graph and what is known of its frequencies.
type spectrum struct {
	byUser, byItem matrix.CSR   // N, with the largest singular value 1 when it is known
	lambda         []float32    // eigenvalues of NᵀN, largest first: 1 …
	vectors        matrix.Dense // items × len(lambda)
	degree         []float64    // by item: Σ confidence of its users
	count          []int32      // by item: its users
}

// graphOf is the bipartite graph, not yet normalised: confidences by user, and
// degrees and counts by item.
func graphOf(in recipe.Input) *spectrum {
	byUser := matrix.NewUserItems(in.Users, len(in.Items), in.Events.User, in.Events.Item, in.Events.Weight).CSR()
	s := &spectrum{degree: make([]float64, byUser.Cols), count: make([]int32, byUser.Cols)}
	for i, n := range byUser.Value {
		byUser.Value[i] = confidence(n)
	}
	for u := range byUser.Rows {
		items, values := byUser.Of(u)
		for k, i := range items {
			s.count[i]++
			if len(items) <= maxUserItems {
				s.degree[i] += float64(values[k])
			} else {
				values[k] = 0
			}
		}
	}
	s.byUser = byUser
	return s
}

// confidence of n interactions with one item: repeats say more, but less and less.
func confidence(n float32) float32 {
	if n <= 1 {
		return n
	}
	return 1 + float32(math.Log(float64(n)))
}

// normalised is a copy of the graph with N = D_u^(-user)·R·D_i^(-item), shared with nothing.
func (s *spectrum) normalised(p parameters) *spectrum {
	out := &spectrum{degree: s.degree, count: s.count, byUser: s.byUser.Like()}
	column := powers(s.degree, -p.item)
	for u := range s.byUser.Rows {
		items, values := s.byUser.Of(u)
		_, to := out.byUser.Of(u)
		degree := 0.0
		for _, v := range values {
			degree += float64(v)
		}
		row := power(degree, -p.user)
		for k, i := range items {
			to[k] = float32(float64(values[k]) * row * column[i])
		}
	}
	return out
}

// power is degreeᵉ, and 0 of nothing.
func power(degree, e float64) float64 {
	if !(degree > 0) {
		return 0
	}
	return math.Pow(degree, e)
}

func powers(degree []float64, e float64) []float64 {
	out := make([]float64, len(degree))
	for i, d := range degree {
		out[i] = power(d, e)
	}
	return out
}

// decompose finds the spectrum of a normalised graph, and divides the graph by
// its largest singular value.
func (s *spectrum) decompose(ctx context.Context, rank int, seed uint64, progress func(done, total int)) error {
	svd, err := matrix.TruncatedSVD(ctx, s.byUser, rank, matrix.SVDOptions{Seed: seed, Iterations: powerIterations, Progress: progress})
	if err != nil {
		return err
	}
	s.lambda, s.vectors = make([]float32, len(svd.S)), svd.V
	if len(svd.S) > 0 && svd.S[0] > 0 {
		for k, v := range svd.S {
			s.lambda[k] = (v / svd.S[0]) * (v / svd.S[0])
		}
		for k := range s.byUser.Value {
			s.byUser.Value[k] /= svd.S[0]
		}
	}
	s.byItem = s.byUser.Transpose()
	return nil
}

// powerIterations of the decomposition: a fourth changes no metric in its third digit.
const powerIterations = 3

// known is how many eigenvalues are above rounding.
func (s *spectrum) known() int {
	n := 0
	for n < len(s.lambda) && s.lambda[n] > 1e-6 {
		n++
	}
	return n
}

package evaluate

import (
	"math"
	"slices"
)

// The forms in which published tables give their numbers. Recall and NDCG at any
// cut are in Recall; with one true item Recall is the hit rate, HR@k.

// Reciprocal is the reciprocal rank of the first true item among the first k
// ranked, 0 if there is none; its mean is MRR@k. truth is ascending.
func Reciprocal(ranked, truth []int32, k int) float64 {
	for p, row := range ranked[:min(k, len(ranked))] {
		if _, hit := slices.BinarySearch(truth, row); hit {
			return 1 / float64(p+1)
		}
	}
	return 0
}

// RankAmong is the rank, from 1, of a true item among sampled others, given their
// scores. Ties count against it, so that a model that scores all alike is last
// and not first; so does a score that is not a number. Ranks among samples say
// little of ranks in the catalogue (W. Krichene and S. Rendle, On Sampled Metrics
// for Item Recommendation, KDD 2020): only compare them with the same samples.
func RankAmong(truth float32, others []float32) int {
	rank := 1
	for _, s := range others {
		if !(truth > s) {
			rank++
		}
	}
	return rank
}

// AtRank is the hit and NDCG@k of one true item at a rank, from 1.
func AtRank(rank, k int) (hit, ndcg float64) {
	if rank < 1 || rank > k {
		return 0, 0
	}
	return 1, 1 / math.Log2(1+float64(rank))
}

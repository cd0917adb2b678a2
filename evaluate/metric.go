package evaluate

import (
	"math"
	"slices"
)

// Depth is how many ranked items are looked at: the deepest cut of any metric.
const Depth = 25

// The keys of GetSolutionMetrics.
const (
	Coverage      = "coverage"
	MRR25         = "mean_reciprocal_rank_at_25"
	NDCG5         = "normalized_discounted_cumulative_gain_at_5"
	NDCG10        = "normalized_discounted_cumulative_gain_at_10"
	NDCG25        = "normalized_discounted_cumulative_gain_at_25"
	Precision5    = "precision_at_5"
	Precision10   = "precision_at_10"
	Precision25   = "precision_at_25"
	Rewards       = "average_rewards_at_k"      // with an optimisation objective only
	TrendAccuracy = "trend_prediction_accuracy" // of what is trending: the rise of the items recommended over that of those that rose most

	Hits1Percent   = "hits_at_1_percent" // of segments of users; see Segments
	Recall1Percent = "recall_at_1_percent"
)

// User is the measurement of one user's list.
type User struct {
	MRR25                                float64
	NDCG5, NDCG10, NDCG25                float64
	Precision5, Precision10, Precision25 float64
	Reward                               float64 // of what the true items are worth, the part that was found; in [0, 1]
	Rewarded                             bool    // the true items are worth something, so that Reward counts
}

// Measure compares a ranked list, best first, with the distinct items that the
// user went on to, ascending.
//
// Gain is 1 for a true item and the discount at position p, from 1, is
// 1/log2(1+p); the ideal list holds min(k, len(truth)) true items on top.
// Precision divides by k even when fewer items were ranked.
func Measure(ranked, truth []int32) User {
	return measure(ranked, truth, func(p int) float64 { return 1 / math.Log2(1+float64(p)) })
}

// Measure2019 is Measure with the discount by which Amazon Personalize measured in
// 2018 and 2019: 1 at position 1, and 1/log2(p) from position 2. It belongs to
// the protocol aws-2019; its gains are above those of Measure, so that the two are
// never compared.
func Measure2019(ranked, truth []int32) User {
	return measure(ranked, truth, func(p int) float64 {
		if p == 1 {
			return 1
		}
		return 1 / math.Log2(float64(p))
	})
}

// measure is Measure with the discount at each position, from 1.
func measure(ranked, truth []int32, discountAt func(p int) float64) User {
	var u User
	if len(truth) == 0 {
		return u
	}
	hits, gain, ideal := 0, 0.0, 0.0
	for p := 1; p <= Depth; p++ {
		discount := discountAt(p)
		if p <= len(truth) {
			ideal += discount
		}
		if p <= len(ranked) {
			if _, hit := slices.BinarySearch(truth, ranked[p-1]); hit {
				if hits == 0 {
					u.MRR25 = 1 / float64(p)
				}
				hits++
				gain += discount
			}
		}
		switch p {
		case 5:
			u.NDCG5, u.Precision5 = gain/ideal, float64(hits)/5
		case 10:
			u.NDCG10, u.Precision10 = gain/ideal, float64(hits)/10
		case 25:
			u.NDCG25, u.Precision25 = gain/ideal, float64(hits)/25
		}
	}
	return u
}

// Recall is the share of truth (ascending, distinct) among the first k ranked
// items, and NDCG the same gain and ideal as in Measure at any cut k.
func Recall(ranked, truth []int32, k int) (recall, ndcg float64) {
	if len(truth) == 0 {
		return 0, 0
	}
	var gain, ideal float64
	hits := 0
	for p := 1; p <= k; p++ {
		discount := 1 / math.Log2(1+float64(p))
		if p <= len(truth) {
			ideal += discount
		}
		if p <= len(ranked) {
			if _, hit := slices.BinarySearch(truth, ranked[p-1]); hit {
				hits++
				gain += discount
			}
		}
	}
	return float64(hits) / float64(len(truth)), gain / ideal
}

// Mean averages users into the metrics of GetSolutionMetrics. coverage is
// passed in, since it is not a mean over users; see Covered.
func Mean(users []User, coverage float64) map[string]float64 {
	var sum User
	rewarded := 0
	for _, u := range users {
		if u.Rewarded {
			sum.Reward += u.Reward
			rewarded++
		}
		sum.MRR25 += u.MRR25
		sum.NDCG5 += u.NDCG5
		sum.NDCG10 += u.NDCG10
		sum.NDCG25 += u.NDCG25
		sum.Precision5 += u.Precision5
		sum.Precision10 += u.Precision10
		sum.Precision25 += u.Precision25
	}
	n := float64(max(1, len(users)))
	out := map[string]float64{
		Coverage: coverage, MRR25: sum.MRR25 / n,
		NDCG5: sum.NDCG5 / n, NDCG10: sum.NDCG10 / n, NDCG25: sum.NDCG25 / n,
		Precision5: sum.Precision5 / n, Precision10: sum.Precision10 / n, Precision25: sum.Precision25 / n,
	}
	if rewarded > 0 {
		out[Rewards] = sum.Reward / float64(rewarded)
	}
	return out
}

// PerUser are the metrics that are means over users, user by user: NaN where a
// metric says nothing of one. Coverage is not among them.
func PerUser(users []User) map[string][]float64 {
	of := map[string]func(u User) float64{
		MRR25: func(u User) float64 { return u.MRR25 },
		NDCG5: func(u User) float64 { return u.NDCG5 }, NDCG10: func(u User) float64 { return u.NDCG10 }, NDCG25: func(u User) float64 { return u.NDCG25 },
		Precision5: func(u User) float64 { return u.Precision5 }, Precision10: func(u User) float64 { return u.Precision10 }, Precision25: func(u User) float64 { return u.Precision25 },
	}
	if slices.ContainsFunc(users, func(u User) bool { return u.Rewarded }) {
		of[Rewards] = func(u User) float64 {
			if !u.Rewarded {
				return math.NaN()
			}
			return u.Reward
		}
	}
	out := make(map[string][]float64, len(of))
	for name, value := range of {
		out[name] = make([]float64, len(users))
		for i, u := range users {
			out[name][i] = value(u)
		}
	}
	return out
}

// Covered is the share of a catalogue of items rows that stands in at least
// one of the lists.
func Covered(lists [][]int32, items int) float64 {
	if items == 0 {
		return 0
	}
	seen, n := make([]bool, items), 0
	for _, l := range lists {
		for _, row := range l {
			if !seen[row] {
				seen[row] = true
				n++
			}
		}
	}
	return float64(n) / float64(items)
}

// Segments averages over items: how many of the users who went on to an item are
// among the best of a hundredth of all users (hits, a number of users), and what
// share of them that is (recall). segments holds the user rows chosen for each
// item, truth the distinct users who went on to it, ascending; items without
// truth do not count.
func Segments(segments, truth [][]int32) (hits, recall float64) {
	n := 0
	for i, chosen := range segments {
		if len(truth[i]) == 0 {
			continue
		}
		found := 0
		for _, user := range chosen {
			if _, hit := slices.BinarySearch(truth[i], user); hit {
				found++
			}
		}
		n++
		hits += float64(found)
		recall += float64(found) / float64(len(truth[i]))
	}
	return hits / float64(max(1, n)), recall / float64(max(1, n))
}

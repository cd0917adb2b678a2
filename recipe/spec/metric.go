package spec

// Metrics are the keys of GetSolutionMetrics that a search can go by. What they
// mean is said in the room evaluate, and a test of the room recipe keeps the lists alike.
func Metrics() []string {
	return []string{
		"coverage", "mean_reciprocal_rank_at_25",
		"normalized_discounted_cumulative_gain_at_5", "normalized_discounted_cumulative_gain_at_10", "normalized_discounted_cumulative_gain_at_25",
		"precision_at_5", "precision_at_10", "precision_at_25",
	}
}

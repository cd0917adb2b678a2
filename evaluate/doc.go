// Package evaluate measures ranked lists against what users went on to do,
// with the metrics of GetSolutionMetrics, and says how sure the numbers are.
//
// Takes:  per user, the ranked items and the true ones.
// Makes:  per-user numbers, their means, bootstrap intervals, paired differences, and whether those are chance.
// Never:  ranks, trains, or chooses who is asked; dataset's protocols do.
// Start:  metric.go, then interval.go and compare.go.
package evaluate

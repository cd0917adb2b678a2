//go:build !amd64

package kernel

func reachFast([]float32, []float32, []int32, []float32, []float32, float32, float32) int { return 0 }

//go:build !amd64

package kernel

func gatherFast([]float32, []float32, []int32, []float32) bool { return false }

func scatterFast([]float32, []float32, []int32, []float32) bool { return false }

func prefetch(*byte, int) {}

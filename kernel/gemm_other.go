//go:build !amd64

package kernel

// gemmScratch is what a Gemm keeps between calls: nothing in plain Go.
type gemmScratch struct{}

func (g *Gemm) fast(View, left, right) bool { return false }
func (p *Packed) packFast(View, bool) bool  { return false }

func (m *Gemm) gramFast(g, y View, w []float32) bool { return false }

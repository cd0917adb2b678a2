package kernel

import "golang.org/x/sys/cpu"

// hasAVX2 is found out once; the operating system must save the wide
// registers too, which the package asks for us.
var hasAVX2 = cpu.X86.HasAVX2

const (
	// gemvRows and gemvElements bound one call into assembly, during which a
	// goroutine cannot be stopped for the garbage collector: about 50 µs.
	gemvRows     = 1024
	gemvElements = 1 << 18
	// gemvBlock is how many rows the assembly does at once.
	gemvBlock = 8
)

// gemvFast does as many leading rows as come in whole blocks, and says how many.
func gemvFast(dst, a, x []float32) int {
	whole := len(dst) &^ (gemvBlock - 1)
	if !hasAVX2 || whole == 0 {
		return 0
	}
	d := len(x)
	atOnce := max(gemvBlock, min(gemvRows, gemvElements/d)&^(gemvBlock-1))
	for at := 0; at < whole; at += atOnce {
		gemvAVX2(&dst[at], &a[at*d], &x[0], min(atOnce, whole-at), d)
	}
	return whole
}

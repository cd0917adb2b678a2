// Command peak writes peak_amd64.s: what benchmarks are a share of.
//
// Run by go generate in the folder above.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ymm := []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}
	TEXT("peakAVX2", NOSPLIT, "func(n int)")
	Doc("peakAVX2 does 192 floating-point operations n > 0 times, fused multiply-adds on registers alone.")
	n := Load(Param("n"), GP64())
	for _, r := range ymm {
		VXORPS(r, r, r)
	}
	Label("loop")
	for i := range 12 {
		VFMADD231PS(ymm[12+i%2], ymm[14+i%2], ymm[i])
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
	Generate()
}

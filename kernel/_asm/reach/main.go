// Command reach writes reach_amd64.s: weighted sums of listed rows, each by its
// product with a vector, with AVX2 and FMA.
//
// Run by go generate two folders above.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	TEXT("reachAVX2", NOSPLIT, "func(dst, data *float32, index *int32, weight, x *float32, n, d int, a, b float32)")
	Doc("reachAVX2 adds Σ weight·(a + b·row·x)·row to dst over n rows, a multiple of 4 and not 0,",
		"that index lists. A row has d elements, a multiple of 16 and not 0.")
	Pragma("noescape")
	index := Load(Param("index"), GP64())
	weight := Load(Param("weight"), GP64())
	n := Load(Param("n"), GP64())
	size := Load(Param("d"), GP64())
	SHLQ(Imm(2), size) // bytes of a row
	rows := []GPVirtual{GP64(), GP64(), GP64(), GP64()}
	next := []GPVirtual{GP64(), GP64(), GP64(), GP64()}
	at, off := GP64(), GP64()

	point := func(to []GPVirtual, first int) {
		Load(Param("data"), at)
		for r, p := range to {
			MOVLQSX(Mem{Base: index, Disp: 4 * (first + r)}, p)
			IMULQ(size, p)
			ADDQ(at, p)
		}
	}
	va, vb := X14, X15
	Load(Param("a"), va)
	Load(Param("b"), vb)
	VBROADCASTSS(va, va)
	VBROADCASTSS(vb, vb)
	point(rows, 0)

	Label("block")
	CMPQ(n, Imm(4))
	JE(LabelRef("last"))
	point(next, 4)
	JMP(LabelRef("products"))
	Label("last") // nothing follows that could be fetched ahead
	for r := range next {
		MOVQ(rows[r], next[r])
	}

	Label("products")
	acc := []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7}
	for _, r := range acc {
		VXORPS(r, r, r)
	}
	Load(Param("x"), at)
	XORQ(off, off)
	Label("dot")
	VMOVUPS(Mem{Base: at, Index: off, Scale: 1}, Y8)
	VMOVUPS(Mem{Base: at, Index: off, Scale: 1, Disp: 32}, Y9)
	for r, p := range rows {
		VFMADD231PS(Mem{Base: p, Index: off, Scale: 1}, Y8, acc[2*r])
		VFMADD231PS(Mem{Base: p, Index: off, Scale: 1, Disp: 32}, Y9, acc[2*r+1])
		PREFETCHT0(Mem{Base: next[r], Index: off, Scale: 1})
	}
	ADDQ(Imm(64), off)
	CMPQ(off, size)
	JL(LabelRef("dot"))

	// The four products side by side in X0, then weight·(a + b·product) four times.
	for r := range rows {
		VADDPS(acc[2*r+1], acc[2*r], acc[2*r])
	}
	VHADDPS(Y2, Y0, Y0)
	VHADDPS(Y6, Y4, Y4)
	VHADDPS(Y4, Y0, Y0)
	VEXTRACTF128(Imm(1), Y0, X1)
	VADDPS(X1, X0, X0)
	VFMADD213PS(va, vb, X0)
	VMULPS(Mem{Base: weight}, X0, X0)
	VINSERTF128(Imm(1), X0, Y0, Y0)
	factor := []VecPhysical{Y4, Y5, Y6, Y7}
	for r, f := range factor {
		VPERMILPS(Imm(uint64(0x55*r)), Y0, f)
	}

	Load(Param("dst"), at)
	XORQ(off, off)
	Label("add")
	VMOVUPS(Mem{Base: at, Index: off, Scale: 1}, Y0)
	VMOVUPS(Mem{Base: at, Index: off, Scale: 1, Disp: 32}, Y1)
	for r, p := range rows {
		VFMADD231PS(Mem{Base: p, Index: off, Scale: 1}, factor[r], Y0)
		VFMADD231PS(Mem{Base: p, Index: off, Scale: 1, Disp: 32}, factor[r], Y1)
	}
	VMOVUPS(Y0, Mem{Base: at, Index: off, Scale: 1})
	VMOVUPS(Y1, Mem{Base: at, Index: off, Scale: 1, Disp: 32})
	ADDQ(Imm(64), off)
	CMPQ(off, size)
	JL(LabelRef("add"))

	for r := range rows {
		MOVQ(next[r], rows[r])
	}
	ADDQ(Imm(16), index)
	ADDQ(Imm(16), weight)
	SUBQ(Imm(4), n)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
	Generate()
}

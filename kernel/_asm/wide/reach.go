package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// reach takes four rows at a time and fetches the four after them, since rows
// lie anywhere and waiting for them is what it takes.
func reach() {
	begin("reachAVX512", "func(dst, data *float32, index *int32, weight, x *float32, n, d int, a, b float32)",
		"reachAVX512 adds Σ weight·(a + b·row·x)·row to dst over n rows, a multiple of 4 and not 0,",
		"that index lists. A row has d elements, a multiple of 16 and not 0.")
	index, weight, n, size := parameter("index"), parameter("weight"), parameter("n"), parameter("d")
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
	clear(Z0, Z2, Z4, Z6)
	Load(Param("x"), at)
	XORQ(off, off)
	Label("dot")
	VMOVUPS(Mem{Base: at, Index: off, Scale: 1}, Z8)
	for r, p := range rows {
		VFMADD231PS(Mem{Base: p, Index: off, Scale: 1}, Z8, zmm[2*r])
		PREFETCHT0(Mem{Base: next[r], Index: off, Scale: 1})
	}
	ADDQ(Imm(64), off)
	CMPQ(off, size)
	JL(LabelRef("dot"))

	// The four products side by side in X0, then weight·(a + b·product) four times.
	for r := range rows {
		VEXTRACTF64X4(Imm(1), zmm[2*r], y(2*r+1))
		VADDPS(y(2*r+1), y(2*r), y(2*r))
	}
	VHADDPS(Y2, Y0, Y0)
	VHADDPS(Y6, Y4, Y4)
	VHADDPS(Y4, Y0, Y0)
	VEXTRACTF128(Imm(1), Y0, X1)
	VADDPS(X1, X0, X0)
	VFMADD213PS(va, vb, X0)
	VMULPS(Mem{Base: weight}, X0, X0)
	VSHUFF32X4(Imm(0), Z0, Z0, Z0)
	for r := range rows {
		VPERMILPS(Imm(uint64(0x55*r)), Z0, zmm[4+r])
	}

	Load(Param("dst"), at)
	XORQ(off, off)
	Label("add")
	VMOVUPS(Mem{Base: at, Index: off, Scale: 1}, Z0)
	for r, p := range rows {
		VFMADD231PS(Mem{Base: p, Index: off, Scale: 1}, zmm[4+r], Z0)
	}
	VMOVUPS(Z0, Mem{Base: at, Index: off, Scale: 1})
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
	end()
}

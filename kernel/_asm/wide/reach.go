package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// walk is the registers that lead along the rows, four at a time.
type walk struct {
	index, size Register    // size: bytes of a row
	rows, next  []GPVirtual // where the four rows lie, and the four after them
	at, off     GPVirtual   // a vector, and how far into it and the rows
	a, b        VecPhysical // a in all lanes, b likewise
}

// reach takes four rows at a time and fetches the four after them, since rows
// lie anywhere and waiting for them is what it takes.
func reach() {
	begin("reachAVX512", "func(dst, data *float32, index *int32, weight, x *float32, n, d int, a, b float32)",
		"reachAVX512 adds Σ weight·(a + b·row·x)·row to dst over n rows, a multiple of 4 and not 0,",
		"that index lists. A row has d elements, a multiple of 16 and not 0.")
	index, weight, n, size := parameter("index"), parameter("weight"), parameter("n"), parameter("d")
	SHLQ(Imm(2), size)
	w := walk{index: index, size: size,
		rows: []GPVirtual{GP64(), GP64(), GP64(), GP64()}, next: []GPVirtual{GP64(), GP64(), GP64(), GP64()},
		at: GP64(), off: GP64(), a: X14, b: X15}
	Load(Param("a"), w.a)
	Load(Param("b"), w.b)
	VBROADCASTSS(w.a, w.a)
	VBROADCASTSS(w.b, w.b)
	w.point(w.rows, 0)

	Label("block")
	CMPQ(n, Imm(4))
	JE(LabelRef("last"))
	w.point(w.next, 4)
	JMP(LabelRef("products"))
	Label("last") // nothing follows that could be fetched ahead
	for r := range w.next {
		MOVQ(w.rows[r], w.next[r])
	}

	Label("products")
	w.products()
	w.factors(weight)
	w.add()
	for r := range w.rows {
		MOVQ(w.next[r], w.rows[r])
	}
	ADDQ(Imm(16), index)
	ADDQ(Imm(16), weight)
	SUBQ(Imm(4), n)
	JNZ(LabelRef("block"))
	end()
}

// point writes the addresses of the four rows that index lists from first on.
func (w *walk) point(to []GPVirtual, first int) {
	Load(Param("data"), w.at)
	for r, p := range to {
		MOVLQSX(Mem{Base: w.index, Disp: 4 * (first + r)}, p)
		IMULQ(w.size, p)
		ADDQ(w.at, p)
	}
}

// products multiplies the rows with x, and fetches those that come next.
func (w *walk) products() {
	clear(Z0, Z2, Z4, Z6)
	Load(Param("x"), w.at)
	XORQ(w.off, w.off)
	Label("dot")
	VMOVUPS(Mem{Base: w.at, Index: w.off, Scale: 1}, Z8)
	for r, p := range w.rows {
		VFMADD231PS(Mem{Base: p, Index: w.off, Scale: 1}, Z8, zmm[2*r])
		PREFETCHT0(Mem{Base: w.next[r], Index: w.off, Scale: 1})
	}
	ADDQ(Imm(64), w.off)
	CMPQ(w.off, w.size)
	JL(LabelRef("dot"))
}

// factors puts the four products side by side in X0, then weight·(a + b·product)
// into all lanes of one register for each row.
func (w *walk) factors(weight Register) {
	for r := range w.rows {
		VEXTRACTF64X4(Imm(1), zmm[2*r], y(2*r+1))
		VADDPS(y(2*r+1), y(2*r), y(2*r))
	}
	VHADDPS(Y2, Y0, Y0)
	VHADDPS(Y6, Y4, Y4)
	VHADDPS(Y4, Y0, Y0)
	VEXTRACTF128(Imm(1), Y0, X1)
	VADDPS(X1, X0, X0)
	VFMADD213PS(w.a, w.b, X0)
	VMULPS(Mem{Base: weight}, X0, X0)
	VSHUFF32X4(Imm(0), Z0, Z0, Z0)
	for r := range w.rows {
		VPERMILPS(Imm(uint64(0x55*r)), Z0, zmm[4+r])
	}
}

// add adds the rows times their factors to dst.
func (w *walk) add() {
	Load(Param("dst"), w.at)
	XORQ(w.off, w.off)
	Label("add")
	VMOVUPS(Mem{Base: w.at, Index: w.off, Scale: 1}, Z0)
	for r, p := range w.rows {
		VFMADD231PS(Mem{Base: p, Index: w.off, Scale: 1}, zmm[4+r], Z0)
	}
	VMOVUPS(Z0, Mem{Base: w.at, Index: w.off, Scale: 1})
	ADDQ(Imm(64), w.off)
	CMPQ(w.off, w.size)
	JL(LabelRef("add"))
}

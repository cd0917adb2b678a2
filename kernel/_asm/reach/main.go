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

// walk is the registers that lead along the rows, four at a time.
type walk struct {
	index, size Register    // size: bytes of a row
	rows, next  []GPVirtual // where the four rows lie, and the four after them
	at, off     GPVirtual   // a vector, and how far into it and the rows
	a, b        VecPhysical // a in all lanes, b likewise
}

func main() {
	TEXT("reachAVX2", NOSPLIT, "func(dst, data *float32, index *int32, weight, x *float32, n, d int, a, b float32)")
	Doc("reachAVX2 adds Σ weight·(a + b·row·x)·row to dst over n rows, a multiple of 4 and not 0,",
		"that index lists. A row has d elements, a multiple of 16 and not 0.")
	Pragma("noescape")
	index := Load(Param("index"), GP64())
	weight := Load(Param("weight"), GP64())
	n := Load(Param("n"), GP64())
	size := Load(Param("d"), GP64())
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
	VZEROUPPER()
	RET()
	Generate()
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

// The products of four rows with x take two registers each.
var acc = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7}

// products multiplies the rows with x, and fetches those that come next.
func (w *walk) products() {
	for _, r := range acc {
		VXORPS(r, r, r)
	}
	Load(Param("x"), w.at)
	XORQ(w.off, w.off)
	Label("dot")
	VMOVUPS(Mem{Base: w.at, Index: w.off, Scale: 1}, Y8)
	VMOVUPS(Mem{Base: w.at, Index: w.off, Scale: 1, Disp: 32}, Y9)
	for r, p := range w.rows {
		VFMADD231PS(Mem{Base: p, Index: w.off, Scale: 1}, Y8, acc[2*r])
		VFMADD231PS(Mem{Base: p, Index: w.off, Scale: 1, Disp: 32}, Y9, acc[2*r+1])
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
		VADDPS(acc[2*r+1], acc[2*r], acc[2*r])
	}
	VHADDPS(Y2, Y0, Y0)
	VHADDPS(Y6, Y4, Y4)
	VHADDPS(Y4, Y0, Y0)
	VEXTRACTF128(Imm(1), Y0, X1)
	VADDPS(X1, X0, X0)
	VFMADD213PS(w.a, w.b, X0)
	VMULPS(Mem{Base: weight}, X0, X0)
	VINSERTF128(Imm(1), X0, Y0, Y0)
	for r, f := range factor {
		VPERMILPS(Imm(uint64(0x55*r)), Y0, f)
	}
}

var factor = []VecPhysical{Y4, Y5, Y6, Y7}

// add adds the rows times their factors to dst.
func (w *walk) add() {
	Load(Param("dst"), w.at)
	XORQ(w.off, w.off)
	Label("add")
	VMOVUPS(Mem{Base: w.at, Index: w.off, Scale: 1}, Y0)
	VMOVUPS(Mem{Base: w.at, Index: w.off, Scale: 1, Disp: 32}, Y1)
	for r, p := range w.rows {
		VFMADD231PS(Mem{Base: p, Index: w.off, Scale: 1}, factor[r], Y0)
		VFMADD231PS(Mem{Base: p, Index: w.off, Scale: 1, Disp: 32}, factor[r], Y1)
	}
	VMOVUPS(Y0, Mem{Base: w.at, Index: w.off, Scale: 1})
	VMOVUPS(Y1, Mem{Base: w.at, Index: w.off, Scale: 1, Disp: 32})
	ADDQ(Imm(64), w.off)
	CMPQ(w.off, w.size)
	JL(LabelRef("add"))
}

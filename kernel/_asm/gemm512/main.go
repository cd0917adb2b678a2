// Command gemm512 writes gemm512_amd64.s: the matrix product's inner kernel
// with AVX-512, and the bound it is measured against.
//
// Run by go generate in the folder above.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const mr = 14 // rows of a tile: 14 × 2 sums, 2 registers of b and 2 of a make 32

func main() {
	tiles("gemmAVX512", 2)
	tiles("gemmEdgeAVX512", 1)
	packLeft()
	peak()
	Generate()
}

// packLeft writes the copying of up to 16 columns, of which one group of rows is made.
func packLeft() {
	TEXT("packLeftAVX512", NOSPLIT, "func(dst, src *float32, row int, mask uint32, k int)")
	Doc("packLeftAVX512 copies those of 16 columns whose bits are set in mask, of k > 0 rows, row bytes apart,",
		"to dst, 16 elements a row, the others 0.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	row := Load(Param("row"), GP64())
	mask := Load(Param("mask"), GP32())
	k := Load(Param("k"), GP64())
	KMOVW(mask, K1)
	Label("loop")
	VMOVUPS_Z(Mem{Base: src}, K1, Z0)
	VMOVUPS(Z0, Mem{Base: dst})
	ADDQ(row, src)
	ADDQ(Imm(64), dst)
	DECQ(k)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// peak writes what benchmarks are a share of.
func peak() {
	TEXT("peakAVX512", NOSPLIT, "func(n int)")
	Doc("peakAVX512 does 768 floating-point operations n > 0 times, fused multiply-adds on registers alone.")
	n := Load(Param("n"), GP64())
	for _, r := range zmm {
		VPXORD(r, r, r)
	}
	Label("loop")
	for i := range 24 {
		VFMADD231PS(zmm[28+i%2], zmm[30+i%2], zmm[i])
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// tiles writes a kernel for columns of 16·wide. Registers hold one tile of sums;
// every step of k loads a row of b and broadcasts a column of a.
func tiles(name string, wide int) {
	signature := "func(c *float32, cRow int, a *float32, aRow, aCol, aStep int, b *float32, bRow, bStep int, rows, k int)"
	doc := []string{
		name + " adds A·B to C for rows > 0 rows of C and 32 columns, over k > 0.",
		"Strides are in bytes: cRow from row to row of c, aRow and aCol from row to row and from column to column of a,",
		"aStep from one group of 14 rows of a to the next, bRow from row to row of b, and bStep from the first 16 columns",
		"of b to the others. Each element is one chain of fused multiply-adds from 0, in the order of k, then added to c.",
	}
	if wide == 1 {
		signature = "func(c *float32, cRow int, a *float32, aRow, aCol, aStep int, b *float32, bRow int, mask uint32, rows, k int)"
		doc = []string{name + " is gemmAVX512 for those of 16 columns whose bits are set in mask."}
	}
	TEXT(name, NOSPLIT, signature)
	Doc(doc...)
	Pragma("noescape")
	t := &tile{name: name, wide: wide}
	t.c = Load(Param("c"), GP64())
	t.a = Load(Param("a"), GP64())
	t.aRow = Load(Param("aRow"), GP64())
	t.aCol = Load(Param("aCol"), GP64())
	t.bRow = Load(Param("bRow"), GP64())
	t.rows = Load(Param("rows"), GP64())
	if wide == 2 {
		t.bStep = Load(Param("bStep"), GP64())
	} else {
		mask := Load(Param("mask"), GP32())
		KMOVW(mask, K1)
	}
	t.aRow3, t.aRow5 = GP64(), GP64()
	LEAQ(Mem{Base: t.aRow, Index: t.aRow, Scale: 2}, t.aRow3)
	LEAQ(Mem{Base: t.aRow, Index: t.aRow, Scale: 4}, t.aRow5)
	t.pa, t.pa7, t.pb, t.n = GP64(), GP64(), GP64(), GP64()
	t.all()
	VZEROUPPER()
	RET()
}

// tile is one kernel: its registers, and how many of 16 columns it has.
type tile struct {
	name                              string
	wide                              int
	c, a, aRow, aRow3, aRow5          Register
	aCol, bRow, bStep, pa, pa7, pb, n Register
	rows                              Register
}

// sum is the register of row i, columns 16·w to 16·w+15.
func (t *tile) sum(i, w int) VecPhysical { return zmm[t.wide*i+w] }

var zmm = []VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
	Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}

// at is where row i of a tile has its element of a.
func (t *tile) at(i int) Mem {
	base := t.pa
	if i >= mr/2 {
		base, i = t.pa7, i-mr/2
	}
	switch i {
	case 0:
		return Mem{Base: base}
	case 1, 2, 4:
		return Mem{Base: base, Index: t.aRow, Scale: uint8(i)}
	case 3, 6:
		return Mem{Base: base, Index: t.aRow3, Scale: uint8(i / 3)}
	}
	return Mem{Base: base, Index: t.aRow5, Scale: 1}
}

// step is one k of a tile of r rows.
func (t *tile) step(r int) {
	b := []VecPhysical{Z28, Z29}
	VMOVUPS(Mem{Base: t.pb}, b[0])
	if t.wide == 2 {
		VMOVUPS(Mem{Base: t.pb, Index: t.bStep, Scale: 1}, b[1])
	}
	for i := range r {
		x := zmm[30+i%2]
		VBROADCASTSS(t.at(i), x)
		for w := range t.wide {
			VFMADD231PS(x, b[w], t.sum(i, w))
		}
	}
	ADDQ(t.aCol, t.pa)
	if r > mr/2 {
		ADDQ(t.aCol, t.pa7)
	}
	ADDQ(t.bRow, t.pb)
}

// all is the loop over whole tiles, and one tile for the rows that remain.
func (t *tile) all() {
	Label("next")
	CMPQ(t.rows, Imm(mr))
	JLT(LabelRef("edge"))
	t.one(mr)
	Load(Param("aStep"), t.n)
	ADDQ(t.n, t.a)
	SUBQ(Imm(mr), t.rows)
	JMP(LabelRef("next"))
	Label("edge")
	for r := 1; r < mr; r++ {
		CMPQ(t.rows, Imm(uint64(r)))
		JEQ(LabelRef(fmt.Sprintf("tile%d", r)))
	}
	JMP(LabelRef("done"))
	for r := 1; r < mr; r++ {
		t.one(r)
		JMP(LabelRef("done"))
	}
	Label("done")
}

// one is a tile of r rows over all of k, four steps at a time where it is whole.
func (t *tile) one(r int) {
	label := func(s string) string { return fmt.Sprintf("%s%d", s, r) }
	Label(label("tile"))
	MOVQ(t.a, t.pa)
	if r > mr/2 {
		LEAQ(Mem{Base: t.a, Index: t.aRow, Scale: 1}, t.pa7)
		LEAQ(Mem{Base: t.pa7, Index: t.aRow3, Scale: 2}, t.pa7)
	}
	Load(Param("b"), t.pb)
	for i := range r * t.wide {
		VPXORD(zmm[i], zmm[i], zmm[i])
	}
	Load(Param("k"), t.n)
	if r == mr {
		SUBQ(Imm(4), t.n)
		JLT(LabelRef(label("rest")))
		Label(label("four"))
		for range 4 {
			t.step(r)
		}
		SUBQ(Imm(4), t.n)
		JGE(LabelRef(label("four")))
		Label(label("rest"))
		ADDQ(Imm(4), t.n)
		JZ(LabelRef(label("store")))
	}
	Label(label("one"))
	t.step(r)
	DECQ(t.n)
	JNZ(LabelRef(label("one")))
	Label(label("store"))
	Load(Param("cRow"), t.n)
	for i := range r {
		t.store(i)
		ADDQ(t.n, t.c)
	}
}

// store adds row i of the sums to c, at its first column.
func (t *tile) store(i int) {
	if t.wide == 1 {
		VADDPS(Mem{Base: t.c}, t.sum(i, 0), K1, t.sum(i, 0))
		VMOVUPS(t.sum(i, 0), K1, Mem{Base: t.c})
		return
	}
	for w := range t.wide {
		VADDPS(Mem{Base: t.c, Disp: 64 * w}, t.sum(i, w), t.sum(i, w))
		VMOVUPS(t.sum(i, w), Mem{Base: t.c, Disp: 64 * w})
	}
}

// Command gemm writes gemm_amd64.s: the matrix product's inner kernel and its
// packing, with AVX2 and fused multiply-add.
//
// Run by go generate in the folder above.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// mr is the rows of a tile: 6 × 2 sums, 2 registers of b and 2 of a make 16.
const mr = 6

var ymm = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}

func main() {
	tiles()
	pack()
	packWeighted()
	packT()
	packLeft()
	Generate()
}

// operands are the registers of the kernel.
type operands struct {
	c, cRow, a, aRow, aCol, b, bRow Register
	aRow3, aRow5                    GPVirtual // multiples of aRow
	pa, pb, n                       GPVirtual // what moves along k, and how much of it is left
}

// tiles writes the kernel. Registers hold one tile of r×16 sums; every step of
// k loads 16 elements of b and broadcasts r elements of a.
func tiles() {
	TEXT("gemmAVX2", NOSPLIT, "func(c *float32, cRow int, a *float32, aRow, aCol, aStep int, b *float32, bRow int, rows, k int)")
	Doc("gemmAVX2 adds A·B to C for rows > 0 rows of C and 16 columns, over k > 0.",
		"Strides are in bytes: cRow from row to row of c, aRow and aCol from row to row and from column to column of a,",
		"aStep from one group of 6 rows of a to the next, bRow from row to row of b. Each element is one chain of",
		"fused multiply-adds from 0, in the order of k, then added to c.")
	Pragma("noescape")
	o := operands{
		c: Load(Param("c"), GP64()), cRow: Load(Param("cRow"), GP64()),
		a: Load(Param("a"), GP64()), aRow: Load(Param("aRow"), GP64()), aCol: Load(Param("aCol"), GP64()),
		b: Load(Param("b"), GP64()), bRow: Load(Param("bRow"), GP64()),
	}
	rows := Load(Param("rows"), GP64())
	o.aRow3, o.aRow5 = GP64(), GP64()
	LEAQ(Mem{Base: o.aRow, Index: o.aRow, Scale: 2}, o.aRow3)
	LEAQ(Mem{Base: o.aRow, Index: o.aRow, Scale: 4}, o.aRow5)
	o.pa, o.pb, o.n = GP64(), GP64(), GP64()

	Label("next")
	CMPQ(rows, Imm(mr))
	JLT(LabelRef("edge"))
	o.tile(mr)
	Load(Param("aStep"), o.n)
	ADDQ(o.n, o.a)
	SUBQ(Imm(mr), rows)
	JMP(LabelRef("next"))

	Label("edge")
	for r := 1; r < mr; r++ {
		CMPQ(rows, Imm(uint64(r)))
		JEQ(LabelRef(fmt.Sprintf("tile%d", r)))
	}
	JMP(LabelRef("done"))
	for r := 1; r < mr; r++ {
		o.tile(r)
		JMP(LabelRef("done"))
	}
	Label("done")
	VZEROUPPER()
	RET()
}

// row is where row r of a tile has its element of a.
func (o *operands) row(r int) Mem {
	switch r {
	case 0:
		return Mem{Base: o.pa}
	case 1:
		return Mem{Base: o.pa, Index: o.aRow, Scale: 1}
	case 2:
		return Mem{Base: o.pa, Index: o.aRow, Scale: 2}
	case 3:
		return Mem{Base: o.pa, Index: o.aRow3, Scale: 1}
	case 4:
		return Mem{Base: o.pa, Index: o.aRow, Scale: 4}
	}
	return Mem{Base: o.pa, Index: o.aRow5, Scale: 1}
}

// step adds the products of one k to the sums of r rows.
func (o *operands) step(r int) {
	b0, b1 := Y12, Y13
	VMOVUPS(Mem{Base: o.pb}, b0)
	VMOVUPS(Mem{Base: o.pb, Disp: 32}, b1)
	for i := range r {
		t := ymm[14+i%2]
		VBROADCASTSS(o.row(i), t)
		VFMADD231PS(t, b0, ymm[2*i])
		VFMADD231PS(t, b1, ymm[2*i+1])
	}
	ADDQ(o.aCol, o.pa)
	ADDQ(o.bRow, o.pb)
}

// tile does r rows over all of k, and moves c beyond them.
func (o *operands) tile(r int) {
	label := func(s string) string { return fmt.Sprintf("%s%d", s, r) }
	Label(label("tile"))
	MOVQ(o.c, o.pb)
	for i := range r {
		PREFETCHT0(Mem{Base: o.pb})
		PREFETCHT0(Mem{Base: o.pb, Disp: 60})
		if i < r-1 {
			ADDQ(o.cRow, o.pb)
		}
	}
	MOVQ(o.a, o.pa)
	MOVQ(o.b, o.pb)
	for i := range 2 * r {
		VXORPS(ymm[i], ymm[i], ymm[i])
	}
	Load(Param("k"), o.n)
	SUBQ(Imm(4), o.n)
	JLT(LabelRef(label("rest")))
	Label(label("four"))
	for range 4 {
		o.step(r)
	}
	SUBQ(Imm(4), o.n)
	JGE(LabelRef(label("four")))
	Label(label("rest"))
	ADDQ(Imm(4), o.n)
	JZ(LabelRef(label("store")))
	Label(label("one"))
	o.step(r)
	DECQ(o.n)
	JNZ(LabelRef(label("one")))
	Label(label("store"))
	for i := range r {
		VADDPS(Mem{Base: o.c}, ymm[2*i], ymm[2*i])
		VADDPS(Mem{Base: o.c, Disp: 32}, ymm[2*i+1], ymm[2*i+1])
		VMOVUPS(ymm[2*i], Mem{Base: o.c})
		VMOVUPS(ymm[2*i+1], Mem{Base: o.c, Disp: 32})
		ADDQ(o.cRow, o.c)
	}
}

// pack writes the copying of 16 columns.
func pack() {
	TEXT("packAVX2", NOSPLIT, "func(dst *float32, src *float32, row int, k int)")
	Doc("packAVX2 copies 16 columns of k > 0 rows, row bytes apart, to dst, 16 elements a row.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	row := Load(Param("row"), GP64())
	k := Load(Param("k"), GP64())
	Label("loop")
	VMOVUPS(Mem{Base: src}, Y0)
	VMOVUPS(Mem{Base: src, Disp: 32}, Y1)
	VMOVUPS(Y0, Mem{Base: dst})
	VMOVUPS(Y1, Mem{Base: dst, Disp: 32})
	ADDQ(row, src)
	ADDQ(Imm(64), dst)
	DECQ(k)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// packWeighted writes the copying of 16 columns with a factor for each row.
func packWeighted() {
	TEXT("packWeightedAVX2", NOSPLIT, "func(dst *float32, src *float32, w *float32, row int, k int)")
	Doc("packWeightedAVX2 writes 16 columns of k > 0 rows, row bytes apart, each row times its w, to dst, 16 elements a row.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	w := Load(Param("w"), GP64())
	row := Load(Param("row"), GP64())
	k := Load(Param("k"), GP64())
	Label("loop")
	VBROADCASTSS(Mem{Base: w}, Y2)
	VMULPS(Mem{Base: src}, Y2, Y0)
	VMULPS(Mem{Base: src, Disp: 32}, Y2, Y1)
	VMOVUPS(Y0, Mem{Base: dst})
	VMOVUPS(Y1, Mem{Base: dst, Disp: 32})
	ADDQ(row, src)
	ADDQ(Imm(4), w)
	ADDQ(Imm(64), dst)
	DECQ(k)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// packLeft writes the copying of a transposed left matrix. Each group of 6
// columns is stored as 8: the next row of the group covers what is too much.
func packLeft() {
	mask := GLOBL("leftMask", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(0xffffffff))
	}
	for i := range 8 {
		DATA(32+4*i, U32(0))
	}
	TEXT("packLeftAVX2", NOSPLIT, "func(dst *float32, src *float32, row, step, m, k int)")
	Doc("packLeftAVX2 copies m > 0 columns of k > 0 rows, row bytes apart, to groups of 6 columns, step bytes apart,",
		"6 elements a row. It writes 2 elements beyond the end of each group, and zeros for columns that are not there.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	row := Load(Param("row"), GP64())
	step := Load(Param("step"), GP64())
	m := Load(Param("m"), GP64())
	k := Load(Param("k"), GP64())
	p, q, n, table, rest := GP64(), GP64(), GP64(), GP64(), GP64()
	Label("row")
	MOVQ(src, p)
	MOVQ(dst, q)
	MOVQ(m, n)
	Label("whole")
	CMPQ(n, Imm(8))
	JLT(LabelRef("part"))
	VMOVUPS(Mem{Base: p}, Y0)
	VMOVUPS(Y0, Mem{Base: q})
	ADDQ(Imm(24), p)
	ADDQ(step, q)
	SUBQ(Imm(6), n)
	JMP(LabelRef("whole"))
	Label("part")
	LEAQ(mask, table)
	MOVQ(n, rest)
	SHLQ(Imm(2), rest)
	SUBQ(rest, table)
	VMOVUPS(Mem{Base: table, Disp: 32}, Y1)
	VMASKMOVPS(Mem{Base: p}, Y1, Y0)
	VMOVUPS(Y0, Mem{Base: q})
	ADDQ(Imm(24), p)
	ADDQ(step, q)
	SUBQ(Imm(6), n)
	JG(LabelRef("part"))
	ADDQ(row, src)
	ADDQ(Imm(24), dst)
	DECQ(k)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// packT writes the transposing of 16 rows, in squares of 8×8.
func packT() {
	TEXT("packTAVX2", NOSPLIT, "func(dst *float32, src *float32, row int, k int)")
	Doc("packTAVX2 transposes 16 rows, row bytes apart, of k elements, a positive multiple of 8, to dst, 16 elements a row.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	row := Load(Param("row"), GP64())
	k := Load(Param("k"), GP64())
	row3, half := GP64(), GP64()
	LEAQ(Mem{Base: row, Index: row, Scale: 2}, row3)
	Label("loop")
	for h := range 2 {
		p := GP64()
		if h == 0 {
			MOVQ(src, p)
		} else {
			LEAQ(Mem{Base: src, Index: row, Scale: 8}, p)
		}
		LEAQ(Mem{Base: p, Index: row, Scale: 4}, half)
		in := func(base Register, i int) Mem {
			switch i {
			case 0:
				return Mem{Base: base}
			case 1:
				return Mem{Base: base, Index: row, Scale: 1}
			case 2:
				return Mem{Base: base, Index: row, Scale: 2}
			}
			return Mem{Base: base, Index: row3, Scale: 1}
		}
		for part := range 2 { // columns 0-3, then 4-7
			for i := range 4 {
				m := in(p, i)
				m.Disp = 16 * part
				VMOVUPS(m, ymm[i].AsX())
				m = in(half, i)
				m.Disp = 16 * part
				VINSERTF128(Imm(1), m, ymm[i], ymm[i])
			}
			turn()
			for i := range 4 {
				VMOVUPS(ymm[8+i], Mem{Base: dst, Disp: 64*(4*part+i) + 32*h})
			}
		}
	}
	ADDQ(Imm(32), src)
	ADDQ(U32(512), dst)
	SUBQ(Imm(8), k)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// turn transposes the two 4×4 squares in the halves of Y0 to Y3 into Y8 to Y11.
// Rows i and i+4 share a register, so that two rounds of 4×4 finish each half:
// X loads and 128-bit inserts come from memory and cost no shuffle.
func turn() {
	VUNPCKLPS(Y1, Y0, Y4) // a0 b0 a1 b1
	VUNPCKHPS(Y1, Y0, Y5) // a2 b2 a3 b3
	VUNPCKLPS(Y3, Y2, Y6)
	VUNPCKHPS(Y3, Y2, Y7)
	VUNPCKLPD(Y6, Y4, Y8)
	VUNPCKHPD(Y6, Y4, Y9)
	VUNPCKLPD(Y7, Y5, Y10)
	VUNPCKHPD(Y7, Y5, Y11)
}

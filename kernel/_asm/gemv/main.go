// Command gemv writes gemv_amd64.s: dot products of many rows with one vector,
// and their transpose, with AVX2 and fused multiply-add.
//
// Run by go generate in the folder above.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var ymm = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}

var maskTable Mem

func main() {
	maskTable = GLOBL("tailMask", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(0xffffffff))
	}
	for i := range 8 {
		DATA(32+4*i, U32(0))
	}
	gemv()
	gemvT()
	Generate()
}

// tail makes m the mask of the last d mod 8 elements, out of a table of ones, then zeros.
func tail(d Register, m VecPhysical) {
	rest, table := GP64(), GP64()
	MOVQ(d, rest)
	ANDQ(Imm(7), rest)
	SHLQ(Imm(2), rest)
	LEAQ(maskTable, table)
	SUBQ(rest, table)
	VMOVUPS(Mem{Base: table, Disp: 32}, m)
}

// dots is rows dot products with x, in two chains of 8 lanes each: sums[r] and
// sums[r+4]. It moves row and px on, and uses n, Y8 and Y9.
type dots struct {
	name            string
	rows            int
	d, row, px, n   Register
	stride, stride3 Register
	mask            VecPhysical
}

func (s dots) at(r, disp int) Mem {
	switch r {
	case 0:
		return Mem{Base: s.row, Disp: disp}
	case 1:
		return Mem{Base: s.row, Index: s.stride, Scale: 1, Disp: disp}
	case 2:
		return Mem{Base: s.row, Index: s.stride, Scale: 2, Disp: disp}
	}
	return Mem{Base: s.row, Index: s.stride3, Scale: 1, Disp: disp}
}

func (s dots) write() {
	x0, x1 := Y8, Y9
	for r := range s.rows {
		VXORPS(ymm[r], ymm[r], ymm[r])
		VXORPS(ymm[r+4], ymm[r+4], ymm[r+4])
	}
	MOVQ(s.d, s.n)
	SUBQ(Imm(16), s.n)
	JLT(LabelRef(s.name + "eight"))
	Label(s.name + "loop")
	VMOVUPS(Mem{Base: s.px}, x0)
	VMOVUPS(Mem{Base: s.px, Disp: 32}, x1)
	for r := range s.rows {
		VFMADD231PS(s.at(r, 0), x0, ymm[r])
	}
	for r := range s.rows {
		VFMADD231PS(s.at(r, 32), x1, ymm[r+4])
	}
	ADDQ(Imm(64), s.px)
	ADDQ(Imm(64), s.row)
	SUBQ(Imm(16), s.n)
	JGE(LabelRef(s.name + "loop"))
	Label(s.name + "eight")
	ADDQ(Imm(8), s.n)
	JLT(LabelRef(s.name + "tail"))
	VMOVUPS(Mem{Base: s.px}, x0)
	for r := range s.rows {
		VFMADD231PS(s.at(r, 0), x0, ymm[r])
	}
	ADDQ(Imm(32), s.px)
	ADDQ(Imm(32), s.row)
	SUBQ(Imm(8), s.n)
	Label(s.name + "tail")
	ADDQ(Imm(8), s.n)
	JZ(LabelRef(s.name + "fold"))
	VMASKMOVPS(Mem{Base: s.px}, s.mask, x0)
	for r := range s.rows {
		VMASKMOVPS(s.at(r, 0), s.mask, x1)
		VFMADD231PS(x1, x0, ymm[r+4])
	}
	Label(s.name + "fold")
	for r := range s.rows {
		VADDPS(ymm[r+4], ymm[r], ymm[r])
	}
	s.fold()
}

// fold leaves the sums of the lanes in X0. Lanes fold as
// ((0+4)+(2+6)) + ((1+5)+(3+7)), with one row as with four.
func (s dots) fold() {
	if s.rows == 1 {
		VEXTRACTF128(Imm(1), Y0, X1)
		VADDPS(X1, X0, X0)
		VMOVHLPS(X0, X0, X1)
		VADDPS(X1, X0, X0)
		VMOVSHDUP(X0, X1)
		VADDSS(X1, X0, X0)
		return
	}
	for r := range 2 { // rows 0 and 1 in the low half, 2 and 3 in the high half
		VPERM2F128(Imm(0x20), ymm[r+2], ymm[r], Y8)
		VPERM2F128(Imm(0x31), ymm[r+2], ymm[r], Y9)
		VADDPS(Y9, Y8, ymm[r])
	}
	VUNPCKLPS(Y1, Y0, Y8)
	VUNPCKHPS(Y1, Y0, Y9)
	VADDPS(Y9, Y8, Y0)
	VPERMILPS(Imm(0x4e), Y0, Y1)
	VADDPS(Y1, Y0, Y0)
	VEXTRACTF128(Imm(1), Y0, X1)
	VMOVLHPS(X1, X0, X0)
}

func gemv() {
	TEXT("gemvAVX2", NOSPLIT, "func(dst, a, x *float32, rows, d, stride int)")
	Doc("gemvAVX2 writes dst[i] = a[i]·x for rows rows of a, stride bytes apart, each of d > 0 elements.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	a := Load(Param("a"), GP64())
	x := Load(Param("x"), GP64())
	rows := Load(Param("rows"), GP64())
	d := Load(Param("d"), GP64())
	stride := Load(Param("stride"), GP64())
	stride3 := GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	mask := Y15
	tail(d, mask)
	s := dots{d: d, row: GP64(), px: GP64(), n: GP64(), stride: stride, stride3: stride3, mask: mask}

	Label("block")
	CMPQ(rows, Imm(4))
	JLT(LabelRef("single"))
	MOVQ(a, s.row)
	MOVQ(x, s.px)
	s.name, s.rows = "four", 4
	s.write()
	VMOVUPS(X0, Mem{Base: dst})
	ADDQ(Imm(16), dst)
	LEAQ(Mem{Base: a, Index: stride, Scale: 4}, a)
	SUBQ(Imm(4), rows)
	JMP(LabelRef("block"))

	Label("single")
	TESTQ(rows, rows)
	JZ(LabelRef("done"))
	MOVQ(a, s.row)
	MOVQ(x, s.px)
	s.name, s.rows = "one", 1
	s.write()
	VMOVSS(X0, Mem{Base: dst})
	ADDQ(Imm(4), dst)
	ADDQ(stride, a)
	DECQ(rows)
	JMP(LabelRef("single"))

	Label("done")
	VZEROUPPER()
	RET()
}

// gemvT keeps 64 columns of dst in registers while all rows pass by.
func gemvT() {
	TEXT("gemvTAVX2", NOSPLIT, "func(dst, a, v *float32, rows, d, stride int)")
	Doc("gemvTAVX2 adds Σ v[i]·a[i] to dst, for rows > 0 rows of a, stride bytes apart, each of d elements.",
		"Each element of dst is one chain of fused multiply-adds in the order of the rows.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	a := Load(Param("a"), GP64())
	v := Load(Param("v"), GP64())
	rows := Load(Param("rows"), GP64())
	d := Load(Param("d"), GP64())
	stride := Load(Param("stride"), GP64())
	p, pv, n := GP64(), GP64(), GP64()
	for _, block := range []struct {
		name  string
		width int // in registers; 0 is one element
	}{{"c64", 8}, {"c32", 4}, {"c8", 1}, {"c1", 0}} {
		cols, w := max(1, 8*block.width), block.width
		Label(block.name)
		CMPQ(d, Imm(uint64(cols)))
		JLT(LabelRef(block.name + "end"))
		MOVQ(a, p)
		MOVQ(v, pv)
		MOVQ(rows, n)
		if w == 0 {
			VMOVSS(Mem{Base: dst}, X0)
		}
		for i := range w {
			VMOVUPS(Mem{Base: dst, Disp: 32 * i}, ymm[i])
		}
		Label(block.name + "row")
		if w == 0 {
			VMOVSS(Mem{Base: pv}, X8)
			VFMADD231SS(Mem{Base: p}, X8, X0)
		} else {
			VBROADCASTSS(Mem{Base: pv}, Y8)
		}
		for i := range w {
			VFMADD231PS(Mem{Base: p, Disp: 32 * i}, Y8, ymm[i])
		}
		ADDQ(stride, p)
		ADDQ(Imm(4), pv)
		DECQ(n)
		JNZ(LabelRef(block.name + "row"))
		if w == 0 {
			VMOVSS(X0, Mem{Base: dst})
		}
		for i := range w {
			VMOVUPS(ymm[i], Mem{Base: dst, Disp: 32 * i})
		}
		ADDQ(U32(uint32(4*cols)), dst)
		ADDQ(U32(uint32(4*cols)), a)
		SUBQ(Imm(uint64(cols)), d)
		JMP(LabelRef(block.name))
		Label(block.name + "end")
	}
	VZEROUPPER()
	RET()
}

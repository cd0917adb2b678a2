// Command gemv writes gemv_amd64.s: eight dot products at once, with AVX2.
//
// Run by go generate in the folder above.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	mask := GLOBL("tailMask", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(0xffffffff))
	}
	for i := range 8 {
		DATA(32+4*i, U32(0))
	}

	TEXT("gemvAVX2", NOSPLIT, "func(dst, a, x *float32, rows, d int)")
	Doc("gemvAVX2 writes dst[i] = a[i]·x for rows rows of a, a multiple of 8, each of d > 0",
		"elements. It multiplies and adds in two roundings, lane by lane as Dot does.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	a := Load(Param("a"), GP64())
	x := Load(Param("x"), GP64())
	rows := Load(Param("rows"), GP64())
	d := Load(Param("d"), GP64())

	stride, stride3 := GP64(), GP64() // bytes of a row, of three rows
	MOVQ(d, stride)
	SHLQ(Imm(2), stride)
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)

	// The mask of the last d mod 8 elements stands in a table of ones, then zeros.
	rest, table := GP64(), GP64()
	MOVQ(d, rest)
	ANDQ(Imm(7), rest)
	LEAQ(mask, table)
	ADDQ(Imm(32), table)
	tail := GP64()
	MOVQ(rest, tail)
	SHLQ(Imm(2), tail)
	SUBQ(tail, table)
	m := Y15
	VMOVUPS(Mem{Base: table}, m)
	whole := GP64()
	MOVQ(d, whole)
	SHRQ(Imm(3), whole)

	acc := []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7}
	vx, t0, t1 := Y8, Y9, Y10

	Label("block")
	TESTQ(rows, rows)
	JZ(LabelRef("done"))
	p, q, px, n := GP64(), GP64(), GP64(), GP64()
	MOVQ(a, p)
	LEAQ(Mem{Base: a, Index: stride, Scale: 4}, q)
	MOVQ(x, px)
	MOVQ(whole, n)
	for _, r := range acc {
		VXORPS(r, r, r)
	}
	row := func(r int) Mem {
		base := p
		if r >= 4 {
			base = q
		}
		switch r % 4 {
		case 0:
			return Mem{Base: base}
		case 1:
			return Mem{Base: base, Index: stride, Scale: 1}
		case 2:
			return Mem{Base: base, Index: stride, Scale: 2}
		}
		return Mem{Base: base, Index: stride3, Scale: 1}
	}
	temp := []VecPhysical{t0, t1, Y11, Y12}

	Label("loop")
	TESTQ(n, n)
	JZ(LabelRef("tail"))
	VMOVUPS(Mem{Base: px}, vx)
	for r := range acc {
		VMULPS(row(r), vx, temp[r%4])
		VADDPS(temp[r%4], acc[r], acc[r])
	}
	ADDQ(Imm(32), px)
	ADDQ(Imm(32), p)
	ADDQ(Imm(32), q)
	DECQ(n)
	JMP(LabelRef("loop"))

	Label("tail")
	TESTQ(rest, rest)
	JZ(LabelRef("fold"))
	VMASKMOVPS(Mem{Base: px}, m, vx)
	for r := range acc {
		VMASKMOVPS(row(r), m, temp[r%4])
		VMULPS(vx, temp[r%4], temp[r%4])
		VADDPS(temp[r%4], acc[r], acc[r])
	}

	// Lanes fold as ((0+4)+(2+6)) + ((1+5)+(3+7)), rows 0-3 in the low half
	// and rows 4-7 in the high half.
	Label("fold")
	for r := range 4 {
		VPERM2F128(Imm(0x20), acc[r+4], acc[r], t0)
		VPERM2F128(Imm(0x31), acc[r+4], acc[r], t1)
		VADDPS(t1, t0, acc[r])
	}
	pair := func(a, b VecPhysical) {
		VUNPCKLPS(b, a, t0)
		VUNPCKHPS(b, a, t1)
		VADDPS(t1, t0, a)
	}
	pair(acc[0], acc[1])
	pair(acc[2], acc[3])
	VUNPCKLPD(acc[2], acc[0], t0)
	VUNPCKHPD(acc[2], acc[0], t1)
	VADDPS(t1, t0, acc[0])
	VMOVUPS(acc[0], Mem{Base: dst})

	ADDQ(Imm(32), dst)
	LEAQ(Mem{Base: a, Index: stride, Scale: 8}, a)
	SUBQ(Imm(8), rows)
	JMP(LabelRef("block"))

	Label("done")
	VZEROUPPER()
	RET()
	Generate()
}

// Command scan writes scan_amd64.s: passing over the scores of a catalogue, and
// over its items in 8 bits, with AVX2.
//
// Run by go generate in the folder above.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var ymm = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}

func main() {
	above()
	scan8()
	bounds()
	Generate()
}

// above looks at 64 scores at a time. Most often none is above the floor, which
// one test tells; only otherwise are the bits of each put together.
func above() {
	TEXT("aboveAVX2", NOSPLIT, "func(scores *float32, skip *uint64, blocks int, floor float32) (block int, rows uint64)")
	Doc("aboveAVX2 finds the first of blocks blocks of 64 scores that has scores above floor in rows that skip does not have;",
		"skip may be nil. rows are the bits of those; 0 when there is no such block, which is then blocks.")
	Pragma("noescape")
	scores := Load(Param("scores"), GP64())
	skip := Load(Param("skip"), GP64())
	blocks := Load(Param("blocks"), GP64())
	p, err := Param("floor").Resolve()
	if err != nil {
		panic(err)
	}
	floor := Y15
	VBROADCASTSS(p.Addr, floor)
	block, rows, bits := GP64(), GP64(), GP64()
	XORQ(block, block)
	Label("next")
	CMPQ(block, blocks)
	JGE(LabelRef("none"))
	for i := range 8 {
		VMOVUPS(Mem{Base: scores, Disp: 32 * i}, ymm[i])
		VCMPPS(Imm(30), floor, ymm[i], ymm[i]) // greater, ordered, quiet
	}
	VORPS(Y1, Y0, Y8)
	VORPS(Y3, Y2, Y9)
	VORPS(Y5, Y4, Y10)
	VORPS(Y7, Y6, Y11)
	VORPS(Y9, Y8, Y8)
	VORPS(Y11, Y10, Y10)
	VORPS(Y10, Y8, Y8)
	VMOVMSKPS(Y8, rows.As32())
	TESTQ(rows, rows)
	JNZ(LabelRef("some"))
	Label("on")
	ADDQ(U32(256), scores)
	INCQ(block)
	JMP(LabelRef("next"))
	Label("some")
	XORQ(rows, rows)
	for i := 7; i >= 0; i-- {
		SHLQ(Imm(8), rows)
		VMOVMSKPS(ymm[i], bits.As32())
		ORQ(bits, rows)
	}
	TESTQ(skip, skip)
	JZ(LabelRef("found"))
	MOVQ(Mem{Base: skip, Index: block, Scale: 8}, bits)
	NOTQ(bits)
	ANDQ(bits, rows)
	JZ(LabelRef("on"))
	JMP(LabelRef("found"))
	Label("none")
	XORQ(rows, rows)
	Label("found")
	VZEROUPPER()
	Store(block, Return("block"))
	Store(rows, Return("rows"))
	RET()
}

// scan8 multiplies four panels of 8 items with the query at once. A product of
// signed bytes is made of |q| without a sign and the item with the sign of q,
// both at most 127: two of them are at most 32258, so nothing saturates.
func scan8() {
	ones := GLOBL("ones16", RODATA|NOPTR)
	for i := range 16 {
		DATA(2*i, U16(1))
	}
	TEXT("scan8AVX2", NOSPLIT, "func(dst *int32, items *int8, size, sign *int8, groups, quads int)")
	Doc("scan8AVX2 writes the products of the query with groups > 0 groups of 32 items to dst. A group is 4 panels of 8 items,",
		"a panel is quads > 0 times 8·4 bytes: 4 elements of each item. size and sign: 4·quads bytes, |q| and q.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	items := Load(Param("items"), GP64())
	size := Load(Param("size"), GP64())
	sign := Load(Param("sign"), GP64())
	groups := Load(Param("groups"), GP64())
	quads := Load(Param("quads"), GP64())
	panel, panel3, p, at := GP64(), GP64(), GP64(), GP64()
	MOVQ(quads, panel)
	SHLQ(Imm(5), panel)
	LEAQ(Mem{Base: panel, Index: panel, Scale: 2}, panel3)
	VMOVDQU(ones, Y15)
	Label("group")
	for i := range 4 {
		VPXOR(ymm[i], ymm[i], ymm[i])
	}
	MOVQ(items, p)
	XORQ(at, at)
	Label("quad")
	VPBROADCASTD(Mem{Base: size, Index: at, Scale: 4}, Y12)
	VPBROADCASTD(Mem{Base: sign, Index: at, Scale: 4}, Y13)
	for i, m := range []Mem{{Base: p}, {Base: p, Index: panel, Scale: 1}, {Base: p, Index: panel, Scale: 2}, {Base: p, Index: panel3, Scale: 1}} {
		t := ymm[4+i]
		VMOVDQU(m, t)
		VPSIGNB(Y13, t, t)
		VPMADDUBSW(t, Y12, t)
		VPMADDWD(Y15, t, t)
		VPADDD(t, ymm[i], ymm[i])
	}
	ADDQ(Imm(32), p)
	INCQ(at)
	CMPQ(at, quads)
	JLT(LabelRef("quad"))
	for i := range 4 {
		VMOVDQU(ymm[i], Mem{Base: dst, Disp: 32 * i})
	}
	ADDQ(U32(128), dst)
	LEAQ(Mem{Base: items, Index: panel, Scale: 4}, items)
	DECQ(groups)
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}

// bounds turns products of bytes into what the products of numbers lie between.
func bounds() {
	TEXT("boundsAVX2", NOSPLIT, "func(upper, lower *float32, product *int32, scale, length, off *float32, n int, s, a, b float32)")
	Doc("boundsAVX2 writes product·scale·s ± (length·a + off·b) for n elements, a positive multiple of 8. lower may be product.")
	Pragma("noescape")
	var all []Register
	for _, name := range []string{"upper", "lower", "product", "scale", "length", "off"} {
		all = append(all, Load(Param(name), GP64()))
	}
	upper, lower, product, scale, length, off := all[0], all[1], all[2], all[3], all[4], all[5]
	n := Load(Param("n"), GP64())
	for i, name := range []string{"s", "a", "b"} {
		p, err := Param(name).Resolve()
		if err != nil {
			panic(err)
		}
		VBROADCASTSS(p.Addr, ymm[13+i])
	}
	Label("loop")
	VCVTDQ2PS(Mem{Base: product}, Y0)
	VMULPS(Mem{Base: scale}, Y0, Y0)
	VMULPS(Y13, Y0, Y0)
	VMULPS(Mem{Base: length}, Y14, Y1)
	VFMADD231PS(Mem{Base: off}, Y15, Y1)
	VADDPS(Y1, Y0, Y2)
	VSUBPS(Y1, Y0, Y3)
	VMOVUPS(Y2, Mem{Base: upper})
	VMOVUPS(Y3, Mem{Base: lower})
	for _, p := range all {
		ADDQ(Imm(32), p)
	}
	SUBQ(Imm(8), n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dotBytes is VPDPBUSD, which avo does not know: it adds to each lane of sum four
// products of unsigned bytes of a and signed ones of b.
func dotBytes(b, a, sum VecPhysical) {
	Instruction(&ir.Instruction{Opcode: "VPDPBUSD", Operands: []Op{b, a, sum}})
}

// scan8 takes two quads of 8 items in one register. VNNI wants one side without
// a sign: items plus 128, for which the sums begin with -128 times the query's.
func scan8() {
	begin("scan8VNNI", "func(dst *int32, items *int8, query *int8, groups, quads, start int)",
		"scan8VNNI is scan8AVX2 with the query's bytes as they are. start: -128 times their sum.")
	dst, items, query := parameter("dst"), parameter("items"), parameter("query")
	groups, quads := parameter("groups"), parameter("quads")
	panel, panel3, p, at, n := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(quads, panel)
	SHLQ(Imm(5), panel)
	LEAQ(Mem{Base: panel, Index: panel, Scale: 2}, panel3)
	bits := GP32()
	MOVL(U32(0x80808080), bits)
	VPBROADCASTD(bits, Z15)
	start := parameter("start")
	VPBROADCASTD(start.(GPVirtual).As32(), Y14) // only in the lower half
	MOVL(U32(0xff00), bits)
	KMOVW(bits, K1)
	panels := []Mem{{Base: p}, {Base: p, Index: panel, Scale: 1}, {Base: p, Index: panel, Scale: 2}, {Base: p, Index: panel3, Scale: 1}}

	Label("group")
	for i := range 4 {
		VMOVDQA32(Z14, zmm[i])
	}
	MOVQ(items, p)
	MOVQ(query, at)
	MOVQ(quads, n)
	SUBQ(Imm(2), n)
	JLT(LabelRef("halves"))
	Label("two")
	VPBROADCASTD(Mem{Base: at}, Z12)
	VPBROADCASTD(Mem{Base: at, Disp: 4}, K1, Z12)
	for i, m := range panels {
		VPXORD(m, Z15, zmm[4+i])
		dotBytes(Z12, zmm[4+i], zmm[i])
	}
	ADDQ(Imm(64), p)
	ADDQ(Imm(8), at)
	SUBQ(Imm(2), n)
	JGE(LabelRef("two"))
	Label("halves")
	for i := range panels {
		VEXTRACTI64X4(Imm(1), zmm[i], y(8+i))
	}
	ADDQ(Imm(2), n)
	JZ(LabelRef("store"))
	VPBROADCASTD(Mem{Base: at}, Y12)
	for i, m := range panels {
		VPXORD(m, Y15, y(4+i))
		dotBytes(Y12, y(4+i), y(i))
	}
	Label("store")
	for i := range panels {
		VPADDD(y(8+i), y(i), y(i))
		VMOVDQU(y(i), Mem{Base: dst, Disp: 32 * i})
	}
	ADDQ(U32(128), dst)
	LEAQ(Mem{Base: items, Index: panel, Scale: 4}, items)
	DECQ(groups)
	JNZ(LabelRef("group"))
	end()
}

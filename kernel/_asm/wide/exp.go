package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The constants of an exponential stay in registers from Z16 on.
var constants = []struct {
	name string
	bits uint32
}{
	{"most", single(88.75)},
	{"log2e", single(math.Log2E)},
	{"round", single(3 << 22)}, // adding it rounds to a whole number, in the lowest bits
	{"ln2high", single(0.693359375)},
	{"ln2low", single(-2.12194440e-4)},
	{"p0", single(1.9875691500e-4)},
	{"p1", single(1.3981999507e-3)},
	{"p2", single(8.3334519073e-3)},
	{"p3", single(4.1665795894e-2)},
	{"p4", single(1.6666665459e-1)},
	{"p5", single(5.0000001201e-1)},
	{"one", single(1)},
	{"bias", 126},
}

func single(v float64) uint32 { return math.Float32bits(float32(v)) }

func constant(name string) VecPhysical {
	for i, c := range constants {
		if c.name == name {
			return zmm[16+i]
		}
	}
	panic(name)
}

// exp turns t into its exponential, 0 where t is below least, as the command of that name says.
func exp(t, least, k, p, r VecPhysical) {
	VCMPPS(Imm(5), least, t, K2)   // not less than: NaN passes
	VMINPS(t, constant("most"), t) // the second when one is NaN: t
	VMOVAPS(constant("log2e"), k)
	VFMADD213PS(constant("round"), t, k) // k = log2e·t + round
	VSUBPS(constant("round"), k, p)
	VMOVAPS(t, r)
	VFNMADD231PS(constant("ln2high"), p, r)
	VFNMADD231PS(constant("ln2low"), p, r)
	VPADDD(constant("bias"), k, k)
	VPSLLD(Imm(23), k, k)
	VMOVAPS(constant("p0"), p)
	for _, c := range []string{"p1", "p2", "p3", "p4", "p5"} {
		VFMADD213PS(constant(c), r, p)
	}
	VMULPS(r, r, t)
	VFMADD213PS(r, t, p) // p·r² + r
	VADDPS(constant("one"), p, p)
	VADDPS(p, p, p)
	VMULPS_Z(k, p, K2, t)
}

func exponentials() {
	begin("expAVX512", "func(dst, x *float32, n int, shift, least float32) float32",
		"expAVX512 writes exp(x-shift) to dst, 0 where x-shift is below least, and returns the sum of it.")
	dst, px, n := parameter("dst"), parameter("x"), parameter("n")
	shift, least := Z12, Z11
	Load(Param("shift"), X12)
	Load(Param("least"), X11)
	VBROADCASTSS(X12, shift)
	VBROADCASTSS(X11, least)
	bits := GP32()
	for i, c := range constants {
		MOVL(U32(c.bits), bits)
		VPBROADCASTD(bits, zmm[16+i])
	}
	tail(n, 8)
	clear(Z0)

	Label("sixteen")
	SUBQ(Imm(16), n)
	JLT(LabelRef("halves"))
	VMOVUPS(Mem{Base: px}, Z2)
	VSUBPS(shift, Z2, Z2)
	exp(Z2, least, Z3, Z4, Z5)
	VMOVUPS(Z2, Mem{Base: dst})
	VADDPS(Z2, Z0, Z0)
	ADDQ(Imm(64), px)
	ADDQ(Imm(64), dst)
	JMP(LabelRef("sixteen"))

	Label("halves")
	VEXTRACTF64X4(Imm(1), Z0, Y1)
	ADDQ(Imm(8), n)
	JLT(LabelRef("rest"))
	VMOVUPS(Mem{Base: px}, Y2)
	VSUBPS(shift, Z2, Z2)
	exp(Z2, least, Z3, Z4, Z5)
	VMOVUPS(Y2, Mem{Base: dst})
	VADDPS(Y2, Y0, Y0)
	ADDQ(Imm(32), px)
	ADDQ(Imm(32), dst)
	SUBQ(Imm(8), n)

	Label("rest")
	ADDQ(Imm(8), n)
	JZ(LabelRef("fold"))
	VMOVUPS_Z(Mem{Base: px}, K1, Y2)
	VSUBPS(shift, Z2, Z2)
	exp(Z2, least, Z3, Z4, Z5)
	VMOVUPS_Z(Y2, K1, Y2)
	VMOVUPS(Y2, K1, Mem{Base: dst})
	VADDPS(Y2, Y1, Y1)

	Label("fold")
	VADDPS(Y1, Y0, Y0)
	foldOne()
	Store(X0, ReturnIndex(0))
	end()
}

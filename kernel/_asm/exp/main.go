// Command exp writes exp_amd64.s: exponentials, with AVX2 and fused multiply-add.
//
// Run by go generate in the folder above.
package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The constants stand in one table, eight times each.
var (
	table  Mem
	offset = map[string]int{}
	mask   Mem
)

func constant(name string, bits uint32) {
	at := 32 * len(offset)
	offset[name] = at
	for i := range 8 {
		DATA(at+4*i, U32(bits))
	}
}

func single(name string, v float64) { constant(name, math.Float32bits(float32(v))) }

func at(name string) Mem {
	o, ok := offset[name]
	if !ok {
		panic(name)
	}
	m := table
	m.Disp += o
	return m
}

func main() {
	table = GLOBL("expTable", RODATA|NOPTR)
	single("most", 88.75)
	single("log2e", math.Log2E)
	single("round", 3<<22) // adding it rounds to a whole number, in the lowest bits
	single("ln2high", 0.693359375)
	single("ln2low", -2.12194440e-4)
	for i, c := range []float64{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		single(fmt.Sprintf("p%d", i), c)
	}
	single("one", 1)
	constant("bias", 126)
	constant("sign", 1<<31)
	mask = GLOBL("expMask", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(0xffffffff))
	}
	for i := range 8 {
		DATA(32+4*i, U32(0))
	}
	exponentials()
	sigmoid()
	Generate()
}

// exp turns t into its exponential, 0 where t is below least. NaN stays NaN.
// It is Cody and Waite's reduction, t = k ln 2 + r, then a polynomial in r with
// the coefficients of Moshier's Cephes; 2ᵏ is made as 2·2ᵏ⁻¹, so that k may be 128.
func exp(t, least, k, p, r VecPhysical) {
	VCMPPS(Imm(5), least, t, Y14) // not less than: NaN passes
	VMOVUPS(at("most"), p)
	VMINPS(t, p, t) // the second when one is NaN: t
	VMOVUPS(at("log2e"), k)
	VMOVUPS(at("round"), p)
	VFMADD213PS(p, t, k) // k = log2e·t + round
	VSUBPS(p, k, p)
	VMOVAPS(t, r)
	VFNMADD231PS(at("ln2high"), p, r)
	VFNMADD231PS(at("ln2low"), p, r)
	VPADDD(at("bias"), k, k)
	VPSLLD(Imm(23), k, k)
	VMOVUPS(at("p0"), p)
	for i := 1; i < 6; i++ {
		VFMADD213PS(at(fmt.Sprintf("p%d", i)), r, p)
	}
	VMULPS(r, r, t)
	VFMADD213PS(r, t, p) // p·r² + r
	VADDPS(at("one"), p, p)
	VADDPS(p, p, p)
	VMULPS(k, p, t)
	VANDPS(Y14, t, t)
}

// wide makes y a parameter in all lanes.
func wide(name string, y VecPhysical) {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(p.Addr, y)
}

// tail makes Y13 the mask of n, fewer than eight, elements.
func tail(n Register) {
	rest, p := GP64(), GP64()
	MOVQ(n, rest)
	SHLQ(Imm(2), rest)
	LEAQ(mask, p)
	SUBQ(rest, p)
	VMOVUPS(Mem{Base: p, Disp: 32}, Y13)
}

func exponentials() {
	TEXT("expAVX2", NOSPLIT, "func(dst, x *float32, n int, shift, least float32) float32")
	Doc("expAVX2 writes exp(x-shift) to dst, 0 where x-shift is below least, and returns the sum of it.")
	Pragma("noescape")
	dst := Load(Param("dst"), GP64())
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	wide("shift", Y12)
	wide("least", Y11)
	VXORPS(Y0, Y0, Y0)
	VXORPS(Y1, Y1, Y1)

	Label("sixteen")
	CMPQ(n, Imm(16))
	JLT(LabelRef("eight"))
	sums := []VecPhysical{Y0, Y1}
	for i, r := range [][]VecPhysical{{Y2, Y3, Y4, Y5}, {Y6, Y7, Y8, Y9}} {
		VMOVUPS(Mem{Base: x, Disp: 32 * i}, r[0])
		VSUBPS(Y12, r[0], r[0])
		exp(r[0], Y11, r[1], r[2], r[3])
		VMOVUPS(r[0], Mem{Base: dst, Disp: 32 * i})
		VADDPS(r[0], sums[i], sums[i])
	}
	ADDQ(Imm(64), x)
	ADDQ(Imm(64), dst)
	SUBQ(Imm(16), n)
	JMP(LabelRef("sixteen"))

	Label("eight")
	CMPQ(n, Imm(8))
	JLT(LabelRef("rest"))
	VMOVUPS(Mem{Base: x}, Y2)
	VSUBPS(Y12, Y2, Y2)
	exp(Y2, Y11, Y3, Y4, Y5)
	VMOVUPS(Y2, Mem{Base: dst})
	VADDPS(Y2, Y0, Y0)
	ADDQ(Imm(32), x)
	ADDQ(Imm(32), dst)
	SUBQ(Imm(8), n)

	Label("rest")
	TESTQ(n, n)
	JZ(LabelRef("fold"))
	tail(n)
	VMASKMOVPS(Mem{Base: x}, Y13, Y2)
	VSUBPS(Y12, Y2, Y2)
	exp(Y2, Y11, Y3, Y4, Y5)
	VANDPS(Y13, Y2, Y2)
	VMASKMOVPS(Y2, Y13, Mem{Base: dst})
	VADDPS(Y2, Y1, Y1)

	Label("fold")
	fold()
	VZEROUPPER()
	Store(X0, ReturnIndex(0))
	RET()
}

// fold leaves the sum of all lanes of Y0 and Y1 in the first of X0.
func fold() {
	VADDPS(Y1, Y0, Y0)
	VEXTRACTF128(Imm(1), Y0, X1)
	VADDPS(X1, X0, X0)
	VMOVHLPS(X0, X0, X1)
	VADDPS(X1, X0, X0)
	VMOVSHDUP(X0, X1)
	VADDSS(X1, X0, X0)
}

func sigmoid() {
	TEXT("sigmoidAVX2", NOSPLIT, "func(x *float32, n int, least float32)")
	Doc("sigmoidAVX2 makes x 1/(1+exp(-x)).")
	Pragma("noescape")
	x := Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	wide("least", Y11)
	one := func() {
		VXORPS(at("sign"), Y2, Y2)
		exp(Y2, Y11, Y3, Y4, Y5)
		VMOVUPS(at("one"), Y3)
		VADDPS(Y3, Y2, Y2)
		VDIVPS(Y2, Y3, Y2)
	}
	Label("eight")
	CMPQ(n, Imm(8))
	JLT(LabelRef("rest"))
	VMOVUPS(Mem{Base: x}, Y2)
	one()
	VMOVUPS(Y2, Mem{Base: x})
	ADDQ(Imm(32), x)
	SUBQ(Imm(8), n)
	JMP(LabelRef("eight"))
	Label("rest")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	tail(n)
	VMASKMOVPS(Mem{Base: x}, Y13, Y2)
	one()
	VMASKMOVPS(Y2, Y13, Mem{Base: x})
	Label("done")
	VZEROUPPER()
	RET()
}

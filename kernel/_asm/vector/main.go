// Command vector writes vector_amd64.s: what is done to slices element by
// element, with AVX2 and fused multiply-add.
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
	axpy()
	scale()
	add()
	mul()
	mulAdd()
	reciprocal()
	sum()
	norm2()
	maximum()
	Generate()
}

// begin opens a function over n elements of some pointers, whose names come first.
func begin(name, signature string, doc ...string) {
	TEXT(name, NOSPLIT, signature)
	Doc(doc...)
	Pragma("noescape")
}

// wide makes y a parameter in all lanes.
func wide(name string, y VecPhysical) {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(p.Addr, y)
}

func pointer(name string) Register { return Load(Param(name), GP64()) }

// each passes over n elements, 4·8 at a time, then 8, then one: wide is given
// the offset in bytes and which of four groups of registers it may use; one is
// given nothing, and does what wide does with the first element alone.
func each(n Register, pointers []Register, wide func(disp, group int), one func()) {
	for _, step := range []struct {
		name   string
		groups int
	}{{"wide", 4}, {"eight", 1}} {
		Label(step.name)
		CMPQ(n, Imm(uint64(8*step.groups)))
		JLT(LabelRef(step.name + "end"))
		for g := range step.groups {
			wide(32*g, g)
		}
		for _, p := range pointers {
			ADDQ(U32(uint32(32*step.groups)), p)
		}
		SUBQ(Imm(uint64(8*step.groups)), n)
		JMP(LabelRef(step.name))
		Label(step.name + "end")
	}
	Label("one")
	TESTQ(n, n)
	JZ(LabelRef("end"))
	one()
	for _, p := range pointers {
		ADDQ(Imm(4), p)
	}
	DECQ(n)
	JMP(LabelRef("one"))
	Label("end")
}

func end() {
	VZEROUPPER()
	RET()
}

func axpy() {
	begin("axpyAVX2", "func(alpha float32, x, y *float32, n int)", "axpyAVX2 adds alpha·x to y.")
	alpha := Y15
	wide("alpha", alpha)
	x, y, n := pointer("x"), pointer("y"), pointer("n")
	each(n, []Register{x, y}, func(disp, g int) {
		VMOVUPS(Mem{Base: y, Disp: disp}, ymm[g])
		VFMADD231PS(Mem{Base: x, Disp: disp}, alpha, ymm[g])
		VMOVUPS(ymm[g], Mem{Base: y, Disp: disp})
	}, func() {
		VMOVSS(Mem{Base: y}, X0)
		VFMADD231SS(Mem{Base: x}, X15, X0)
		VMOVSS(X0, Mem{Base: y})
	})
	end()
}

func scale() {
	begin("scaleAVX2", "func(alpha float32, x *float32, n int)", "scaleAVX2 multiplies x by alpha.")
	wide("alpha", Y15)
	x, n := pointer("x"), pointer("n")
	each(n, []Register{x}, func(disp, g int) {
		VMULPS(Mem{Base: x, Disp: disp}, Y15, ymm[g])
		VMOVUPS(ymm[g], Mem{Base: x, Disp: disp})
	}, func() {
		VMULSS(Mem{Base: x}, X15, X0)
		VMOVSS(X0, Mem{Base: x})
	})
	end()
}

func add() {
	begin("addAVX2", "func(dst, a, b *float32, n int)", "addAVX2 writes a+b to dst.")
	dst, a, b, n := pointer("dst"), pointer("a"), pointer("b"), pointer("n")
	each(n, []Register{dst, a, b}, func(disp, g int) {
		VMOVUPS(Mem{Base: a, Disp: disp}, ymm[g])
		VADDPS(Mem{Base: b, Disp: disp}, ymm[g], ymm[g])
		VMOVUPS(ymm[g], Mem{Base: dst, Disp: disp})
	}, func() {
		VMOVSS(Mem{Base: a}, X0)
		VADDSS(Mem{Base: b}, X0, X0)
		VMOVSS(X0, Mem{Base: dst})
	})
	end()
}

func mul() {
	begin("mulAVX2", "func(dst, a, b *float32, n int)", "mulAVX2 writes a∘b to dst.")
	dst, a, b, n := pointer("dst"), pointer("a"), pointer("b"), pointer("n")
	each(n, []Register{dst, a, b}, func(disp, g int) {
		VMOVUPS(Mem{Base: a, Disp: disp}, ymm[g])
		VMULPS(Mem{Base: b, Disp: disp}, ymm[g], ymm[g])
		VMOVUPS(ymm[g], Mem{Base: dst, Disp: disp})
	}, func() {
		VMOVSS(Mem{Base: a}, X0)
		VMULSS(Mem{Base: b}, X0, X0)
		VMOVSS(X0, Mem{Base: dst})
	})
	end()
}

func mulAdd() {
	begin("mulAddAVX2", "func(dst, a, b *float32, n int)", "mulAddAVX2 adds a∘b to dst.")
	dst, a, b, n := pointer("dst"), pointer("a"), pointer("b"), pointer("n")
	each(n, []Register{dst, a, b}, func(disp, g int) {
		VMOVUPS(Mem{Base: a, Disp: disp}, ymm[g])
		VMOVUPS(Mem{Base: dst, Disp: disp}, ymm[4+g])
		VFMADD231PS(Mem{Base: b, Disp: disp}, ymm[g], ymm[4+g])
		VMOVUPS(ymm[4+g], Mem{Base: dst, Disp: disp})
	}, func() {
		VMOVSS(Mem{Base: a}, X0)
		VMOVSS(Mem{Base: dst}, X1)
		VFMADD231SS(Mem{Base: b}, X0, X1)
		VMOVSS(X1, Mem{Base: dst})
	})
	end()
}

// reciprocal is the larger of both where least is the second source: NaN becomes least.
func reciprocal() {
	begin("reciprocalAVX2", "func(dst, x *float32, least float32, n int)", "reciprocalAVX2 writes 1/max(x, least) to dst.")
	wide("least", Y15)
	one := GP32()
	MOVL(U32(0x3f800000), one)
	VMOVD(one, X14)
	VBROADCASTSS(X14, Y14)
	dst, x, n := pointer("dst"), pointer("x"), pointer("n")
	each(n, []Register{dst, x}, func(disp, g int) {
		VMOVUPS(Mem{Base: x, Disp: disp}, ymm[g])
		VMAXPS(Y15, ymm[g], ymm[g])
		VDIVPS(ymm[g], Y14, ymm[g])
		VMOVUPS(ymm[g], Mem{Base: dst, Disp: disp})
	}, func() {
		VMOVSS(Mem{Base: x}, X0)
		VMAXSS(X15, X0, X0)
		VDIVSS(X0, X14, X0)
		VMOVSS(X0, Mem{Base: dst})
	})
	end()
}

// clear empties sums.
func clear(registers ...VecPhysical) {
	for _, r := range registers {
		VXORPS(r, r, r)
	}
}

func sum() {
	begin("sumAVX2", "func(x *float32, n int) float32", "sumAVX2 adds up x, in 32 lanes folded in halves.")
	x, n := pointer("x"), pointer("n")
	clear(Y0, Y1, Y2, Y3)
	each(n, []Register{x}, func(disp, g int) {
		VADDPS(Mem{Base: x, Disp: disp}, ymm[g], ymm[g])
	}, func() {
		VMOVSS(Mem{Base: x}, X4)
		VADDPS(Y4, Y1, Y1)
	})
	VADDPS(Y2, Y0, Y0)
	VADDPS(Y3, Y1, Y1)
	VADDPS(Y1, Y0, Y0)
	VEXTRACTF128(Imm(1), Y0, X1)
	VADDPS(X1, X0, X0)
	VMOVHLPS(X0, X0, X1)
	VADDPS(X1, X0, X0)
	VMOVSHDUP(X0, X1)
	VADDSS(X1, X0, X0)
	VZEROUPPER()
	Store(X0, ReturnIndex(0))
	RET()
}

// norm2 works in float64: a product of two float32 is exact there.
func norm2() {
	begin("norm2AVX2", "func(x *float32, n int) float64", "norm2AVX2 adds up the squares of x in 16 lanes of float64.")
	x, n := pointer("x"), pointer("n")
	clear(Y0, Y1, Y2, Y3)
	each(n, []Register{x}, func(disp, g int) {
		for h := range 2 {
			VCVTPS2PD(Mem{Base: x, Disp: disp + 16*h}, ymm[8+h])
			VFMADD231PD(ymm[8+h], ymm[8+h], ymm[(2*g+h)%4])
		}
	}, func() {
		VMOVSS(Mem{Base: x}, X8)
		VCVTPS2PD(X8, Y8)
		VFMADD231PD(Y8, Y8, Y2)
	})
	VADDPD(Y2, Y0, Y0)
	VADDPD(Y3, Y1, Y1)
	VADDPD(Y1, Y0, Y0)
	VEXTRACTF128(Imm(1), Y0, X1)
	VADDPD(X1, X0, X0)
	VUNPCKHPD(X0, X0, X1)
	VADDSD(X1, X0, X0)
	VZEROUPPER()
	Store(X0, ReturnIndex(0))
	RET()
}

// maximum leaves NaN out: VMAXPS takes its second source when either is NaN.
func maximum() {
	begin("maxAVX2", "func(x *float32, n int) float32", "maxAVX2 is the largest element of x that is not NaN, -Inf when there is none.")
	x, n := pointer("x"), pointer("n")
	bits := GP32()
	MOVL(U32(0xff800000), bits)
	VMOVD(bits, X0)
	VBROADCASTSS(X0, Y0)
	for g := 1; g < 4; g++ {
		VMOVAPS(Y0, ymm[g])
	}
	each(n, []Register{x}, func(disp, g int) {
		VMOVUPS(Mem{Base: x, Disp: disp}, ymm[4+g])
		VMAXPS(ymm[g], ymm[4+g], ymm[g])
	}, func() {
		VMOVSS(Mem{Base: x}, X4)
		VMAXSS(X0, X4, X4)
		VBROADCASTSS(X4, Y4)
		VMAXPS(Y4, Y0, Y0)
	})
	VMAXPS(Y1, Y0, Y0)
	VMAXPS(Y3, Y2, Y2)
	VMAXPS(Y2, Y0, Y0)
	VEXTRACTF128(Imm(1), Y0, X1)
	VMAXPS(X1, X0, X0)
	VMOVHLPS(X0, X0, X1)
	VMAXPS(X1, X0, X0)
	VMOVSHDUP(X0, X1)
	VMAXSS(X1, X0, X0)
	VZEROUPPER()
	Store(X0, ReturnIndex(0))
	RET()
}

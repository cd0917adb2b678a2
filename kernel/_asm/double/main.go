// Command double writes double_amd64.s: what the eigenvalues of small matrices
// take in float64, with AVX. Products are rounded before they are added, as plain
// Go does it, so the bits are the same in every tier.
//
// Run by go generate two folders above.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	axpy()
	turn()
	Generate()
}

// begin opens a function over n elements of two slices.
func begin(name, signature, doc string) (x, y, n Register) {
	TEXT(name, NOSPLIT, signature)
	Doc(doc)
	Pragma("noescape")
	return Load(Param("x"), GP64()), Load(Param("y"), GP64()), Load(Param("n"), GP64())
}

// wide makes v a parameter in all lanes.
func wide(name string, v VecPhysical) {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSD(p.Addr, v)
}

// each passes over the elements, 2·4 at a time, then one at a time.
func each(x, y, n Register, four func(disp int), one func()) {
	Label("eight")
	CMPQ(n, Imm(8))
	JLT(LabelRef("one"))
	four(0)
	four(32)
	ADDQ(Imm(64), x)
	ADDQ(Imm(64), y)
	SUBQ(Imm(8), n)
	JMP(LabelRef("eight"))
	Label("one")
	TESTQ(n, n)
	JZ(LabelRef("end"))
	one()
	ADDQ(Imm(8), x)
	ADDQ(Imm(8), y)
	DECQ(n)
	JMP(LabelRef("one"))
	Label("end")
	VZEROUPPER()
	RET()
}

func axpy() {
	x, y, n := begin("axpy64AVX2", "func(alpha float64, x, y *float64, n int)", "axpy64AVX2 adds alpha·x to y.")
	wide("alpha", Y15)
	each(x, y, n, func(disp int) {
		VMULPD(Mem{Base: x, Disp: disp}, Y15, Y0)
		VADDPD(Mem{Base: y, Disp: disp}, Y0, Y0)
		VMOVUPD(Y0, Mem{Base: y, Disp: disp})
	}, func() {
		VMULSD(Mem{Base: x}, X15, X0)
		VADDSD(Mem{Base: y}, X0, X0)
		VMOVSD(X0, Mem{Base: y})
	})
}

func turn() {
	x, y, n := begin("turn64AVX2", "func(c, s float64, x, y *float64, n int)", "turn64AVX2 makes c·x + s·y of x and c·y - s·x of y.")
	wide("c", Y15)
	wide("s", Y14)
	each(x, y, n, func(disp int) {
		VMOVUPD(Mem{Base: x, Disp: disp}, Y0)
		VMOVUPD(Mem{Base: y, Disp: disp}, Y1)
		VMULPD(Y0, Y15, Y2)
		VMULPD(Y1, Y14, Y3)
		VADDPD(Y3, Y2, Y2)
		VMULPD(Y1, Y15, Y1)
		VMULPD(Y0, Y14, Y0)
		VSUBPD(Y0, Y1, Y1)
		VMOVUPD(Y2, Mem{Base: x, Disp: disp})
		VMOVUPD(Y1, Mem{Base: y, Disp: disp})
	}, func() {
		VMOVSD(Mem{Base: x}, X0)
		VMOVSD(Mem{Base: y}, X1)
		VMULSD(X0, X15, X2)
		VMULSD(X1, X14, X3)
		VADDSD(X3, X2, X2)
		VMULSD(X1, X15, X1)
		VMULSD(X0, X14, X0)
		VSUBSD(X0, X1, X1)
		VMOVSD(X2, Mem{Base: x})
		VMOVSD(X1, Mem{Base: y})
	})
}

// Command layer writes layer_amd64.s: the steps of training a network that
// pass over many slices at once, with AVX2 and fused multiply-add.
//
// Run by go generate in the folder above.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	adam()
	norm()
	normBack()
	Generate()
}

func pointers(names ...string) []Register {
	all := make([]Register, len(names))
	for i, name := range names {
		all[i] = Load(Param(name), GP64())
	}
	return all
}

// wide makes r a parameter in all lanes.
func wide(name string, y VecPhysical) {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(p.Addr, y)
}

// forward moves pointers on by one register.
func forward(all []Register) {
	for _, p := range all {
		ADDQ(Imm(32), p)
	}
}

func back(n Register, all []Register) {
	for _, p := range all {
		SUBQ(n, p)
	}
}

// fold makes every lane of y the sum of all of them.
func fold(y, t VecPhysical) {
	VPERM2F128(Imm(1), y, y, t)
	VADDPS(t, y, y)
	VPERMILPS(Imm(0x4e), y, t)
	VADDPS(t, y, y)
	VPERMILPS(Imm(0xb1), y, t)
	VADDPS(t, y, y)
}

func adam() {
	TEXT("adamAVX2", NOSPLIT, "func(w, m, v, grad *float32, n int, s *float32)")
	Doc("adamAVX2 is one step of Adam on n elements, a positive multiple of 8. s: scale, beta1, 1-beta1, beta2, 1-beta2,",
		"unbias, stride, epsilon, keep, as AdamStep names them.")
	Pragma("noescape")
	all := pointers("w", "m", "v", "grad")
	w, m, v, g := all[0], all[1], all[2], all[3]
	n := Load(Param("n"), GP64())
	s := Load(Param("s"), GP64())
	scale, b1, c1, b2, c2, unbias, stride, epsilon, keep := Y15, Y14, Y13, Y12, Y11, Y10, Y9, Y8, Y7
	for i, r := range []VecPhysical{scale, b1, c1, b2, c2, unbias, stride, epsilon, keep} {
		VBROADCASTSS(Mem{Base: s, Disp: 4 * i}, r)
	}
	Label("loop")
	VMULPS(Mem{Base: g}, scale, Y0)
	VMULPS(Y0, c1, Y1)
	VFMADD231PS(Mem{Base: m}, b1, Y1) // m
	VMULPS(Y0, c2, Y2)
	VMULPS(Y0, Y2, Y2)
	VFMADD231PS(Mem{Base: v}, b2, Y2) // v
	VMOVUPS(Y1, Mem{Base: m})
	VMOVUPS(Y2, Mem{Base: v})
	VMULPS(unbias, Y2, Y2)
	VSQRTPS(Y2, Y2)
	VADDPS(epsilon, Y2, Y2)
	VMULPS(stride, Y1, Y1)
	VDIVPS(Y2, Y1, Y1)
	VMOVUPS(Mem{Base: w}, Y3)
	VFMSUB213PS(Y1, keep, Y3) // keep·w - step
	VMOVUPS(Y3, Mem{Base: w})
	forward(all)
	SUBQ(Imm(8), n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

func norm() {
	TEXT("layerNormAVX2", NOSPLIT, "func(z, hat, x, gain, shift *float32, n int, one, share, epsilon float32) float32")
	Doc("layerNormAVX2 is LayerNorm of one row of n elements, a positive multiple of 8. one is 1, share 1/n.")
	Pragma("noescape")
	all := pointers("z", "hat", "x", "gain", "shift")
	z, hat, x, gain, shift := all[0], all[1], all[2], all[3], all[4]
	n := Load(Param("n"), GP64())
	size := GP64()
	SHLQ(Imm(2), n)
	wide("share", Y15)
	wide("epsilon", Y14)
	wide("one", Y13)

	VXORPS(Y0, Y0, Y0)
	MOVQ(n, size)
	Label("sum")
	VADDPS(Mem{Base: x}, Y0, Y0)
	ADDQ(Imm(32), x)
	SUBQ(Imm(32), size)
	JNZ(LabelRef("sum"))
	fold(Y0, Y1)
	VMULPS(Y15, Y0, Y0) // the mean
	SUBQ(n, x)

	VXORPS(Y2, Y2, Y2)
	MOVQ(n, size)
	Label("square")
	VMOVUPS(Mem{Base: x}, Y1)
	VSUBPS(Y0, Y1, Y1)
	VFMADD231PS(Y1, Y1, Y2)
	VMOVUPS(Y1, Mem{Base: hat})
	ADDQ(Imm(32), x)
	ADDQ(Imm(32), hat)
	SUBQ(Imm(32), size)
	JNZ(LabelRef("square"))
	fold(Y2, Y1)
	VMULPS(Y15, Y2, Y2)
	VADDPS(Y14, Y2, Y2)
	VSQRTPS(Y2, Y2)
	VDIVPS(Y2, Y13, Y2)
	SUBQ(n, hat)

	MOVQ(n, size)
	Label("write")
	VMULPS(Mem{Base: hat}, Y2, Y1)
	VMOVUPS(Y1, Mem{Base: hat})
	VMOVUPS(Mem{Base: shift}, Y3)
	VFMADD231PS(Mem{Base: gain}, Y1, Y3)
	VMOVUPS(Y3, Mem{Base: z})
	forward([]Register{z, hat, gain, shift})
	SUBQ(Imm(32), size)
	JNZ(LabelRef("write"))
	VZEROUPPER()
	Store(X2, ReturnIndex(0))
	RET()
}

func normBack() {
	TEXT("layerNormBackAVX2", NOSPLIT, "func(dx, dz, hat, gain, dGain, dShift *float32, n int, inv, share float32)")
	Doc("layerNormBackAVX2 is LayerNormBack of one row of n elements, a positive multiple of 8. share is 1/n.")
	Pragma("noescape")
	all := pointers("dx", "dz", "hat", "gain", "dGain", "dShift")
	dx, dz, hat, gain, dGain, dShift := all[0], all[1], all[2], all[3], all[4], all[5]
	n := Load(Param("n"), GP64())
	size := GP64()
	SHLQ(Imm(2), n)
	wide("inv", Y15)
	wide("share", Y14)
	VXORPS(Y0, Y0, Y0) // the sum of dz∘gain
	VXORPS(Y1, Y1, Y1) // and along hat
	MOVQ(n, size)
	Label("sums")
	VMOVUPS(Mem{Base: dz}, Y2)
	VMOVUPS(Mem{Base: hat}, Y3)
	VADDPS(Mem{Base: dShift}, Y2, Y4)
	VMOVUPS(Y4, Mem{Base: dShift})
	VMOVUPS(Mem{Base: dGain}, Y4)
	VFMADD231PS(Y3, Y2, Y4)
	VMOVUPS(Y4, Mem{Base: dGain})
	VMULPS(Mem{Base: gain}, Y2, Y2)
	VADDPS(Y2, Y0, Y0)
	VFMADD231PS(Y3, Y2, Y1)
	forward([]Register{dz, hat, gain, dGain, dShift})
	SUBQ(Imm(32), size)
	JNZ(LabelRef("sums"))
	fold(Y0, Y4)
	fold(Y1, Y4)
	VMULPS(Y14, Y0, Y0)
	VMULPS(Y14, Y1, Y1)
	back(n, []Register{dz, hat, gain})
	MOVQ(n, size)
	Label("write")
	VMOVUPS(Mem{Base: dz}, Y2)
	VFMSUB132PS(Mem{Base: gain}, Y0, Y2) // dz∘gain - mean
	VFNMADD231PS(Mem{Base: hat}, Y1, Y2)
	VMOVUPS(Mem{Base: dx}, Y3)
	VFMADD231PS(Y15, Y2, Y3)
	VMOVUPS(Y3, Mem{Base: dx})
	forward([]Register{dx, dz, hat, gain})
	SUBQ(Imm(32), size)
	JNZ(LabelRef("write"))
	VZEROUPPER()
	RET()
}

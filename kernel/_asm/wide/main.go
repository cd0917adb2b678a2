// Command wide writes wide_amd64.s: with AVX-512 what the commands gemv, reach,
// exp and scan write with AVX2.
//
// Each element, and each lane of a sum, is what it is there: a register of 16
// lanes stands for the two chains of 8, the first 8 elements that remain go to
// the lower ones, the last to the upper ones, and the halves are added first.
//
// Run by go generate two folders above.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var zmm = []VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
	Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}

func y(i int) VecPhysical { return zmm[i].AsY().(VecPhysical) }
func x(i int) VecPhysical { return zmm[i].AsX().(VecPhysical) }

func main() {
	gemv()
	gemvT()
	reach()
	exponentials()
	scan8()
	Generate()
}

func begin(name, signature string, doc ...string) {
	TEXT(name, NOSPLIT, signature)
	Doc(doc...)
	Pragma("noescape")
}

func parameter(name string) Register { return Load(Param(name), GP64()) }

func end() {
	VZEROUPPER()
	RET()
}

// tail makes K1 the mask of the last d mod 8 elements, of those 16 from which on they are the last.
func tail(d Register, of int) {
	rest, bits := GP64(), GP64()
	MOVQ(d, rest)
	ANDQ(Imm(uint64(of-1)), rest)
	MOVQ(U32(0xffffffff), bits)
	BZHIQ(rest, bits, bits)
	KMOVW(bits.As32(), K1)
}

// clear empties registers.
func clear(all ...VecPhysical) {
	for _, r := range all {
		VPXORD(r, r, r)
	}
}

// dots is rows dot products with the vector at px. It moves row, rest and px on.
type dots struct {
	name            string
	rows            int
	d, px, n        Register
	row, rest       Register // rows 0 to 3, and 4 to 7
	stride, stride3 Register
}

func newDots(d, stride Register) dots {
	s := dots{d: d, stride: stride, stride3: GP64(), row: GP64(), rest: GP64(), px: GP64(), n: GP64()}
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, s.stride3)
	return s
}

// start points at rows from a on, and at a vector.
func (s dots) start(a, vector Register) {
	MOVQ(a, s.row)
	if s.rows > 4 {
		LEAQ(Mem{Base: a, Index: s.stride, Scale: 4}, s.rest)
	}
	MOVQ(vector, s.px)
}

func (s dots) at(r int) Mem {
	base := s.row
	if r >= 4 {
		base = s.rest
	}
	switch r % 4 {
	case 0:
		return Mem{Base: base}
	case 3:
		return Mem{Base: base, Index: s.stride3, Scale: 1}
	}
	return Mem{Base: base, Index: s.stride, Scale: uint8(r % 4)}
}

func (s dots) forward(bytes uint32) {
	ADDQ(U32(bytes), s.px)
	ADDQ(U32(bytes), s.row)
	if s.rows > 4 {
		ADDQ(U32(bytes), s.rest)
	}
}

// write leaves the products of rows 0 to 3 in X0 and of 4 to 7 in X4. The tail's mask is K1.
func (s dots) write() {
	clear(zmm[:s.rows]...)
	MOVQ(s.d, s.n)
	SUBQ(Imm(16), s.n)
	JLT(LabelRef(s.name + "halves"))
	Label(s.name + "loop")
	VMOVUPS(Mem{Base: s.px}, Z8)
	for r := range s.rows {
		VFMADD231PS(s.at(r), Z8, zmm[r])
	}
	s.forward(64)
	SUBQ(Imm(16), s.n)
	JGE(LabelRef(s.name + "loop"))
	Label(s.name + "halves")
	for r := range s.rows {
		VEXTRACTF64X4(Imm(1), zmm[r], y(16+r))
	}
	ADDQ(Imm(8), s.n)
	JLT(LabelRef(s.name + "tail"))
	VMOVUPS(Mem{Base: s.px}, Y8)
	for r := range s.rows {
		VFMADD231PS(s.at(r), Y8, y(r))
	}
	s.forward(32)
	SUBQ(Imm(8), s.n)
	Label(s.name + "tail")
	ADDQ(Imm(8), s.n)
	JZ(LabelRef(s.name + "fold"))
	VMOVUPS_Z(Mem{Base: s.px}, K1, Y8)
	for r := range s.rows {
		VMOVUPS_Z(s.at(r), K1, Y9)
		VFMADD231PS(Y9, Y8, y(16+r))
	}
	Label(s.name + "fold")
	for r := range s.rows {
		VADDPS(y(16+r), y(r), y(r))
	}
	if s.rows == 1 {
		foldOne()
		return
	}
	for r := 0; r < s.rows; r += 4 {
		foldFour(r)
	}
}

// foldOne adds the lanes of Y0, as ((0+4)+(2+6)) + ((1+5)+(3+7)).
func foldOne() {
	VEXTRACTF128(Imm(1), Y0, X1)
	VADDPS(X1, X0, X0)
	VMOVHLPS(X0, X0, X1)
	VADDPS(X1, X0, X0)
	VMOVSHDUP(X0, X1)
	VADDSS(X1, X0, X0)
}

// foldFour adds the lanes of four registers from r on in the same order, into the first as X.
func foldFour(r int) {
	for i := range 2 { // rows 0 and 1 in the low half, 2 and 3 in the high half
		VPERM2F128(Imm(0x20), y(r+i+2), y(r+i), Y8)
		VPERM2F128(Imm(0x31), y(r+i+2), y(r+i), Y9)
		VADDPS(Y9, Y8, y(r+i))
	}
	VUNPCKLPS(y(r+1), y(r), Y8)
	VUNPCKHPS(y(r+1), y(r), Y9)
	VADDPS(Y9, Y8, y(r))
	VPERMILPS(Imm(0x4e), y(r), y(r+1))
	VADDPS(y(r+1), y(r), y(r))
	VEXTRACTF128(Imm(1), y(r), x(r+1))
	VMOVLHPS(x(r+1), x(r), x(r))
}

// blocks does all rows, eight, four and one at a time. done is given the
// products, as write leaves them, and how many; it moves its own pointers on.
func (s dots) blocks(rows, a, vector Register, done func(name string, many int)) {
	for _, b := range []struct {
		name string
		many int
	}{{"eight", 8}, {"four", 4}, {"one", 1}} {
		Label(b.name)
		CMPQ(rows, Imm(uint64(b.many)))
		JLT(LabelRef(b.name + "end"))
		s.name, s.rows = b.name, b.many
		s.start(a, vector)
		s.write()
		done(b.name, b.many)
		if b.many == 1 {
			ADDQ(s.stride, a)
		} else {
			LEAQ(Mem{Base: a, Index: s.stride, Scale: uint8(b.many)}, a)
		}
		SUBQ(Imm(uint64(b.many)), rows)
		JMP(LabelRef(b.name))
		Label(b.name + "end")
	}
}

func gemv() {
	begin("gemvAVX512", "func(dst, a, x *float32, rows, d, stride int)",
		"gemvAVX512 writes dst[i] = a[i]·x for rows rows of a, stride bytes apart, each of d > 0 elements.")
	dst, a, vector := parameter("dst"), parameter("a"), parameter("x")
	rows, d, stride := parameter("rows"), parameter("d"), parameter("stride")
	tail(d, 8)
	newDots(d, stride).blocks(rows, a, vector, func(_ string, many int) {
		if many == 1 {
			VMOVSS(X0, Mem{Base: dst})
		} else {
			VMOVUPS(X0, Mem{Base: dst})
		}
		if many == 8 {
			VMOVUPS(X4, Mem{Base: dst, Disp: 16})
		}
		ADDQ(Imm(uint64(4*many)), dst)
	})
	end()
}

// skip jumps to end where d is less than cols, or, for cols = 0, where it is 0.
func skip(d Register, cols int, end string) {
	if cols == 0 {
		TESTQ(d, d)
		JZ(LabelRef(end))
		return
	}
	CMPQ(d, U32(uint32(cols)))
	JLT(LabelRef(end))
}

// gemvT keeps up to 128 columns of dst in registers while all rows pass by.
func gemvT() {
	begin("gemvTAVX512", "func(dst, a, v *float32, rows, d, stride int)",
		"gemvTAVX512 adds Σ v[i]·a[i] to dst, for rows > 0 rows of a, stride bytes apart, each of d elements.",
		"Each element of dst is one chain of fused multiply-adds in the order of the rows.")
	dst, a, v := parameter("dst"), parameter("a"), parameter("v")
	rows, d, stride := parameter("rows"), parameter("d"), parameter("stride")
	p, pv, n := GP64(), GP64(), GP64()
	tail(d, 16)
	for _, b := range []struct {
		name  string
		width int // in registers; 0 is the masked rest
	}{{"c128", 8}, {"c32", 2}, {"c16", 1}, {"rest", 0}} {
		cols, w := 16*b.width, max(1, b.width)
		Label(b.name)
		skip(d, cols, b.name+"end")
		MOVQ(a, p)
		MOVQ(v, pv)
		MOVQ(rows, n)
		for i := range w {
			if b.width == 0 {
				VMOVUPS_Z(Mem{Base: dst}, K1, Z0)
			} else {
				VMOVUPS(Mem{Base: dst, Disp: 64 * i}, zmm[i])
			}
		}
		Label(b.name + "row")
		VBROADCASTSS(Mem{Base: pv}, Z8)
		for i := range w {
			if b.width == 0 {
				VMOVUPS_Z(Mem{Base: p}, K1, Z9)
				VFMADD231PS(Z9, Z8, Z0)
			} else {
				VFMADD231PS(Mem{Base: p, Disp: 64 * i}, Z8, zmm[i])
			}
		}
		ADDQ(stride, p)
		ADDQ(Imm(4), pv)
		DECQ(n)
		JNZ(LabelRef(b.name + "row"))
		if b.width == 0 {
			VMOVUPS(Z0, K1, Mem{Base: dst})
			Label(b.name + "end")
			break
		}
		for i := range w {
			VMOVUPS(zmm[i], Mem{Base: dst, Disp: 64 * i})
		}
		ADDQ(U32(uint32(4*cols)), dst)
		ADDQ(U32(uint32(4*cols)), a)
		SUBQ(U32(uint32(cols)), d)
		JMP(LabelRef(b.name))
		Label(b.name + "end")
	}
	end()
}

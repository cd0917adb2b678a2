package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var zmm = []VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
	Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}

// toBF16 is VCVTNEPS2BF16: 16 words, rounded to even, in the lower half of to.
// (VCVTNE2PS2BF16 would do 32 at once, but Bochs 3.0 takes its upper half from
// the wrong place, and what was never run is not to be relied on.)
func toBF16(from, to byte) {
	p0 := byte(0xf2) // R, X, B and R', where 1 means a low register, of map 0F38
	if to&8 != 0 {
		p0 &^= 0x80
	}
	if from&16 != 0 {
		p0 &^= 0x40
	}
	if from&8 != 0 {
		p0 &^= 0x20
	}
	if to&16 != 0 {
		p0 &^= 0x10
	}
	raw(0x62, p0, 0x7c|ppF3, 0x48, 0x72, 0xc0|to&7<<3|from&7)
}

// index is the word of each of two registers that pairs are made of.
var index = Z27

// round writes the rounding of tiles. Rows have 32 of k, one after the other, for
// one row of a tile; otherwise a row has one k of 16 columns, and two rows become
// one of pairs. Across transposes the tile of pairs; low takes what rounding lost.
func round(rows, across, low bool, pairs Mem) {
	name, doc := "roundCols", "takes 32 rows of 16 columns, row bytes apart, to a tile of 16 pairs of rows by 16"
	if rows {
		name, doc = "roundRows", "takes 16 rows, row bytes apart, of 32 elements to a tile of 16 rows by 16 pairs"
	}
	if across {
		name, doc = name+"Across", doc+", transposed"
	}
	if low {
		name, doc = name+"Low", doc+", of what is left when bfloat16 are taken off"
	}
	TEXT(name, NOSPLIT, "func(dst, src *float32, row, step, steps int)")
	Doc(name+" "+doc+".", "It does steps > 0 tiles, the next 32 each time, step bytes apart in dst.")
	Pragma("noescape")
	dst, src, row, step, steps, p := RDI, RSI, RDX, RBX, RCX, R8
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("row"), row)
	Load(Param("step"), step)
	Load(Param("steps"), steps)
	if !rows {
		VMOVDQU32(pairs, index)
	}

	Label("tile")
	MOVQ(src, p)
	for i := range 16 {
		pairsOf(i, rows, low, p, row)
	}
	if rows {
		ADDQ(U32(128), src)
	} else {
		MOVQ(p, src)
	}
	if across {
		transpose()
		if !rows {
			VMOVDQU32(pairs, index)
		}
	}
	for i := range 16 {
		VMOVDQU32(zmm[i], Mem{Base: dst, Disp: 64 * i})
	}
	ADDQ(step, dst)
	DECQ(steps)
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// pairsOf makes register i the 16 pairs of the next row, or of the next two, at p.
func pairsOf(i int, rows, low bool, p, row GPPhysical) {
	x0, x1 := Z30, Z31
	VMOVUPS(Mem{Base: p}, x0)
	if rows {
		VMOVUPS(Mem{Base: p, Disp: 64}, x1)
		ADDQ(row, p)
	} else {
		VMOVUPS(Mem{Base: p, Index: row, Scale: 1}, x1)
		LEAQ(Mem{Base: p, Index: row, Scale: 2}, p)
	}
	toBF16(30, byte(i))
	toBF16(31, 29)
	if low {
		VPMOVZXWD(zmm[i].AsY(), Z28)
		VPMOVZXWD(Y29, Z29)
		VPSLLD(Imm(16), Z28, Z28)
		VPSLLD(Imm(16), Z29, Z29)
		VSUBPS(Z28, x0, x0)
		VSUBPS(Z29, x1, x1)
		toBF16(30, byte(i))
		toBF16(31, 29)
	}
	if rows {
		VINSERTI64X4(Imm(1), Y29, zmm[i], zmm[i])
	} else {
		VPERMT2W(Z29, index, zmm[i])
	}
}

// transpose turns the 16×16 double words of registers 0 to 15.
func transpose() {
	z, t := zmm[:16], zmm[16:]
	for i := 0; i < 16; i += 2 {
		VPUNPCKLDQ(z[i+1], z[i], t[i])
		VPUNPCKHDQ(z[i+1], z[i], t[i+1])
	}
	// Row 4g+c then has, in its quarter l, column 4l+c of rows 4g to 4g+3.
	for g := 0; g < 16; g += 4 {
		VPUNPCKLQDQ(t[g+2], t[g], z[g])
		VPUNPCKHQDQ(t[g+2], t[g], z[g+1])
		VPUNPCKLQDQ(t[g+3], t[g+1], z[g+2])
		VPUNPCKHQDQ(t[g+3], t[g+1], z[g+3])
	}
	const even, odd = 0x88, 0xdd // quarters 0 and 2 of both, or 1 and 3
	for c := range 4 {
		VSHUFI32X4(U8(even), z[4+c], z[c], t[0])
		VSHUFI32X4(U8(even), z[12+c], z[8+c], t[1])
		VSHUFI32X4(U8(odd), z[4+c], z[c], t[2])
		VSHUFI32X4(U8(odd), z[12+c], z[8+c], t[3])
		VSHUFI32X4(U8(even), t[1], t[0], z[c])
		VSHUFI32X4(U8(odd), t[1], t[0], z[8+c])
		VSHUFI32X4(U8(even), t[3], t[2], z[4+c])
		VSHUFI32X4(U8(odd), t[3], t[2], z[12+c])
	}
}

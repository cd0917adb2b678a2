// Command amx writes amx_amd64.s: products of bfloat16 in tiles, and the
// rounding of float32 into them.
//
// Neither avo nor Go's assembler knows AMX or AVX512_BF16, so those instructions
// are written as bytes and every register here is chosen by hand.
//
// Run by go generate in the folder above.
package main

import (
	"encoding/binary"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	config := GLOBL("tileConfig", RODATA|NOPTR)
	DATA(0, U8(1)) // palette 1: eight tiles
	for i := 1; i < 16; i++ {
		DATA(i, U8(0))
	}
	for i := range 8 {
		DATA(16+2*i, U16(64)) // bytes of a row
	}
	for i := 32; i < 48; i++ {
		DATA(i, U8(0))
	}
	for i := range 8 {
		DATA(48+i, U8(16)) // rows
	}
	for i := 56; i < 64; i++ {
		DATA(i, U8(0))
	}
	pairs := GLOBL("wordPairs", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U16(i))
		DATA(4*i+2, U16(32+i)) // of the other register
	}
	product("tilesBF16", config, false)
	product("tilesSplit", config, true)
	peak(config)
	for _, low := range []bool{false, true} {
		for _, across := range []bool{false, true} {
			round(true, across, low, pairs)
			round(false, across, low, pairs)
		}
	}
	Generate()
}

// raw writes an instruction's bytes.
func raw(bytes ...byte) {
	for ; len(bytes) >= 4; bytes = bytes[4:] {
		Instruction(&ir.Instruction{Opcode: "LONG", Operands: []Op{U32(binary.LittleEndian.Uint32(bytes))}})
	}
	for _, b := range bytes {
		Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []Op{U8(b)}})
	}
}

// Prefixes that select an instruction among those of one number.
const (
	ppNone, ppF3, ppF2 = 0, 2, 3
)

// vex is an instruction of the 0F38 map on tiles: reg, vvvv and rm are tile numbers.
func vex(pp, opcode byte, reg, vvvv, rm byte) {
	raw(0xc4, 0xe2, (^vvvv&15)<<3|pp, opcode, 0xc0|reg<<3|rm)
}

// tileMemory loads (F2) or stores (F3) tile t at base + disp, rows index bytes apart.
func tileMemory(pp, t byte, base, index GPPhysical, disp int) {
	x, b := byte(index.PhysicalIndex()), byte(base.PhysicalIndex())
	inverted := byte(0xe2) // R, X and B, where 1 means a low register
	if x >= 8 {
		inverted &^= 0x40
	}
	if b >= 8 {
		inverted &^= 0x20
	}
	raw(0xc4, inverted, 0x78|pp, 0x4b, 0x84|t<<3, x&7<<3|b&7,
		byte(disp), byte(disp>>8), byte(disp>>16), byte(disp>>24))
}

func tileLoad(t byte, base, index GPPhysical, disp int)  { tileMemory(ppF2, t, base, index, disp) }
func tileStore(t byte, base, index GPPhysical, disp int) { tileMemory(ppF3, t, base, index, disp) }

// tileDot adds to tile sum the product of tiles a and b.
func tileDot(sum, a, b byte) { vex(ppF3, 0x5c, sum, b, a) }

// Where the tiles are that come next, and the bytes from row to row of them.
var (
	a0, a1 = R8, R9
	b0, b1 = R10, R11
	stride = RDX
)

// four loads two tiles of A and two of B at these offsets, and adds their
// products. At −1 the tiles of A are those that are there.
func four(a, b int) {
	if a >= 0 {
		tileLoad(4, a0, stride, a)
		tileLoad(5, a1, stride, a)
	}
	tileLoad(6, b0, stride, b)
	tileLoad(7, b1, stride, b)
	products()
}

// sums moves tiles 0 to 3 from or to the 32 rows at c, of which the 17th is at c16.
func sums(move func(t byte, base, index GPPhysical, disp int), c, c16, cRow GPPhysical) {
	move(0, c, cRow, 0)
	move(1, c, cRow, 64)
	move(2, c16, cRow, 0)
	move(3, c16, cRow, 64)
}

// products adds those of tiles 4 and 5 with 6 and 7 to tiles 0 to 3.
func products() {
	tileDot(0, 4, 6)
	tileDot(1, 4, 7)
	tileDot(2, 5, 6)
	tileDot(3, 5, 7)
}

// product writes a kernel for 32 columns of C. Tiles 0 to 3 are 32×32 sums,
// 4 and 5 are 16 rows of A, 6 and 7 are 16 columns of B.
func product(name string, config Mem, split bool) {
	TEXT(name, NOSPLIT, "func(c *float32, cRow int, a, b *float32, steps, blocks int)")
	if split {
		Doc("tilesSplit is tilesBF16 where behind each tile there is another with what was rounded off the first:",
			"it adds high·high, high·low and low·high.")
	} else {
		Doc("tilesBF16 adds A·B to C for blocks > 0 times 32 rows of C and 32 columns, over steps > 0 times 32 of k.",
			"cRow is the bytes from row to row of c. a: 16 rows after 16 rows, each steps tiles of 16×32; b: twice 16 columns,",
			"each steps tiles of 16 pairs of k by 16. Tiles are configured and released here, since they belong to a thread.")
	}
	Pragma("noescape")
	c, cRow, size, c16, steps, blocks, strip := RDI, RSI, 1024, R12, RCX, RAX, R13
	if split {
		size = 2048
	}
	Load(Param("c"), c)
	Load(Param("cRow"), cRow)
	Load(Param("a"), a0)
	Load(Param("blocks"), blocks)
	Load(Param("steps"), strip)
	IMUL3Q(U32(size), strip, strip)
	LEAQ(config, stride)
	raw(0xc4, 0xe2, 0x78, 0x49, 0x02) // LDTILECFG (RDX)
	MOVQ(U32(64), stride)

	Label("block")
	MOVQ(cRow, c16)
	SHLQ(Imm(4), c16)
	ADDQ(c, c16)
	sums(tileLoad, c, c16, cRow)
	Load(Param("b"), b0)
	LEAQ(Mem{Base: b0, Index: strip, Scale: 1}, b1)
	LEAQ(Mem{Base: a0, Index: strip, Scale: 1}, a1)
	Load(Param("steps"), steps)

	Label("step")
	four(0, 0)
	if split {
		four(-1, 1024)
		four(1024, 0)
	}
	for _, p := range []GPPhysical{a0, a1, b0, b1} {
		ADDQ(U32(size), p)
	}
	DECQ(steps)
	JNZ(LabelRef("step"))

	sums(tileStore, c, c16, cRow)
	MOVQ(a1, a0)
	MOVQ(cRow, c16)
	SHLQ(Imm(5), c16)
	ADDQ(c16, c)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	raw(0xc4, 0xe2, 0x78, 0x49, 0xc0) // TILERELEASE
	RET()
}

// peak writes what benchmarks are a share of. A tile's rows are 2·16·16·32
// operations; the tiles hold what is at data, since zeros would be faster.
func peak(config Mem) {
	TEXT("peakTiles", NOSPLIT, "func(data *float32, n int)")
	Doc("peakTiles does 65536 floating-point operations n > 0 times, products of tiles of bfloat16 in registers alone.",
		"data: 1024 elements for four tiles.")
	Pragma("noescape")
	data, n := RDI, RCX
	Load(Param("data"), data)
	Load(Param("n"), n)
	LEAQ(config, stride)
	raw(0xc4, 0xe2, 0x78, 0x49, 0x02) // LDTILECFG (RDX)
	MOVQ(U32(64), stride)
	for t := range 4 {
		vex(ppF2, 0x49, byte(t), 0, 0) // TILEZERO
		tileLoad(byte(4+t), data, stride, 1024*t)
	}
	Label("loop")
	products()
	DECQ(n)
	JNZ(LabelRef("loop"))
	raw(0xc4, 0xe2, 0x78, 0x49, 0xc0) // TILERELEASE
	RET()
}

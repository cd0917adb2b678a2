// Command sparse writes sparse_amd64.s: products of a row of few elements with
// a dense matrix, with AVX2 and FMA, and what fetches such rows ahead.
//
// Run by go generate two folders above.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	gather()
	scatter()
	prefetch()
	Generate()
}

// walk is the registers that lead along the rows of data that index lists.
type walk struct {
	dense               Register  // the vector beside data
	data, index, weight Register  // where they begin, data at the columns that are under way
	n, size, left       Register  // rows, bytes of a row, columns not begun
	k, row              GPVirtual // which row, and where it lies
}

// column registers, and the weight of a row in all lanes of the last.
var (
	held  = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7}
	spare = []VecPhysical{Y8, Y9, Y10, Y11}
	alpha = Y15
)

func begin(name, dense, params string, doc ...string) walk {
	TEXT(name, NOSPLIT, params)
	Doc(doc...)
	Pragma("noescape")
	w := walk{dense: Load(Param(dense), GP64()), data: Load(Param("data"), GP64()), index: Load(Param("index"), GP64()),
		weight: Load(Param("weight"), GP64()), n: Load(Param("n"), GP64()), left: Load(Param("d"), GP64()), size: GP64(), k: GP64(), row: GP64()}
	MOVQ(w.left, w.size)
	SHLQ(Imm(2), w.size)
	return w
}

// columns passes over all columns, as many at a time as registers hold, then
// fewer: open and shut are done around the rows of such a block, each for every row.
func (w walk) columns(open func(columns int), each func(columns int), shut func(columns int)) {
	for _, columns := range []int{64, 32, 16, 8, 1} {
		name := fmt.Sprintf("columns%d", columns)
		Label(name)
		CMPQ(w.left, Imm(uint64(columns)))
		JLT(LabelRef(name + "end"))
		open(columns)
		XORQ(w.k, w.k)
		Label(name + "rows")
		MOVLQSX(Mem{Base: w.index, Index: w.k, Scale: 4}, w.row)
		IMULQ(w.size, w.row)
		ADDQ(w.data, w.row)
		VBROADCASTSS(Mem{Base: w.weight, Index: w.k, Scale: 4}, alpha)
		each(columns)
		INCQ(w.k)
		CMPQ(w.k, w.n)
		JLT(LabelRef(name + "rows"))
		shut(columns)
		ADDQ(U32(4*columns), w.data)
		ADDQ(U32(4*columns), w.dense)
		SUBQ(Imm(uint64(columns)), w.left)
		JMP(LabelRef(name))
		Label(name + "end")
	}
	VZEROUPPER()
	RET()
}

// move loads or stores the columns that are held.
func (w walk) move(store bool) func(columns int) {
	return func(columns int) {
		if columns == 1 {
			if at := (Mem{Base: w.dense}); store {
				VMOVSS(X0, at)
			} else {
				VMOVSS(at, X0)
			}
			return
		}
		for g := range columns / 8 {
			if at := (Mem{Base: w.dense, Disp: 32 * g}); store {
				VMOVUPS(held[g], at)
			} else {
				VMOVUPS(at, held[g])
			}
		}
	}
}

func gather() {
	w := begin("gatherAVX2", "dst", "func(dst, data *float32, index *int32, weight *float32, n, d int)",
		"gatherAVX2 adds weight·row to dst, one after another, over n rows that index lists, at least one. A row has d elements.")
	w.columns(w.move(false), func(columns int) {
		if columns == 1 {
			VFMADD231SS(Mem{Base: w.row}, X15, X0)
			return
		}
		for g := range columns / 8 {
			VFMADD231PS(Mem{Base: w.row, Disp: 32 * g}, alpha, held[g])
		}
	}, w.move(true))
}

func scatter() {
	w := begin("scatterAVX2", "src", "func(data, src *float32, index *int32, weight *float32, n, d int)",
		"scatterAVX2 adds weight·src to each of n rows that index lists, one after another, at least one. A row has d elements.")
	w.columns(w.move(false), func(columns int) {
		if columns == 1 {
			VMOVSS(Mem{Base: w.row}, X8)
			VFMADD231SS(X0, X15, X8)
			VMOVSS(X8, Mem{Base: w.row})
			return
		}
		for g := range columns / 8 {
			at, sum := Mem{Base: w.row, Disp: 32 * g}, spare[g%len(spare)]
			VMOVUPS(at, sum)
			VFMADD231PS(held[g], alpha, sum)
			VMOVUPS(sum, at)
		}
	}, func(int) {})
}

// line is the bytes of a line of cache.
const line = 64

func prefetch() {
	TEXT("prefetchLines", NOSPLIT, "func(at *byte, bytes int)")
	Doc("prefetchLines fetches the lines of cache that hold these bytes, at least one.")
	Pragma("noescape")
	at, n := Load(Param("at"), GP64()), Load(Param("bytes"), GP64())
	ADDQ(at, n)
	ANDQ(I8(-line), at)
	Label("line")
	PREFETCHT0(Mem{Base: at})
	ADDQ(Imm(line), at)
	CMPQ(at, n)
	JLT(LabelRef("line"))
	RET()
}

package kernel

import "golang.org/x/sys/cpu"

// tilesWork is found out once. The processor must have tiles of bfloat16, and
// the operating system must save them for us. As emulators and hypervisors have
// been wrong about either, one product is compared with what plain Go makes.
var tilesWork = cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && cpu.X86.HasAVX512BF16 && cpu.X86.HasAVX512BW &&
	allowTiles() && tilesMultiply()

// tilesMultiply multiplies two matrices of small whole numbers, for which
// bfloat16 and float32 are exact, and tells whether each element is right.
func tilesMultiply() bool {
	const n = block
	a, b, c := aligned(n*n), aligned(n*n), aligned(n*n)
	for i := range a {
		a[i], b[i] = float32(i*7%31-15), float32(i*5%29-14)
	}
	ta, tb := aligned(2*tileFloats), aligned(2*tileFloats)
	for s := range 2 {
		roundTiles(ta[s*tileFloats:], a[s*strip*n:], n, 1, 1, true, false)
		roundTiles(tb[s*tileFloats:], b[s*strip:], n, 1, 1, false, false)
	}
	tilesBF16(&c[0], 4*n, &ta[0], &tb[0], 1, 1)
	for i := range n {
		for j := range n {
			var want float32
			for k := range n {
				want += a[i*n+k] * b[k*n+j]
			}
			if c[i*n+j] != want {
				return false
			}
		}
	}
	return true
}

package matrix

import (
	"syscall"
	"unsafe"
)

// largePage is the size of a large page on the machines that have kernels of ours.
const largePage = 2 << 20

// large asks the system for large pages under data, which it may refuse. Rows
// that are gathered from anywhere otherwise wait for the address of their page
// nearly as long as for themselves.
func large[T int32 | float32](data []T) {
	if 4*len(data) < 2*largePage {
		return
	}
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), 4*len(data))
	bytes = bytes[-uintptr(unsafe.Pointer(&data[0]))&(largePage-1):]
	_ = syscall.Madvise(bytes[:len(bytes)&^(largePage-1)], syscall.MADV_HUGEPAGE)
}

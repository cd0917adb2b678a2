package kernel

import "syscall"

// allowTiles asks Linux, once for the whole process, to save tiles with a
// thread's other registers. Linux before 5.16, and filters that know no such
// request, refuse.
func allowTiles() bool {
	const (
		requestPermission = 0x1023 // ARCH_REQ_XCOMP_PERM
		tileData          = 18     // XFEATURE_XTILE_DATA
	)
	_, _, failed := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return failed == 0
}

package kernel

import "golang.org/x/sys/cpu"

//go:generate go run -C _asm ./gemv -out ../gemv_amd64.s -stubs ../gemv_amd64.gen.go -pkg kernel
//go:generate go run -C _asm ./gemm -out ../gemm_amd64.s -stubs ../gemm_amd64.gen.go -pkg kernel
//go:generate go run -C _asm ./vector -out ../vector_amd64.s -stubs ../vector_amd64.gen.go -pkg kernel
//go:generate go run -C _asm ./double -out ../double_amd64.s -stubs ../double_amd64.gen.go -pkg kernel
//go:generate go run -C _asm ./exp -out ../exp_amd64.s -stubs ../exp_amd64.gen.go -pkg kernel
//go:generate go run -C _asm ./layer -out ../layer_amd64.s -stubs ../layer_amd64.gen.go -pkg kernel
//go:generate go run -C _asm ./scan -out ../scan_amd64.s -stubs ../scan_amd64.gen.go -pkg kernel
//go:generate go run -C _asm ./peak -out ../peak_amd64.s -stubs ../peak_amd64.gen.go -pkg kernel
//go:generate go run -C _asm ./reach -out ../reach_amd64.s -stubs ../reach_amd64.gen.go -pkg kernel

// has tells whether this machine can run a tier. The operating system must save
// the wide registers too, which the cpu package asks for us.
func has(t Tier) bool {
	switch t {
	case Generic:
		return true
	case AVX2:
		return cpu.X86.HasAVX2 && cpu.X86.HasFMA
	case AVX512:
		x := &cpu.X86
		return has(AVX2) && x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL
	case AMX:
		return has(AVX512) && tilesWork
	}
	return false
}

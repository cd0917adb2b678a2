package kernel

import "golang.org/x/sys/cpu"

//go:generate go run -C _asm ./wide -out ../wide_amd64.s -stubs ../wide_amd64.gen.go -pkg kernel

// hasVNNI is found out once: products of bytes, which not every machine with AVX-512 has.
var hasVNNI = cpu.X86.HasAVX512VNNI

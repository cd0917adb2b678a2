package kernel

//go:generate go run -C _asm ./wide -out ../wide_amd64.s -stubs ../wide_amd64.gen.go -pkg kernel

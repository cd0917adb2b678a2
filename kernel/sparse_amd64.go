package kernel

//go:generate go run -C _asm ./sparse -out ../sparse_amd64.s -stubs ../sparse_amd64.gen.go -pkg kernel

func gatherFast(dst, data []float32, index []int32, weight []float32) bool {
	if tier < AVX2 {
		return false
	}
	d := len(dst)
	for at, most := 0, max(1, reachElements/d); at < len(index); at += most {
		gatherAVX2(&dst[0], &data[0], &index[at], &weight[at], min(most, len(index)-at), d)
	}
	return true
}

func scatterFast(data, src []float32, index []int32, weight []float32) bool {
	if tier < AVX2 {
		return false
	}
	d := len(src)
	for at, most := 0, max(1, reachElements/d); at < len(index); at += most {
		scatterAVX2(&data[0], &src[0], &index[at], &weight[at], min(most, len(index)-at), d)
	}
	return true
}

func prefetch(at *byte, bytes int) { prefetchLines(at, bytes) }

package kernel

func above(scores []float32, skip []uint64, floor float32) (int, uint64) {
	if tier < AVX2 || len(scores) < 64 {
		return aboveGeneric(scores, skip, floor)
	}
	var without *uint64
	if len(skip) > 0 {
		without = &skip[0]
	}
	return aboveAVX2(&scores[0], without, len(scores)/64, floor)
}

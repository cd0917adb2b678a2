package kernel

import "unsafe"

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

// groupsAtOnce bounds one call into assembly to 256 KiB of items.
func groupsAtOnce(quads int) int { return max(1, 256<<10/(coarseGroup*4*quads)) }

// boundsFast does all rows, and says how many that were.
func (c *Coarse) boundsFast(upper, lower []float32, size, sign []int8, scale, a, b float32) int {
	quads := len(size) / 4
	if tier < AVX2 || quads == 0 {
		return 0
	}
	start := 0 // what scan8VNNI begins with, since it takes items as bytes from 0 to 255
	for _, q := range sign {
		start -= 128 * int(q)
	}
	many := groupsAtOnce(quads) * coarseGroup
	for at := 0; at < len(c.scale); at += many {
		n := min(many, len(c.scale)-at)
		product := (*int32)(unsafe.Pointer(&lower[at])) // as wide, and read before it is written
		if tier >= AVX512 && hasVNNI {
			scan8VNNI(product, &c.data[at*4*quads], &sign[0], n/coarseGroup, quads, start)
		} else {
			scan8AVX2(product, &c.data[at*4*quads], &size[0], &sign[0], n/coarseGroup, quads)
		}
		boundsAVX2(&upper[at], &lower[at], product, &c.scale[at], &c.length[at], &c.off[at], n, scale, a, b)
	}
	return c.rows
}

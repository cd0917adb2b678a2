package recipe

// Common bounds how many pairs of items have users in common, from both sides: for
// each item those of its users' other events, of which so many as least may tell of
// one and the same item, and no more than most. What is stored of neighbours is no more.
func (in Input) Common(most, least int) int64 {
	others := make([]int64, len(in.Items)) // by item
	in.Events.ByUser(func(_ int32, from, to int) {
		for _, i := range in.Events.Item[from:to] {
			others[i] += int64(to - from - 1)
		}
	})
	sum := int64(0)
	for _, n := range others {
		sum += min(n/int64(max(1, least)), int64(most), int64(len(in.Items)))
	}
	return sum
}

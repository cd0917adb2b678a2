package sequence

import (
	"math/rand/v2"

	"github.com/attune-io/attune/dataset"
)

// window is consecutive events of one user, [from, to) of Events; each is read
// to say what the one after it is. The event at to exists.
type window struct{ from, to int }

func (w window) len() int { return w.to - w.from }

// windows cuts every history, from its end, into pieces of at most length
// events, so that all of a long one is learned from.
func windows(e dataset.Events, length int) []window {
	var all []window
	e.ByUser(func(_ int32, from, to int) {
		for end := to - 1; end > from; end -= length {
			all = append(all, window{max(from, end-length), end})
		}
	})
	return all
}

// shuffled is the windows in the order of one epoch.
func shuffled(all []window, seed uint64, epoch int) []window {
	r := rand.New(rand.NewPCG(seed, 0x6570_6f63+uint64(epoch)<<32))
	out := append([]window(nil), all...)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// maxShards is into how many parts a step is cut at most, each with gradients
// of its own that are added up in order: so the sum does not depend on who
// makes them. More would keep more processors busy and take more memory.
const maxShards = 8

// shardTokens is how many tokens are worth a shard.
const shardTokens = 256

// shards cuts a batch into parts of about as many tokens.
func shards(batch []window) [][]window {
	tokens := 0
	for _, w := range batch {
		tokens += w.len()
	}
	n := min(maxShards, max(1, tokens/shardTokens))
	out := make([][]window, 0, n)
	begin, sum := 0, 0
	for i, w := range batch {
		sum += w.len()
		if sum*n >= tokens*(len(out)+1) || i == len(batch)-1 {
			out = append(out, batch[begin:i+1])
			begin = i + 1
		}
	}
	return out
}

// microTokens is how many tokens go through the layers together: enough for the
// products to be quick, and few enough for the activations to stay in cache.
const microTokens = 512

// micro cuts a shard into runs of whole windows of about microTokens.
func micro(shard []window, do func([]window)) {
	begin, sum := 0, 0
	for i, w := range shard {
		if sum > 0 && sum+w.len() > microTokens {
			do(shard[begin:i])
			begin, sum = i, 0
		}
		sum += w.len()
	}
	if begin < len(shard) {
		do(shard[begin:])
	}
}

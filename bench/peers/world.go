package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"github.com/attune-io/attune/dataset"
)

// pairs are who has what, by user, items ascending and distinct.
type pairs struct {
	users, items int
	start        []int64 // users+1
	item         []int32
}

const (
	tastes     = 50  // groups of items; a user likes two
	loyalty    = 0.7 // share of a user's items that are of those two
	spreadOf   = 1.1 // of the logarithm of how many items a user has
	flatness   = 3   // how many of the most popular items of a group are nearly alike
	steepness  = 0.9 // of popularity by rank
	mostOfAll  = 4   // a user has at most this part of all items
	pairsTries = 20  // to find an item that a user does not have yet
)

// powerLaw makes pairs in which users and items are as uneven as in a shop:
// popularity falls with a power of the rank, histories are log-normal, and
// tastes give factors something to find.
func powerLaw(users, items, n int, seed uint64) *pairs {
	r := rand.New(rand.NewPCG(seed, 1))
	ranks := max(1, items/tastes)
	sum := make([]float64, ranks)
	total := 0.0
	for k := range sum {
		total += math.Pow(float64(k+flatness), -steepness)
		sum[k] = total
	}
	pick := func(taste int) int32 {
		rank := sort.SearchFloat64s(sum, r.Float64()*total)
		return int32(min(min(rank, ranks-1)*tastes+taste, items-1))
	}
	mean := float64(n) / float64(users)
	p := &pairs{users: users, items: items, start: make([]int64, 1, users+1)}
	has := make([]int32, items) // by item: the last user who got it, from 1
	for u := range users {
		want := int(mean * math.Exp(r.NormFloat64()*spreadOf-spreadOf*spreadOf/2))
		want = max(1, min(want, items/mostOfAll))
		likes := [2]int{r.IntN(tastes), r.IntN(tastes)}
		begin := len(p.item)
		for tries := 0; len(p.item)-begin < want && tries < pairsTries*want; tries++ {
			taste := likes[r.IntN(2)]
			if r.Float64() > loyalty {
				taste = r.IntN(tastes)
			}
			if i := pick(taste); has[i] != int32(u+1) {
				has[i] = int32(u + 1)
				p.item = append(p.item, i)
			}
		}
		slices.Sort(p.item[begin:])
		p.start = append(p.start, int64(len(p.item)))
	}
	return p
}

// of is a user's items.
func (p *pairs) of(user int) []int32 { return p.item[p.start[user]:p.start[user+1]] }

// events are the pairs as a recipe takes them.
func (p *pairs) events() dataset.Events {
	e := dataset.Events{User: make([]int32, 0, len(p.item)), Item: p.item, At: make([]int64, len(p.item))}
	for u := range p.users {
		for range p.of(u) {
			e.User = append(e.User, int32(u))
		}
	}
	return e
}

// write puts the pairs where a peer reads them: files start (int64) and item
// (int32), little endian.
func (p *pairs) write(dir string) error {
	start := make([]byte, 0, 8*len(p.start))
	for _, v := range p.start {
		start = binary.LittleEndian.AppendUint64(start, uint64(v))
	}
	item := make([]byte, 0, 4*len(p.item))
	for _, v := range p.item {
		item = binary.LittleEndian.AppendUint32(item, uint32(v))
	}
	if err := os.WriteFile(filepath.Join(dir, "start"), start, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "item"), item, 0o644)
}

package kernel

import (
	"fmt"
	"os"
	"slices"
)

// Tier is a family of implementations. Within one, the same call gives the same
// bits; between two, results agree within the bounds that the tests state.
type Tier uint8

// Tiers, each faster than the one before where the machine has it.
const (
	Generic Tier = iota // plain Go, on every machine
	AVX2                // 8 lanes and fused multiply-add
	AVX512              // 16 lanes; the bits of AVX2
	AMX                 // AVX512, and tiles of bfloat16 where a product's Precision allows them
)

var tierNames = [...]string{"generic", "avx2", "avx512", "amx"}

// String is the tier's name, as ATTUNE_KERNEL and manifests spell it.
func (t Tier) String() string {
	if int(t) < len(tierNames) {
		return tierNames[t]
	}
	return "unknown"
}

// tier is the one in use. It is found out once, before anything is computed;
// only the package's own tests set it afterwards.
var tier = choose(os.Getenv("ATTUNE_KERNEL"))

// Using is the tier that computes on this machine.
func Using() Tier { return tier }

// Tiers are those that this machine has, Generic first.
func Tiers() []Tier {
	var all []Tier
	for t := range Tier(len(tierNames)) {
		if has(t) {
			all = append(all, t)
		}
	}
	return all
}

// choose is the forced tier where the machine has it, otherwise the best.
func choose(forced string) Tier {
	all := Tiers()
	if i := slices.Index(tierNames[:], forced); i >= 0 && has(Tier(i)) {
		return Tier(i)
	}
	if forced != "" {
		best := all[len(all)-1]
		fmt.Fprintf(os.Stderr, "ATTUNE_KERNEL=%s: this machine has no such kernel tier; %s is used\n", forced, best)
	}
	return all[len(all)-1]
}

package kernel

// Precision is what a product may give up to be faster where the machine has
// tiles of bfloat16 (the AMX tier). Other tiers compute every one in float32.
type Precision uint8

const (
	// Full is float32 throughout, on every tier.
	Full Precision = iota
	// Split may take each element of A and B as the sum of two bfloat16 and add
	// three of their four products: an element errs by at most about 2⁻¹⁶ of
	// Σₖ|aᵢₖ·bₖⱼ|, three times the rounding of float32 sums over some hundred terms.
	// An infinite element makes NaN, and so does one beyond 3.38·10³⁸.
	Split
	// Half may round A and B to bfloat16, which keeps 8 bits: an element errs by at
	// most 2⁻⁸ of Σₖ|aᵢₖ·bₖⱼ|. Sums are float32. Elements below 1.2·10⁻³⁸ count as 0.
	Half
)

var precisionNames = [...]string{"full", "split", "half"}

// String is the precision's name.
func (p Precision) String() string {
	if int(p) < len(precisionNames) {
		return precisionNames[p]
	}
	return "unknown"
}

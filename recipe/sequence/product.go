package sequence

import "github.com/attune-io/attune/kernel"

// Weights, gradients and moments are float32, and so are the sums of every
// product, norms, softmax and attention. What goes into the products with the
// layers' matrices and with the items' vectors, both ways, may be rounded to
// bfloat16 where the machine has tiles of it: float32 has no more range, and the
// noise of 8 bits is small beside that of a batch, as long as what is added up
// over steps stays float32. Kalamkar et al.: A Study of BFLOAT16 for Deep
// Learning Training (2019).

// halfFrom is from how many dimensions on they are rounded. Tiles are 32 elements
// deep and sum 32×32 at once, filled up with zeros; 64 deep they are nearly five
// times as quick as float32 in registers, so of 33, which fill half as much,
// something is left. It is of the dimension alone, not of how many rows there are:
// the newest token is read alone when somebody asks, with the bits of a history.
const halfFrom = 32

// precisionFor is that of the large products of a model.
func precisionFor(dimension int) kernel.Precision {
	if dimension < halfFrom {
		return kernel.Full
	}
	return kernel.Half
}

// times adds a·b, a large product, to c.
func (n *net) times(c, a kernel.View, b *kernel.Packed) {
	n.large.Precision = n.precision
	n.large.NNPacked(c, n.operand(a), b)
}

// timesT adds aᵀ·b, a large product, to c.
func (n *net) timesT(c, a, b kernel.View) {
	n.large.Precision = n.precision
	n.large.TN(c, n.operand(a), n.operand(b))
}

// operand is a matrix as large products read it: only tests say that it is not as it is.
func (l *layout) operand(v kernel.View) kernel.View {
	if l.rounded == nil {
		return v
	}
	return l.rounded(v)
}

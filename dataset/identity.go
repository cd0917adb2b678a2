package dataset

import (
	"math"

	"github.com/attune-io/attune/dataset/schema"
)

// PutIdentity is what an event of PutEvents adds to its user, item, type (case
// does not matter) and time: two that agree in all five are one. properties are
// as sent; none and {} are the same. It is stored in checkpoints of profiles,
// so it may not change without their format version.
func PutIdentity(properties string) uint64 {
	if properties == "{}" {
		properties = ""
	}
	return mixed(hashText(hashText(0, "put"), properties))
}

// RowIdentity is for the rows of a batch of interactions what PutIdentity is
// for events: a hash of all further columns. Absent values and the order of
// columns do not matter. A row never has the identity of an event but by
// chance. It is good for as long as its batch.
type RowIdentity struct {
	columns []*Cells
	names   []uint64 // hashes of their names
}

// NewRowIdentity finds the columns that matter.
func NewRowIdentity(b *Batch) RowIdentity {
	var r RowIdentity
	for i := range b.Columns {
		c := &b.Columns[i]
		switch c.Field.Name {
		case schema.UserID, schema.ItemID, schema.Timestamp, schema.EventType:
		default:
			r.columns, r.names = append(r.columns, c), append(r.names, hashText(0, c.Field.Name))
		}
	}
	return r
}

// Of is the identity of a row, 0 without further values.
func (r RowIdentity) Of(row int) uint64 {
	var sum uint64
	for i, c := range r.columns {
		if c.Absent(row) {
			continue
		}
		h := r.names[i]
		switch {
		case c.Text != nil:
			h = hashText(h, c.Text[row])
		case c.Int != nil:
			h ^= uint64(c.Int[row])
		default:
			h ^= math.Float64bits(c.Number[row])
		}
		sum += mixed(h)
	}
	return sum
}

const fnvPrime = 1099511628211 // of FNV-1a, 64 bits

// hashText goes on with FNV-1a: the same on every machine, since it also orders
// events that agree in all else.
func hashText(h uint64, s string) uint64 {
	if h == 0 {
		h = 14695981039346656037 // its offset
	}
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// mixed spreads a hash over all its bits.
func mixed(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

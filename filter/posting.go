package filter

import "slices"

// denseAfter is how many rows a value has before its rows may become a bitmap;
// below it a sorted list is smaller and as quick.
const denseAfter = 256

// posting is the rows that have one value: a sorted list while they are few, a bitmap from
// one row in 32 on, where the two take the same memory.
type posting struct {
	rows []int32
	bits Bitmap
}

// add puts a row in; n is how many rows the column has.
func (p *posting) add(row int32, n int) {
	if p.bits != nil {
		p.addBit(row)
		return
	}
	if k := len(p.rows); k == 0 || p.rows[k-1] < row {
		p.rows = append(p.rows, row)
	} else if i, found := slices.BinarySearch(p.rows, row); !found {
		p.rows = slices.Insert(p.rows, i, row)
	}
	if len(p.rows) > denseAfter && len(p.rows) > n/32 {
		rows := p.rows
		p.rows, p.bits = nil, make(Bitmap, words(n))
		for _, r := range rows {
			p.addBit(r)
		}
	}
}

func (p *posting) addBit(row int32) {
	if w := words(int(row) + 1); w > len(p.bits) {
		p.bits = append(p.bits, make(Bitmap, w-len(p.bits))...)
	}
	p.bits.Add(row)
}

func (p *posting) remove(row int32) {
	if p.bits != nil {
		if w := int(row) >> 6; w < len(p.bits) {
			p.bits[w] &^= 1 << (uint(row) & 63)
		}
		return
	}
	if i, found := slices.BinarySearch(p.rows, row); found {
		p.rows = slices.Delete(p.rows, i, i+1)
	}
}

// into adds the rows to dst.
func (p *posting) into(dst Bitmap) {
	dst.or(p.bits)
	for _, r := range p.rows {
		dst.Add(r)
	}
}

package dataset

import (
	"errors"
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/attune-io/attune/dataset/schema"
)

// dictionary is the strings of one column chunk's dictionary, made once.
type dictionary struct {
	of   parquet.Dictionary
	text []string
}

func (d *dictionary) strings(of parquet.Dictionary) []string {
	if d.of != of {
		d.of = of
		d.text = resize(d.text, of.Len())
		for i := range d.text {
			d.text[i] = string(of.Index(int32(i)).ByteArray())
		}
	}
	return d.text
}

var errShort = errors.New("page holds fewer values than it says")

// readPage writes the n values of a page to the column from row at on. Absent
// values are not in a page's data, only in its levels: the present ones are
// written side by side and then moved apart from the back.
func (c *Cells) readPage(page parquet.Page, dict *dictionary, at, n int) error {
	levels := page.DefinitionLevels()
	present := n
	if len(levels) > 0 {
		present = n - int(page.NumNulls())
	}
	if present > 0 { // the data of a page without values need not have a type
		if err := c.fill(page, dict, at, present); err != nil {
			return err
		}
	}
	if present == n {
		return nil
	}
	if c.Null == nil {
		c.Null = make([]bool, len(c.Text)+len(c.Int)+len(c.Number))
	}
	switch {
	case c.Text != nil:
		spread(c.Text[at:at+n], c.Null[at:at+n], levels, present)
	case c.Int != nil:
		spread(c.Int[at:at+n], c.Null[at:at+n], levels, present)
	default:
		spread(c.Number[at:at+n], c.Null[at:at+n], levels, present)
	}
	return nil
}

// spread moves the first present values of s to the rows whose level is not
// zero, and marks the others.
func spread[T any](s []T, null []bool, levels []byte, present int) {
	var none T
	from := present
	for i := len(s) - 1; i >= 0; i-- {
		if levels[i] == 0 {
			null[i] = true
			s[i] = none
			continue
		}
		from--
		s[i] = s[from]
	}
}

// fill copies the n present values of a page to rows at, at+1, …
func (c *Cells) fill(page parquet.Page, dict *dictionary, at, n int) error {
	data := page.Data()
	switch c.Field.Kind {
	case schema.String:
		return c.fillText(page, dict, c.Text[at:at+n])
	case schema.Int:
		return widen(c.Int[at:at+n], data.Int32())
	case schema.Long:
		return widen(c.Int[at:at+n], data.Int64())
	case schema.Float:
		return widen(c.Number[at:at+n], data.Float())
	case schema.Double:
		return widen(c.Number[at:at+n], data.Double())
	}
	bits := data.Boolean()
	if 8*len(bits) < n {
		return errShort
	}
	for i := range n {
		c.Number[at+i] = float64(bits[i/8] >> (i % 8) & 1)
	}
	return nil
}

func widen[T int64 | float64, F int32 | int64 | float32 | float64](dst []T, src []F) error {
	if len(src) < len(dst) {
		return errShort
	}
	for i := range dst {
		dst[i] = T(src[i])
	}
	return nil
}

func (c *Cells) fillText(page parquet.Page, dict *dictionary, dst []string) error {
	data := page.Data()
	if d := page.Dictionary(); d != nil {
		text, index := dict.strings(d), data.Int32()
		if len(index) < len(dst) {
			return errShort
		}
		for i := range dst {
			k := index[i]
			if k < 0 || int(k) >= len(text) {
				return fmt.Errorf("entry %d of a dictionary of %d", k, len(text))
			}
			dst[i] = text[k]
		}
		return nil
	}
	bytes, offsets := data.ByteArray()
	if len(offsets) < len(dst)+1 {
		return errShort
	}
	for i := range dst {
		dst[i] = string(bytes[offsets[i]:offsets[i+1]])
	}
	return nil
}

// interner keeps one copy of every distinct string and numbers them as they
// come. The zero value is not ready: use newInterner.
type interner struct {
	row map[string]int32
	ids []string
}

func newInterner() *interner { return &interner{row: make(map[string]int32)} }

func (in *interner) number(s string) int32 {
	if n, ok := in.row[s]; ok {
		return n
	}
	s = strings.Clone(s)
	n := int32(len(in.ids))
	in.row[s] = n
	in.ids = append(in.ids, s)
	return n
}

package filter

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
)

// Columns keeps attributes of rows (items by number) column by column, in the
// form that filters match and answers print. Text is dictionary-coded and may
// have many values per row; numbers are plain. A column that a filter has
// asked about once also keeps, per value, the rows that have it.
//
// Safe for concurrent use; meant for one writer and many readers.
type Columns struct {
	mu   sync.RWMutex
	cols map[string]*column
	rows int
}

// NewColumns makes an empty table.
func NewColumns() *Columns { return &Columns{cols: map[string]*column{}} }

// Set says that from now on the row's attribute is v: a string, a []string
// (many values; repeats count once), a number, or nil (and an empty []string)
// for none. A value of any other type is kept as its printed text. Whole
// numbers beyond 2^53 lose their last digits. Negative rows are ignored.
func (c *Columns) Set(row int32, name string, v any) {
	if row < 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rows = max(c.rows, int(row)+1)
	col := c.cols[name]
	if col == nil {
		if v == nil {
			return
		}
		col = newColumn()
		c.cols[name] = col
	}
	col.set(row, v)
}

// Get is the row's attribute: a string, a []string of at least two values in
// the order given (the caller must not change it), a float64, or nil when the
// row or the column does not have one. A name is found without case if no
// column has it exactly.
func (c *Columns) Get(row int32, name string) any {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if col := c.find(name); col != nil && row >= 0 {
		return col.get(row)
	}
	return nil
}

// Len is one more than the highest row ever set.
func (c *Columns) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.rows
}

// Names are the columns that any row was given a value in, sorted.
func (c *Columns) Names() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	names := make([]string, 0, len(c.cols))
	for name := range c.cols {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// find is the column of that name, or the one whose name differs only in case. The caller holds mu.
func (c *Columns) find(name string) *column {
	if col := c.cols[name]; col != nil {
		return col
	}
	for have, col := range c.cols {
		if strings.EqualFold(have, name) {
			return col
		}
	}
	return nil
}

// rlockIndexed takes the read lock with the named columns indexed by value.
func (c *Columns) rlockIndexed(names []string) {
	for {
		c.mu.RLock()
		ready := true
		for _, name := range names {
			if col := c.find(name); col != nil && col.rowsOf == nil {
				ready = false
			}
		}
		if ready {
			return
		}
		c.mu.RUnlock()
		c.mu.Lock()
		for _, name := range names {
			if col := c.find(name); col != nil && col.rowsOf == nil {
				col.index(c.rows)
			}
		}
		c.mu.Unlock()
	}
}

// A cell of a text column: 0 is none; without manyBit it is a value's code
// plus one; with it, the number of an interned list of codes.
const manyBit = 1 << 31

type column struct {
	cells  []uint32
	num    []numberKey // nil until the first number
	dict   map[string]uint32
	texts  []string   // code → value
	uses   []int32    // code → how many rows have it; at 0 the code is free again
	free   []uint32   // codes to use again
	lists  [][]uint32 // list number → codes, in the order given
	values [][]string // list number → the same as text, for Get
	listNo map[string]uint32
	listN  []int32 // list number → how many rows have it
	spare  []uint32
	rowsOf []posting // code → rows; nil until a filter asks
}

func newColumn() *column {
	return &column{dict: map[string]uint32{}, listNo: map[string]uint32{}}
}

func (c *column) get(row int32) any {
	if int(row) < len(c.cells) {
		switch cell := c.cells[row]; {
		case cell&manyBit != 0:
			return c.values[cell&^manyBit]
		case cell != 0:
			return c.texts[cell-1]
		}
	}
	if int(row) < len(c.num) && c.num[row] != noNumber {
		return c.num[row].float()
	}
	return nil
}

func (c *column) set(row int32, v any) {
	switch v := v.(type) {
	case nil:
		c.setText(row, nil)
		c.setNumber(row, math.NaN())
	case string:
		c.setNumber(row, math.NaN())
		c.setText(row, []string{v})
	case []string:
		c.setNumber(row, math.NaN())
		c.setText(row, v)
	case float64:
		c.setText(row, nil)
		c.setNumber(row, v)
	case float32:
		c.set(row, float64(v))
	case int:
		c.set(row, float64(v))
	case int32:
		c.set(row, float64(v))
	case int64:
		c.set(row, float64(v))
	default:
		c.set(row, fmt.Sprint(v))
	}
}

func (c *column) setNumber(row int32, v float64) {
	if int(row) >= len(c.num) {
		if math.IsNaN(v) {
			return
		}
		have := len(c.num)
		c.num = slices.Grow(c.num, int(row)+1-have)[:row+1]
		clear(c.num[have:])
	}
	c.num[row] = keyOf(v)
}

func (c *column) setText(row int32, v []string) {
	if int(row) >= len(c.cells) {
		if len(v) == 0 {
			return
		}
		have := len(c.cells)
		c.cells = slices.Grow(c.cells, int(row)+1-have)[:row+1]
		clear(c.cells[have:])
	}
	old := c.cells[row]
	var cell uint32
	switch codes := c.encode(v); len(codes) { // before release, so that a value that stays keeps its code
	case 0:
	case 1:
		cell = codes[0] + 1
		c.count(codes)
	default:
		cell = c.list(codes) | manyBit
		c.count(codes)
	}
	c.cells[row] = cell
	c.release(row, old)
	if cell != 0 && c.rowsOf != nil { // release may have taken a row out of a value it still has
		var one [1]uint32
		for _, code := range c.codes(cell, &one) {
			c.rowsOf[code].add(row, len(c.cells))
		}
	}
}

// codes are the values of a cell; one is where a single code is put.
func (c *column) codes(cell uint32, one *[1]uint32) []uint32 {
	switch {
	case cell == 0:
		return nil
	case cell&manyBit != 0:
		return c.lists[cell&^manyBit]
	}
	one[0] = cell - 1
	return one[:]
}

// encode gives each distinct value its code.
func (c *column) encode(v []string) []uint32 {
	codes := make([]uint32, 0, len(v))
	for _, text := range v {
		code, ok := c.dict[text]
		if !ok {
			if n := len(c.free); n > 0 {
				code, c.free = c.free[n-1], c.free[:n-1]
				c.texts[code] = strings.Clone(text)
			} else {
				code = uint32(len(c.texts))
				c.texts = append(c.texts, strings.Clone(text)) // a caller's text may be a piece of a whole file
				c.uses = append(c.uses, 0)
				if c.rowsOf != nil {
					c.rowsOf = append(c.rowsOf, posting{})
				}
			}
			c.dict[c.texts[code]] = code
		}
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	return codes
}

// count counts one more row in each of the values.
func (c *column) count(codes []uint32) {
	for _, code := range codes {
		c.uses[code]++
	}
}

// list is the number of the interned list of codes, counted once more.
func (c *column) list(codes []uint32) uint32 {
	key := listKey(codes)
	no, ok := c.listNo[key]
	if !ok {
		texts := make([]string, len(codes))
		for i, code := range codes {
			texts[i] = c.texts[code]
		}
		if n := len(c.spare); n > 0 {
			no, c.spare = c.spare[n-1], c.spare[:n-1]
			c.lists[no], c.values[no] = codes, texts
		} else {
			no = uint32(len(c.lists))
			c.lists, c.values, c.listN = append(c.lists, codes), append(c.values, texts), append(c.listN, 0)
		}
		c.listNo[key] = no
	}
	c.listN[no]++
	return no
}

func listKey(codes []uint32) string {
	key := make([]byte, 0, 4*len(codes))
	for _, code := range codes {
		key = append(key, byte(code), byte(code>>8), byte(code>>16), byte(code>>24))
	}
	return string(key)
}

// release takes the row out of the values of its old cell and frees what nobody uses any more.
func (c *column) release(row int32, cell uint32) {
	var one [1]uint32
	for _, code := range c.codes(cell, &one) {
		if c.rowsOf != nil {
			c.rowsOf[code].remove(row)
		}
		if c.uses[code]--; c.uses[code] == 0 {
			delete(c.dict, c.texts[code])
			c.texts[code] = ""
			c.free = append(c.free, code)
			if c.rowsOf != nil {
				c.rowsOf[code] = posting{}
			}
		}
	}
	if cell&manyBit == 0 {
		return
	}
	no := cell &^ manyBit
	if c.listN[no]--; c.listN[no] == 0 {
		delete(c.listNo, listKey(c.lists[no]))
		c.lists[no], c.values[no] = nil, nil
		c.spare = append(c.spare, no)
	}
}

// index builds the rows of every value; from then on set keeps them.
func (c *column) index(rows int) {
	c.rowsOf = make([]posting, len(c.texts))
	var one [1]uint32
	for row, cell := range c.cells {
		for _, code := range c.codes(cell, &one) {
			c.rowsOf[code].add(int32(row), rows)
		}
	}
}

package dataset

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"github.com/attune-io/attune/dataset/schema"
)

// What is wrong with a cell. The set is small so that rejects can be counted by reason.
const (
	problemEmpty     = "is empty: give a value, or add null to the field's type"
	problemEmptyID   = "is empty"
	problemLongID    = "is longer than 256 characters"
	problemLongText  = "is longer than its field allows (1000 characters, 20000 if textual)"
	problemInteger   = "is not a whole number"
	problemRange     = "does not fit its type: use long in the schema"
	problemNumber    = "is not a number"
	problemBoolean   = "is not true or false"
	problemDate      = "is a date in words: write Unix seconds, e.g. 1767225600"
	problemMillis    = "looks like milliseconds: write Unix seconds, e.g. 1767225600"
	problemFraction  = "has a fraction of a second: write whole Unix seconds"
	problemBefore    = "is before 1970: write Unix seconds, e.g. 1767225600"
	problemTimestamp = "is not a time: write Unix seconds, e.g. 1767225600"
)

// farSecond is the first Unix second taken for a mistake: the year 5138 in
// seconds is March 1973 in milliseconds, and nothing is sold in either.
const farSecond = 100_000_000_000

// cell reads one column's cells.
type cell struct {
	field schema.Field
	index int // of the column in the table
	id    bool
	time  bool
	past  bool // times before 1970 are fine
}

func newCell(f schema.Field, index int) cell {
	c := cell{field: f, index: index}
	switch f.Name {
	case schema.UserID, schema.ItemID, schema.ActionID:
		c.id = true
	case schema.Timestamp:
		c.time = true
	case schema.CreationTimestamp:
		c.time, c.past = f.Kind == schema.Long, true // films are older than 1970
	case schema.ActionExpiration:
		c.time = f.Kind == schema.Long
	}
	return c
}

// read gives the value of a cell, or what is wrong with it. A string value
// points into raw.
func (c *cell) read(raw []byte) (v parquet.Value, problem string) {
	if c.field.Kind == schema.String {
		return c.readText(raw)
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		if !c.field.Nullable {
			return v, problemEmpty
		}
		return parquet.NullValue().Level(0, 0, c.index), ""
	}
	switch c.field.Kind {
	case schema.Boolean:
		b, ok := schema.ParseBool(string(raw))
		if !ok {
			return v, problemBoolean
		}
		v = parquet.BooleanValue(b)
	case schema.Int, schema.Long:
		n, problem := c.readInteger(raw)
		if problem != "" {
			return v, problem
		}
		if v = parquet.Int64Value(n); c.field.Kind == schema.Int {
			v = parquet.Int32Value(int32(n))
		}
	default:
		x, ok := readFloat(raw, c.field.Kind)
		if !ok {
			return v, problemNumber
		}
		if v = parquet.DoubleValue(x); c.field.Kind == schema.Float {
			v = parquet.FloatValue(float32(x))
		}
	}
	return c.level(v), ""
}

// level says where a present value stands: parquet wants to know that an
// optional column's value is there.
func (c *cell) level(v parquet.Value) parquet.Value {
	if c.field.Nullable {
		return v.Level(0, 1, c.index)
	}
	return v.Level(0, 0, c.index)
}

func (c *cell) readText(raw []byte) (v parquet.Value, problem string) {
	switch {
	case len(raw) == 0 && c.id:
		return v, problemEmptyID
	case len(raw) == 0 && c.field.Nullable:
		return parquet.NullValue().Level(0, 0, c.index), ""
	case len(raw) == 0:
		return v, problemEmpty
	case c.id && len(raw) > schema.MaxID && utf8.RuneCount(raw) > schema.MaxID:
		return v, problemLongID
	case c.id:
	case c.field.Textual:
		if len(raw) > schema.MaxTextual && utf8.RuneCount(raw) > schema.MaxTextual {
			return v, problemLongText
		}
	case len(raw) > schema.MaxCategorical && utf8.RuneCount(raw) > schema.MaxCategorical:
		return v, problemLongText
	}
	return c.level(parquet.ByteArrayValue(raw)), ""
}

// readInteger reads a whole number; ".0" after it is forgiven, because table
// programs write integer columns with gaps that way.
func (c *cell) readInteger(raw []byte) (n int64, problem string) {
	whole, frac, dotted := bytes.Cut(raw, []byte("."))
	n, ok := digits(whole)
	round := !dotted || len(bytes.Trim(frac, "0")) == 0
	if !ok {
		// Slow and rare: signs, overflow, words.
		parsed, err := strconv.ParseInt(string(whole), 10, 64)
		switch {
		case err == nil:
			n = parsed
		case c.time && looksLikeDate(raw):
			return 0, problemDate
		case c.time:
			return 0, problemTimestamp
		default:
			return 0, problemInteger
		}
	}
	switch {
	case c.time && !round && allDigits(frac):
		return 0, problemFraction
	case !round && c.time:
		return 0, problemTimestamp
	case !round:
		return 0, problemInteger
	case c.time && (n >= farSecond || n <= -farSecond):
		return 0, problemMillis
	case c.time && n < 0 && !c.past:
		return 0, problemBefore
	case c.field.Kind == schema.Int && (n < math.MinInt32 || n > math.MaxInt32):
		return 0, problemRange
	}
	return n, ""
}

// digits reads up to 18 plain digits, which cannot overflow.
func digits(s []byte) (n int64, ok bool) {
	if len(s) == 0 || len(s) > 18 {
		return 0, false
	}
	for _, b := range s {
		if b < '0' || b > '9' {
			return 0, false
		}
		n = 10*n + int64(b-'0')
	}
	return n, true
}

func allDigits(s []byte) bool {
	for _, b := range s {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

// looksLikeDate says whether text is likely a date such as 2026-03-01T00:00:00Z
// or 1/3/26: digits with marks between them.
func looksLikeDate(s []byte) bool {
	return len(s) >= 6 && bytes.ContainsAny(s, "0123456789") && bytes.ContainsAny(s[1:], "-/:TZ ")
}

// readFloat reads a decimal number. Up to 15 digits and a point, which is
// nearly every price and rating, are exact in a float64 and so is 10^22, so one
// division rounds once and gives what strconv would (Clinger 1990).
func readFloat(raw []byte, k schema.Kind) (float64, bool) {
	const exactDigits = 15
	var n, frac int64
	seen, point := 0, false
	for _, b := range raw {
		switch {
		case b == '.' && !point:
			point = true
			continue
		case b < '0' || b > '9' || seen == exactDigits:
			return schema.ParseFloat(string(raw), k)
		}
		n = 10*n + int64(b-'0')
		seen++
		if point {
			frac++
		}
	}
	if seen == 0 {
		return 0, false
	}
	if frac == 0 {
		return float64(n), true
	}
	return float64(n) / tenTo(frac), true
}

func tenTo(n int64) float64 {
	x := 1.0
	for range n {
		x *= 10 // exact up to 10^22
	}
	return x
}

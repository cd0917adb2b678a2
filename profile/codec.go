package profile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// The first and last bytes of a checkpoint; docs/format/profile.md has the rest.
const (
	magic         = "attune-profile\n"
	formatVersion = 4
	endMark       = '.'
)

const (
	// maxText bounds one string of a checkpoint in bytes: properties are bounded far below.
	maxText = 1 << 20

	// firstRoom is how many entries of a list get memory before they are read:
	// a count may be damaged.
	firstRoom = 1 << 16
)

// Flags of people, touches and fields, and tags of values.
const (
	flagKnown = 1

	touchValue = 1
	touchMarks = 2

	fieldNullable    = 1
	fieldCategorical = 2
	fieldTextual     = 4

	valueText   = 1
	valueTexts  = 2
	valueNumber = 3
)

var errCheckpoint = errors.New("checkpoint is damaged")

type encoder struct {
	w   *bufio.Writer
	buf []byte
}

// The writer remembers its first error; encode asks for it at the end.
func (e *encoder) uint(x uint64) {
	e.buf = binary.AppendUvarint(e.buf[:0], x)
	_, _ = e.w.Write(e.buf)
}

func (e *encoder) int(x int64) {
	e.buf = binary.AppendVarint(e.buf[:0], x)
	_, _ = e.w.Write(e.buf)
}

func (e *encoder) byte(b byte) { _ = e.w.WriteByte(b) }

func (e *encoder) text(s string) {
	e.uint(uint64(len(s)))
	_, _ = e.w.WriteString(s)
}

func (e *encoder) texts(list []string) {
	e.uint(uint64(len(list)))
	for _, s := range list {
		e.text(s)
	}
}

func (c *checkpoint) encode(w io.Writer) error {
	e := &encoder{w: bufio.NewWriterSize(w, 1<<20)}
	_, _ = e.w.WriteString(magic)
	e.byte(formatVersion)
	e.text(string(c.group))
	e.uint(c.seq.Message)
	e.uint(uint64(c.seq.Index))
	e.uint(uint64(c.limit))
	e.texts(c.types)
	e.texts(c.items)
	e.texts(c.actions)
	e.counts(c)
	e.texts(c.jobs)
	for _, t := range datasets {
		e.uint(uint64(c.contents[t].imports))
		puts := byte(0)
		if c.contents[t].puts {
			puts = 1
		}
		e.byte(puts)
	}
	e.block(&c.item)
	e.block(&c.user)
	e.block(&c.action)
	e.uint(uint64(len(c.people)))
	for i := range c.people {
		e.person(&c.people[i])
	}
	e.uint(uint64(len(c.aliases)))
	for _, a := range c.aliases {
		e.text(a.key)
		e.uint(uint64(a.person))
	}
	e.byte(endMark)
	return e.w.Flush()
}

func (e *encoder) counts(c *checkpoint) {
	e.int(c.latest)
	e.uint(uint64(len(c.counts)))
	for _, n := range c.counts {
		e.uint(uint64(n.Touched))
		e.uint(uint64(n.Shown))
		e.int(n.First)
	}
}

func (e *encoder) block(b *block) {
	e.uint(uint64(len(b.fields)))
	for _, f := range b.fields {
		e.text(f.Name)
		e.uint(uint64(f.Kind))
		var flags byte
		if f.Nullable {
			flags |= fieldNullable
		}
		if f.Categorical {
			flags |= fieldCategorical
		}
		if f.Textual {
			flags |= fieldTextual
		}
		e.byte(flags)
	}
	e.texts(b.names)
	e.uint(uint64(len(b.rows)))
	for _, r := range b.rows {
		e.uint(uint64(r.row))
		e.uint(uint64(len(r.values)))
		for _, x := range r.values {
			e.uint(uint64(x.name))
			switch x := x.x.(type) {
			case string:
				e.byte(valueText)
				e.text(x)
			case []string:
				e.byte(valueTexts)
				e.texts(x)
			case float64:
				e.byte(valueNumber)
				e.buf = binary.LittleEndian.AppendUint64(e.buf[:0], math.Float64bits(x))
				_, _ = e.w.Write(e.buf)
			}
		}
	}
}

func (e *encoder) person(p *savedPerson) {
	e.text(p.key)
	var flags byte
	if p.known {
		flags = flagKnown
	}
	e.byte(flags)
	e.text(p.session)
	e.uint(uint64(p.row + 1))
	for of := range sides {
		e.touches(p.touches[of])
	}
}

func (e *encoder) touches(list []Touch) {
	e.uint(uint64(len(list)))
	before := int64(0)
	for i := range list {
		t := &list[i]
		e.int(t.At - before)
		before = t.At
		e.uint(uint64(t.Item))
		e.uint(uint64(t.Type))
		var flags byte
		if !math.IsNaN(float64(t.Value)) {
			flags |= touchValue
		}
		if t.marks() != 0 {
			flags |= touchMarks
		}
		e.byte(flags)
		e.buf = e.buf[:0]
		if flags&touchValue != 0 {
			e.buf = binary.LittleEndian.AppendUint32(e.buf, math.Float32bits(t.Value))
		}
		if flags&touchMarks != 0 {
			e.buf = binary.LittleEndian.AppendUint16(e.buf, t.hi)
			e.buf = binary.LittleEndian.AppendUint32(e.buf, t.lo)
		}
		_, _ = e.w.Write(e.buf)
	}
}

// decoder reads until the first error, and zeros after it.
type decoder struct {
	r   *bufio.Reader
	err error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) uint() uint64 {
	if d.err != nil {
		return 0
	}
	x, err := binary.ReadUvarint(d.r)
	if err != nil {
		d.fail(fmt.Errorf("%w: %w", errCheckpoint, err))
		return 0
	}
	return x
}

// below is a uint that must be less than n.
func (d *decoder) below(n int) int {
	x := d.uint()
	if x >= uint64(n) {
		d.fail(errCheckpoint)
		return 0
	}
	return int(x)
}

func (d *decoder) int() int64 {
	u := d.uint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) bytes(b []byte) {
	if d.err != nil {
		return
	}
	if _, err := io.ReadFull(d.r, b); err != nil {
		clear(b)
		d.fail(fmt.Errorf("%w: %w", errCheckpoint, err))
	}
}

func (d *decoder) byte() byte {
	var b [1]byte
	d.bytes(b[:])
	return b[0]
}

func (d *decoder) text() string {
	b := make([]byte, d.below(maxText+1))
	d.bytes(b)
	return string(b)
}

// list reads a count and then as many entries.
func list[T any](d *decoder, one func() T) []T {
	n := d.uint()
	out := make([]T, 0, min(n, firstRoom))
	for ; n > 0 && d.err == nil; n-- {
		out = append(out, one())
	}
	return slices.Clip(out)
}

// decode reads a checkpoint whose bytes are those that were written. What is
// damaged all the same is an error, never a panic.
func decode(r io.Reader) (*checkpoint, error) {
	d := &decoder{r: bufio.NewReaderSize(r, 1<<20)}
	head := make([]byte, len(magic)+1)
	d.bytes(head)
	if d.err == nil && string(head[:len(magic)]) != magic {
		return nil, errCheckpoint
	}
	if d.err == nil && head[len(magic)] != formatVersion {
		return nil, fmt.Errorf("checkpoint has format version %d, this build reads %d", head[len(magic)], formatVersion)
	}
	c := &checkpoint{contents: map[schema.Type]content{}}
	c.group = event.Group(d.text())
	c.seq = event.Seq{Message: d.uint(), Index: uint32(d.below(math.MaxInt32))}
	c.limit = d.below(math.MaxInt32)
	c.types = list(d, d.text)
	c.items = list(d, d.text)
	c.actions = list(d, d.text)
	c.latest = d.int()
	c.counts = list(d, func() Count {
		return Count{Touched: uint32(d.below(1 << 32)), Shown: uint32(d.below(1 << 32)), First: d.int()}
	})
	if len(c.counts) > len(c.items) {
		d.fail(errCheckpoint)
	}
	c.jobs = list(d, d.text)
	for _, t := range datasets {
		c.contents[t] = content{imports: d.below(math.MaxInt32), puts: d.byte() != 0}
	}
	c.item = d.block()
	c.user = d.block()
	c.action = d.block()
	c.people = list(d, func() savedPerson {
		return d.person([sides]int{ofItems: len(c.items), ofActions: len(c.actions)}, len(c.types))
	})
	c.aliases = list(d, func() alias { return alias{d.text(), d.below(len(c.people))} })
	if d.byte() != endMark {
		d.fail(errCheckpoint)
	}
	return c, d.err
}

func (d *decoder) block() block {
	var b block
	b.fields = list(d, func() schema.Field {
		f := schema.Field{Name: d.text(), Kind: schema.Kind(d.below(256))}
		flags := d.byte()
		f.Nullable, f.Categorical, f.Textual = flags&fieldNullable != 0, flags&fieldCategorical != 0, flags&fieldTextual != 0
		return f
	})
	b.names = list(d, d.text)
	b.rows = list(d, func() savedRow {
		return savedRow{int32(d.below(math.MaxInt32)), list(d, func() savedValue {
			return savedValue{d.below(len(b.names)), d.value()}
		})}
	})
	return b
}

func (d *decoder) value() any {
	switch d.byte() {
	case valueText:
		return d.text()
	case valueTexts:
		return list(d, d.text)
	case valueNumber:
		var b [8]byte
		d.bytes(b[:])
		return math.Float64frombits(binary.LittleEndian.Uint64(b[:]))
	}
	d.fail(errCheckpoint)
	return nil
}

func (d *decoder) person(things [sides]int, types int) savedPerson {
	p := savedPerson{key: d.text(), known: d.byte()&flagKnown != 0, session: d.text(), row: int32(d.below(math.MaxInt32)) - 1}
	for of := range sides {
		p.touches[of] = d.touches(things[of], types)
	}
	return p
}

func (d *decoder) touches(things, types int) []Touch {
	at := int64(0)
	return list(d, func() Touch {
		at += d.int()
		t := Touch{At: at, Item: int32(d.below(things)), Type: uint16(d.below(types)), Value: value32(math.NaN())}
		flags := d.byte()
		var b [4]byte
		if flags&touchValue != 0 {
			d.bytes(b[:])
			t.Value = math.Float32frombits(binary.LittleEndian.Uint32(b[:]))
		}
		if flags&touchMarks != 0 {
			d.bytes(b[:2])
			t.hi = binary.LittleEndian.Uint16(b[:2])
			d.bytes(b[:])
			t.lo = binary.LittleEndian.Uint32(b[:])
		}
		return t
	})
}

package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
)

// Digest is a SHA-256 over everything in the snapshot but its name and moment:
// equal content has an equal digest, on every machine.
func (s *Snapshot) Digest() string {
	d := digester{h: sha256.New()}
	d.texts(s.Users.ids)
	d.texts(s.Items.ids)
	d.texts(s.Events.Types)
	d.number(uint64(s.Events.Len()))
	for i := range s.Events.User {
		d.number(uint64(uint32(s.Events.User[i]))<<32 | uint64(uint32(s.Events.Item[i])))
		d.number(uint64(s.Events.At[i]))
		value := uint32(0xffc00000) // one NaN for all NaNs
		if v := s.Events.Value[i]; v == v {
			value = math.Float32bits(v)
		}
		d.number(uint64(s.Events.Type[i])<<32 | uint64(value))
	}
	d.attributes(s.ItemAttributes)
	d.attributes(s.UserAttributes)
	d.flush()
	return hex.EncodeToString(d.h.Sum(nil))
}

// digester gathers small pieces before it hashes them.
type digester struct {
	h   hash.Hash
	buf []byte
}

func (d *digester) flush() {
	_, _ = d.h.Write(d.buf) // a hash does not fail
	d.buf = d.buf[:0]
}

func (d *digester) number(x uint64) {
	const chunk = 32 << 10
	if len(d.buf) >= chunk {
		d.flush()
	}
	d.buf = binary.LittleEndian.AppendUint64(d.buf, x)
}

func (d *digester) text(s string) {
	d.number(uint64(len(s)))
	d.buf = append(d.buf, s...)
}

func (d *digester) texts(list []string) {
	d.number(uint64(len(list)))
	for _, s := range list {
		d.text(s)
	}
}

func (d *digester) attributes(a *Attributes) {
	if a == nil {
		d.number(0)
		return
	}
	d.number(uint64(len(a.Columns)))
	for i := range a.Columns {
		c := &a.Columns[i]
		d.text(c.Name)
		d.text(fmt.Sprint(c.Kind, c.Categorical, c.Textual))
		d.texts(c.Text)
		for _, x := range c.Number {
			if math.IsNaN(x) {
				x = math.NaN()
			}
			d.number(math.Float64bits(x))
		}
	}
}

package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/attune-io/attune"
)

// formatVersion is the first byte of every message. A change that an older
// reader would misread takes the next number; readers keep all older ones.
const formatVersion = 1

// The kinds of records, one byte each, in docs/format/log.md.
const (
	kindInteraction = 1
	kindItem        = 2
	kindUser        = 3
	kindImported    = 4
	kindImpression  = 5

	kindAction            = 6
	kindActionInteraction = 7

	kindErased = 8

	kindShown = 9 // an impression with more to say than kindImpression has room for
)

// recordOverhead is the least a record takes: its kind and its length. It
// bounds what a damaged count can make the decoder allocate.
const recordOverhead = 2

// errDamaged is why a message cannot be read.
var errDamaged = errors.New("record is cut short or longer than it says")

// appendMessage appends a message of n records, already encoded, to dst.
func appendMessage(dst []byte, received time.Time, n int, records []byte) []byte {
	dst = append(dst, formatVersion)
	dst = binary.AppendVarint(dst, received.UnixMilli())
	dst = binary.AppendUvarint(dst, uint64(n))
	return append(dst, records...)
}

// appendRecord appends one record, kind and length first.
func appendRecord(dst []byte, b Body) ([]byte, error) {
	switch b := b.(type) {
	case *Interaction:
		if b != nil {
			return frame(dst, kindInteraction, b.append), nil
		}
	case *Item:
		if b != nil {
			return frame(dst, kindItem, b.append), nil
		}
	case *User:
		if b != nil {
			return frame(dst, kindUser, b.append), nil
		}
	case *Imported:
		if b != nil {
			return frame(dst, kindImported, b.append), nil
		}
	case *Impression:
		switch {
		case b == nil:
		case b.plain():
			return frame(dst, kindImpression, b.append), nil
		case b.Reasons != nil && len(b.Reasons) != len(b.Items), b.Propensities != nil && len(b.Propensities) != len(b.Items):
			return dst, attune.Errorf(attune.Internal, "an impression of %d items has %d reasons and %d propensities", len(b.Items), len(b.Reasons), len(b.Propensities))
		default:
			return frame(dst, kindShown, b.appendShown), nil
		}
	case *Action:
		if b != nil {
			return frame(dst, kindAction, b.append), nil
		}
	case *ActionInteraction:
		if b != nil {
			return frame(dst, kindActionInteraction, b.append), nil
		}
	case *Erased:
		if b != nil {
			return frame(dst, kindErased, b.append), nil
		}
	}
	return dst, attune.Errorf(attune.Invalid, "a record without a body cannot be appended")
}

// frame writes the body and then moves it up to make room for its length,
// which is cheaper than measuring the body first.
func frame(dst []byte, kind byte, body func([]byte) []byte) []byte {
	dst = append(dst, kind)
	start := len(dst)
	dst = body(dst)
	n := len(dst) - start
	var length [binary.MaxVarintLen64]byte
	k := binary.PutUvarint(length[:], uint64(n))
	dst = append(dst, length[:k]...)
	copy(dst[start+k:], dst[start:start+n])
	copy(dst[start:], length[:k])
	return dst
}

func (b *Interaction) append(dst []byte) []byte {
	dst = appendString(dst, b.EventID)
	dst = appendString(dst, b.User)
	dst = appendString(dst, b.Session)
	dst = appendString(dst, b.Item)
	dst = appendString(dst, b.Type)
	dst = binary.AppendVarint(dst, b.At.UnixMilli())
	if math.IsNaN(b.Value) {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 1)
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(b.Value))
	}
	dst = appendString(dst, b.Properties)
	dst = appendString(dst, b.RecommendationID)
	dst = appendStrings(dst, b.Impression)
	return appendString(dst, b.Source)
}

func (b *Item) append(dst []byte) []byte {
	return appendString(appendString(dst, b.ID), b.Properties)
}

func (b *User) append(dst []byte) []byte {
	return appendString(appendString(dst, b.ID), b.Properties)
}

func (b *Imported) append(dst []byte) []byte {
	dst = appendString(dst, b.Dataset)
	dst = appendString(dst, b.Table)
	dst = appendString(dst, string(b.Mode))
	dst = binary.AppendVarint(dst, b.Rows)
	return appendString(dst, b.Job)
}

func (b *Impression) append(dst []byte) []byte {
	dst = appendString(dst, b.RecommendationID)
	dst = appendString(dst, b.Campaign)
	dst = appendString(dst, b.Version)
	dst = appendString(dst, b.User)
	return appendStrings(dst, b.Items)
}

func (b *Action) append(dst []byte) []byte {
	return appendString(appendString(dst, b.ID), b.Properties)
}

func (b *ActionInteraction) append(dst []byte) []byte {
	dst = appendString(dst, b.EventID)
	dst = appendString(dst, b.User)
	dst = appendString(dst, b.Session)
	dst = appendString(dst, b.Action)
	dst = appendString(dst, b.Type)
	dst = binary.AppendVarint(dst, b.At.UnixMilli())
	dst = appendString(dst, b.Properties)
	dst = appendString(dst, b.RecommendationID)
	return appendStrings(dst, b.Impression)
}

func (b *Erased) append(dst []byte) []byte {
	if b.Job == "" {
		return dst // two bytes altogether, so that no message grows by an erasure
	}
	return appendString(dst, b.Job)
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendStrings(dst []byte, list []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = appendString(dst, s)
	}
	return dst
}

// messageHead reads a message's version, time and count of records, and
// returns what is left.
func messageHead(payload []byte) (received time.Time, n uint32, rest []byte, err error) {
	if len(payload) == 0 {
		return received, 0, nil, errors.New("message is empty")
	}
	if payload[0] != formatVersion {
		return received, 0, nil, fmt.Errorf("message has format version %d, this build reads %d; use the build that wrote it or a later one", payload[0], formatVersion)
	}
	rest = payload[1:]
	ms, k := binary.Varint(rest)
	if k <= 0 {
		return received, 0, nil, errDamaged
	}
	rest = rest[k:]
	count, k := binary.Uvarint(rest)
	if k <= 0 || count > uint64(len(rest)-k)/recordOverhead || count > math.MaxUint32 {
		return received, 0, nil, errDamaged
	}
	return time.UnixMilli(ms).UTC(), uint32(count), rest[k:], nil
}

// decodeMessage appends the records of the message at seq to dst, without
// those at or before after.
func decodeMessage(dst []Record, payload []byte, seq uint64, after Seq) ([]Record, error) {
	received, n, rest, err := messageHead(payload)
	if err != nil {
		return dst, err
	}
	for i := range n {
		if len(rest) < recordOverhead {
			return dst, errDamaged
		}
		kind := rest[0]
		size, k := binary.Uvarint(rest[1:])
		if k <= 0 || size > uint64(len(rest)-1-k) {
			return dst, errDamaged
		}
		body := rest[1+k : 1+k+int(size)]
		rest = rest[1+k+int(size):]
		at := Seq{Message: seq, Index: i}
		if !after.Less(at) {
			continue
		}
		b, err := decodeBody(kind, body)
		if err != nil {
			return dst, fmt.Errorf("record %d: %w", i, err)
		}
		dst = append(dst, Record{Seq: at, Received: received, Body: b})
	}
	if len(rest) > 0 {
		return dst, errDamaged
	}
	return dst, nil
}

// decodeBody reads one body. Its strings share one piece of memory of the
// body's size, never the message's, so that keeping a user id does not keep a
// quarter of a MiB.
func decodeBody(kind byte, body []byte) (Body, error) {
	r := reader{s: string(body)}
	var b Body
	switch kind {
	case kindInteraction:
		b = r.interaction()
	case kindItem:
		b = &Item{ID: r.str(), Properties: r.str()}
	case kindUser:
		b = &User{ID: r.str(), Properties: r.str()}
	case kindImported:
		b = &Imported{Dataset: r.str(), Table: r.str(), Mode: Mode(r.str()), Rows: r.varint(), Job: r.str()}
	case kindImpression:
		b = r.impression()
	case kindShown:
		b = r.shown()
	case kindAction:
		b = &Action{ID: r.str(), Properties: r.str()}
	case kindActionInteraction:
		b = &ActionInteraction{
			EventID: r.str(), User: r.str(), Session: r.str(), Action: r.str(), Type: r.str(),
			At:         time.UnixMilli(r.varint()).UTC(),
			Properties: r.str(), RecommendationID: r.str(), Impression: r.strs(),
		}
	case kindErased:
		b = r.erased()
	default:
		// Never passed over: what it says might be that something is no longer true.
		return nil, fmt.Errorf("unknown kind %d; use the build that wrote it or a later one", kind)
	}
	if r.bad || r.s != "" {
		return nil, errDamaged
	}
	return b, nil
}

// reader consumes a body from the front. After the first thing that does not
// fit, bad is set and everything reads as zero.
type reader struct {
	s   string
	bad bool
}

func (r *reader) interaction() *Interaction {
	b := &Interaction{
		EventID: r.str(), User: r.str(), Session: r.str(), Item: r.str(), Type: r.str(),
		At:    time.UnixMilli(r.varint()).UTC(),
		Value: math.NaN(),
	}
	switch r.byte() {
	case 0:
	case 1:
		b.Value = r.float64()
	default:
		r.bad = true
	}
	b.Properties, b.RecommendationID = r.str(), r.str()
	b.Impression = r.strs()
	b.Source = r.str()
	return b
}

func (r *reader) erased() *Erased {
	if r.s == "" {
		return &Erased{}
	}
	b := &Erased{Job: r.str()}
	r.bad = r.bad || b.Job == ""
	return b
}

func (r *reader) byte() byte {
	if r.bad || r.s == "" {
		r.bad = true
		return 0
	}
	c := r.s[0]
	r.s = r.s[1:]
	return c
}

func (r *reader) uvarint() uint64 {
	var x uint64
	for i := 0; i < len(r.s) && i < binary.MaxVarintLen64; i++ {
		c := r.s[i]
		if i == binary.MaxVarintLen64-1 && c > 1 {
			break // more than 64 bits
		}
		x |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.s = r.s[i+1:]
			return x
		}
	}
	r.bad, r.s = true, ""
	return 0
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader) float64() float64 {
	if len(r.s) < 8 {
		r.bad, r.s = true, ""
		return math.NaN()
	}
	var bits uint64
	for i := range 8 {
		bits |= uint64(r.s[i]) << (8 * i)
	}
	r.s = r.s[8:]
	return math.Float64frombits(bits)
}

func (r *reader) str() string {
	n := r.uvarint()
	if n > uint64(len(r.s)) {
		r.bad, r.s = true, ""
		return ""
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *reader) strs() []string {
	n := r.uvarint()
	if n == 0 || n > uint64(len(r.s)) { // every string takes at least its length
		r.bad = r.bad || n > 0
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.str()
	}
	return list
}

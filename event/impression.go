package event

import (
	"encoding/binary"
	"math"
)

// Reason is why an item is in an answer.
type Reason uint8

// The reasons. Their numbers are stored.
const (
	ByScore     Reason = iota // the best of what was left
	Explored                  // drawn, to learn about it
	Promoted                  // the best of what a promotion's filter lets through
	Placeholder               // popular, because a filter left too few that have a score
)

// Reason is why the item at a place of Items is there.
func (i *Impression) Reason(place int) Reason {
	if i.Reasons == nil {
		return ByScore
	}
	return i.Reasons[place]
}

// Propensity is the probability that the item at a place of Items stood there,
// given the items before it.
func (i *Impression) Propensity(place int) float64 {
	if i.Propensities == nil {
		return 1
	}
	return float64(i.Propensities[place])
}

// plain says whether the short form of the record holds all there is to say.
func (i *Impression) plain() bool {
	return i.Filter == "" && i.Promotion == "" && i.Exploration == 0 && i.Reasons == nil && i.Propensities == nil
}

func (i *Impression) appendShown(dst []byte) []byte {
	dst = i.append(dst)
	dst = appendString(dst, i.Filter)
	dst = appendString(dst, i.Promotion)
	dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(i.Exploration))
	dst = binary.AppendUvarint(dst, uint64(len(i.Reasons)))
	for _, r := range i.Reasons {
		dst = append(dst, byte(r))
	}
	dst = binary.AppendUvarint(dst, uint64(len(i.Propensities)))
	for _, p := range i.Propensities {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(p))
	}
	return dst
}

func (r *reader) impression() *Impression {
	return &Impression{RecommendationID: r.str(), Campaign: r.str(), Version: r.str(), User: r.str(), Items: r.strs()}
}

func (r *reader) shown() *Impression {
	i := r.impression()
	i.Filter, i.Promotion, i.Exploration = r.str(), r.str(), r.share()
	if r.perItem(i) {
		i.Reasons = make([]Reason, len(i.Items))
		for at := range i.Reasons {
			i.Reasons[at] = Reason(r.byte())
		}
	}
	if r.perItem(i) {
		i.Propensities = make([]float32, len(i.Items))
		for at := range i.Propensities {
			i.Propensities[at] = r.share()
		}
	}
	return i
}

// perItem reads how many entries follow, which is none or one for each item,
// and says whether there are any.
func (r *reader) perItem(i *Impression) bool {
	n := r.uvarint()
	r.bad = r.bad || n != 0 && n != uint64(len(i.Items))
	return n > 0 && !r.bad
}

// share is a number from 0 to 1.
func (r *reader) share() float32 {
	if len(r.s) < 4 {
		r.bad, r.s = true, ""
		return 0
	}
	var bits uint32
	for i := range 4 {
		bits |= uint32(r.s[i]) << (8 * i)
	}
	r.s = r.s[4:]
	x := math.Float32frombits(bits)
	r.bad = r.bad || !(x >= 0 && x <= 1)
	return x
}

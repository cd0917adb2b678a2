package nextaction

import (
	"math"
	"strconv"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/model"
)

const (
	// maxValues is how many values a column of categories may have and still
	// count as one: a column with more is an id or a text, of which nothing
	// general can be learned.
	maxValues = 1000
	// maxDeviations bounds a number's feature, so that one odd user does not
	// weigh like thousands.
	maxDeviations = 3
)

// feature is one x of the equation by the hash of its name.
type feature struct {
	hash  uint64
	value float32
}

// The parts of features' names that are not the customer's.
const (
	constant   = "constant"
	ofAction   = "action"
	ofUser     = "user"
	ofHistory  = "history"
	numHistory = 6
)

// userColumn is a column of users that has features. scale is 0 for categories.
type userColumn struct {
	name        string
	mean, scale float32
}

// features are those of one value of the column: string, []string, float64 or
// bool, as profiles and snapshots have them; nothing for any other.
func (c *userColumn) features(dst []feature, x any) []feature {
	switch x := x.(type) {
	case string:
		if c.scale > 0 {
			if n, err := strconv.ParseFloat(x, 64); err == nil {
				return c.features(dst, n)
			}
			return dst
		}
		for _, v := range schema.Values(x) {
			dst = append(dst, feature{named(ofUser, c.name, v), 1})
		}
	case []string:
		if c.scale > 0 {
			return dst
		}
		for _, v := range x {
			dst = append(dst, feature{named(ofUser, c.name, v), 1})
		}
	case float64:
		if c.scale == 0 {
			return c.features(dst, strconv.FormatFloat(x, 'f', -1, 64))
		}
		if v := deviation(x, c.mean, c.scale); v != 0 {
			dst = append(dst, feature{named(ofUser, c.name, ""), v})
		}
	case bool:
		return c.features(dst, strconv.FormatBool(x))
	}
	return dst
}

// deviation is how many standard deviations x lies from the mean.
func deviation(x float64, mean, scale float32) float32 {
	v := (float32(x) - mean) / scale
	if v != v {
		return 0
	}
	return min(maxDeviations, max(-maxDeviations, v))
}

// userColumns are the columns of users worth learning from.
func userColumns(a *dataset.Attributes) (out []userColumn) {
	if a == nil {
		return nil
	}
	for i := range a.Columns {
		if c := &a.Columns[i]; c.Name != schema.CreationTimestamp && usable(c) {
			out = append(out, userColumnOf(c))
		}
	}
	return out
}

// usable says whether a column has more than one value that users or actions
// can share.
func usable(c *dataset.Column) bool {
	if c.Text == nil {
		_, scale := moments(c)
		return c.Kind == schema.Boolean || scale > 0
	}
	if c.Textual || !c.Categorical {
		return false
	}
	seen := map[string]bool{}
	for _, text := range c.Text {
		for _, v := range schema.Values(text) {
			if seen[v] = true; len(seen) > maxValues {
				return false
			}
		}
	}
	return len(seen) > 1
}

func userColumnOf(c *dataset.Column) userColumn {
	u := userColumn{name: c.Name}
	if c.Text == nil && c.Kind != schema.Boolean {
		u.mean, u.scale = moments(c)
	}
	return u
}

// moments are the mean and standard deviation of a column's numbers.
func moments(c *dataset.Column) (mean, scale float32) {
	var n, sum, squares float64
	for _, x := range c.Number {
		if x == x {
			n++
			sum += x
		}
	}
	if n == 0 {
		return 0, 0
	}
	for _, x := range c.Number {
		if x == x {
			squares += (x - sum/n) * (x - sum/n)
		}
	}
	return float32(sum / n), float32(math.Sqrt(squares / n))
}

// actionFeatures are those of an action alone: itself and its attributes, but
// for those that say when it may be recommended.
func actionFeatures(id string, row int32, a *dataset.Attributes) []feature {
	out := []feature{{named(constant, "", ""), 1}, {actionHash(id), 1}}
	if a == nil {
		return out
	}
	for i := range a.Columns {
		c := &a.Columns[i]
		switch c.Name {
		case schema.ActionExpiration, schema.RepeatFrequency, schema.CreationTimestamp:
			continue
		}
		if !usable(c) {
			continue
		}
		switch x := c.Value(row).(type) {
		case string:
			for _, v := range schema.Values(x) {
				out = append(out, feature{named(ofAction, c.Name, v), 1})
			}
		case bool:
			out = append(out, feature{named(ofAction, c.Name, strconv.FormatBool(x)), 1})
		case float64:
			mean, scale := moments(c)
			out = append(out, feature{named(ofAction, c.Name, ""), deviation(x, mean, scale)})
		}
	}
	return out
}

func actionHash(id string) uint64 { return named(ofAction, "", id) }

// past is what a user did with actions before a moment. Weights of the touches
// are those of recipe.ActionTouches.
type past struct {
	taken, left float64 // events with any action
	with        map[int32]met
}

type met struct {
	taken, left         float64
	lastTaken, lastSeen int64 // Unix milliseconds
}

func (p *past) add(t model.Touch) {
	m := p.with[t.Item]
	m.lastSeen = max(m.lastSeen, t.At)
	if t.Weight > 0 {
		m.taken++
		p.taken++
		m.lastTaken = max(m.lastTaken, t.At)
	} else {
		m.left++
		p.left++
	}
	p.with[t.Item] = m
}

// features of an action for the user at a moment: the first two are of all
// actions, the others of this one.
func (p *past) features(action int32, now int64) (x [numHistory]float32) {
	x[0], x[1] = float32(math.Log1p(p.taken)), float32(math.Log1p(p.left))
	m, ok := p.with[action]
	if !ok {
		return x
	}
	x[2], x[3] = float32(math.Log1p(m.taken)), float32(math.Log1p(m.left))
	if m.taken > 0 {
		x[4] = fading(now - m.lastTaken)
	}
	x[5] = fading(now - m.lastSeen)
	return x
}

// general is how many of the history's features are about all actions.
const general = 2

// fading is 1 for what happened just now and falls by e in two weeks.
func fading(millis int64) float32 {
	const twoWeeks = 14 * 24 * 3600 * 1000
	return float32(math.Exp(-float64(max(0, millis)) / twoWeeks))
}

// historyHash are the hashes of the history's features.
var historyHash = func() (h [numHistory]uint64) {
	for i := range h {
		h[i] = named(ofHistory, strconv.Itoa(i), "")
	}
	return h
}()

// pair is the hash of two features that hold together.
func pair(a, b uint64) uint64 { return mixed(a ^ b<<1 ^ b>>63) }

// named is FNV-1a over the parts of a feature's name, with a finishing mix. It
// is part of the stored model: it may not change without another Name.
func named(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, p := range parts {
		for i := range len(p) {
			h = (h ^ uint64(p[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211 // no byte of UTF-8
	}
	return mixed(h)
}

func mixed(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

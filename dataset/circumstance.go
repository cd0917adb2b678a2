package dataset

import (
	"math"
	"slices"

	"github.com/attune-io/attune/dataset/schema"
)

// Circumstance is one column of what was the case when events happened: the
// device, the place, the weather. The service calls such columns contextual
// metadata: all of the Interactions dataset that mean nothing by themselves and
// are categories, numbers or booleans. Exactly one of Code and Number is set.
type Circumstance struct {
	Name   string
	Kind   schema.Kind // String, Boolean, or Float for every number
	Texts  []string    // of categories: the distinct values, several in one joined by |, in byte order
	Code   []int32     // of categories, by event: place in Texts, absentCode where there is none
	Number []float32   // of numbers, and 0 or 1 of booleans, by event; NaN where there is none. Numbers beyond 2^24 lose digits.
}

// absentCode stands for an event without a value.
const absentCode = -1

// Value is that of one event: string, float64, bool, or nil where it is absent.
func (c *Circumstance) Value(event int) any {
	if c.Code != nil {
		if code := c.Code[event]; code >= 0 {
			return c.Texts[code]
		}
		return nil
	}
	x := c.Number[event]
	switch {
	case x != x:
		return nil
	case c.Kind == schema.Boolean:
		return x != 0
	}
	return float64(x)
}

// ContextOf is what was the case when an event happened, by column: string,
// float64 or bool; nil when nothing is known of it.
func (e Events) ContextOf(event int) map[string]any {
	var out map[string]any
	for k := range e.Context {
		if v := e.Context[k].Value(event); v != nil {
			if out == nil {
				out = map[string]any{}
			}
			out[e.Context[k].Name] = v
		}
	}
	return out
}

// WithContext is the events with only some columns of context, sharing memory with e.
func (e Events) WithContext(may func(column string) bool) Events {
	var some []Circumstance
	for _, c := range e.Context {
		if may(c.Name) {
			some = append(some, c)
		}
	}
	e.Context = some
	return e
}

// room makes columns like those of e for n events.
func (e Events) room(n int) []Circumstance {
	if len(e.Context) == 0 {
		return nil
	}
	out := slices.Clone(e.Context)
	for k := range out {
		if out[k].Code != nil {
			out[k].Code = make([]int32, 0, n)
		} else {
			out[k].Number = make([]float32, 0, n)
		}
	}
	return out
}

// take appends one event of a column like c.
func (c *Circumstance) take(from *Circumstance, event int) {
	if c.Code != nil {
		c.Code = append(c.Code, from.Code[event])
	} else {
		c.Number = append(c.Number, from.Number[event])
	}
}

// sliced is columns of events [from, to).
func (e Events) sliced(from, to int) []Circumstance {
	if len(e.Context) == 0 {
		return nil
	}
	out := slices.Clone(e.Context)
	for k := range out {
		if out[k].Code != nil {
			out[k].Code = out[k].Code[from:to:to]
		} else {
			out[k].Number = out[k].Number[from:to:to]
		}
	}
	return out
}

// trimmed leaves out columns that no event has a value of, and texts that none
// has: what only somebody who was erased has said is nowhere then.
func trimmed(columns []Circumstance) []Circumstance {
	var out []Circumstance
	for _, c := range columns {
		if c.Code == nil {
			if slices.ContainsFunc(c.Number, func(x float32) bool { return x == x }) {
				out = append(out, c)
			}
			continue
		}
		used := make([]bool, len(c.Texts))
		for _, code := range c.Code {
			if code >= 0 {
				used[code] = true
			}
		}
		rank, texts := make([]int32, len(c.Texts)), []string(nil)
		for old, text := range c.Texts {
			if used[old] {
				rank[old] = int32(len(texts))
				texts = append(texts, text)
			}
		}
		if len(texts) == 0 {
			continue
		}
		codes := make([]int32, len(c.Code))
		for i, code := range c.Code {
			codes[i] = absentCode
			if code >= 0 {
				codes[i] = rank[code]
			}
		}
		c.Texts, c.Code = texts, codes
		out = append(out, c)
	}
	return out
}

// shortened is a number as a Circumstance keeps it.
func shortened(x float64) float32 {
	if y := float32(x); !math.IsInf(float64(y), 0) {
		return y
	}
	return NoValue()
}

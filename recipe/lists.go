package recipe

import (
	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
)

// Lists are what some models store: for every item those it leads to, and how
// much. Those of item i are Item[Start[i]:Start[i+1]], with Weight beside them.
type Lists struct {
	Start, Item []int32
	Weight      []float32
	Count       []int32 // by item: distinct users
}

// ReadLists finds lists in a model read from outside, by the names of their
// tensors, and checks that they lead somewhere. The error is attune.Invalid.
func ReadLists(m *model.Model, start, item, weight, count string) (l Lists, err error) {
	var t [4]model.Tensor
	for k, name := range [...]string{start, item, weight, count} {
		size := []int{len(m.Items) + 1, -1, len(t[1].I32), len(m.Items)}[k]
		if t[k], err = CheckTensor(m, name, size); err != nil {
			return l, err
		}
	}
	algorithm := m.Manifest.Algorithm
	if len(t[1].F32) > 0 || len(t[2].I32) > 0 || len(t[3].F32) > 0 || t[0].I32 == nil {
		return l, attune.Errorf(attune.Invalid, "%s model: a tensor has the wrong type of element", algorithm)
	}
	l = Lists{Start: t[0].I32, Item: t[1].I32, Weight: t[2].F32, Count: t[3].I32}
	if l.Start[0] != 0 || int(l.Start[len(m.Items)]) != len(l.Item) {
		return l, attune.Errorf(attune.Invalid, "%s model: %s does not span %s", algorithm, start, item)
	}
	for i := range m.Items {
		if l.Start[i] > l.Start[i+1] {
			return l, attune.Errorf(attune.Invalid, "%s model: %s falls at item %d", algorithm, start, i)
		}
	}
	for at, row := range l.Item {
		if w := l.Weight[at]; row < 0 || int(row) >= len(m.Items) || w-w != 0 {
			return l, attune.Errorf(attune.Invalid, "%s model: number %d in %s is item %d of %d, with %g", algorithm, at, item, row, len(m.Items), w)
		}
	}
	return l, nil
}

// Rest is the place of items that nothing leads to: by popularity, from -most to below 0.
func (l Lists) Rest(most float32) []float32 {
	rest := make([]float32, len(l.Count))
	for i, n := range l.Count {
		rest[i] = -most / float32(1+max(n, 0))
	}
	return rest
}

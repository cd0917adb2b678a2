package sequence

import (
	"math"
	"slices"
	"strings"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/recipe"
)

// features are what the catalogue says of items: item i has those at
// [start[i], start[i+1]) of index, each with the weight beside it.
type features struct {
	count  int
	start  []int32
	index  []int32
	weight []float32
	// The same from the other side: the items of a feature.
	itemStart  []int32
	items      []int32
	itemWeight []float32
}

const (
	// rarest is in how many items a category must be to have a vector: what one
	// item alone has says no more than the item's own vector.
	rarest = 2
	// maxFeatures bounds the categories of a column; one with more is an identifier.
	maxFeatures = 20_000
)

// featuresOf reads the categorical columns, and those of numbers that people keep
// to: see recipe.Scale. The values of one column of an item
// share a weight of 1. nil when there are none.
func featuresOf(in recipe.Input) *features {
	a, items := in.ItemAttributes, len(in.Items)
	if a == nil {
		return nil
	}
	f := &features{}
	of := make([][]int32, items)
	share := make([][]float32, items)
	for c := range a.Columns {
		column := &a.Columns[c]
		if !column.Categorical || column.Text == nil {
			continue
		}
		ids := f.read(column, items)
		if ids == nil {
			continue
		}
		for i := range items {
			before := len(of[i])
			for _, v := range values(column.Text[i]) {
				if id, ok := ids[v]; ok && !slices.Contains(of[i][before:], id) {
					of[i] = append(of[i], id)
				}
			}
			for range len(of[i]) - before {
				share[i] = append(share[i], 1/float32(len(of[i])-before))
			}
		}
	}
	for _, x := range recipe.Scales(in) {
		for i := range items {
			from := len(of[i])
			sum := float32(0)
			x.Stands(int32(i), func(place int, weight float64) {
				of[i], share[i] = append(of[i], int32(f.count+place)), append(share[i], float32(weight))
				sum += float32(weight)
			})
			kernel.Scale(1/max(sum, 1e-9), share[i][from:])
		}
		f.count += x.Places()
	}
	if f.count == 0 {
		return nil
	}
	f.start = append(f.start, 0)
	for i := range items {
		f.index, f.weight = append(f.index, of[i]...), append(f.weight, share[i]...)
		f.start = append(f.start, int32(len(f.index)))
	}
	f.turn()
	return f
}

// read gives numbers to the values of a column that are common enough, in the
// order in which they come up; nil when there are none, or too many.
func (f *features) read(column *dataset.Column, items int) map[string]int32 {
	counts := map[string]int{}
	for i := range items {
		for _, v := range values(column.Text[i]) {
			counts[v]++
		}
	}
	ids := map[string]int32{}
	for i := range items {
		for _, v := range values(column.Text[i]) {
			if _, ok := ids[v]; !ok && counts[v] >= rarest {
				ids[v] = int32(f.count + len(ids))
			}
		}
	}
	if len(ids) == 0 || len(ids) > maxFeatures {
		return nil
	}
	f.count += len(ids)
	return ids
}

// values splits a category value at its bars; empty parts vanish and each loses
// the spaces around it.
func values(s string) []string {
	parts := strings.Split(s, "|")
	for i, v := range parts {
		parts[i] = strings.TrimSpace(v)
	}
	return slices.DeleteFunc(parts, func(v string) bool { return v == "" })
}

// turn fills the other side.
func (f *features) turn() {
	f.itemStart = make([]int32, f.count+1)
	for _, k := range f.index {
		f.itemStart[k+1]++
	}
	for k := range f.count {
		f.itemStart[k+1] += f.itemStart[k]
	}
	at := slices.Clone(f.itemStart)
	f.items, f.itemWeight = make([]int32, len(f.index)), make([]float32, len(f.index))
	for i := range len(f.start) - 1 {
		for j := f.start[i]; j < f.start[i+1]; j++ {
			k := f.index[j]
			f.items[at[k]], f.itemWeight[at[k]] = int32(i), f.weight[j]
			at[k]++
		}
	}
}

// add adds to row the vectors of what item has. vectors: count×d.
func (f *features) add(row, vectors []float32, item int) {
	d := len(row)
	for j := f.start[item]; j < f.start[item+1]; j++ {
		k := int(f.index[j])
		kernel.Axpy(f.weight[j], vectors[k*d:(k+1)*d], row)
	}
}

// back adds to row, the gradient of feature k, those of its items. gradient: items×d.
func (f *features) back(row, gradient []float32, k int) {
	d := len(row)
	for j := f.itemStart[k]; j < f.itemStart[k+1]; j++ {
		i := int(f.items[j])
		kernel.Axpy(f.itemWeight[j], gradient[i*d:(i+1)*d], row)
	}
}

// usual is the mean vector of the items that have a feature and were had, by
// feature, and how many those are.
func (f *features) usual(vectors []float32, counts []int32) (means []float32, had []int) {
	d := len(vectors) / max(1, len(counts))
	means, had = make([]float32, f.count*d), make([]int, f.count)
	for i, n := range counts {
		for _, k := range f.index[f.start[i]:f.start[i+1]] {
			if n > 0 {
				kernel.Axpy(1, vectors[i*d:(i+1)*d], means[int(k)*d:(int(k)+1)*d])
				had[k]++
			}
		}
	}
	for k, n := range had {
		kernel.Scale(1/float32(max(1, n)), means[k*d:(k+1)*d])
	}
	return means, had
}

// stead writes to row, the vector of an item nobody had, what is usual for its
// features, the rarer the feature the more. What items have learned to be of
// their own takes most of what their features say, so that the features' vectors
// alone say little.
func (f *features) stead(row, means []float32, had []int, item int) {
	d, items, all := len(row), len(f.start)-1, float64(0)
	clear(row)
	for j := f.start[item]; j < f.start[item+1]; j++ {
		k := int(f.index[j])
		if had[k] == 0 {
			continue
		}
		weight := float64(f.weight[j]) * math.Log1p(float64(items)/float64(had[k]))
		kernel.Axpy(float32(weight), means[k*d:(k+1)*d], row)
		all += weight
	}
	if all > 0 {
		kernel.Scale(float32(1/all), row)
	}
}

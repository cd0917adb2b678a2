package dataset

import (
	"fmt"
	"slices"
)

// Vocabulary is the two-way street between ids and row numbers. Rows are the
// ids in byte order, so the same set of ids always has the same numbers. It is
// immutable and safe for concurrent use.
type Vocabulary struct {
	ids []string
	row map[string]int32
}

// NewVocabulary numbers the distinct ids among those given. The slice is not kept.
func NewVocabulary(ids []string) *Vocabulary {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return sortedVocabulary(slices.Compact(sorted))
}

// sortedVocabulary owns ids, which are in byte order and distinct.
func sortedVocabulary(ids []string) *Vocabulary {
	v := &Vocabulary{ids: ids, row: make(map[string]int32, len(ids))}
	for i, id := range ids {
		v.row[id] = int32(i)
	}
	return v
}

// Row is the number of an id, in [0, Len).
func (v *Vocabulary) Row(id string) (int32, bool) {
	r, ok := v.row[id]
	return r, ok
}

// ID is the id of a row; row must be in [0, Len).
func (v *Vocabulary) ID(row int32) string { return v.ids[row] }

// Len is the number of ids.
func (v *Vocabulary) Len() int { return len(v.ids) }

// IDs are all ids by row. The slice is the vocabulary's own: do not change it.
func (v *Vocabulary) IDs() []string { return v.ids }

// String says how many ids there are and shows the first.
func (v *Vocabulary) String() string {
	if len(v.ids) == 0 {
		return "vocabulary of no ids"
	}
	return fmt.Sprintf("vocabulary of %d ids from %q", len(v.ids), v.ids[0])
}

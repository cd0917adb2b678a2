package semantic

import (
	"cmp"
	"context"
	"math"
	"slices"
	"unicode"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/recipe"
)

const (
	// places is into how many numbers terms are hashed: a million, so that two
	// frequent terms of an ordinary catalogue seldom meet, and counting takes 4 MiB.
	places = 1 << 20
	// itemsAtOnce is after how many items progress is told and the context asked.
	itemsAtOnce = 256
)

// family is a sort of term. Each has a voice of its own in a column, so that
// the many pieces of words do not drown the few words.
type family struct {
	voice float64 // length of its part of a column, before the column gets length 1
	most  int     // terms kept of one value, the weightiest first: the rest of a long text hardly moves its direction
}

// The families, in the order of their parts of a vector.
const (
	words  = iota // and whole categories
	pairs         // of neighbouring words
	pieces        // of words, of three and four letters: what inflections and compounds share
	families
)

// voices of the families, as measured by BenchmarkTexts of recipe/all.
var voices = [families]family{words: {1, 64}, pairs: {0.5, 32}, pieces: {0.7, 96}}

// term is one place of a vector.
type term struct {
	place  int32
	weight float64
}

// reader turns columns into terms. It is the scratch of one training.
type reader struct {
	df     []int32 // items in which a place occurs
	runes  []rune
	tokens [families][]int32
	terms  [families][]term
	row    []term
}

// spoken are the columns that are words or categories.
func spoken(a *dataset.Attributes) (columns []*dataset.Column) {
	if a == nil {
		return nil
	}
	for i := range a.Columns {
		if a.Columns[i].Text != nil {
			columns = append(columns, &a.Columns[i])
		}
	}
	return columns
}

// count adds one item to df.
func (r *reader) count(columns []*dataset.Column, row int32) {
	for _, c := range columns {
		r.read(c, row)
		for _, terms := range r.terms {
			for _, t := range terms {
				r.df[t.place]++
			}
		}
	}
}

// weigh is the vector of one item: (1+ln tf)·ln(N/df), each family as long as
// its voice, each column of length 1, and the whole of length 1. Places that
// fewer than least items have are left out after the lengths are settled.
func (r *reader) weigh(columns []*dataset.Column, row int32, items int, least int32) []term {
	r.row = r.row[:0]
	for _, c := range columns {
		r.read(c, row)
		from := len(r.row)
		for f, terms := range r.terms {
			for i := range terms {
				idf := math.Log(float64(items) / float64(max(1, r.df[terms[i].place])))
				terms[i].weight = (1 + math.Log(terms[i].weight)) * max(0, idf)
			}
			terms = slices.DeleteFunc(terms, func(t term) bool { return t.weight <= 0 })
			slices.SortFunc(terms, func(a, b term) int { return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.place, b.place)) })
			terms = terms[:min(voices[f].most, len(terms))]
			scale(terms, voices[f].voice)
			r.row = append(r.row, terms...)
		}
		scale(r.row[from:], 1)
	}
	scale(r.row, 1)
	row1 := slices.DeleteFunc(r.row, func(t term) bool { return r.df[t.place] < least })
	slices.SortFunc(row1, func(a, b term) int { return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.weight, b.weight)) })
	return row1
}

// scale gives a vector a length; an empty one stays empty.
func scale(terms []term, length float64) {
	var sum float64
	for _, t := range terms {
		sum += t.weight * t.weight
	}
	for i := range terms {
		terms[i].weight *= length / math.Sqrt(sum)
	}
}

// read finds the distinct terms of one value by family, places ascending, with
// how often each occurs.
func (r *reader) read(c *dataset.Column, row int32) {
	for f := range r.tokens {
		r.tokens[f], r.terms[f] = r.tokens[f][:0], r.terms[f][:0]
	}
	if c.Categorical {
		for _, v := range schema.Values(c.Text[row]) {
			h := column(c.Name, words)
			for _, x := range v {
				h = h.add(unicode.ToLower(x))
			}
			r.tokens[words] = append(r.tokens[words], h.place())
		}
	} else {
		r.readText(c.Name, c.Text[row])
	}
	for f := range r.tokens {
		slices.Sort(r.tokens[f])
		for _, p := range r.tokens[f] {
			if n := len(r.terms[f]); n > 0 && r.terms[f][n-1].place == p {
				r.terms[f][n-1].weight++
			} else {
				r.terms[f] = append(r.terms[f], term{p, 1})
			}
		}
	}
}

// readText cuts a text into words, at what is neither letter nor digit and
// around each sign of a script that writes no spaces.
func (r *reader) readText(name, text string) {
	var before hash // of the word before; 0 when there is none
	end := func() {
		if len(r.runes) == 0 {
			return
		}
		h := column(name, words)
		pair := column(name, pairs).more(before)
		for _, x := range r.runes {
			h, pair = h.add(x), pair.add(x)
		}
		r.tokens[words] = append(r.tokens[words], h.place())
		if before != 0 {
			r.tokens[pairs] = append(r.tokens[pairs], pair.place())
		}
		before = h
		r.cut(name)
		r.runes = r.runes[:0]
	}
	for _, x := range text {
		switch {
		case unicode.In(x, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai):
			end()
			r.runes = append(r.runes, x)
			end()
		case unicode.IsLetter(x), unicode.IsDigit(x), unicode.IsMark(x):
			r.runes = append(r.runes, unicode.ToLower(x))
		default:
			end()
		}
	}
	end()
}

// cut adds the pieces of a word, whose ends are marked.
func (r *reader) cut(name string) {
	const mark, shortest, longest = ' ', 3, 4
	if len(r.runes) < 2 {
		return
	}
	at := func(i int) rune {
		if i == 0 || i > len(r.runes) {
			return mark
		}
		return r.runes[i-1]
	}
	for from := 0; from+shortest <= len(r.runes)+2; from++ {
		h := column(name, pieces)
		for n := 1; n <= longest && from+n <= len(r.runes)+2; n++ {
			if h = h.add(at(from + n - 1)); n >= shortest {
				r.tokens[pieces] = append(r.tokens[pieces], h.place())
			}
		}
	}
}

// hash is FNV-1a over 64 bits, a rune at a time.
type hash uint64

func (h hash) add(x rune) hash { return (h ^ hash(x)) * 1099511628211 }

func (h hash) more(x hash) hash { return (h ^ x) * 1099511628211 }

// column begins the hash of a term of one column and family.
func column(name string, family int) hash {
	h := hash(14695981039346656037)
	for _, x := range name {
		h = h.add(x)
	}
	return h.add(-1 - rune(family))
}

// place is where a term is hashed to.
func (h hash) place() int32 {
	h ^= h >> 29 // the low bits of a product know little of the high ones
	h *= 0xbf58476d1ce4e5b9
	return int32(h >> 44)
}

// readAll is the sparse part of all items: rows of length 1 at most, over the
// terms that two items have or more.
func readAll(ctx context.Context, in recipe.Input) (matrix.CSR, error) {
	const least = 2 // a term that one item has alone makes it like no other
	columns, items := spoken(in.ItemAttributes), len(in.Items)
	r := &reader{df: make([]int32, places)}
	a := matrix.CSR{Rows: items, Start: make([]int, 1, items+1)}
	var name []int32 // place → number of the term
	for i := range 2 * items {
		row := int32(i % items)
		if i < items {
			r.count(columns, row)
		} else {
			if i == items {
				name, a.Cols = number(r.df, least)
			}
			for _, t := range r.weigh(columns, row, items, least) {
				a.Col, a.Value = append(a.Col, name[t.place]), append(a.Value, float32(t.weight))
			}
			a.Start = append(a.Start, len(a.Col))
		}
		if (i+1)%itemsAtOnce == 0 {
			in.Report(stepsRead*(i+1)/(2*items), stepsOfWhole)
			if ctx.Err() != nil {
				return a, ctx.Err()
			}
		}
	}
	return a, ctx.Err()
}

// number gives the places that least items have or more the numbers 0, 1, …, in
// order, and counts them.
func number(df []int32, least int32) (name []int32, n int) {
	name = make([]int32, len(df))
	for p, items := range df {
		if items >= least {
			name[p] = int32(n)
			n++
		}
	}
	return name, n
}

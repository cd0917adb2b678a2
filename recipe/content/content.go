package content

import (
	"cmp"
	"context"
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "content"

const (
	// places is into how many numbers terms are hashed: a million, so that two
	// of an ordinary catalogue's words seldom meet, and counting takes 8 MiB.
	places = 1 << 20
	// termsAtMost bounds what is kept of a column of one item, the weightiest
	// first: the rest of a long text hardly moves its direction.
	termsAtMost = 64
	// itemsAtOnce is after how many items progress is told and the context asked.
	itemsAtOnce = 256
)

// Tensors of the model: the terms of item i are those at [start[i], start[i+1]).
const (
	tensorStart  = "term_start"  // items+1
	tensorTerm   = "term"        // places, ascending within an item
	tensorWeight = "term_weight" // above 0; their squares sum to 1 for each item
	tensorCount  = "item_count"  // items: interactions of each, for the order of what has nothing in common
)

// termsNumber are the terms of a number: its range, and those beside it.
const termsNumber = 3

// Recipe compares metadata. It has no hyper-parameters.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "content".
func (Recipe) Name() string { return Name }

// Bytes estimates the peak memory of Train and of the scorer: the vectors from
// both sides at their longest, and the counts of terms.
func (Recipe) Bytes(in recipe.Input) int64 {
	terms := termsAtMost*len(spoken(in.ItemAttributes)) + termsNumber*len(recipe.Numeric(in.ItemAttributes))
	return 2*8*int64(terms)*int64(len(in.Items)) + 16*places
}

// What Train takes for every byte of text, which it reads twice, and for the places.
const (
	secondsByte   = 2e-7
	secondsPlaces = 0.01
	secondsDeal   = 5e-9 // every item of the users looked at, each time that numbers are dealt out
)

// Seconds estimates Train.
func (Recipe) Seconds(in recipe.Input) float64 {
	bytes := 0
	for _, c := range spoken(in.ItemAttributes) {
		for _, text := range c.Text {
			bytes += len(text)
		}
	}
	return secondsPlaces + secondsByte*float64(bytes) + secondsDeal*float64(recipe.ScalesLooked(in))
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

// Train reads the catalogue twice: to count in how many items a term stands,
// and to weigh it.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	columns, items := spoken(in.ItemAttributes), len(in.Items)
	r := &reader{df: make([]int32, places), numbers: recipe.Scales(in)}
	v := vectors{start: make([]int32, 1, items+1)}
	total := 2 * max(1, items)
	in.Report(0, total)
	for i := range 2 * items {
		row := int32(i % items)
		if i < items {
			r.count(columns, row)
		} else {
			v.add(r.weigh(columns, row, items))
		}
		if (i+1)%itemsAtOnce == 0 {
			in.Report(i+1, total)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	if len(v.term) > math.MaxInt32 {
		return nil, attune.Errorf(attune.Invalid, "%d terms in all are too many to store: exclude text columns with trainingDataConfig", len(v.term))
	}
	in.Report(total, total)
	count := make([]int32, items)
	for _, item := range in.Events.Item {
		count[item]++
	}
	params := in.Params
	if params == nil {
		params = map[string]string{}
	}
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: params, Seed: in.Seed, Scores: "none",
			Users: in.Users, Items: items, Interactions: int64(in.Events.Len())},
		Items: in.Items,
		Tensors: map[string]model.Tensor{
			tensorStart:  {Shape: []int{len(v.start)}, I32: v.start},
			tensorTerm:   {Shape: []int{len(v.term)}, I32: v.term},
			tensorWeight: {Shape: []int{len(v.weight)}, F32: v.weight},
			tensorCount:  {Shape: []int{items}, I32: count},
		},
	}, ctx.Err()
}

// vectors are the items', one after the other.
type vectors struct {
	start, term []int32
	weight      []float32
}

func (v *vectors) add(terms []term) {
	for _, t := range terms {
		v.term, v.weight = append(v.term, t.place), append(v.weight, float32(t.weight))
	}
	v.start = append(v.start, int32(len(v.term)))
}

// term is one place of a vector.
type term struct {
	place  int32
	weight float64
}

// reader turns columns into terms. It is the scratch of one training.
type reader struct {
	df      []int32 // items in which a place occurs
	numbers []recipe.Scale
	tokens  []int32
	terms   []term
}

// count adds one item to df.
func (r *reader) count(columns []*dataset.Column, row int32) {
	for _, c := range columns {
		for _, t := range r.read(c, row) {
			r.df[t.place]++
		}
	}
}

// weigh is the vector of one item, places ascending.
func (r *reader) weigh(columns []*dataset.Column, row int32, items int) []term {
	r.terms = r.terms[:0]
	for _, c := range columns {
		terms := r.read(c, row)
		for i := range terms {
			idf := math.Log(float64(items) / float64(max(1, r.df[terms[i].place])))
			terms[i].weight = (1 + math.Log(terms[i].weight)) * max(0, idf)
		}
		terms = slices.DeleteFunc(terms, func(t term) bool { return t.weight <= 0 })
		slices.SortFunc(terms, func(a, b term) int { return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.place, b.place)) })
		terms = terms[:min(termsAtMost, len(terms))]
		unit(terms)
		r.terms = append(r.terms, terms...)
	}
	for k := range r.numbers {
		x := &r.numbers[k]
		x.Stands(row, func(at int, weight float64) {
			r.terms = append(r.terms, term{place(x.Name, "#"+strconv.Itoa(at-1)), weight * x.Voice})
		})
	}
	unit(r.terms)
	slices.SortStableFunc(r.terms, func(a, b term) int { return cmp.Compare(a.place, b.place) })
	return r.terms
}

// unit makes a vector of length 1.
func unit(terms []term) {
	var sum float64
	for _, t := range terms {
		sum += t.weight * t.weight
	}
	for i := range terms {
		terms[i].weight /= math.Sqrt(sum)
	}
}

// read is the distinct terms of one value, places ascending, with how often each occurs.
func (r *reader) read(c *dataset.Column, row int32) (terms []term) {
	r.tokens = r.tokens[:0]
	if c.Categorical {
		for _, v := range schema.Values(c.Text[row]) {
			r.tokens = append(r.tokens, place(c.Name, v))
		}
	} else {
		for _, w := range strings.FieldsFunc(c.Text[row], func(x rune) bool { return !unicode.IsLetter(x) && !unicode.IsDigit(x) }) {
			r.tokens = append(r.tokens, place(c.Name, w))
		}
	}
	slices.Sort(r.tokens)
	for _, p := range r.tokens {
		if n := len(terms); n > 0 && terms[n-1].place == p {
			terms[n-1].weight++
		} else {
			terms = append(terms, term{p, 1})
		}
	}
	return terms
}

// place is where a term of a column is hashed to, whatever its case.
func place(column, word string) int32 {
	h := fnv.New64a()
	for _, part := range []string{column, "\x00", strings.ToLower(word)} {
		_, _ = h.Write([]byte(part)) // never fails
	}
	return int32(h.Sum64() % places)
}

var (
	_ recipe.Recipe = Recipe{}
	_ recipe.Sizer  = Recipe{}
	_ recipe.Coster = Recipe{}
	_ model.Scorer  = (*scorer)(nil)
)

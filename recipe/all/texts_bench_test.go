package all_test

import (
	"cmp"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// BenchmarkTexts measures how well what is said of items finds those that
// belong together: articles that cite each other or are in the libraries of the
// same people, by their tags; films that the same people saw, by titles and
// genres. Nothing of who cites or saw what is learned from.
//
//	go test ./recipe/all -run xxx -bench Texts -benchtime 1x
func BenchmarkTexts(b *testing.B) {
	for name, read := range map[string]func(*testing.B) said{"citeulike-a": articles, "ml-1m": films} {
		b.Run(name, func(b *testing.B) {
			s := read(b)
			for b.Loop() {
				for _, r := range []struct {
					recipe string
					params map[string]string
				}{
					{"content", nil},
					{"semantic", map[string]string{"latent_weight": "0"}},
					{"semantic", nil},
					{"semantic", map[string]string{"latent_dimension": "32"}},
					{"semantic", map[string]string{"latent_dimension": "128"}},
					{"semantic", map[string]string{"latent_dimension": "256"}},
					{"semantic", map[string]string{"latent_weight": "0.1"}},
					{"semantic", map[string]string{"latent_weight": "0.4"}},
				} {
					s.measure(b, named(b, r.recipe), r.params)
				}
			}
		})
	}
}

// said is a catalogue, and which of its items belong together, in so many ways.
type said struct {
	in       recipe.Input
	together map[string][][]int32 // by item row
}

// measure asks for what is like each item, at most 3000 of them evenly from all.
func (s said) measure(b *testing.B, r recipe.Recipe, params map[string]string) {
	const asked, cut = 3000, 10
	in := s.in
	in.Params = params
	before := processorTime(b)
	m, err := r.Train(b.Context(), in)
	if err != nil {
		b.Fatal(err)
	}
	took := processorTime(b) - before
	scorer, err := r.Decode(m)
	if err != nil {
		b.Fatal(err)
	}
	ndcg, n := map[string]float64{}, map[string]float64{}
	scores, order := make([]float32, len(in.Items)), make([]int32, len(in.Items))
	for row := 0; row < len(in.Items); row += max(1, len(in.Items)/asked) {
		if err := scorer.Score(b.Context(), model.Query{Item: int32(row)}, scores); err != nil {
			b.Fatal(err)
		}
		for i := range order {
			order[i] = int32(i)
		}
		slices.SortFunc(order, func(x, y int32) int { return cmp.Or(cmp.Compare(scores[y], scores[x]), cmp.Compare(x, y)) })
		for way, lists := range s.together {
			right, gain, ideal := lists[row], 0.0, 0.0
			if len(right) == 0 {
				continue
			}
			for rank := range cut {
				if slices.Contains(right, order[rank]) {
					gain += 1 / math.Log2(float64(rank)+2)
				}
				if rank < len(right) {
					ideal += 1 / math.Log2(float64(rank)+2)
				}
			}
			ndcg[way], n[way] = ndcg[way]+gain/ideal, n[way]+1
		}
	}
	for way := range s.together {
		b.Logf("%s %v: %s: NDCG@10 %.4f of %g items; training took %s", r.Name(), params, way, ndcg[way]/n[way], n[way], took)
	}
}

// articles are those of CiteULike by their tags.
func articles(b *testing.B) said {
	dir := dataDir(b, "content/citeulike-a")
	raw, err := os.ReadFile(filepath.Join(dir, "tags.dat"))
	if err != nil {
		b.Fatal(err)
	}
	names := strings.Split(strings.NewReplacer("_", " ", "-", " ").Replace(string(raw)), "\n")
	column := dataset.Column{Name: "TAGS", Textual: true}
	for _, tags := range lines(b, filepath.Join(dir, "item-tag.dat")) {
		var words []string
		for _, tag := range tags[1:] { // the first number is how many there are
			words = append(words, names[tag])
		}
		column.Text = append(column.Text, strings.Join(words, ", "))
	}
	s := said{in: catalogue(column), together: map[string][][]int32{}}
	for _, row := range lines(b, filepath.Join(dir, "citations.dat")) {
		s.together["cited"] = append(s.together["cited"], row[1:])
	}
	var libraries [][]int32
	for _, row := range lines(b, filepath.Join(dir, "users.dat")) {
		libraries = append(libraries, row[1:])
	}
	s.together["in the same libraries"] = nearest(libraries, len(s.in.Items))
	return s
}

// films are those of MovieLens 1M by titles and genres.
func films(b *testing.B) said {
	dir := dataDir(b, "seq/ml1m")
	raw, err := os.ReadFile(filepath.Join(dir, "movies.dat"))
	if err != nil {
		b.Fatal(err)
	}
	rows := map[int32]int32{}
	genres, titles := dataset.Column{Name: "GENRES", Categorical: true}, dataset.Column{Name: "TITLE", Textual: true}
	for line := range strings.Lines(string(raw)) {
		f := strings.Split(strings.TrimSpace(line), "::")
		id, err := strconv.ParseInt(f[0], 10, 32)
		if err != nil {
			b.Fatal(err)
		}
		rows[int32(id)] = int32(len(titles.Text))
		titles.Text, genres.Text = append(titles.Text, f[1]), append(genres.Text, f[2])
	}
	var seen [][]int32
	for _, row := range lines(b, filepath.Join(dir, "seq_all3706.txt")) {
		var of []int32
		for _, id := range row[1:] {
			of = append(of, rows[id])
		}
		slices.Sort(of)
		seen = append(seen, slices.Compact(of))
	}
	s := said{in: catalogue(genres, titles)}
	s.together = map[string][][]int32{"seen by the same people": nearest(seen, len(s.in.Items))}
	return s
}

func catalogue(columns ...dataset.Column) recipe.Input {
	in := recipe.Input{ItemAttributes: &dataset.Attributes{Columns: columns}, Seed: 1}
	for i := range columns[0].Text {
		in.Items = append(in.Items, strconv.Itoa(i))
	}
	return in
}

// nearest are the 20 items that each has most people in common with, by the
// cosine, of those with 3 or more.
func nearest(of [][]int32, items int) [][]int32 {
	people := make([][]int32, items)
	for u, row := range of {
		for _, i := range row {
			people[i] = append(people[i], int32(u))
		}
	}
	out, common := make([][]int32, items), make([]int32, items)
	for i := range out {
		var others []int32
		for _, u := range people[i] {
			for _, j := range of[u] {
				if common[j]++; common[j] == 3 && int(j) != i {
					others = append(others, j)
				}
			}
		}
		like := func(j int32) float64 { return float64(common[j]) / math.Sqrt(float64(len(people[j]))) }
		slices.SortFunc(others, func(x, y int32) int { return cmp.Or(cmp.Compare(like(y), like(x)), cmp.Compare(x, y)) })
		out[i] = slices.Clone(others[:min(20, len(others))])
		clear(common)
	}
	return out
}

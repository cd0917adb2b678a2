package semantic

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gocloud.dev/blob/fileblob"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/recipetest"
)

func input(columns ...dataset.Column) recipe.Input {
	in := recipe.Input{Items: make([]string, len(columns[0].Text)), ItemAttributes: &dataset.Attributes{Columns: columns}, Seed: 1}
	for i := range in.Items {
		in.Items[i] = fmt.Sprint("item", i)
	}
	return in
}

func text(values ...string) dataset.Column {
	return dataset.Column{Name: "TEXT", Textual: true, Text: values}
}

func scores(t *testing.T, r Recipe, in recipe.Input, q model.Query) []float32 {
	t.Helper()
	m, err := r.Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, len(in.Items))
	if err := s.Score(t.Context(), q, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func like(t *testing.T, item int32, columns ...dataset.Column) []float32 {
	t.Helper()
	return scores(t, New(nil), input(columns...), model.Query{Item: item})
}

// Words, their inflections and their neighbourhood count, rare ones most.
func TestWhatIsAlike(t *testing.T) {
	got := like(t, 0, text(
		"The submarine sinks slowly", "A submarine: it sinks!", "two SUBMARINES rise", "the dog runs", "the cat sleeps", "the fox eats", "the hen", "slowly sinks the sun"))
	if !math.IsInf(float64(got[0]), -1) {
		t.Errorf("the item itself has %g", got[0])
	}
	if !(got[1] > got[2] && got[2] > got[3]) {
		t.Errorf("the same words %g, one of them in another form %g, none but 'the' %g", got[1], got[2], got[3])
	}
	if got[3] > 0.2 {
		t.Errorf("a word that nearly all have scores %g", got[3])
	}
	pairs := like(t, 0, text("red wine glass", "wine of red glass", "glass red wine", "blue", "green tea", "red tea", "wine", "glass pot"))
	if !(pairs[2] > pairs[1]) {
		t.Errorf("the same pair of words %g, the same words apart %g", pairs[2], pairs[1])
	}
}

// Scripts without spaces have no words to go by; neighbouring signs are what is alike.
func TestScriptsWithoutSpaces(t *testing.T) {
	got := like(t, 0, text("東京の古い寺", "京都の古い寺", "新しい車", "車の音", "大きな犬", "小さな猫", "赤い花"))
	if !(got[1] > 0.1) || got[1] <= got[2] {
		t.Errorf("an old temple elsewhere %g, a new car %g", got[1], got[2])
	}
}

// A long text does not drown a category, and numbers say nothing.
func TestColumnsHaveOneVoiceEach(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := 200
	genres, plots, prices := make([]string, n), make([]string, n), make([]float64, n)
	for i := range n {
		genres[i] = fmt.Sprintf("genre%d", r.IntN(20))
		for range 30 {
			plots[i] += fmt.Sprintf("%s%d ", []string{"abc", "xyz", "klm", "qrs"}[r.IntN(4)], r.IntN(300))
		}
	}
	genres[0], genres[1] = "western|War", "war|WESTERN"
	plots[2] = plots[0]
	in := input(dataset.Column{Name: "GENRES", Categorical: true, Text: genres}, dataset.Column{Name: "PLOT", Textual: true, Text: plots}, dataset.Column{Name: "PRICE", Number: prices})
	in.Params = map[string]string{paramWeight: "0"}
	got := scores(t, New(nil), in, model.Query{Item: 0})
	if math.Abs(float64(got[1])-0.5) > 0.1 || math.Abs(float64(got[2])-0.5) > 0.1 {
		t.Errorf("the same categories %g, the same text %g: about a half each", got[1], got[2])
	}
}

// The latent part: items of which nothing is said in the same words are alike
// when others say both. Every text has two of a topic's 30 words.
func TestLatentTopics(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const topics, words, n = 8, 30, 1200
	syllables := []string{"ka", "lo", "mi", "ru", "te", "zo", "fy", "ban", "dur", "gop"}
	vocabulary := make([]string, topics*words)
	for i := range vocabulary {
		for range 4 {
			vocabulary[i] += syllables[r.IntN(len(syllables))]
		}
	}
	values := make([]string, n)
	for i := range values {
		for range 3 {
			values[i] += vocabulary[i%topics*words+r.IntN(words)] + " "
		}
	}
	in := input(text(values...))
	hits := func(weight string) (same int) {
		in.Params = map[string]string{paramWeight: weight, paramDimension: "8"}
		m, err := New(nil).Train(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(nil).Decode(m)
		if err != nil {
			t.Fatal(err)
		}
		got, order := make([]float32, n), make([]int, n)
		for item := range 40 {
			if err := s.Score(t.Context(), model.Query{Item: int32(item)}, got); err != nil {
				t.Fatal(err)
			}
			for i := range order {
				order[i] = i
			}
			slices.SortStableFunc(order, func(a, b int) int { return int(math.Copysign(1, float64(got[b]-got[a]))) })
			for _, i := range order[:140] { // of 150 that there are
				if i%topics == item%topics {
					same++
				}
			}
		}
		return same
	}
	terms, both := hits("0"), hits("0.5")
	if both < terms*5/4 {
		t.Errorf("of 5600 that are found by terms %d are of the topic, with its directions %d", terms, both)
	}
	t.Logf("of 5600: by terms %d, with directions %d", terms, both)
}

// A small catalogue has fewer directions than are asked for: nothing is lost.
func TestSmallCatalogues(t *testing.T) {
	for _, values := range [][]string{{"one"}, {"one", "one"}, {"", ""}, {"one two", "two three", "one two three"}} {
		for item := range int32(len(values)) {
			for i, v := range like(t, item, text(values...)) {
				if v != v || v > 1.0001 || i == int(item) != math.IsInf(float64(v), -1) {
					t.Errorf("%q: item %d is like %d with %g", values, i, item, v)
				}
			}
		}
	}
	in := recipe.Input{Items: []string{"a", "b"}} // and nothing is known of items
	if got := scores(t, New(nil), in, model.Query{Item: 0}); got[1] >= 0 {
		t.Errorf("nothing in common scores %g", got[1])
	}
	in.Items = nil
	scores(t, New(nil), in, model.Query{Item: model.NoItem})
}

// counted is an Embedder whose vectors say how often each of some words stands in a text.
type counted struct {
	words []string
	texts []string // as they came
	err   error
}

func (c *counted) Model() string { return "counted-1" }

func (c *counted) Embed(ctx context.Context, texts []string, progress func(done, total int)) ([][]float32, error) {
	c.texts = append(c.texts, texts...)
	out := make([][]float32, len(texts))
	for i, text := range texts {
		for _, word := range c.words {
			out[i] = append(out[i], float32(strings.Count(text, word)))
		}
		progress(i+1, len(texts))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, c.err
}

func TestEmbedder(t *testing.T) {
	long := strings.Repeat("ß", textMost)
	in := input(
		dataset.Column{Name: "MAIN_GENRES", Categorical: true, Text: []string{"war| drama", "", "comedy", "", "war"}},
		dataset.Column{Name: "PLOT", Textual: true, Text: []string{" A ship. ", "\xffship", "", "", long}})
	e := &counted{words: []string{"ship", "war", "comedy"}}
	m, err := New(e).Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"main genres: war, drama\nplot: A ship.", "plot: ship", "main genres: comedy"}; !slices.Equal(e.texts[:3], want) || len(e.texts) != 4 {
		t.Errorf("the texts are %q", e.texts)
	}
	if got := e.texts[3]; len(got) > textMost || len(got) < textMost-1 || !strings.HasSuffix(got, "ß") {
		t.Errorf("a long text is cut to %d bytes, which end with %q", len(got), got[len(got)-4:])
	}
	if p := m.Manifest.Parameters; p[paramModel] != "counted-1" || p[paramSize] != "3" || p[paramDimension] != "" {
		t.Errorf("parameters %v", p)
	}
	got := scores(t, New(e), in, model.Query{Item: 0})
	for i, want := range []float64{math.Inf(-1), 1 / math.Sqrt2, -1, -1, 1 / math.Sqrt2} {
		if math.Abs(float64(got[i])-want) > 1e-6 && !math.IsInf(want, -1) {
			t.Errorf("item %d: %g, want %g", i, got[i], want)
		}
	}
	// Made anew without an Embedder, the model says nothing of one.
	in.Params = m.Manifest.Parameters
	if m, err = New(nil).Train(t.Context(), in); err != nil || m.Manifest.Parameters[paramModel] != "" || m.Manifest.Parameters[paramDimension] == "" {
		t.Errorf("parameters %v (%v)", m.Manifest.Parameters, err)
	}
}

// shifty gives vectors that do not fit together.
type shifty struct {
	counted
	vectors [][]float32
}

func (s *shifty) Embed(context.Context, []string, func(int, int)) ([][]float32, error) {
	return s.vectors, s.err
}

func TestEmbedderThatFails(t *testing.T) {
	in, failing := input(text("a", "b")), errors.New("failing")
	nan := float32(math.NaN())
	for name, s := range map[string]*shifty{
		"error":   {counted: counted{err: failing}},
		"few":     {vectors: [][]float32{{1}}},
		"lengths": {vectors: [][]float32{{1}, {1, 2}}},
		"NaN":     {vectors: [][]float32{{1}, {nan}}},
	} {
		if _, err := New(s).Train(t.Context(), in); err == nil || name == "error" && !errors.Is(err, failing) || name != "error" && name != "few" && attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// hashed is an Embedder of words.
type hashed struct{ counted }

func (hashed) Embed(ctx context.Context, texts []string, progress func(done, total int)) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = make([]float32, 12)
		for word := range strings.FieldsSeq(text) {
			h := fnv.New32a()
			_, _ = h.Write([]byte(word))
			out[i][h.Sum32()%12]++
		}
		progress(i+1, len(texts))
	}
	return out, ctx.Err()
}

func TestSuiteWithEmbedder(t *testing.T) {
	recipetest.Run(t, New(&hashed{}), func(t *testing.T) *artifact.Store {
		dir := t.TempDir()
		b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		return artifact.New(b, dir, "")
	}, recipetest.Claims{Personal: true, Related: true, Told: []string{paramSize}})
}

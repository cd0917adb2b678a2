package all_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// BenchmarkCold measures by Fit's own protocol how well items with fewer than 5
// interactions are found, and users with as few are answered, with what is said
// of items and without it:
//
//	go test ./recipe/all -run xxx -bench Cold/ml-100k -benchtime 1x
func BenchmarkCold(b *testing.B) {
	for name, read := range map[string]func(testing.TB) *dataset.Snapshot{"ml-100k": moviesWithGenres, "citeulike-a": papersWithTags} {
		for _, algorithm := range []string{"ials", "blend"} {
			b.Run(name+"/"+algorithm, func(b *testing.B) {
				s := read(b)
				for b.Loop() {
					m, err := recipe.Fit(b.Context(), recipe.FitSpec{Snapshot: s, Recipe: named(b, algorithm), Name: "aws-user-personalization", Seed: 1,
						Baselines: []recipe.Recipe{named(b, "popularity"), named(b, "itemknn"), named(b, "content"), named(b, "demographic")}})
					if err != nil {
						b.Fatal(err)
					}
					showCold(b, s, m)
				}
			})
		}
	}
}

func showCold(b *testing.B, s *dataset.Snapshot, m *model.Model) {
	e, out := m.Manifest.Evaluation, new(strings.Builder) // one log entry: a benchmark shows no more than ten
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, "\n"+format, args...) }
	say("%s: members %s, cold_item_gain %q, opening %q", s, m.Manifest.Parameters["members"], m.Manifest.Parameters["cold_item_gain"], m.Manifest.Parameters["opening.demographic"])
	say("all %d users: NDCG@25 %s", e.Users, interval(e.NDCG25))
	for _, o := range e.Baselines {
		say("  %s %s", o.Name, interval(o.NDCG25))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Slices)) {
		say("%s: %d users: NDCG@25 %s", name, e.Slices[name].Users, interval(e.Slices[name].NDCG25))
		for _, o := range e.Baselines {
			say("  %s %s", o.Name, interval(e.Slices[name].Baselines[o.Name]))
		}
	}
	b.Log(out)
}

// BenchmarkHidden takes every fifth item out of the training part altogether, and
// asks for it: how well a blend finds items that nobody has had yet, of which
// only attributes are known.
func BenchmarkHidden(b *testing.B) {
	genres := func(t testing.TB) *dataset.Snapshot { return moviesOfYears(t, false) }
	years := func(t testing.TB) *dataset.Snapshot { return moviesOfYears(t, true) }
	for name, read := range map[string]func(testing.TB) *dataset.Snapshot{"ml-100k": moviesWithGenres, "genres-100k": genres, "years-100k": years, "citeulike-a": papersWithTags} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				hide(b, read(b))
			}
		})
	}
}

func hide(b *testing.B, s *dataset.Snapshot) {
	split, err := dataset.NewSplit(s.Events, dataset.Tail10, 1)
	if err != nil {
		b.Fatal(err)
	}
	hidden := func(row int32) bool { return row%5 == 0 }
	known := *s
	known.Events = split.Train.Where(func(i int) bool { return !hidden(split.Train.Item[i]) })
	m, err := recipe.Fit(b.Context(), recipe.FitSpec{Snapshot: &known, Recipe: all.Blend(), Name: "aws-user-personalization", Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	scorer, err := all.Blend().Decode(m)
	if err != nil {
		b.Fatal(err)
	}
	scores := make([]float32, s.Items.Len())
	var whole, cold []float64
	for _, c := range dataset.Sample(split.Cases, 2000) {
		q := model.Query{Item: model.NoItem}
		for k, row := range c.Input.Item {
			if !hidden(row) {
				q.History = append(q.History, model.Touch{Item: row, Weight: 1, At: c.Input.At[k]})
			}
		}
		if err := scorer.Score(b.Context(), q, scores); err != nil {
			b.Fatal(err)
		}
		for _, row := range c.Input.Item {
			scores[row] = float32(math.Inf(-1))
		}
		list := kernel.TopK(nil, scores, 25, nil)
		_, ndcg := evaluate.Recall(list, c.Truth, 25)
		whole = append(whole, ndcg)
		truth := slices.DeleteFunc(slices.Clone(c.Truth), func(row int32) bool { return !hidden(row) })
		if len(truth) == 0 {
			continue
		}
		for row := range scores {
			if !hidden(int32(row)) {
				scores[row] = float32(math.Inf(-1))
			}
		}
		_, ndcg = evaluate.Recall(kernel.TopK(nil, scores, 25, nil), truth, 25)
		cold = append(cold, ndcg)
	}
	both := func(x []float64) string { return interval(model.Interval(evaluate.Bootstrap(1, x)[0])) }
	b.Logf("%s: members %s, cold_item_gain %q: all items, %d users: NDCG@25 %s; hidden ones among themselves, %d users: %s", s,
		m.Manifest.Parameters["members"], m.Manifest.Parameters["cold_item_gain"], len(whole), both(whole), len(cold), both(cold))
}

func named(b *testing.B, name string) recipe.Recipe {
	r, ok := all.ByName(name)
	if !ok {
		b.Fatalf("no %s", name)
	}
	return r
}

// moviesWithGenres is MovieLens 100K with titles and genres.
func moviesWithGenres(t testing.TB) *dataset.Snapshot {
	s := movieLens100K(t)
	raw, err := os.ReadFile(filepath.Join(dataDir(t, "small/ml-100k"), "u.item"))
	if err != nil {
		t.Fatal(err)
	}
	titles := dataset.Column{Name: "TITLE", Textual: true, Text: make([]string, s.Items.Len())}
	genres := dataset.Column{Name: "GENRES", Categorical: true, Text: make([]string, s.Items.Len())}
	for line := range strings.Lines(string(raw)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		row, ok := s.Items.Row(f[0])
		if !ok || len(f) != 24 {
			continue
		}
		var has []string
		for g, flag := range f[5:] {
			if flag == "1" {
				has = append(has, strconv.Itoa(g))
			}
		}
		titles.Text[row], genres.Text[row] = f[1], strings.Join(has, "|")
	}
	s.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{genres, titles}}
	viewers(t, s)
	return s
}

// moviesOfYears is MovieLens 100K with genres, and the year of release where asked for.
func moviesOfYears(t testing.TB, asked bool) *dataset.Snapshot {
	s := moviesWithGenres(t)
	genres, titles := s.ItemAttributes.Columns[0], s.ItemAttributes.Columns[1]
	s.ItemAttributes.Columns = []dataset.Column{genres}
	if !asked {
		return s
	}
	year := dataset.Column{Name: "YEAR", Kind: schema.Int, Number: make([]float64, s.Items.Len())}
	for row, title := range titles.Text {
		year.Number[row] = math.NaN()
		if from := strings.LastIndex(title, "("); from >= 0 {
			if y, err := strconv.ParseFloat(strings.Trim(title[from:], "() "), 64); err == nil {
				year.Number[row] = y
			}
		}
	}
	s.ItemAttributes.Columns = append(s.ItemAttributes.Columns, year)
	return s
}

// viewers adds what MovieLens 100K tells of its users.
func viewers(t testing.TB, s *dataset.Snapshot) {
	raw, err := os.ReadFile(filepath.Join(dataDir(t, "small/ml-100k"), "u.user"))
	if err != nil {
		t.Fatal(err)
	}
	age := dataset.Column{Name: "AGE", Number: make([]float64, s.Users.Len())}
	gender := dataset.Column{Name: "GENDER", Categorical: true, Text: make([]string, s.Users.Len())}
	work := dataset.Column{Name: "OCCUPATION", Categorical: true, Text: make([]string, s.Users.Len())}
	for line := range strings.Lines(string(raw)) {
		f := strings.Split(line, "|")
		row, ok := s.Users.Row(f[0])
		if !ok {
			continue
		}
		if age.Number[row], err = strconv.ParseFloat(f[1], 64); err != nil {
			t.Fatal(err)
		}
		gender.Text[row], work.Text[row] = f[2], f[3]
	}
	s.UserAttributes = &dataset.Attributes{Columns: []dataset.Column{age, gender, work}}
}

// papersWithTags is CiteULike: who has which paper, in no order of time, and the tags of papers.
func papersWithTags(t testing.TB) *dataset.Snapshot {
	dir := dataDir(t, "content/citeulike-a")
	rows := func(name string) (out [][]string) {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			out = append(out, strings.Fields(line)[1:]) // without the count in front
		}
		return out
	}
	users, tags := rows("users.dat"), rows("item-tag.dat")
	var userIDs, itemIDs []string
	for u, items := range users {
		userIDs = append(userIDs, strconv.Itoa(u))
		itemIDs = append(itemIDs, items...)
	}
	s := &dataset.Snapshot{Name: "citeulike-a", Users: dataset.NewVocabulary(userIDs), Items: dataset.NewVocabulary(itemIDs)}
	s.Events.Types = []string{""}
	for u := range int32(s.Users.Len()) {
		n, err := strconv.Atoi(s.Users.ID(u))
		if err != nil {
			t.Fatal(err)
		}
		var own []int32
		for _, id := range users[n] {
			row, _ := s.Items.Row(id)
			own = append(own, row)
		}
		// Which are the newest nobody knows: another order for every user, so that no
		// item is held out from all of them.
		slices.Sort(own)
		own = slices.Compact(own)
		rand.New(rand.NewPCG(1, uint64(u))).Shuffle(len(own), func(i, j int) { own[i], own[j] = own[j], own[i] })
		for k, row := range own {
			e := &s.Events
			e.User, e.Item, e.At = append(e.User, u), append(e.Item, row), append(e.At, int64(k))
			e.Type, e.Value = append(e.Type, 0), append(e.Value, dataset.NoValue())
		}
	}
	column := dataset.Column{Name: "TAGS", Categorical: true, Text: make([]string, s.Items.Len())}
	for i, of := range tags {
		if row, ok := s.Items.Row(strconv.Itoa(i)); ok {
			column.Text[row] = strings.Join(of, "|")
		}
	}
	s.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{column}}
	return s
}

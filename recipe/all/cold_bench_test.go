package all_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/attune-io/attune/dataset"
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
		b.Run(name, func(b *testing.B) {
			s := read(b)
			for b.Loop() {
				m, err := recipe.Fit(b.Context(), recipe.FitSpec{Snapshot: s, Recipe: named(b, "ials"), Name: "aws-user-personalization", Seed: 1,
					Baselines: []recipe.Recipe{named(b, "popularity"), named(b, "itemknn"), named(b, "content"), named(b, "demographic")}})
				if err != nil {
					b.Fatal(err)
				}
				e := m.Manifest.Evaluation
				b.Logf("%s: all %d users: NDCG@25 %s", s, e.Users, interval(e.NDCG25))
				for _, o := range e.Baselines {
					b.Logf("  %s %s", o.Name, interval(o.NDCG25))
				}
				for _, slice := range []string{model.SliceColdItems, model.SliceNewUsers} {
					b.Logf("%s: %d users: NDCG@25 %s", slice, e.Slices[slice].Users, interval(e.Slices[slice].NDCG25))
					for _, o := range e.Baselines {
						b.Logf("  %s %s", o.Name, interval(e.Slices[slice].Baselines[o.Name]))
					}
				}
			}
		})
	}
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

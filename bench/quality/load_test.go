package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
)

func cut(lines ...string) (out [][]string) {
	for _, l := range lines {
		out = append(out, strings.Fields(l))
	}
	return out
}

// TestTellsOrder: walks in order are told from the same walks shuffled, and from
// lists sorted by number.
func TestTellsOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var walks, shuffled, sorted [][]int32
	for _, line := range shop(r, 200, 12) {
		var row []int32
		for _, id := range line {
			n, err := strconv.ParseInt(id, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, int32(n))
		}
		walks = append(walks, row)
		mixed := slices.Clone(row)
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		shuffled, sorted = append(shuffled, mixed), append(sorted, slices.Sorted(slices.Values(row)))
	}
	if !tellsOrder(walks) || tellsOrder(shuffled) || tellsOrder(sorted) || tellsOrder(nil) || tellsOrder([][]int32{{1}, {2, 3}}) {
		t.Errorf("walks %v, shuffled %v, sorted %v", tellsOrder(walks), tellsOrder(shuffled), tellsOrder(sorted))
	}
}

func TestLoad(t *testing.T) {
	c, err := load(kindCF, cut("u 10 9 9", "v 2 10"))
	if err != nil || !slices.Equal(c.items, []string{"2", "9", "10"}) || c.users != 2 || c.ordered {
		t.Fatalf("%+v, %v", c, err)
	}
	if !slices.Equal(c.train.Item, []int32{1, 2, 0, 2}) || !slices.Equal(c.train.At, []int64{0, 0, 0, 0}) {
		t.Errorf("%+v", c.train)
	}
	c, err = load(kindLOO, cut("u 10 9 a", "v 2 10"))
	if err != nil || !slices.Equal(c.items, []string{"10", "2", "9", "a"}) || !slices.Equal(c.train.Item, []int32{0, 2, 3, 1, 0}) {
		t.Fatalf("%+v, %v", c, err)
	}
	if at := c.train.At; at[0] != at[3] || at[1] != at[0]+stepMillis || at[0] != beginMillis {
		t.Errorf("times %v", at)
	}
	// Sessions follow each other, each later than the one before, with a pause.
	c, err = load(kindSession, cut("1 2", "2 1 2", "3 1"))
	if err != nil || c.users != 3 || !slices.Equal(c.train.User, []int32{0, 0, 1, 1, 1, 2, 2}) || !slices.IsSorted(c.train.At) || c.train.At[2]-c.train.At[1] < pauseMillis {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, bad := range [][]string{{"u 1", "u 2"}, {"u"}, nil} {
		if _, err := load(kindCF, cut(bad...)); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestQuestions(t *testing.T) {
	c, err := load(kindCF, cut("u 1 2", "v 3"))
	if err != nil {
		t.Fatal(err)
	}
	asked, err := c.questions(kindCF, cut("v 9 1 8", "stranger 1", "u"))
	if err != nil || len(asked) != 1 || !slices.Equal(asked[0].truth, []int32{0, 3, 4}) || asked[0].history[0].Item != 2 {
		t.Errorf("cf: %+v, %v", asked, err) // two items that nobody knows are two
	}
	asked, err = c.questions(kindNCF, cut("u 3 9 1"))
	if err != nil || !slices.Equal(asked[0].truth, []int32{2}) || !slices.Equal(asked[0].others, []int32{3, 0}) {
		t.Errorf("ncf: %+v, %v", asked, err)
	}
	if _, err := c.questions(kindNCF, cut("u 3")); attune.KindOf(err) != attune.Invalid {
		t.Errorf("no others: %v", err)
	}
	if _, err := c.questions(kindCF, cut("w 3")); attune.KindOf(err) != attune.Invalid {
		t.Errorf("strangers only: %v", err)
	}
	c, err = load(kindSession, cut("1 2 3"))
	if err != nil {
		t.Fatal(err)
	}
	asked, err = c.questions(kindSession, [][]string{{"1 7 2", "3"}, {"1 7", "2"}, {"1", "7"}, {"1", "2"}})
	if err != nil || len(asked) != 4 || len(asked[0].history) != 2 || asked[0].history[0].At <= c.train.At[2] {
		t.Fatalf("session: %+v, %v", asked, err)
	}
	if u := []int{asked[0].unit, asked[1].unit, asked[2].unit, asked[3].unit}; !slices.Equal(u, []int{0, 0, 0, 3}) {
		t.Errorf("units %v", u)
	}
	if _, err := c.questions(kindSession, cut("1 2 3")); attune.KindOf(err) != attune.Invalid {
		t.Errorf("no tab: %v", err)
	}
	sum, count := units(asked, []float64{1, 0, 1, 5})
	if !slices.Equal(sum, []float64{2, 5}) || !slices.Equal(count, []float64{3, 1}) {
		t.Errorf("%v %v", sum, count)
	}
}

// TestReadItems: a catalogue in Latin-1, with an item that nobody rated.
func TestReadItems(t *testing.T) {
	path := filepath.Join(t.TempDir(), "u.item")
	flags := "|0|1|0|0|0|1" + strings.Repeat("|0", 13)
	write(t, path, []string{"7|Caf\xe9 (1990)|01-Jan-1990||http" + flags, "8|Nobody's|01-Jan-1990||http" + flags})
	a, err := readItems(path, dataset.NewVocabulary([]string{"6", "7"}))
	if err != nil {
		t.Fatal(err)
	}
	genres, _ := a.Column("GENRES")
	title, _ := a.Column("TITLE")
	if !slices.Equal(genres.Text, []string{"", "Action|Comedy"}) || !slices.Equal(title.Text, []string{"", "Café (1990)"}) {
		t.Errorf("%q %q", genres.Text, title.Text)
	}
	write(t, path, []string{"7|Short"})
	if _, err := readItems(path, dataset.NewVocabulary([]string{"7"})); attune.KindOf(err) != attune.Invalid {
		t.Errorf("%v", err)
	}
	if a, err := readItems(path+"x", nil); a != nil || err != nil {
		t.Errorf("none: %v, %v", a, err)
	}
}

// TestMeasure: masks, cuts and ties, by hand.
func TestMeasure(t *testing.T) {
	scores := []float32{9, 8, 7, 6}
	q := question{history: []model.Touch{{Item: 0}}, truth: []int32{1}}
	for _, c := range []struct {
		form form
		a, b float64
	}{{form{cut: 1, leaveOut: true}, 1, 1}, {form{cut: 1}, 0, 0}, {form{names: [2]string{"P@20", "MRR@20"}, cut: 20}, 1, 0.5}} {
		if a, b, err := c.form.measure(q, slices.Clone(scores)); a != c.a || b != c.b || err != nil {
			t.Errorf("%+v: %g %g %v", c.form, a, b, err)
		}
	}
	q.others = []int32{0, 2, 7}
	if hit, _, err := (form{cut: 1}).measure(q, scores); hit != 0 || err != nil {
		t.Errorf("second of four: %g, %v", hit, err)
	}
	nan := float32(0)
	nan /= nan
	if _, _, err := (form{cut: 1}).measure(q, []float32{1, nan}); err == nil {
		t.Error("a score that is not a number is let through")
	}
}

// TestVerdicts: a hundredth less still counts, one metric alone does not.
func TestVerdicts(t *testing.T) {
	g := goal{must: pair{0.1, 0.2}}
	of := func(a, b float64) result {
		return result{Metrics: []measured{{"A", model.Interval{Mean: a}}, {"B", model.Interval{Mean: b}}}}
	}
	for _, c := range []struct {
		a, b float64
		want string
	}{{0.0991, 0.1981, "reached"}, {0.0989, 0.3, "no, -1.1 %"}, {0.2, 0.1, "no, -50.0 %"}} {
		if got := verdict(g, of(c.a, c.b), g.must); got != c.want {
			t.Errorf("%g, %g: %s", c.a, c.b, got)
		}
	}
	g.percent, g.must = true, pair{10, 20}
	if got := verdict(g, of(0.1, 0.2), g.must); got != "reached" {
		t.Errorf("per cent: %s", got)
	}
	for _, s := range sets {
		if _, ok := goals[s.name]; !ok && s.kind != kindRatings {
			t.Errorf("%s has no goal", s.name)
		}
	}
}

// TestPageKeepsOthers: results of sets not measured again stay on the page.
func TestPageKeepsOthers(t *testing.T) {
	line := func(set string, mean float64) result {
		return result{Set: set, Kind: kindLOO, Metrics: []measured{{"HR@10", model.Interval{Mean: mean}}, {"NDCG@10", model.Interval{Mean: mean}}}}
	}
	all := merge([]result{line("seq-beauty", 0.05), line("seq-lastfm", 0.1)}, []result{line("seq-lastfm", 0.2), line("other", 0.3)})
	if len(all) != 3 || all[1].Metrics[0].Mean != 0.2 {
		t.Fatalf("%+v", all)
	}
	var page bytes.Buffer
	report(&page, all)
	for _, r := range all {
		if !strings.Contains(page.String(), fmt.Sprintf("%.4f", r.Metrics[0].Mean)) {
			t.Errorf("%s is not on the page", r.Set)
		}
	}
	if _, err := parseResults([]byte("{}\nnonsense\n"), "file"); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
}

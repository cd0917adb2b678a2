package datasettest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
)

// longID is how many bytes the ids of strange worlds may take: as many as the service takes.
const longID = 256

// visit is one event of a strange world.
type visit struct {
	user, item int
	at         int64 // Unix milliseconds
}

// strangeWorld is what a strange snapshot is made from.
type strangeWorld struct {
	name   string
	visits []visit
	items  int // in the catalogue, without those in visits; 0 for none
	id     func(row int) string
	values func(row int) columnValues // of every row of every dataset; nil for no columns
}

// columnValues are one row's: "" and NaN where it has none.
type columnValues struct {
	category, text string
	number         float64
}

// Strange are data sets that nobody would choose to learn from and that
// somebody will send all the same, each with its name. What happened in them
// happened with actions too. They are small: the work is in being refused, or
// in learning something sane.
func Strange() []*dataset.Snapshot {
	worlds := slices.Concat(tinyWorlds(), timeWorlds(), idWorlds(), copiedWorlds(), columnWorlds())
	out := make([]*dataset.Snapshot, len(worlds))
	for i, w := range worlds {
		out[i] = w.snapshot()
	}
	return out
}

func minutes(k int) int64 { return begin().UnixMilli() + int64(k)*time.Minute.Milliseconds() }

// walks are some users' events with a few items each, no two users' alike.
func walks(users, items, each int, at func(k int) int64) []visit {
	var out []visit
	for u := range users {
		for k := range each {
			out = append(out, visit{u, (u*7 + k*k*3 + k) % items, at(k)})
		}
	}
	return out
}

// few are the walks of the worlds whose strangeness is elsewhere.
func few() []visit { return walks(24, 16, 5, minutes) }

func tinyWorlds() []strangeWorld {
	huge := walks(30, 50, 3, minutes)
	for k := range 1000 {
		huge = append(huge, visit{99, k * k % 50, minutes(k)})
	}
	return []strangeWorld{
		{name: "nothing"},
		{name: "items alone", items: 12},
		{name: "one event", visits: []visit{{1, 1, 5}}},
		{name: "two events", visits: []visit{{1, 1, 5}, {1, 2, 6}}},
		{name: "nobody has two", visits: walks(60, 20, 1, minutes)},
		{name: "one user", visits: walks(1, 40, 30, minutes)},
		{name: "one item", visits: walks(40, 1, 3, minutes)},
		{name: "one user and one item", visits: walks(1, 1, 300, func(int) int64 { return 9 })},
		{name: "all alike", visits: walks(60, 1, 4, func(int) int64 { return 9 })},
		{name: "a huge user", visits: huge},
		{name: "a catalogue that is new", visits: walks(30, 3, 3, minutes), items: 300},
	}
}

func timeWorlds() []strangeWorld {
	at := func(name string, at func(k int) int64) strangeWorld {
		return strangeWorld{name: name, visits: walks(24, 16, 5, at)}
	}
	return []strangeWorld{
		at("times of zero", func(int) int64 { return 0 }),
		at("far future", func(k int) int64 { return math.MaxInt64 - 10 + int64(k) }),
		at("before all times", func(k int) int64 { return math.MinInt64 + int64(k) }),
		at("from one end of time to the other", func(k int) int64 { return []int64{math.MinInt64, -1, 0, 1, minutes(0), math.MaxInt64}[k%6] }),
	}
}

// writings are pieces of ids that programs trip over: emoji of several runes,
// letters under many marks, writing from the right, letters of three and four bytes.
func writings() []string {
	return []string{"👩🏽\u200d🚀🏳\ufe0f\u200d🌈", "Z\u0351\u036b\u0313\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a", "مرحبا\u200fשלום\u202e", "個人化推薦語𠜎𠜱", "ß\u00a0\u200b\ufeff", "\x00\x7f\t\n|,\"'\\/%2F"}
}

func idWorlds() []strangeWorld {
	of := func(row int) string { return writings()[row%len(writings())] }
	return []strangeWorld{{name: "long ids of any writing", visits: few(), id: func(row int) string { return filled(row, of(row)) },
		values: func(row int) columnValues {
			return columnValues{category: filled(row%7, of(row%7)), text: strings.Repeat(of(row)+" ", 1+row%5), number: float64(row)}
		}}}
}

// filled is an id of longID bytes or a little less: a number, and one writing again and again.
func filled(row int, writing string) string {
	id := fmt.Sprintf("%06d", row) + strings.Repeat(writing, 1+longID/len(writing))
	id = id[:longID]
	for !utf8.ValidString(id) {
		id = id[:len(id)-1]
	}
	return id
}

func copiedWorlds() []strangeWorld {
	var twice, leaks, crowd []visit
	for _, v := range few() {
		twice = append(twice, v, v)
	}
	for u := range 40 {
		for k := range 8 {
			leaks = append(leaks, visit{u, (u + k/4) % 12, minutes(k)}) // what is asked for was just told
			crowd = append(crowd, visit{u, k * 3 % 8, minutes(k)})
		}
	}
	return []strangeWorld{
		{name: "every row twice", visits: twice},
		{name: "targets that were told", visits: leaks},
		{name: "everybody the same", visits: crowd},
	}
}

func columnWorlds() []strangeWorld {
	with := func(name string, values func(row int) columnValues) strangeWorld {
		return strangeWorld{name: name, visits: few(), items: 20, values: values}
	}
	null := columnValues{number: math.NaN()}
	return []strangeWorld{
		with("constant columns", func(int) columnValues { return columnValues{"a", "the same of everything", 7} }),
		with("null columns", func(int) columnValues { return null }),
		with("columns of one value", func(row int) columnValues {
			if row == 3 {
				return columnValues{"a", "nobody else", 1}
			}
			return null
		}),
		with("an id in every column", func(row int) columnValues {
			return columnValues{fmt.Sprint(row), fmt.Sprintf("word%d", row), float64(row)}
		}),
		with("words that are none", func(row int) columnValues {
			return columnValues{strings.Repeat("|", row%4), []string{" ", "...", "\u200b", "||"}[row%4], 0}
		}),
		with("huge numbers", func(row int) columnValues {
			return columnValues{"a|b", "many", []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.MaxInt64, 1e39}[row%5]}
		}),
		with("a long text", func(row int) columnValues {
			return columnValues{strings.Repeat("c|", 200), strings.Repeat(fmt.Sprint("word", row%7, " "), 300), -1}
		}),
	}
}

func (w strangeWorld) snapshot() *dataset.Snapshot {
	if w.id == nil {
		w.id = func(row int) string { return fmt.Sprintf("%04d", row) }
	}
	var users, items []string
	for _, v := range w.visits {
		users, items = append(users, w.id(v.user)), append(items, w.id(v.item))
	}
	for i := range w.items {
		items = append(items, w.id(i))
	}
	s := &dataset.Snapshot{Name: w.name, AsOf: begin().AddDate(0, 2, 0), Users: dataset.NewVocabulary(users), Items: dataset.NewVocabulary(items)}
	s.Events = w.events(s, []string{"Purchase", "View"})
	s.Actions, s.ActionEvents = s.Items, w.events(s, []string{"Taken", "Viewed"})
	s.ItemAttributes, s.UserAttributes, s.ActionAttributes = w.about(s.Items.Len()), w.about(s.Users.Len()), w.about(s.Items.Len())
	return s
}

// events are the visits in the order that Events have; every third is of the first type.
func (w strangeWorld) events(s *dataset.Snapshot, types []string) dataset.Events {
	e := dataset.Events{Types: types}
	visits := slices.Clone(w.visits)
	slices.SortStableFunc(visits, func(a, b visit) int {
		if a.user != b.user {
			return a.user - b.user
		}
		if a.at < b.at {
			return -1
		}
		if a.at > b.at {
			return 1
		}
		return a.item - b.item
	})
	for k, v := range visits {
		u, _ := s.Users.Row(w.id(v.user)) // numbers are in the same order as rows
		i, _ := s.Items.Row(w.id(v.item))
		e.User, e.Item, e.At = append(e.User, u), append(e.Item, i), append(e.At, v.at)
		e.Type, e.Value = append(e.Type, uint16(min(1, k%3))), append(e.Value, dataset.NoValue())
	}
	if w.values == nil {
		return e
	}
	device := dataset.Circumstance{Name: "DEVICE", Kind: schema.String, Code: []int32{}}
	degrees := dataset.Circumstance{Name: "DEGREES", Kind: schema.Float, Number: []float32{}}
	for k := range visits {
		device.Texts = append(device.Texts, w.values(k).category)
	}
	slices.Sort(device.Texts)
	device.Texts = slices.DeleteFunc(slices.Compact(device.Texts), func(s string) bool { return s == "" })
	for k := range visits {
		code, known := slices.BinarySearch(device.Texts, w.values(k).category)
		if !known {
			code = -1
		}
		device.Code = append(device.Code, int32(code))
		degrees.Number = append(degrees.Number, float32(w.values(k).number))
	}
	e.Context = []dataset.Circumstance{degrees, device}
	return e
}

// about are columns of every kind for n rows.
func (w strangeWorld) about(n int) *dataset.Attributes {
	if w.values == nil {
		return &dataset.Attributes{}
	}
	category := dataset.Column{Name: "CATEGORY", Kind: schema.String, Categorical: true, Text: make([]string, n)}
	number := dataset.Column{Name: "NUMBER", Kind: schema.Double, Number: make([]float64, n)}
	text := dataset.Column{Name: "TEXT", Kind: schema.String, Textual: true, Text: make([]string, n)}
	for row := range n {
		v := w.values(row)
		category.Text[row], number.Number[row], text.Text[row] = v.category, v.number, v.text
	}
	return &dataset.Attributes{Columns: []dataset.Column{category, number, text}}
}

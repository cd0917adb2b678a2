package world

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"io"
	"slices"
	"strconv"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

func newWorld(t testing.TB, s Spec) *World {
	t.Helper()
	w, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestGolden holds that the same Spec gives the same bytes, on every machine and in every version.
func TestGolden(t *testing.T) {
	for _, test := range []struct {
		name, want string
		write      func(*World, io.Writer) error
	}{
		{"interactions", "c210c906f3e32749", (*World).WriteInteractions},
		{"items", "cdc5fed2f0d9306e", (*World).WriteItems},
		{"users", "f7c921eb19890746", (*World).WriteUsers},
	} {
		h := sha256.New()
		if err := test.write(newWorld(t, Spec{Seed: 1}), h); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(h.Sum(nil)[:8]); got != test.want {
			t.Errorf("%s have digest %s, want %s", test.name, got, test.want)
		}
	}
	var a, b bytes.Buffer
	if err := newWorld(t, Spec{Seed: 1, Events: 5000}).WriteInteractions(&a); err != nil {
		t.Fatal(err)
	}
	if err := newWorld(t, Spec{Seed: 2, Events: 5000}).WriteInteractions(&b); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two seeds give the same history")
	}
}

func TestCSVFitsItsSchema(t *testing.T) {
	w := newWorld(t, Spec{Users: 300, Items: 150, Events: 9000, Seed: 3})
	for _, test := range []struct {
		kind   schema.Type
		schema string
		rows   int
		write  func(io.Writer) error
	}{
		{schema.Interactions, InteractionsSchema, 9000, w.WriteInteractions},
		{schema.Items, ItemsSchema, 150, w.WriteItems},
		{schema.Users, UsersSchema, 300, w.WriteUsers},
	} {
		s, err := schema.Parse(test.schema)
		if err != nil {
			t.Fatal(err)
		}
		for _, domain := range []string{"", schema.Ecommerce} {
			if err := s.Check(test.kind, domain); err != nil {
				t.Errorf("domain %q: %v", domain, err)
			}
		}
		var text bytes.Buffer
		if err := test.write(&text); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&text).ReadAll()
		if err != nil || len(rows) != test.rows+1 {
			t.Fatalf("%s: %d rows, %v", test.kind, len(rows)-1, err)
		}
		for i, f := range s.Fields {
			if rows[0][i] != f.Name {
				t.Errorf("%s: column %d is %s, the schema has %s", test.kind, i, rows[0][i], f.Name)
			}
			for _, row := range rows[1:] {
				if _, err := strconv.ParseFloat(row[i], 64); row[i] == "" || f.Kind.Numeric() && err != nil {
					t.Fatalf("%s: %s is %q, of type %s", test.kind, f.Name, row[i], f.Kind)
				}
			}
		}
	}
}

func TestHistoryKeepsItsPromises(t *testing.T) {
	w := newWorld(t, Spec{Seed: 5})
	start, end := w.Spec().Start.Unix(), w.End().Unix()+day
	var before Interaction
	had := map[[2]int]bool{}
	n, repeats, purchases, early := 0, 0, 0, 0
	for x := range w.Interactions() {
		if x.User == before.User && n > 0 && x.At <= before.At || x.User < before.User {
			t.Fatalf("%+v comes after %+v", x, before)
		}
		if x.At < start || x.At > end {
			t.Fatalf("%+v lies outside the history", x)
		}
		if w.Item(x.Item).Created.Unix() > x.At {
			early++
		}
		if key := [2]int{x.User, x.Item}; had[key] {
			repeats++
		} else {
			had[key] = true
		}
		if x.Type == Purchase {
			purchases++
		}
		before = x
		n++
	}
	if n != w.Spec().Events || early > 0 {
		t.Errorf("%d events, want %d; %d before the item existed", n, w.Spec().Events, early)
	}
	if share := float64(repeats) / float64(n); share < 0.002 || share > 0.015 {
		t.Errorf("%.4f of events repeat an item", share)
	}
	if purchases < n/10 || purchases > n/3 {
		t.Errorf("%d of %d events are purchases", purchases, n)
	}
	names := map[string]bool{}
	for i := range w.Spec().Items {
		names[w.Item(i).Name] = true
	}
	if len(names) != w.Spec().Items {
		t.Errorf("%d names for %d items", len(names), w.Spec().Items)
	}
	if got := w.History(7); len(got) != int(w.count[7]) || got[0].User != 7 {
		t.Errorf("History(7) has %d events, want %d", len(got), w.count[7])
	}
}

// TestTasteCanBeLearnt recommends 25 items for each user's last new event, by popularity and by what others
// with the same items had, and holds that the second is clearly better: there is taste to be found.
func TestTasteCanBeLearnt(t *testing.T) {
	w := newWorld(t, Spec{Seed: 4})
	n := w.Spec().Items
	together, popular := make([]float64, n*n), make([]float64, n)
	histories := make([][]int, w.Spec().Users)
	for x := range w.Interactions() {
		if !slices.Contains(histories[x.User], x.Item) {
			histories[x.User] = append(histories[x.User], x.Item)
		}
	}
	for _, h := range histories {
		if len(h) < 2 {
			continue
		}
		train := h[:len(h)-1]
		for _, a := range train {
			popular[a]++
			for _, b := range train {
				together[a*n+b] += 1 / float64(len(train))
			}
		}
	}
	cases, byTaste, byCount := 0, 0, 0
	for _, h := range histories {
		if len(h) < 2 {
			continue
		}
		train, truth := h[:len(h)-1], h[len(h)-1]
		scores := make([]float64, n)
		for _, a := range train {
			for b := range scores {
				scores[b] += together[a*n+b] / (1 + popular[a])
			}
		}
		cases++
		byTaste += hit(scores, train, truth)
		byCount += hit(popular, train, truth)
	}
	t.Logf("hit rate at 25 over %d users: co-occurrence %.3f, popularity %.3f", cases, float64(byTaste)/float64(cases), float64(byCount)/float64(cases))
	if byTaste < 2*byCount || byCount == 0 {
		t.Errorf("taste finds %d of %d, popularity %d: want at least twice as many", byTaste, cases, byCount)
	}
}

// hit is 1 when truth is among the 25 best scores outside had.
func hit(scores []float64, had []int, truth int) int {
	better := 0
	for i, s := range scores {
		if s > scores[truth] && !slices.Contains(had, i) {
			better++
		}
	}
	if better < 25 {
		return 1
	}
	return 0
}

func TestSpecsThatMakeNoSense(t *testing.T) {
	for _, s := range []Spec{{Users: -1}, {Users: 10, Events: 5}, {Items: 3, Clusters: 4}, {Days: -2}, {Items: maxItems + 1}, {Noise: 101}} {
		if _, err := New(s); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for _, s := range []Spec{{Users: 1, Items: 1, Events: 1, Clusters: 1}, {Users: 2, Items: 2, Events: 50, Clusters: 2, Days: 1}} {
		w := newWorld(t, s)
		if err := w.WriteInteractions(io.Discard); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkWriteInteractions(b *testing.B) {
	w := newWorld(b, Spec{Users: 20_000, Items: 10_000, Events: 1_000_000, Clusters: 40})
	b.ReportAllocs()
	for b.Loop() {
		if err := w.WriteInteractions(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1e6/b.Elapsed().Seconds(), "rows/s")
}

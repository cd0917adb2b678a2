package trending

import (
	"slices"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/spec"
)

// shop has items whose interactions happen so many minutes before now.
type shop map[string][]int

const now = 1_767_225_600_000 // Unix milliseconds

func (s shop) input(frequency string) recipe.Input {
	in := recipe.Input{Users: 1, Params: map[string]string{spec.ParamTrend: frequency}, Now: now}
	for id := range s {
		in.Items = append(in.Items, id)
	}
	slices.Sort(in.Items)
	for row, id := range in.Items {
		for _, minutes := range s[id] {
			in.Events.User = append(in.Events.User, 0)
			in.Events.Item = append(in.Events.Item, int32(row))
			in.Events.At = append(in.Events.At, now-int64(minutes)*time.Minute.Milliseconds())
			in.Events.Type = append(in.Events.Type, 0)
			in.Events.Value = append(in.Events.Value, dataset.NoValue())
		}
	}
	in.Events.Types = []string{"View"}
	return in
}

func order(t *testing.T, in recipe.Input) []string {
	t.Helper()
	m, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]float32, len(in.Items))
	if err := s.Score(t.Context(), model.Query{Item: model.NoItem}, scores); err != nil {
		t.Fatal(err)
	}
	ids := slices.Clone(in.Items)
	slices.SortFunc(ids, func(a, b string) int {
		if scores[slices.Index(in.Items, a)] > scores[slices.Index(in.Items, b)] {
			return -1
		}
		return 1
	})
	return ids
}

func TestTheChangeCountsAndNotTheCount(t *testing.T) {
	s := shop{
		"steady": {1, 2, 3, 4, 5, 6, 7, 31, 32, 33, 34, 35, 36, 37}, // most often, and no more often than before
		"rising": {1, 2, 3, 31},                                     // +2
		"new":    {10, 11, 12},                                      // +3
		"fallen": {1, 31, 32, 33},                                   // -2
		"old":    {100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115},
		"future": {-1, -2, -3, -4, -5},
	}
	if got := order(t, s.input("30 minutes")); !slices.Equal(got, []string{"new", "rising", "steady", "old", "future", "fallen"}) {
		t.Errorf("in windows of 30 minutes: %v", got)
	}
	// In windows of an hour nothing is old yet but what is old.
	if got := order(t, s.input("1 hour")); got[0] != "steady" || got[len(got)-1] != "old" {
		t.Errorf("in windows of 1 hour: %v", got)
	}
	in := s.input("")
	in.Now += 24 * time.Hour.Milliseconds() // nothing in either window: popularity
	if got := order(t, in); got[0] != "old" || got[1] != "steady" {
		t.Errorf("without recent interactions: %v", got)
	}
}

// The ends of windows belong to one of them each.
func TestWindowEnds(t *testing.T) {
	for minutes, want := range map[int][2]int32{0: {1, 0}, 29: {1, 0}, 30: {0, 1}, 59: {0, 1}, 60: {0, 0}} {
		c := count(shop{"a": {minutes}}.input(""), now, 30*time.Minute.Milliseconds())
		if got := [2]int32{c.latest[0], c.before[0]}; got != want {
			t.Errorf("%d minutes ago counts %v, want %v", minutes, got, want)
		}
	}
}

func TestFrequencies(t *testing.T) {
	for text, want := range map[string]time.Duration{"30 minutes": 30 * time.Minute, "1 hour": time.Hour, "2 hours": 2 * time.Hour, "3 hours": 3 * time.Hour, "": 3 * time.Hour, "1 Day": 24 * time.Hour} {
		if got, err := spec.TrendWindow(text); err != nil || got != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	if _, err := spec.TrendWindow("5 minutes"); attune.KindOf(err) != attune.Invalid {
		t.Error(err)
	}
}

func TestAccuracy(t *testing.T) {
	measure := func(s shop) float64 {
		t.Helper()
		m, err := New().Measure(s.input("30 minutes"))
		if err != nil {
			t.Fatal(err)
		}
		return m[evaluate.TrendAccuracy]
	}
	// More items than are looked at, so that what was foretold matters: those
	// that began to rise in the window before go on rising, or fall back.
	on, off := shop{}, shop{}
	for i := range 60 {
		id := string(rune('a'+i%26)) + string(rune('a'+i/26))
		if i >= 30 {
			on[id], off[id] = []int{100}, []int{0, 1, 2}
			continue
		}
		on[id], off[id] = []int{0, 1, 2, 31}, []int{31, 32}
	}
	if got := measure(on); got != 1 {
		t.Errorf("trends that go on are foretold with %g", got)
	}
	if got := measure(off); got != 0 {
		t.Errorf("trends that end are foretold with %g", got)
	}
	if got := measure(shop{"a": {0, 31}}); got != 0 {
		t.Errorf("where nothing rises the accuracy is %g", got)
	}
}

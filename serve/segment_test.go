package serve

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
)

// folding is dots seen from the other side.
type folding struct{ dots }

func (f folding) Dim() int                 { return f.d }
func (f folding) Item(row int32) []float32 { return f.data[int(row)*f.d:][:f.d] }

func (f folding) Fold(_ context.Context, history []model.Touch, dst []float32) (bool, error) {
	clear(dst)
	for _, t := range history {
		kernel.Axpy(t.Weight/float32(len(history)), f.Item(t.Item), dst)
	}
	return len(history) > 0, nil
}

func segments(t *testing.T, s *shop, seen string) *Offline {
	t.Helper()
	m, scorer := testModel("none", seen)
	scorer.last = nil
	o, err := serverOf(t, s, User, m, scorer).Offline(Release{Campaign: "job", Version: "v", Group: "g", Kind: Segment, Model: m, Scorer: folding{scorer}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestSegments: users by how well what they did suits what is asked for.
func TestSegments(t *testing.T) {
	s := testShop() // u had a1, a2 and a0, and what is unheard of
	s.touch("v", "b0", "View", 1)
	s.touch("w", "b2", "View", 1)
	s.touch("w", "a2", "Purchase", 1)
	s.touch("x", "unheard", "View", 1) // nothing that the model knows
	s.touch("y", "b0", "View", 1)      // as v
	o := segments(t, s, model.SeenKept)
	sold := parse(t, `EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ($T) | EXCLUDE UserID WHERE Users.NAME = "y"`)
	for i, c := range []struct {
		q    SegmentRequest
		want []string
	}{
		{SegmentRequest{Item: "b0", N: 10}, []string{"v", "y", "w", "u"}},
		{SegmentRequest{Item: "b0", N: 2}, []string{"v", "y"}},
		{SegmentRequest{Item: "a0", N: 2}, []string{"u", "w"}},
		{SegmentRequest{Attributes: parse(t, `INCLUDE ItemID WHERE Items.kind = "a"`), N: 3}, []string{"u", "w", "v"}},
		{SegmentRequest{Attributes: parse(t, `INCLUDE ItemID WHERE Items.KIND = "a" AND Items.GENRES = "y"`), N: 1}, []string{"u"}},
		{SegmentRequest{Item: "b0", N: 10, Filter: sold, FilterValues: map[string]string{"T": `"purchase"`}}, []string{"v"}},
		{SegmentRequest{Item: "b0", N: 10, Filter: sold}, []string{"v", "w", "u"}},
	} {
		got, err := o.Segments(t.Context(), []SegmentRequest{{Item: "none", N: 1}, c.q})
		if err != nil || !slices.Equal(got[1].Users, c.want) || got[1].Err != nil {
			t.Errorf("%d: %v, want %v; %v", i, got[1], c.want, err)
		}
		if attune.KindOf(got[0].Err) != attune.Invalid {
			t.Errorf("an unknown item: %v", got[0])
		}
	}
	left, err := segments(t, s, model.SeenLeftOut).Segments(t.Context(), []SegmentRequest{{Item: "b0", N: 10}, {Item: "b1", N: 2}})
	if err != nil || !slices.Equal(left[0].Users, []string{"w", "u"}) || !slices.Equal(left[1].Users, []string{"v", "y"}) {
		t.Errorf("without those who have the item: %v %v", left, err)
	}
	for _, q := range []SegmentRequest{
		{Attributes: parse(t, `INCLUDE ItemID WHERE Items.KIND = "z"`), N: 1},
		{Item: "b0", Filter: sold, FilterValues: map[string]string{"X": `"1"`}, N: 1},
	} {
		if got, err := o.Segments(t.Context(), []SegmentRequest{q}); err != nil || attune.KindOf(got[0].Err) != attune.Invalid {
			t.Errorf("%+v: %v %v", q, got, err)
		}
	}
	m, scorer := testModel("none", model.SeenKept)
	plain, err := serverOf(t, s, User, m, scorer).Offline(Release{Campaign: "job", Kind: Segment, Model: m, Scorer: scorer})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Segments(t.Context(), nil); attune.KindOf(err) != attune.Invalid {
		t.Errorf("a model without vectors: %v", err)
	}
}

// TestSegmentsOfMany: users beyond one stride are compared as those within.
func TestSegmentsOfMany(t *testing.T) {
	s := testShop()
	for i := range 2*usersAtOnce + 3 {
		s.touch(fmt.Sprintf("many%05d", i), []string{"a0", "b0", "a1"}[i%3], "View", 1)
	}
	o := segments(t, s, model.SeenKept)
	got, err := o.Segments(t.Context(), []SegmentRequest{{Item: "b0", N: 5_000_000}, {Item: "a0", N: 5}})
	if err != nil {
		t.Fatal(err)
	}
	last := math.Inf(1)
	for _, user := range got[0].Users {
		var mean, n float64
		for _, touch := range s.History(user) {
			if row := slices.Index(o.r.Model.Items, s.Item(touch.Item)); row >= 0 {
				mean, n = mean+float64(kernel.Dot(folding{o.r.Scorer.(folding).dots}.Item(int32(row)), o.r.Scorer.(folding).Item(1))), n+1
			}
		}
		if mean/n > last+1e-6 {
			t.Fatalf("%s comes after somebody less suited", user)
		}
		last = mean / n
	}
	if len(got[0].Users) != 2*usersAtOnce+3+1 || got[1].Users[4] != "many00012" {
		t.Errorf("%d users; the first for a0: %v", len(got[0].Users), got[1].Users)
	}
}

package serve

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/model"
)

// together is dots that scores many queries at once.
type together struct {
	dots
	calls *int
}

func (t together) ScoreMany(ctx context.Context, queries []model.Query, dst [][]float32) error {
	*t.calls++
	for i, q := range queries {
		if err := t.Score(ctx, q, dst[i]); err != nil {
			return err
		}
	}
	return nil
}

// questions are requests of all sorts, some of which are refused.
func questions(t *testing.T) (qs []Request) {
	bought := parse(t, `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($T)`)
	for i := range 3*requestsAtOnce + 1 {
		switch q := (Request{User: fmt.Sprintf("u%d", i%3), N: 1 + i%6}); i % 7 {
		case 3:
			qs = append(qs, Request{N: 2}) // nobody
		case 4:
			q.Filter, q.FilterValues = bought, map[string]string{"T": `"purchase"`}
			qs = append(qs, q)
		case 5:
			q.Filter, q.FilterValues = bought, map[string]string{"X": `"purchase"`}
			qs = append(qs, q)
		case 6:
			qs = append(qs, Request{User: "stranger"})
		default:
			qs = append(qs, q)
		}
	}
	return qs
}

// TestOfflineIsLive: a batch answers what the same requests get one by one.
func TestOfflineIsLive(t *testing.T) {
	s := testShop()
	for i := range 3 {
		s.touch(fmt.Sprintf("u%d", i), fmt.Sprintf("b%d", i), "Purchase", 1)
	}
	for _, seen := range []string{model.SeenKept, model.SeenLeftOut} {
		m, scorer := testModel("softmax", seen)
		scorer.last = nil
		calls := 0
		for _, scorer := range []model.Scorer{scorer, together{scorer, &calls}} {
			server := serverOf(t, s, User, m, scorer)
			o, err := server.Offline(Release{Campaign: "job", Version: "v", Group: "g", Kind: User, Model: m, Scorer: scorer})
			if err != nil {
				t.Fatal(err)
			}
			qs := questions(t)
			got, err := o.Recommend(t.Context(), qs)
			if err != nil || len(got) != len(qs) {
				t.Fatal(len(got), err)
			}
			for i, q := range questions(t) {
				q.Campaign = campaign
				want, err := server.Recommend(t.Context(), q)
				switch {
				case err != nil || got[i].Err != nil:
					if attune.KindOf(err) != attune.KindOf(got[i].Err) || err == nil || got[i].Err == nil {
						t.Errorf("question %d: %v, alone %v", i, got[i].Err, err)
					}
				case !reflect.DeepEqual(got[i].Answer.Items, want.Items):
					t.Errorf("question %d: %v, alone %v", i, ids(got[i].Answer), ids(want))
				}
			}
		}
		if calls != 4 {
			t.Errorf("%d calls for so many requests: they were not scored together", calls)
		}
	}
}

func TestOfflineRefuses(t *testing.T) {
	m, scorer := testModel("softmax", model.SeenKept)
	server := newServer(func(event.Group) (view, bool) { return nil, false }, nil, nil, nil)
	if _, err := server.Offline(Release{Campaign: "job", Kind: User, Model: m}); attune.KindOf(err) != attune.Invalid {
		t.Errorf("a release without a scorer: %v", err)
	}
	o, err := server.Offline(Release{Campaign: "job", Kind: Ranking, Model: m, Scorer: scorer})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Rank(t.Context(), RankRequest{User: "u", Items: []string{"a0"}}); attune.KindOf(err) != attune.Unavailable {
		t.Errorf("without a profile: %v", err)
	}
	if _, err := o.Recommend(t.Context(), []Request{{User: "u"}}); attune.KindOf(err) != attune.Unavailable {
		t.Errorf("without a profile: %v", err)
	}
}

package serve

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/attune-io/attune/model"
)

// mood scores by what is the case: on a phone the last item is the best.
type mood struct{ dots }

func (s mood) Score(ctx context.Context, q model.Query, dst []float32) error {
	if err := s.dots.Score(ctx, q, dst); err != nil {
		return err
	}
	if q.Context["DEVICE_TYPE"] == "phone" {
		dst[len(dst)-1] = 100
	}
	return nil
}

// Models that ask for it, and no others, are told what a request says of the
// circumstances; what they do not know changes nothing.
func TestContext(t *testing.T) {
	for _, c := range []struct {
		name string
		asks bool
		kind Kind
		say  map[string]string
		want map[string]any
	}{
		{"asked for", true, User, map[string]string{"DEVICE_TYPE": "phone", "HOUR": "7"}, map[string]any{"DEVICE_TYPE": "phone", "HOUR": "7"}},
		{"as in properties", true, User, map[string]string{"deviceType": "phone"}, map[string]any{"deviceType": "phone", "DEVICE_TYPE": "phone"}},
		{"in both ways", true, User, map[string]string{"deviceType": "tv", "DEVICE_TYPE": "phone"}, map[string]any{"deviceType": "tv", "DEVICE_TYPE": "phone"}},
		{"in three ways", true, User, map[string]string{"deviceType": "tv", "DeviceType": "phone", "device_Type": "watch"},
			map[string]any{"deviceType": "tv", "DeviceType": "phone", "device_Type": "watch", "DEVICE_TYPE": "watch"}},
		{"nothing said", true, User, nil, nil},
		{"not asked for", false, User, map[string]string{"DEVICE_TYPE": "phone"}, nil},
		{"items like an item", true, Related, map[string]string{"DEVICE_TYPE": "phone"}, nil},
		{"rankings", true, Ranking, map[string]string{"DEVICE_TYPE": "phone"}, map[string]any{"DEVICE_TYPE": "phone"}},
	} {
		m, scorer := testModel("softmax", model.SeenKept)
		m.Manifest.AsksContext = c.asks
		server := serverOf(t, testShop(), c.kind, m, mood{scorer})
		var a *Answer
		var err error
		if c.kind == Ranking {
			a, err = server.Rank(t.Context(), RankRequest{Campaign: campaign, User: "u", Items: []string{"a0", "b2"}, Context: c.say})
		} else {
			a, err = server.Recommend(t.Context(), Request{Campaign: campaign, User: "u", Item: "a0", Context: c.say})
		}
		if err != nil {
			t.Fatal(err)
		}
		if q := <-scorer.last; !reflect.DeepEqual(q.Context, c.want) {
			t.Errorf("%s: asked with %v, want %v", c.name, q.Context, c.want)
		}
		if first := slices.Index(ids(a), "b2") == 0; first != (c.want["DEVICE_TYPE"] == "phone") {
			t.Errorf("%s: %v", c.name, ids(a))
		}
	}
}

// Batches say the same as live requests.
func TestContextOffline(t *testing.T) {
	m, scorer := testModel("softmax", model.SeenKept)
	m.Manifest.AsksContext = true
	server := serverOf(t, testShop(), User, m, mood{scorer})
	o, err := server.Offline(Release{Campaign: "job", Version: "v", Group: "g", Kind: User, Model: m, Scorer: mood{scorer}})
	if err != nil {
		t.Fatal(err)
	}
	requests := []Request{{User: "u"}, {User: "u", Context: map[string]string{"DEVICE_TYPE": "phone"}}, {User: "u", Context: map[string]string{"WEATHER": "rain"}}}
	got, err := o.Recommend(t.Context(), requests)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range requests {
		q.Campaign = campaign
		live, err := server.Recommend(t.Context(), q)
		if err != nil || got[i].Err != nil || !slices.Equal(ids(live), ids(got[i].Answer)) {
			t.Errorf("%v: live %v, in a batch %+v; %v", q.Context, ids(live), got[i], err)
		}
	}
	if !slices.Equal(ids(got[0].Answer), ids(got[2].Answer)) || ids(got[1].Answer)[0] != "b2" {
		t.Errorf("%v, %v, %v", ids(got[0].Answer), ids(got[1].Answer), ids(got[2].Answer))
	}
}

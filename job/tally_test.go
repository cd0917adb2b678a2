package job

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/resource"
)

// prices are items by number, with a price.
type prices []float64

func (p prices) ItemNumber(id string) (n int32, ok bool) {
	_, err := fmt.Sscanf(id, "i%d", &n)
	return n, err == nil && int(n) < len(p)
}

func (p prices) ItemValue(n int32, column string) any {
	if column != "PRICE" {
		return nil
	}
	return p[n]
}

func TestTally(t *testing.T) {
	answers := newRecent()
	const shown = "00112233-4455-4677-8899-aabbccddeeff"
	answers.add(&event.Impression{RecommendationID: shown, Campaign: "arn:c"})
	tally, err := newTally([]resource.Metric{
		{EventType: "Click", Name: "clicks", Expression: "SAMPLECOUNT()"},
		{EventType: "Buy", Name: "revenue", Expression: "SUM(Items.PRICE)"},
		{EventType: "buy", Name: "worth", Expression: "sum( Interactions.EVENT_VALUE )"},
		{EventType: "Buy", Name: "pieces", Expression: "SUM(Interactions.NUMBER_OF)"},
	}, prices{1.5, 2})
	if err != nil {
		t.Fatal(err)
	}
	window := time.Unix(900, 0)
	nan := math.NaN()
	for _, e := range []*event.Interaction{
		{Type: "click", Item: "i0", Value: nan, RecommendationID: shown},
		{Type: "CLICK", Item: "i0", Value: nan, RecommendationID: shown},
		{Type: "Click", Item: "i0", Value: nan, RecommendationID: shown, Source: "mail"}, // what it says itself wins
		{Type: "Click", Item: "i0", Value: nan, RecommendationID: "11112222333344445555666677778888"},
		{Type: "View", Item: "i0", Value: nan},
		{Type: "Buy", Item: "i0", Value: 7, Source: "mail", Properties: `{"numberOf": 3}`},
		{Type: "Buy", Item: "i1", Value: nan, Source: "mail", Properties: `{"numberOf": "4"}`},
		{Type: "Buy", Item: "unheard", Value: nan, Source: "mail"},
	} {
		tally.event(window, e, answers)
	}
	var out strings.Builder
	if err := tally.write(&out); err != nil {
		t.Fatal(err)
	}
	want := `METRIC_NAME,EVENT_TYPE,VALUE,MATH_FUNCTION,EVENT_ATTRIBUTION_SOURCE,TIMESTAMP
clicks,Click,1.0,samplecount,SOURCE_NAME_UNDEFINED,900
clicks,Click,2.0,samplecount,arn:c,900
clicks,Click,1.0,samplecount,mail,900
revenue,Buy,3.5,sum,mail,900
worth,buy,7.0,sum,mail,900
pieces,Buy,7.0,sum,mail,900
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

func TestSourcesAreBounded(t *testing.T) {
	tally, err := newTally([]resource.Metric{{EventType: "e", Name: "n", Expression: "SAMPLECOUNT()"}}, prices{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxSources {
		tally.event(time.Unix(0, 0), &event.Interaction{Type: "e", Source: fmt.Sprint("s", i%(2*maxSources))}, newRecent())
	}
	if got := tally.cells[cell{0, 0, sourceUndefined}]; len(tally.cells) != maxSources+1 || got != maxSources {
		t.Errorf("%d sources, %g events of no source", len(tally.cells), got)
	}
}

func TestRecentIsBounded(t *testing.T) {
	r := newRecent()
	id := func(i int) string { return fmt.Sprintf("%032x", i) }
	for i := range maxShown + 10 {
		r.add(&event.Impression{RecommendationID: id(i), Campaign: fmt.Sprint("c", i%3)})
	}
	if len(r.of) != maxShown || r.campaign(id(9)) != "" || r.campaign(id(10)) != "c1" || r.campaign(id(maxShown+9)) != fmt.Sprint("c", (maxShown+9)%3) {
		t.Errorf("%d answers are known; %q %q", len(r.of), r.campaign(id(9)), r.campaign(id(10)))
	}
}

func TestEventsCountOnce(t *testing.T) {
	a := &attribution{}
	e := event.Interaction{EventID: "1", User: "u", Item: "i", Type: "Click", At: time.UnixMilli(5)}
	same, otherTime, otherUser := e, e, e
	same.EventID, same.Type = "2", "click"
	otherTime.At = time.UnixMilli(6)
	otherUser.User = "v"
	for i, step := range []struct {
		e    *event.Interaction
		want bool
	}{{&e, true}, {&e, false}, {&same, false}, {&otherTime, false}, {&otherUser, true}} {
		if got := a.isNew(step.e); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
		a.met = [2]map[uint64]struct{}{nil, a.met[0]}
		if len(a.met[1]) == 0 {
			t.Fatal("nothing is remembered")
		}
		merged := map[uint64]struct{}{}
		for _, m := range a.met {
			for k := range m {
				merged[k] = struct{}{}
			}
		}
		a.met = [2]map[uint64]struct{}{merged, nil}
	}
}

package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
)

// stand answers with fixed items, or fails, and keeps what it was asked.
type stand struct {
	release serve.Release
	fail    error
	asked   serve.Request
	ranked  serve.RankRequest
	actions serve.ActionRequest
	offered []*event.Impression

	reasons      []event.Reason // of the two items; nil for none
	propensities []float32
}

func (s *stand) Get(c attune.ARN) (serve.Release, bool) { return s.release, c == s.release.Campaign }

func (s *stand) answer() (*serve.Answer, error) {
	half := 0.5
	a := &serve.Answer{RecommendationID: "rid", Release: s.release, Propensities: s.propensities, Items: []serve.Scored{
		{ID: "a", Score: &half, Metadata: map[string]string{"NAME": "x"}}, {ID: "b"}}}
	for i, r := range s.reasons {
		a.Items[i].Reason = r
	}
	return a, s.fail
}

func (s *stand) Recommend(_ context.Context, q serve.Request) (*serve.Answer, error) {
	s.asked = q
	return s.answer()
}

func (s *stand) RecommendActions(_ context.Context, q serve.ActionRequest) (*serve.Answer, error) {
	s.actions = q
	return s.answer()
}

func (s *stand) Rank(_ context.Context, q serve.RankRequest) (*serve.Answer, error) {
	s.ranked = q
	return s.answer()
}

func (s *stand) Offer(_ event.Group, i *event.Impression) { s.offered = append(s.offered, i) }

const arnBase = "arn:aws:personalize:us-east-1:000000000000:"

// house is a runtime door over real rows.
type house struct {
	*testing.T
	stand *stand
	rt    *Runtime
	store *resource.SQL
	door  http.Handler
	now   time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	engine, err := sql.Open(t.Context(), "", t.TempDir(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	store, err := resource.OpenStore(t.Context(), engine.Client(), ledger.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, store: store, now: time.Unix(1_767_225_600, 0)}
	clock := func() time.Time { return h.now }
	h.stand = &stand{release: serve.Release{Campaign: arnBase + "campaign/c", Version: "v", Group: "g1"}}
	names := attune.Namer{Region: "us-east-1", Account: "000000000000"}
	h.rt = newRuntime(resource.New(store, names, clock, nil), h.stand, h.stand, clock)
	server := awsjson.New(nil, nil, nil)
	h.rt.Register(server)
	h.door = server
	return h
}

func (h *house) row(k resource.Kind, name, group string, status resource.Status, body any) {
	h.Helper()
	r := &resource.Resource{ID: fmt.Sprintf("%s-%s", k, name), Kind: k, Name: name, Group: group, Status: status,
		ARN: attune.ARN(arnBase + string(k) + "/" + name)}
	if err := r.SetBody(body); err != nil {
		h.Fatal(err)
	}
	if err := h.store.Create(h.Context(), r); err != nil {
		h.Fatal(err)
	}
}

func (h *house) post(path, body string) (int, string) {
	h.Helper()
	w := httptest.NewRecorder()
	h.door.ServeHTTP(w, httptest.NewRequestWithContext(h.Context(), http.MethodPost, path, strings.NewReader(body)))
	text, err := io.ReadAll(w.Body)
	if err != nil {
		h.Fatal(err)
	}
	return w.Code, string(text)
}

func TestActionRecommendations(t *testing.T) {
	h := newHouse(t)
	code, body := h.post("/action-recommendations", `{"campaignArn": "`+arnBase+`campaign/c", "userId": "u", "numResults": 3}`)
	want := `{"actionList":[{"actionId":"a","score":0.5},{"actionId":"b"}],"recommendationId":"rid"}`
	if code != http.StatusOK || body != want {
		t.Errorf("%d %s, want %s", code, body, want)
	}
	if q := h.stand.actions; q.User != "u" || q.N != 3 || q.Filter != nil {
		t.Errorf("asked %+v", q)
	}
	if len(h.stand.offered) != 1 || fmt.Sprint(*h.stand.offered[0]) != "{rid "+arnBase+"campaign/c v u [a b]   0 [] []}" {
		t.Errorf("offered %v", h.stand.offered)
	}
	for body, words := range map[string]string{
		`{"userId": "u"}`: "campaignArn is required",
		`{"campaignArn": "` + arnBase + `recommender/r", "userId": "u"}`:                              "not the ARN of a campaign",
		`{"campaignArn": "` + arnBase + `campaign/none", "userId": "u"}`:                              "does not exist",
		`{"campaignArn": "` + arnBase + `campaign/c", "userId": "u", "filterValues": {"L": "\"x\""}}`: "without a filterArn",
	} {
		if code, got := h.post("/action-recommendations", body); code == http.StatusOK || !strings.Contains(got, words) {
			t.Errorf("%s: %d %s, want %q", body, code, got, words)
		}
	}
}

func TestRecommendations(t *testing.T) {
	h := newHouse(t)
	code, body := h.post("/recommendations", `{"campaignArn": "`+arnBase+`campaign/c", "userId": "u", "itemId": "i", "numResults": 7,
		"context": {"DEVICE": "phone"}, "metadataColumns": {"ITEMS": ["NAME"]}}`)
	want := `{"itemList":[{"itemId":"a","score":0.5,"metadata":{"NAME":"x"}},{"itemId":"b"}],"recommendationId":"rid"}`
	if code != http.StatusOK || body != want {
		t.Errorf("%d %s, want %s", code, body, want)
	}
	if q := h.stand.asked; q.User != "u" || q.Item != "i" || q.N != 7 || len(q.MetadataColumns) != 1 || q.Filter != nil || fmt.Sprint(q.Context) != "map[DEVICE:phone]" {
		t.Errorf("asked %+v", q)
	}
	if len(h.stand.offered) != 1 || fmt.Sprint(*h.stand.offered[0]) != "{rid "+arnBase+"campaign/c v u [a b]   0 [] []}" {
		t.Errorf("offered %v", h.stand.offered)
	}
	code, body = h.post("/personalize-ranking", `{"campaignArn": "`+arnBase+`campaign/c", "userId": "u", "inputList": ["b", "a"], "context": {"DEVICE": "tv"}}`)
	want = `{"personalizedRanking":[{"itemId":"a","score":0.5,"metadata":{"NAME":"x"}},{"itemId":"b"}],"recommendationId":"rid"}`
	if code != http.StatusOK || body != want {
		t.Errorf("%d %s, want %s", code, body, want)
	}
	if q := h.stand.ranked; q.User != "u" || fmt.Sprint(q.Items) != "[b a]" || q.Context["DEVICE"] != "tv" || len(h.stand.offered) != 2 {
		t.Errorf("asked %+v, offered %d", q, len(h.stand.offered))
	}
}

// entries are n of a JSON object.
func entries(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(`"K%d": "v"`, i)
	}
	return out
}

func TestRecommendationRefusals(t *testing.T) {
	h := newHouse(t)
	h.row(resource.Campaign, "making", "g1", resource.CreateInProgress, nil)
	h.row(resource.Campaign, "broken", "g1", resource.CreateFailed, nil)
	h.row(resource.Campaign, "going", "g1", resource.DeletePending, nil)
	h.row(resource.Campaign, "loading", "g1", resource.Active, nil)
	h.row(resource.Filter, "elsewhere", "g2", resource.Active, resource.FilterBody{FilterExpression: `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")`})
	h.row(resource.Filter, "young", "g1", resource.CreatePending, resource.FilterBody{})
	campaign := func(name string) string {
		return `"userId": "u", "campaignArn": "` + arnBase + `campaign/` + name + `"`
	}
	for _, test := range []struct {
		path, body string
		code       int
		words      string
	}{
		{"/recommendations", `{}`, 400, "campaignArn is required"},
		{"/recommendations", `{"recommenderArn": "` + arnBase + `recommender/r"}`, 404, "recommender/r does not exist"},
		{"/recommendations", `{"recommenderArn": "` + arnBase + `recommender/r", "campaignArn": "` + arnBase + `campaign/c"}`, 400, "give one of them"},
		{"/recommendations", `{"campaignArn": "` + arnBase + `recommender/r"}`, 400, "not the ARN of a campaign"},
		{"/recommendations", `{` + campaign("c") + `, "promotions": [{"name": "p", "percentPromotedItems": 5}]}`, 400, "needs filterArn"},
		{"/recommendations", `{` + campaign("c") + `, "promotions": [{"name": "p", "filterArn": "` + arnBase + `filter/f"}]}`, 400, "percentPromotedItems"},
		{"/recommendations", `{` + campaign("c") + `, "promotions": [{"name": "p", "percentPromotedItems": 101, "filterArn": "` + arnBase + `filter/f"}]}`, 400, "percentPromotedItems"},
		{"/recommendations", `{` + campaign("c") + `, "promotions": [{}, {}]}`, 400, "'promotions' failed to satisfy"},
		{"/recommendations", `{` + campaign("c") + `, "context": {` + strings.Join(entries(151), ",") + `}}`, 400, "'context' failed to satisfy"},
		{"/recommendations", `{` + campaign("c") + `, "context": {"DEVICE TYPE": "tv"}}`, 400, "failed to satisfy"},
		{"/personalize-ranking", `{` + campaign("c") + `, "inputList": ["a"], "context": {"DEVICE": "` + strings.Repeat("x", 1001) + `"}}`, 400, "failed to satisfy"},
		{"/recommendations", `{` + campaign("c") + `, "promotions": [{"name": "p", "percentPromotedItems": 5, "filterArn": "` + arnBase + `filter/elsewhere"}]}`, 400, "different dataset groups"},
		{"/recommendations", `{` + campaign("c") + `, "promotions": [{"name": "p", "percentPromotedItems": 5, "filterArn": "` + arnBase + `filter/none"}]}`, 404, "filter/none"},
		{"/recommendations", `{` + campaign("c") + `, "numResults": -1}`, 400, "numResults"},
		{"/recommendations", `{` + campaign("none") + `}`, 404, "campaign/none"},
		{"/recommendations", `{"campaignArn": "` + arnBase + `filter/f"}`, 400, "not the ARN of a campaign"},
		{"/recommendations", `{` + campaign("making") + `}`, 400, "wait until it is ACTIVE"},
		{"/recommendations", `{` + campaign("broken") + `}`, 400, "CREATE FAILED"},
		{"/personalize-ranking", `{"inputList": ["a"], ` + campaign("going") + `}`, 400, "being deleted"},
		{"/recommendations", `{` + campaign("loading") + `}`, 503, "try again"},
		{"/recommendations", `{` + campaign("c") + `, "filterValues": {"A": "1"}}`, 400, "without a filterArn"},
		{"/recommendations", `{` + campaign("c") + `, "filterArn": "` + arnBase + `filter/none"}`, 404, "filter/none"},
		{"/recommendations", `{` + campaign("c") + `, "filterArn": "` + arnBase + `filter/young"}`, 400, "CREATE PENDING"},
		{"/recommendations", `{` + campaign("c") + `, "filterArn": "` + arnBase + `filter/elsewhere"}`, 400, "different dataset groups"},
		{"/recommendations", `{` + campaign("c") + `, "metadataColumns": {"USERS": ["AGE"]}}`, 400, "only ITEMS"},
	} {
		if code, body := h.post(test.path, test.body); code != test.code || !strings.Contains(body, test.words) {
			t.Errorf("%s: %d %s, want %d and %q", test.body, code, body, test.code, test.words)
		}
	}
	if len(h.stand.offered) != 0 {
		t.Errorf("refusals left %d impressions", len(h.stand.offered))
	}
	h.stand.fail = errors.New("secret")
	if code, body := h.post("/recommendations", `{`+campaign("c")+`}`); code != 500 || strings.Contains(body, "secret") {
		t.Errorf("%d %s", code, body)
	}
}

// TestPromotedAndExplored holds what is written of an answer on the wire and in the log.
func TestPromotedAndExplored(t *testing.T) {
	h := newHouse(t)
	h.row(resource.Filter, "f", "g1", resource.Active, resource.FilterBody{FilterExpression: `INCLUDE ItemID WHERE Items.A IN ($A)`})
	h.stand.release.Explore = serve.Exploration{Weight: .25}
	h.stand.reasons = []event.Reason{event.Explored, event.Promoted}
	h.stand.propensities = []float32{.5, .125}
	ask := `{"campaignArn": "` + arnBase + `campaign/c", "userId": "u", "filterArn": "` + arnBase + `filter/f", "filterValues": {"A": "\"1\""},
		"promotions": [{"name": "sale", "percentPromotedItems": 20, "filterArn": "` + arnBase + `filter/f", "filterValues": {"A": "\"2\""}}]}`
	code, body := h.post("/recommendations", ask)
	want := `{"itemList":[{"itemId":"a","score":0.5,"metadata":{"NAME":"x"}},{"itemId":"b","promotionName":"sale"}],"recommendationId":"rid"}`
	if code != http.StatusOK || body != want {
		t.Errorf("%d %s, want %s", code, body, want)
	}
	p := h.stand.asked.Promotion
	if p == nil || p.Name != "sale" || p.Percent != 20 || p.FilterValues["A"] != `"2"` || h.stand.asked.FilterValues["A"] != `"1"` {
		t.Errorf("asked %+v with promotion %+v", h.stand.asked, p)
	}
	logged := event.Impression{RecommendationID: "rid", Campaign: arnBase + "campaign/c", Version: "v", User: "u", Items: []string{"a", "b"},
		Filter: arnBase + "filter/f", Promotion: "sale", Exploration: .25, Reasons: h.stand.reasons, Propensities: h.stand.propensities}
	if len(h.stand.offered) != 1 || !reflect.DeepEqual(*h.stand.offered[0], logged) {
		t.Errorf("offered %+v, want %+v", *h.stand.offered[0], logged)
	}
	h.stand.release.Reasons = true
	_, body = h.post("/recommendations", ask)
	want = `{"itemList":[{"itemId":"a","score":0.5,"metadata":{"NAME":"x"},"reason":["Exploration"]},{"itemId":"b","promotionName":"sale","reason":["Promoted item"]}],"recommendationId":"rid"}`
	if body != want {
		t.Errorf("%s, want %s", body, want)
	}
}

// TestFilterOfTheSameName deletes a filter and makes another under its name: by
// this process, which tells, and by another one, which time tells.
func TestFilterOfTheSameName(t *testing.T) {
	h := newHouse(t)
	used := func() string {
		h.Helper()
		if code, body := h.post("/recommendations", `{"campaignArn": "`+arnBase+`campaign/c", "userId": "u", "filterArn": "`+arnBase+`filter/f"}`); code != http.StatusOK {
			h.Fatalf("%d %s", code, body)
		}
		return h.stand.asked.Filter.String()
	}
	replace := func(text string) {
		h.Helper()
		if r, err := h.store.Get(h.Context(), arnBase+"filter/f"); err == nil {
			if err := h.store.Delete(h.Context(), r); err != nil {
				h.Fatal(err)
			}
		}
		h.row(resource.Filter, "f", "g1", resource.Active, resource.FilterBody{FilterExpression: text})
	}
	const first, second, third = `EXCLUDE ItemID WHERE Items.A IN ("1")`, `EXCLUDE ItemID WHERE Items.A IN ("2")`, `EXCLUDE ItemID WHERE Items.A IN ("3")`
	replace(first)
	if got := used(); got != first {
		t.Errorf("used %s", got)
	}
	replace(second)
	if got := used(); got != first {
		t.Errorf("the row was read again at once: used %s", got)
	}
	h.rt.Changed()
	if got := used(); got != second {
		t.Errorf("after Changed: used %s", got)
	}
	replace(third)
	h.now = h.now.Add(filterAge)
	if got := used(); got != third {
		t.Errorf("after %s: used %s", filterAge, got)
	}
	for i := range 3 * maxFilters {
		h.rt.filters.put(attune.ARN(fmt.Sprint(i)), parsedFilter{}, h.rt.filters.begin())
	}
	if n := len(h.rt.filters.byARN); n > maxFilters {
		t.Errorf("%d filters are kept", n)
	}
}

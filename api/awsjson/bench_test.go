package awsjson

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attune-io/attune/wire"
	"github.com/prometheus/client_golang/prometheus"
)

const recommendBody = `{"campaignArn":"arn:aws:personalize:us-east-1:000000000000:campaign/films","userId":"user-4711","numResults":25,` +
	`"filterArn":"arn:aws:personalize:us-east-1:000000000000:filter/unseen","filterValues":{"GENRES":"\"Drama\",\"Comedy\""},"context":{"DEVICE":"phone"}}`

// BenchmarkGetRecommendations measures the protocol alone: route, read, parse,
// check, fill, dispatch to a handler that has 25 items ready, encode, count.
func BenchmarkGetRecommendations(b *testing.B) {
	s := New(nil, prometheus.NewRegistry(), nil)
	items := make([]wire.PredictedItem, 25)
	for i := range items {
		items[i] = wire.PredictedItem{ItemId: new(fmt.Sprintf("item-%d", i)), Score: new(0.04 / float64(i+1))}
	}
	out := &wire.GetRecommendationsResponse{ItemList: items, RecommendationId: new("RID-1")}
	Handle(s, wire.PersonalizeRuntime, "GetRecommendations",
		func(_ context.Context, in *wire.GetRecommendationsRequest) (*wire.GetRecommendationsResponse, error) {
			if *in.NumResults != 25 {
				b.Errorf("numResults %d", *in.NumResults)
			}
			return out, nil
		})
	r := httptest.NewRequest("POST", "/recommendations", nil)
	w := &discard{header: http.Header{}}
	body := strings.NewReader(recommendBody)
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(recommendBody)
		r.Body, r.ContentLength = readCloser{body}, int64(len(recommendBody))
		clear(w.header)
		s.ServeHTTP(w, r)
		if w.status != 200 {
			b.Fatalf("status %d", w.status)
		}
	}
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

package resource_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

// BenchmarkStore is what a change of state costs, with the row that tells it.
func BenchmarkStore(b *testing.B) {
	s := openAny(b)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	n := 0
	fresh := func() *resource.Resource {
		n++
		return &resource.Resource{ID: fmt.Sprintf("%016x", n), Kind: resource.Campaign, Name: fmt.Sprint(n), ARN: attune.ARN(fmt.Sprint("arn:", n)),
			Status: resource.CreatePending, Body: []byte(`{"solutionVersionArn":"arn:aws:personalize:us-east-1:000000000000:solution/s/1","minProvisionedTPS":1}`), Created: at, Updated: at}
	}
	b.Run("create", func(b *testing.B) {
		for b.Loop() {
			if err := s.Create(b.Context(), fresh()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("update", func(b *testing.B) {
		r := fresh()
		if err := s.Create(b.Context(), r); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if r.Status = resource.Active; r.Version%2 == 0 {
				r.Status = resource.CreateInProgress
			}
			if err := s.Update(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
}

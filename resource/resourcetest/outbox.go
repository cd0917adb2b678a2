package resourcetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/resource"
)

// OutboxStore is a store that tells what became of its rows.
type OutboxStore interface {
	resource.Store
	Drain(ctx context.Context, now func() time.Time, publish func(context.Context, []resource.Change) error) (int, error)
	Prune(ctx context.Context, now time.Time) error
}

// RunOutbox is the suite of a store's outbox. open is as of Run.
func RunOutbox(t *testing.T, open func(t *testing.T) OutboxStore) {
	for name, test := range map[string]func(t *testing.T, s OutboxStore){
		"a life":               outboxLife,
		"an update":            outboxUpdate,
		"nothing of a refusal": outboxRefused,
		"a crash repeats":      outboxCrash,
		"causes":               outboxCause,
		"pruning":              outboxPrune,
		"many at once":         outboxMany,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func at(n int) func() time.Time {
	return func() time.Time { return origin.Add(time.Duration(n) * time.Hour) }
}

// drained is all that the outbox says, and marks it.
func drained(t *testing.T, s OutboxStore) (all []resource.Change) {
	t.Helper()
	n, err := s.Drain(t.Context(), at(0), func(_ context.Context, page []resource.Change) error {
		all = append(all, page...)
		return nil
	})
	if err != nil || n != len(all) {
		t.Fatalf("drained %d of %d: %v", n, len(all), err)
	}
	return all
}

func steps(changes []resource.Change) string {
	var b strings.Builder
	for _, c := range changes {
		what := c.Name
		if c.Update {
			what += " update"
		}
		fmt.Fprintf(&b, "%s: %s > %s; ", what, c.From, c.To)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func says(t *testing.T, got []resource.Change, want string) {
	t.Helper()
	if steps(got) != want {
		t.Errorf("got\n%s\nwant\n%s", steps(got), want)
	}
}

func change(t *testing.T, s resource.Store, r *resource.Resource, to resource.Status, body string) {
	t.Helper()
	r.Status, r.Body, r.Updated = to, []byte(body), r.Updated.Add(time.Second)
	if err := s.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func outboxLife(t *testing.T, s OutboxStore) {
	r := row(resource.Campaign, 1)
	r.Group = "g1"
	create(t, s, r)
	change(t, s, r, resource.Active, `{"a":1}`)
	change(t, s, r, resource.Active, `{"a":2}`) // no change of state
	if err := s.Delete(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	all := drained(t, s)
	says(t, all, "n1:  > CREATE PENDING; n1: CREATE PENDING > ACTIVE; n1: ACTIVE > ")
	ids := map[string]bool{}
	for i, c := range all {
		ids[c.ID] = true
		if c.Row != r.ID || c.Kind != r.Kind || c.ARN != r.ARN || c.Group != "g1" || !c.Created.Equal(r.Created) || i > 0 && c.Seq <= all[i-1].Seq {
			t.Errorf("change %d is %+v", i, c)
		}
	}
	if len(ids) != 3 || ids[""] {
		t.Errorf("ids %v", ids)
	}
	if !all[1].Updated.Equal(r.Created.Add(time.Second)) {
		t.Errorf("it was ACTIVE at %s", all[1].Updated)
	}
	says(t, drained(t, s), "")
}

func outboxUpdate(t *testing.T, s OutboxStore) {
	r := create(t, s, row(resource.Campaign, 1))
	change(t, s, r, resource.Active, `{}`)
	body := func(status, began, ended string) string {
		return fmt.Sprintf(`{"latestCampaignUpdate":{"status":%q,"creationDateTime":%q,"lastUpdatedDateTime":%q}}`, status, began, ended)
	}
	change(t, s, r, resource.Active, body("CREATE PENDING", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z"))
	change(t, s, r, resource.Active, body("ACTIVE", "2026-03-02T00:00:00Z", "2026-03-02T00:01:00Z"))
	change(t, s, r, resource.Active, body("CREATE PENDING", "2026-03-03T00:00:00Z", "2026-03-03T00:00:00Z"))
	change(t, s, r, resource.Active, body("CREATE FAILED", "2026-03-03T00:00:00Z", "2026-03-03T00:00:09Z"))
	all := drained(t, s)
	says(t, all, "n1:  > CREATE PENDING; n1: CREATE PENDING > ACTIVE; n1 update:  > CREATE PENDING; n1 update: CREATE PENDING > ACTIVE; "+
		"n1 update:  > CREATE PENDING; n1 update: CREATE PENDING > CREATE FAILED")
	if took := all[3].Updated.Sub(all[3].Created); took != time.Minute {
		t.Errorf("the update took %s", took)
	}
}

// outboxRefused: what was not done is not told.
func outboxRefused(t *testing.T, s OutboxStore) {
	a := create(t, s, row(resource.Campaign, 1))
	old := *a
	change(t, s, a, resource.Active, `{}`)
	drained(t, s)
	old.Status = resource.CreateFailed
	stale(t, s.Update(t.Context(), &old))
	stale(t, s.Delete(t.Context(), &old))
	twin := row(resource.Campaign, 1)
	if err := s.Create(t.Context(), twin); err == nil {
		t.Error("a twin was made")
	}
	stale(t, s.Create(t.Context(), row(resource.Filter, 2), &old))
	says(t, drained(t, s), "")
}

// outboxCrash: what was published but not marked comes again, with its id.
func outboxCrash(t *testing.T, s OutboxStore) {
	create(t, s, row(resource.Campaign, 1))
	var first string
	crash := errors.New("crash")
	n, err := s.Drain(t.Context(), at(0), func(_ context.Context, page []resource.Change) error {
		first = page[0].ID
		return crash
	})
	if n != 0 || !errors.Is(err, crash) {
		t.Fatalf("%d, %v", n, err)
	}
	if again := drained(t, s); len(again) != 1 || again[0].ID != first {
		t.Errorf("%v came after %s", again, first)
	}
}

// outboxCause: work on a row goes on in the name of the request that asked for it.
func outboxCause(t *testing.T, s OutboxStore) {
	r := row(resource.Campaign, 1)
	if err := s.Create(resource.WithCause(t.Context(), "run 7"), r); err != nil {
		t.Fatal(err)
	}
	change(t, s, r, resource.Active, `{}`)
	r.Status = resource.DeletePending
	if err := s.Update(resource.WithCause(t.Context(), ""), r); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	var causes []string
	for _, c := range drained(t, s) {
		causes = append(causes, c.Cause)
	}
	if got := strings.Join(causes, ","); got != "run 7,run 7,," {
		t.Errorf("causes %s", got)
	}
}

// outboxPrune: what was published is forgotten after its time, what was not never.
func outboxPrune(t *testing.T, s OutboxStore) {
	create(t, s, row(resource.Campaign, 1))
	drained(t, s)
	create(t, s, row(resource.Campaign, 2))
	for _, h := range []int{1, 48} {
		if err := s.Prune(t.Context(), at(h)()); err != nil {
			t.Fatal(err)
		}
	}
	says(t, drained(t, s), "n2:  > CREATE PENDING")
}

// outboxMany: more than a page comes whole and in order.
func outboxMany(t *testing.T, s OutboxStore) {
	const n = 250
	for i := range n {
		create(t, s, row(resource.Campaign, i))
	}
	all := drained(t, s)
	for i, c := range all {
		if c.Name != fmt.Sprintf("n%d", i) {
			t.Fatalf("change %d is of %s", i, c.Name)
		}
	}
	if len(all) != n {
		t.Errorf("%d changes", len(all))
	}
}

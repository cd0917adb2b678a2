package resourcetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

// racers is how many goroutines race for one row.
const racers = 8

// Run runs the suite. open gives a store that has no rows and closes it when
// the test ends.
func Run(t *testing.T, open func(t *testing.T) resource.Store) {
	for name, test := range map[string]func(t *testing.T, s resource.Store){
		"round trip":           roundTrip,
		"unique":               unique,
		"update":               update,
		"delete":               remove,
		"touch":                touch,
		"list":                 list,
		"pages":                pages,
		"race for a name":      raceName,
		"race for a version":   raceVersion,
		"race against a touch": raceTouch,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// origin is the creation time of the first row of a test.
var origin = time.Date(2026, 3, 1, 0, 0, 0, 123_000_000, time.UTC)

// row makes the n-th row of a kind, n milliseconds after origin.
func row(k resource.Kind, n int) *resource.Resource {
	at := origin.Add(time.Duration(n) * time.Millisecond)
	return &resource.Resource{
		ID: fmt.Sprintf("%s%016x", k[:1], n)[:17], Kind: k, Name: fmt.Sprintf("n%d", n),
		ARN:    attune.ARN(fmt.Sprintf("arn:aws:personalize:us-east-1:000000000000:%s/n%d", k, n)),
		Status: resource.CreatePending, Body: []byte(fmt.Sprintf(`{"name":"Ünïcode \u003c%d\u003e \u0000"}`, n)),
		Created: at, Updated: at,
	}
}

func create(t *testing.T, s resource.Store, r *resource.Resource, touch ...*resource.Resource) *resource.Resource {
	t.Helper()
	if err := s.Create(t.Context(), r, touch...); err != nil {
		t.Fatal(err)
	}
	return r
}

func get(t *testing.T, s resource.Store, arn attune.ARN) *resource.Resource {
	t.Helper()
	r, err := s.Get(t.Context(), arn)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func same(t *testing.T, got, want *resource.Resource) {
	t.Helper()
	g, w := fmt.Sprintf("%+v", *got), fmt.Sprintf("%+v", *want)
	if g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func stale(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, resource.ErrStale) {
		t.Errorf("got %v, want ErrStale", err)
	}
}

func kind(t *testing.T, err error, k attune.Kind) {
	t.Helper()
	if err == nil || attune.KindOf(err) != k {
		t.Errorf("got %v, want an error of kind %s", err, k)
	}
}

func roundTrip(t *testing.T, s resource.Store) {
	r := row(resource.Campaign, 1)
	r.Parent, r.Group = "arn:aws:personalize:us-east-1:000000000000:solution/s", "g1"
	create(t, s, r)
	if r.Version != 1 {
		t.Errorf("a new row has version %d", r.Version)
	}
	same(t, get(t, s, r.ARN), r)
	_, err := s.Get(t.Context(), r.ARN+"x")
	kind(t, err, attune.NotFound)
}

func unique(t *testing.T, s resource.Store) {
	first := create(t, s, row(resource.Campaign, 1))
	for what, change := range map[string]func(r *resource.Resource){
		"id":   func(r *resource.Resource) { r.ID = first.ID },
		"ARN":  func(r *resource.Resource) { r.ARN = first.ARN },
		"name": func(r *resource.Resource) { r.Name = first.Name },
	} {
		t.Run(what, func(t *testing.T) {
			r := row(resource.Campaign, 2)
			change(r)
			kind(t, s.Create(t.Context(), r), attune.Exists)
		})
	}
	other := row(resource.Filter, 3)
	other.Name = first.Name
	create(t, s, other) // names are unique within a kind only

	for _, k := range []resource.Kind{resource.Dataset, resource.SolutionVersion} {
		create(t, s, row(k, 4))
		twin := row(k, 5)
		twin.Name = "n4"
		create(t, s, twin) // these have no names of their own
	}
	if err := s.Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	heir := row(resource.Campaign, 6)
	heir.ARN, heir.Name = first.ARN, first.Name
	create(t, s, heir)
}

func update(t *testing.T, s resource.Store) {
	r := create(t, s, row(resource.Campaign, 1))
	old := *r
	r.Status, r.Body, r.Updated = resource.Active, []byte(`{"a":1}`), r.Updated.Add(time.Second)
	if err := s.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if r.Version != 2 {
		t.Errorf("version %d after the first update", r.Version)
	}
	same(t, get(t, s, r.ARN), r)

	old.Status = resource.CreateFailed
	stale(t, s.Update(t.Context(), &old))
	same(t, get(t, s, r.ARN), r)

	gone := row(resource.Campaign, 2)
	gone.Version = 1
	stale(t, s.Update(t.Context(), gone))
}

func remove(t *testing.T, s resource.Store) {
	r := create(t, s, row(resource.Campaign, 1))
	old := *r
	if err := s.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	stale(t, s.Delete(t.Context(), &old))
	if err := s.Delete(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	_, err := s.Get(t.Context(), r.ARN)
	kind(t, err, attune.NotFound)
	stale(t, s.Delete(t.Context(), r))
}

// touch: rows that a change was decided on get a new version, all or none.
func touch(t *testing.T, s resource.Store) {
	a, b := create(t, s, row(resource.DatasetGroup, 1)), create(t, s, row(resource.Schema, 2))
	create(t, s, row(resource.Dataset, 3), b, a, a) // one row twice is one touch
	for _, r := range []*resource.Resource{a, b} {
		if now := get(t, s, r.ARN); now.Version != 2 || !now.Updated.Equal(r.Updated) {
			t.Errorf("%s has version %d and was updated %s", now.Name, now.Version, now.Updated)
		}
	}
	fresh := get(t, s, a.ARN)
	lost := row(resource.Filter, 4)
	stale(t, s.Create(t.Context(), lost, fresh, b)) // b was read before its touch
	_, err := s.Get(t.Context(), lost.ARN)
	kind(t, err, attune.NotFound)
	same(t, get(t, s, a.ARN), fresh) // not even the good touch was kept

	kept := create(t, s, row(resource.Filter, 5))
	kept.Status = resource.Active
	stale(t, s.Update(t.Context(), kept, a))
	stale(t, s.Delete(t.Context(), kept, a))
	if now := get(t, s, kept.ARN); now.Status != resource.CreatePending || now.Version != 1 {
		t.Errorf("a refused change left %s, version %d", now.Status, now.Version)
	}
	if err := s.Update(t.Context(), kept, fresh); err != nil {
		t.Error(err)
	}
	kind(t, s.Create(t.Context(), row(resource.Filter, 5), get(t, s, a.ARN)), attune.Exists)
	if now := get(t, s, a.ARN); now.Version != fresh.Version+1 {
		t.Errorf("a creation that was refused for its name touched a row: version %d", now.Version)
	}
}

func names(rows []resource.Resource) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = string(r.Kind[:1]) + r.Name[1:]
	}
	return out
}

func list(t *testing.T, s resource.Store) {
	const parent = "arn:aws:personalize:us-east-1:000000000000:solution/s"
	for n := 5; n > 0; n-- { // not in the order of their times
		r := row(resource.Filter, n)
		if n%2 == 1 {
			r.Parent, r.Group = parent, "g1"
		}
		if n == 4 {
			r.Status = resource.Active
		}
		create(t, s, r)
	}
	updating := row(resource.Campaign, 6)
	updating.Status, updating.Parent = resource.Active, parent
	updating.Body = []byte(`{"latestCampaignUpdate":{"status":"CREATE PENDING"}}`)
	create(t, s, updating)
	for _, c := range []struct {
		q    resource.Query
		want []string
	}{
		{resource.Query{}, []string{"f1", "f2", "f3", "f4", "f5", "c6"}},
		{resource.Query{Kind: resource.Filter, Newest: true}, []string{"f5", "f4", "f3", "f2", "f1"}},
		{resource.Query{Kind: resource.Filter, Parent: parent}, []string{"f1", "f3", "f5"}},
		{resource.Query{Parent: parent, Limit: 2}, []string{"f1", "f3"}},
		{resource.Query{Group: "g1"}, []string{"f1", "f3", "f5"}},
		{resource.Query{Name: "n2"}, []string{"f2"}},
		{resource.Query{ID: row(resource.Filter, 3).ID}, []string{"f3"}},
		{resource.Query{Statuses: []resource.Status{resource.Active, resource.CreateFailed}}, []string{"f4", "c6"}},
		{resource.Query{Busy: true}, []string{"f1", "f2", "f3", "f5", "c6"}},
		{resource.Query{Kind: resource.Filter, After: resource.Cursor{Created: origin.Add(3 * time.Millisecond), ID: row(resource.Filter, 3).ID}}, []string{"f4", "f5"}},
		{resource.Query{Kind: resource.Schema}, []string{}},
	} {
		rows, err := s.List(t.Context(), c.q)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(rows); !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v, want %v", c.q, got, c.want)
		}
	}
	updating.Body = []byte(`{"latestCampaignUpdate":{"status":"ACTIVE"}}`)
	if err := s.Update(t.Context(), updating); err != nil {
		t.Fatal(err)
	}
	rows, err := s.List(t.Context(), resource.Query{Busy: true, Kind: resource.Campaign})
	if err != nil || len(rows) != 0 {
		t.Errorf("after its update the campaign is still busy: %v, %v", rows, err)
	}
}

// pages: walking in pages gives every row that was there all the time exactly
// once, also when many rows have one time and rows come and go meanwhile.
func pages(t *testing.T, s resource.Store) {
	const n, page = 23, 5
	there := map[string]int{}
	for i := range n {
		r := row(resource.Schema, i)
		r.Created = origin.Add(time.Duration(i/4) * time.Millisecond)
		there[create(t, s, r).Name] = 0
	}
	q := resource.Query{Kind: resource.Schema, Limit: page}
	for next := n; ; next++ {
		rows, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			if _, ok := there[rows[i].Name]; ok {
				there[rows[i].Name]++
			}
		}
		if len(rows) < page {
			break
		}
		if next > 3*n {
			t.Fatal("the walk does not end")
		}
		q.After = resource.At(&rows[len(rows)-1])
		before := row(resource.Schema, 100+next) // a row that sorts before the place the walk is at
		before.Created = origin
		create(t, s, before)
		if err := s.Delete(t.Context(), get(t, s, rows[0].ARN)); err != nil {
			t.Fatal(err)
		}
	}
	for name, times := range there {
		if times != 1 {
			t.Errorf("%s was listed %d times", name, times)
		}
	}
}

// race runs f in racers goroutines at once and gives their errors.
func race(f func(i int) error) []error {
	errs := make([]error, racers)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range errs {
		done.Add(1)
		go func() {
			defer done.Done()
			start.Wait()
			errs[i] = f(i)
		}()
	}
	start.Done()
	done.Wait()
	return errs
}

// oneWon expects one nil and all others to satisfy lost.
func oneWon(t *testing.T, errs []error, lost func(error) bool) {
	t.Helper()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !lost(err):
			t.Errorf("a loser got %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d won", won, len(errs))
	}
}

func raceName(t *testing.T, s resource.Store) {
	for round := range 10 {
		errs := race(func(i int) error {
			r := row(resource.EventTracker, 100*round+i)
			r.Name = fmt.Sprintf("round%d", round)
			return s.Create(t.Context(), r)
		})
		oneWon(t, errs, func(err error) bool { return attune.KindOf(err) == attune.Exists })
	}
}

func raceVersion(t *testing.T, s resource.Store) {
	r := create(t, s, row(resource.Campaign, 1))
	for range 10 {
		now := get(t, s, r.ARN)
		errs := race(func(i int) error {
			mine := *now
			if i%4 == 3 {
				mine.Body = []byte(`{"other":true}`)
			}
			return s.Update(t.Context(), &mine)
		})
		oneWon(t, errs, func(err error) bool { return errors.Is(err, resource.ErrStale) })
	}
}

// raceTouch: a row is deleted while others are made that were decided on its
// being there. Either it goes and none of them comes, or it stays.
func raceTouch(t *testing.T, s resource.Store) {
	for round := range 10 {
		guard := create(t, s, row(resource.Schema, round))
		other := create(t, s, row(resource.DatasetGroup, round))
		errs := race(func(i int) error {
			mine := *guard
			if i == 0 {
				return s.Delete(t.Context(), &mine)
			}
			group := *other
			return s.Create(t.Context(), row(resource.Dataset, 100*round+i), &group, &mine)
		})
		oneWon(t, errs, func(err error) bool { return errors.Is(err, resource.ErrStale) })
		rows, err := s.List(t.Context(), resource.Query{Kind: resource.Dataset})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), guard.ARN); (err == nil) != (errs[0] != nil) {
			t.Errorf("deletion said %v, then reading said %v", errs[0], err)
		}
		for i := range rows {
			if err := s.Delete(t.Context(), &rows[i]); err != nil {
				t.Fatal(err)
			}
		}
		if errs[0] == nil && len(rows) != 0 {
			t.Errorf("the row was deleted and %d others were made on it", len(rows))
		}
	}
}

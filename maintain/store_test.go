package maintain

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/engine/enginetest"
	"github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/maintain/plan"
)

// stores runs f on each dialect that can be had.
func stores(t *testing.T, f func(*testing.T, *Store)) {
	t.Run("sqlite", func(t *testing.T) { f(t, openStoreAt(t, "")) })
	t.Run("postgres", func(t *testing.T) {
		url := enginetest.Schema(t, sql.Open)
		if url == "" {
			t.Skip("ATTUNE_TEST_SQL_URL is not set")
		}
		f(t, openStoreAt(t, url))
	})
}

// TestConfigurations: each text is a version, the same text is not another, and
// a put that was made from an old one is refused.
func TestConfigurations(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		put := func(text, source string, expect int) (int, bool, error) {
			c := &Configuration{Name: "shop", Text: text, Source: source, File: "shop.json", By: ByHand, At: time.Now()}
			changed, err := s.PutConfiguration(ctx, c, expect)
			return c.Version, changed, err
		}
		for i, x := range []struct {
			text, source string
			expect       int
			version      int
			changed      bool
		}{{"a", "", -1, 1, true}, {"a", "", -1, 1, false}, {"b", "", 1, 2, true}, {"b", "s3://x", 2, 3, true}, {"a", "s3://x", -1, 4, true}} {
			if v, changed, err := put(x.text, x.source, x.expect); err != nil || v != x.version || changed != x.changed {
				t.Errorf("put %d: version %d, changed %t, %v; want %+v", i, v, changed, err, x)
			}
		}
		if _, _, err := put("c", "", 3); attune.KindOf(err) != attune.InUse || !strings.Contains(err.Error(), "version 4") {
			t.Errorf("from an old version: %v", err)
		}
		if _, _, err := put(strings.Repeat("x", maxText+1), "", -1); attune.KindOf(err) != attune.Invalid {
			t.Errorf("too long: %v", err)
		}
		if c, err := s.Configuration(ctx, "shop", 2); err != nil || c.Text != "b" || c.File != "shop.json" || c.At.IsZero() {
			t.Errorf("version 2: %+v, %v", c, err)
		}
		if c, err := s.Configuration(ctx, "shop", 0); err != nil || c.Version != 4 {
			t.Errorf("the newest: %+v, %v", c, err)
		}
		for _, name := range []string{"other", "shop"} {
			if _, err := s.Configuration(ctx, name, map[string]int{"shop": 9}[name]); attune.KindOf(err) != attune.NotFound {
				t.Errorf("%s that is not there: %v", name, err)
			}
		}
		if list, err := s.Configurations(ctx, "shop", "", 3); err != nil || len(list) != 2 || list[0].Version != 2 || list[0].Text != "" {
			t.Errorf("history below 3: %+v, %v", list, err)
		}
		if list, err := s.Configurations(ctx, "", "", 0); err != nil || len(list) != 1 || list[0].Version != 4 {
			t.Errorf("all: %+v, %v", list, err)
		}
	})
}

// TestRuns: rows of runs, their pages, and that an end is final.
func TestRuns(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		for i := range 5 {
			r := &Run{ID: fmt.Sprintf("r%d", i), Configuration: "shop", Purpose: plan.ForImport, Status: Running, Started: at.Add(time.Duration(i/2) * time.Second), workflow: "w"}
			if _, fresh, err := s.begin(ctx, r, chain(), nil); err != nil || !fresh {
				t.Fatal(err)
			}
			if did, err := s.end(ctx, r.ID, Succeeded, "", at.Add(time.Hour)); err != nil || !did {
				t.Fatal(did, err)
			}
			if did, err := s.end(ctx, r.ID, Failed, "late", at); err != nil || did {
				t.Errorf("ended twice: %t, %v", did, err)
			}
		}
		var seen []string
		for q := (RunsQuery{Configuration: "shop", Limit: 2}); ; {
			page, err := s.Runs(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, r := range page {
				seen = append(seen, r.ID)
			}
			q.Before = page[len(page)-1].ID
		}
		if got := strings.Join(seen, " "); got != "r4 r3 r2 r1 r0" {
			t.Errorf("pages: %s", got)
		}
		r, err := s.Run(ctx, "r0")
		if err != nil || r.Status != Succeeded || len(r.Steps) != 4 || r.Steps[3].State != StepLeft || r.Steps[3].Path != "solutions[0]" {
			t.Errorf("%+v, %v", r, err)
		}
		if open, err := s.open(ctx); err != nil || len(open) != 5 { // none was told
			t.Errorf("open: %d, %v", len(open), err)
		}
		if err := s.tell(ctx, r); err != nil {
			t.Fatal(err)
		}
		if open, err := s.open(ctx); err != nil || len(open) != 4 {
			t.Errorf("open: %d, %v", len(open), err)
		}
	})
}

// TestKept: what came of runs is found by name and by ARN, and rows move once.
func TestKept(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx, at := t.Context(), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		const arn = "arn:aws:personalize:us-east-1:000000000000:"
		for i, v := range []string{"a", "a", "b", "a"} {
			if err := s.deployed(ctx, Deployment{Campaign: arn + "campaign/home", Version: v, At: at.Add(time.Duration(i) * time.Hour), Run: "r"}, false); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.deployed(ctx, Deployment{Campaign: arn + "campaign/home", Version: "z", At: at}, true); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"home", arn + "campaign/home"} {
			if list, err := s.Deployments(ctx, name); err != nil || len(list) != 3 || list[0].Version != "a" || list[1].Version != "b" {
				t.Errorf("deployments of %s: %+v, %v", name, list, err)
			}
		}
		for _, name := range []string{"ome", "%", "_ome"} {
			if list, err := s.Deployments(ctx, name); err != nil || len(list) != 0 {
				t.Errorf("deployments of %s: %+v, %v", name, list, err)
			}
		}
		m := Metric{Solution: arn + "solution/taste", Recipe: "r", Version: "v1", Metric: "ndcg", At: at, Value: 0.25}
		later := m
		later.At, later.Version, later.Value = at.Add(time.Hour), "v2", 0.5
		for range 2 { // a version is seen more than once
			if err := s.measured(ctx, []Metric{later, m}); err != nil {
				t.Fatal(err)
			}
		}
		if list, err := s.Metrics(ctx, "taste", "ndcg"); err != nil || len(list) != 2 || list[0] != m || list[1] != later {
			t.Errorf("metrics: %+v, %v", list, err)
		}
		one := must[*Refresh](t)(s.refresh(ctx, "home", 20260301))
		two := must[*Refresh](t)(s.refresh(ctx, "home", 20260301))
		one.ImportStatus, two.ImportStatus = refreshing, refreshed
		if err := s.saveRefresh(ctx, one); err != nil {
			t.Fatal(err)
		}
		if err := s.saveRefresh(ctx, two); !errors.Is(err, errMoved) {
			t.Errorf("a second writer of a new row: %v", err)
		}
		two = must[*Refresh](t)(s.refresh(ctx, "home", 20260301))
		one.ImportStatus = refreshed
		if err := s.saveRefresh(ctx, one); err != nil {
			t.Fatal(err)
		}
		if err := s.saveRefresh(ctx, two); !errors.Is(err, errMoved) {
			t.Errorf("a second writer: %v", err)
		}
		if list, err := s.Refreshes(ctx, "", 20260301, 0); err != nil || len(list) != 1 || list[0].ImportStatus != refreshed {
			t.Errorf("refreshes: %+v, %v", list, err)
		}
		if list, err := s.Refreshes(ctx, "home", 0, 20260301); err != nil || len(list) != 0 {
			t.Errorf("refreshes before: %+v, %v", list, err)
		}
	})
}

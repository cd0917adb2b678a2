package resource_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

func resourceTime(millis int64) time.Time { return time.UnixMilli(millis).UTC() }

const (
	interactionsAvro = `{"type":"record","name":"Interactions","namespace":"n","version":"1.0","fields":[
		{"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"}]}`
	widerAvro = `{"type":"record","name":"Interactions","namespace":"n","version":"1.0","fields":[
		{"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"},
		{"name":"DEVICE","type":["null","string"],"categorical":true}]}`
	itemsAvro = `{"type":"record","name":"Items","namespace":"n","version":"1.0","fields":[
		{"name":"ITEM_ID","type":"string"},{"name":"GENRES","type":["null","string"],"categorical":true}]}`

	userRecipe = "arn:aws:personalize:::recipe/aws-user-personalization"
	simsRecipe = "arn:aws:personalize:::recipe/aws-sims"
)

var names = attune.Namer{Region: "us-east-1", Account: "000000000000"}

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
}

// house is a registry with what a test makes in it.
type house struct {
	testing.TB
	*resource.Registry
	store   resource.Store
	clock   *clock
	changes int
}

func newHouse(t testing.TB) *house { return houseOf(t, resource.Limits{}) }

// strictHouse has the quotas of Amazon Personalize.
func strictHouse(t testing.TB) *house { return houseOf(t, resource.Strict()) }

func houseOf(t testing.TB, limits resource.Limits) *house {
	h := &house{TB: t, clock: newClock(), store: openForgetful(t)}
	h.Registry = resource.New(h.store, names, h.clock.Now, &resource.Options{OnChange: func() { h.changes++ }, Limits: limits})
	return h
}

// must gives the ARN of what was made.
func (h *house) must(r *resource.Resource, err error) string {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
	return string(r.ARN)
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// refused expects an error of a kind whose message has the words.
func (h *house) refused(err error, k attune.Kind, words string) {
	h.Helper()
	switch {
	case err == nil:
		h.Errorf("was not refused; want %s: …%s…", k, words)
	case attune.KindOf(err) != k || !strings.Contains(err.Error(), words):
		h.Errorf("got %s: %v; want %s: …%s…", attune.KindOf(err), err, k, words)
	}
}

// not drops the row of a creation that should be refused.
func not(_ *resource.Resource, err error) error { return err }

func (h *house) status(arn string) resource.Status {
	h.Helper()
	r, err := h.Get(h.Context(), attune.ARN(arn))
	if err != nil {
		h.Fatal(err)
	}
	return r.Status
}

// to moves a row through the given statuses.
func (h *house) to(arn string, path ...resource.Status) string {
	h.Helper()
	for _, s := range path {
		h.must(h.Change(h.Context(), attune.ARN(arn), func(r *resource.Resource) error { r.Status = s; return nil }))
	}
	return arn
}

// active moves a new row to ACTIVE.
func (h *house) active(arn string) string {
	h.Helper()
	return h.to(arn, resource.CreateInProgress, resource.Active)
}

// erase takes a row that was asked to be deleted away.
func (h *house) erase(arn string) {
	h.Helper()
	r, err := h.Get(h.Context(), attune.ARN(arn))
	if err != nil {
		h.Fatal(err)
	}
	h.ok(h.Remove(h.Context(), r.ARN, r.ID))
}

func (h *house) group(name string) string {
	h.Helper()
	return h.must(h.CreateDatasetGroup(h.Context(), name, resource.DatasetGroupBody{}))
}

func (h *house) schema(name, avro string) string {
	h.Helper()
	return h.must(h.CreateSchema(h.Context(), name, resource.SchemaBody{Schema: avro}))
}

func (h *house) dataset(group, typ, schema string) string {
	h.Helper()
	return h.must(h.CreateDataset(h.Context(), strings.ToLower(typ), resource.DatasetBody{DatasetGroupArn: group, DatasetType: typ, SchemaArn: schema}))
}

func importBody(dataset string) resource.ImportJobBody {
	return resource.ImportJobBody{DatasetArn: dataset, DataSource: resource.DataSource{DataLocation: "s3://films/ratings.csv"}}
}

func (h *house) importJob(name, dataset string) string {
	h.Helper()
	return h.must(h.CreateImportJob(h.Context(), name, importBody(dataset)))
}

func (h *house) solution(name, group, recipe string) string {
	h.Helper()
	return h.must(h.CreateSolution(h.Context(), name, resource.SolutionBody{DatasetGroupArn: group, RecipeArn: recipe}))
}

func (h *house) version(solution string) string {
	h.Helper()
	return h.must(h.CreateSolutionVersion(h.Context(), resource.VersionRequest{SolutionArn: solution}))
}

func (h *house) campaign(name, version string) string {
	h.Helper()
	return h.must(h.CreateCampaign(h.Context(), name, resource.CampaignBody{SolutionVersionArn: version}))
}

// stocked makes an ACTIVE group with an ACTIVE Interactions dataset and import.
func (h *house) stocked(name string) (group, dataset string) {
	h.Helper()
	group = h.active(h.group(name))
	dataset = h.active(h.dataset(group, "Interactions", h.schema(name+"-interactions", interactionsAvro)))
	h.active(h.importJob(name+"-import", dataset))
	return group, dataset
}

// trained adds an ACTIVE solution with an ACTIVE version.
func (h *house) trained(name, group string) (solution, version string) {
	h.Helper()
	solution = h.active(h.solution(name, group, userRecipe))
	return solution, h.active(h.version(solution))
}

func body[T any](h *house, arn string) T {
	h.Helper()
	r, err := h.Get(h.Context(), attune.ARN(arn))
	if err != nil {
		h.Fatal(err)
	}
	b, err := resource.Body[T](r)
	if err != nil {
		h.Fatal(fmt.Errorf("%s: %w", arn, err))
	}
	return b
}

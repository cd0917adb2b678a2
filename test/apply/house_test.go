// Package apply_test applies configurations to a running binary and looks at
// what came of it, from outside.
package apply_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/api/call"
	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// attuneBinary is built once for all tests of this package.
var attuneBinary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "attune-maintain-")
	if err == nil {
		attuneBinary, err = binary.Build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// patience bounds the wait for the end of a run.
const patience = 2 * time.Minute

// house is a node that maintains, and what it maintains: itself, unless a test
// puts another in its place.
type house struct {
	*testing.T
	node  *binary.Process
	data  string
	args  []string
	place aws.Config // where resources live
}

func newHouse(t *testing.T, args ...string) *house {
	t.Helper()
	h := &house{T: t, data: t.TempDir(), args: args}
	h.start()
	h.place = h.node.AWS()
	t.Cleanup(func() {
		if err := h.node.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(h.node.Output())
		}
	})
	return h
}

func (h *house) start() {
	h.Helper()
	h.node = must[*binary.Process](h)(binary.Start(context.Background(), attuneBinary, h.data, h.args...))
}

// ask sends a verb that must succeed.
func ask[O any](h *house, name string, in any) (out O) {
	h.Helper()
	if err := call.Send(h.Context(), h.node.AWS(), name, in, &out); err != nil {
		h.Fatalf("%s: %v", name, err)
	}
	return out
}

func (h *house) refused(name string, in any) string {
	h.Helper()
	err := call.Send(h.Context(), h.node.AWS(), name, in, &struct{}{})
	if err == nil {
		h.Fatalf("%s was not refused", name)
	}
	return err.Error()
}

// objects speaks to the bucket of the place.
func (h *house) objects() *s3.Client {
	return s3.NewFromConfig(h.place, func(o *s3.Options) { o.UsePathStyle = true })
}

func (h *house) put(key, body string) {
	h.Helper()
	c := h.objects()
	if _, err := c.PutObject(h.Context(), &s3.PutObjectInput{Bucket: aws.String("films"), Key: &key, Body: strings.NewReader(body)}); err == nil {
		return
	}
	must[*s3.CreateBucketOutput](h)(c.CreateBucket(h.Context(), &s3.CreateBucketInput{Bucket: aws.String("films")}))
	must[*s3.PutObjectOutput](h)(c.PutObject(h.Context(), &s3.PutObjectInput{Bucket: aws.String("films"), Key: &key, Body: strings.NewReader(body)}))
}

// shop writes a small world's files into the folder train/shop.
func (h *house) shop(seed uint64) {
	h.Helper()
	w := must[*world.World](h)(world.New(world.Spec{Users: 120, Items: 60, Events: 2500, Clusters: 3, Seed: seed}))
	var interactions, items strings.Builder
	if err := w.WriteInteractions(&interactions); err != nil {
		h.Fatal(err)
	}
	if err := w.WriteItems(&items); err != nil {
		h.Fatal(err)
	}
	h.put("train/shop/interactions/a.csv", interactions.String())
	h.put("train/shop/items.csv", items.String())
	h.put("batch/shop/taste/job_config.json", `{"userId":"`+w.UserID(0)+`"}`+"\n")
}

const source = "s3://films/train/shop"

type object = map[string]any

// declared is what is to be of the shop; change may change it.
func declared(h *house, change func(root object)) string {
	data := func(kind, schema string) object {
		return object{"dataset": object{"serviceConfig": object{"name": "shop-" + kind}},
			"schema": object{"serviceConfig": object{"name": "shop-" + kind, "schema": json.RawMessage(schema)}}}
	}
	root := object{
		"datasetGroup": object{"serviceConfig": object{"name": "shop"}},
		"datasets":     object{"interactions": data("interactions", world.InteractionsSchema), "items": data("items", world.ItemsSchema)},
		"eventTracker": object{"serviceConfig": object{"name": "shop-tracker"}},
		"filters":      []object{{"serviceConfig": object{"name": "shop-seen", "filterExpression": `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")`}}},
		"solutions": []object{{
			"serviceConfig": object{"name": "taste", "recipeArn": "arn:aws:personalize:::recipe/aws-user-personalization"},
			"campaigns":     []object{{"serviceConfig": object{"name": "home", "minProvisionedTPS": 1}}},
		}},
	}
	if change != nil {
		change(root)
	}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		h.Fatal(err)
	}
	return string(text)
}

// apply starts a run of the shop's configuration.
func (h *house) apply(text string) *maintain.Run {
	h.Helper()
	return ask[verb.RunOutput](h, "ApplyConfiguration", verb.ApplyConfigurationInput{Text: text, File: "config.json", Source: source}).Run
}

// ended waits for the end of a run.
func (h *house) ended(run string) *maintain.Run {
	h.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		r := ask[verb.RunOutput](h, "DescribeRun", verb.RunInput{Run: run}).Run
		if r.Status != maintain.Running {
			return r
		}
		if time.Now().After(deadline) {
			h.Fatalf("run %s has not ended: %s", run, said(r))
		}
	}
}

// succeeded waits for the end of a run, which must be a good one.
func (h *house) succeeded(run string) *maintain.Run {
	h.Helper()
	r := h.ended(run)
	if r.Status != maintain.Succeeded {
		h.Fatalf("run %s: %s", run, said(r))
	}
	return r
}

func said(r *maintain.Run) string {
	text, _ := json.MarshalIndent(r, "", " ")
	return string(text)
}

// census counts the resources of the place, by kind.
func (h *house) census() map[string]int {
	h.Helper()
	p, ctx, n := personalize.NewFromConfig(h.place), h.Context(), map[string]int{}
	n["groups"] = len(must[*personalize.ListDatasetGroupsOutput](h)(p.ListDatasetGroups(ctx, &personalize.ListDatasetGroupsInput{})).DatasetGroups)
	n["schemas"] = len(must[*personalize.ListSchemasOutput](h)(p.ListSchemas(ctx, &personalize.ListSchemasInput{})).Schemas)
	n["datasets"] = len(must[*personalize.ListDatasetsOutput](h)(p.ListDatasets(ctx, &personalize.ListDatasetsInput{})).Datasets)
	n["imports"] = len(must[*personalize.ListDatasetImportJobsOutput](h)(p.ListDatasetImportJobs(ctx, &personalize.ListDatasetImportJobsInput{})).DatasetImportJobs)
	n["trackers"] = len(must[*personalize.ListEventTrackersOutput](h)(p.ListEventTrackers(ctx, &personalize.ListEventTrackersInput{})).EventTrackers)
	n["filters"] = len(must[*personalize.ListFiltersOutput](h)(p.ListFilters(ctx, &personalize.ListFiltersInput{})).Filters)
	n["solutions"] = len(must[*personalize.ListSolutionsOutput](h)(p.ListSolutions(ctx, &personalize.ListSolutionsInput{})).Solutions)
	n["versions"] = len(must[*personalize.ListSolutionVersionsOutput](h)(p.ListSolutionVersions(ctx, &personalize.ListSolutionVersionsInput{})).SolutionVersions)
	n["campaigns"] = len(must[*personalize.ListCampaignsOutput](h)(p.ListCampaigns(ctx, &personalize.ListCampaignsInput{})).Campaigns)
	for k, v := range n {
		if v == 0 {
			delete(n, k)
		}
	}
	return n
}

// whole is the census of the shop.
func whole() map[string]int {
	return map[string]int{"groups": 1, "schemas": 2, "datasets": 2, "imports": 2, "trackers": 1, "filters": 1, "solutions": 1, "versions": 1, "campaigns": 1}
}

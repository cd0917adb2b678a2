package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// attuneBinary is built once for all tests of this package.
var attuneBinary string

func TestMain(m *testing.M) { os.Exit(binary.Main(m, &attuneBinary)) }

// must ends the test on an error of a call.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// place is a node with a bucket, and a Target there.
type place struct {
	*testing.T
	node    *binary.Process
	target  *plan.Target
	objects *s3.Client
}

func start(t *testing.T, o plan.Options, args ...string) *place {
	t.Helper()
	p := must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, t.TempDir(), args...))
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(p.Output())
		}
	})
	pl := &place{T: t, node: p, objects: s3.NewFromConfig(p.AWS(), func(o *s3.Options) { o.UsePathStyle = true })}
	pl.target = pl.open(o)
	_, err := pl.objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("films")})
	if err != nil {
		t.Fatal(err)
	}
	return pl
}

func (p *place) open(o plan.Options) *plan.Target {
	return must[*plan.Target](p)(plan.Open(p.Context(), p.node.AWS(), o))
}

func (p *place) put(key, body string) {
	p.Helper()
	must[*s3.PutObjectOutput](p)(p.objects.PutObject(p.Context(), &s3.PutObjectInput{Bucket: aws.String("films"), Key: &key, Body: strings.NewReader(body)}))
}

// shop writes a small world's files into the folder train/shop.
func (p *place) shop() {
	w := must[*world.World](p)(world.New(world.Spec{Users: 200, Items: 100, Events: 4000, Clusters: 4, Seed: 5}))
	var interactions, items strings.Builder
	if err := w.WriteInteractions(&interactions); err != nil {
		p.Fatal(err)
	}
	if err := w.WriteItems(&items); err != nil {
		p.Fatal(err)
	}
	p.put("train/shop/interactions/a.csv", interactions.String())
	p.put("train/shop/items.csv", items.String())
	p.put("batch/shop/shop-taste/job_config.json", `{"userId":"`+w.UserID(0)+`"}`+"\n")
}

func resource(path, name, call string) config.Resource {
	return config.Resource{Path: path, Name: name, Call: json.RawMessage(call)}
}

// declared is what is to be of shop.
func declared() *config.Config {
	schema := func(path, name, text string) config.Resource {
		call, _ := json.Marshal(map[string]string{"name": name, "schema": text})
		return resource(path, name, string(call))
	}
	data := func(kind, text string) *config.Dataset {
		at := "datasets." + kind
		return &config.Dataset{Resource: resource(at+".dataset", "shop-"+kind, `{"name":"shop-`+kind+`","tags":[]}`), Schema: schema(at+".schema", "shop-"+kind, text)}
	}
	tracker := resource("eventTracker", "shop", `{"name":"shop","tags":[]}`)
	return &config.Config{
		Group: config.Group{Resource: resource("datasetGroup", "shop", `{"name":"shop","tags":[{"tagKey":"team","tagValue":"films"}]}`), MaxAge: 365 * 24 * time.Hour},
		Datasets: &config.Datasets{Import: json.RawMessage(`{"importMode":"FULL","publishAttributionMetricsToS3":false,"tags":[]}`),
			Interactions: data("interactions", world.InteractionsSchema), Items: data("items", world.ItemsSchema)},
		Tracker: &tracker,
		Filters: []config.Resource{resource("filters[0]", "shop-seen", `{"name":"shop-seen","filterExpression":"EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"*\")","tags":[]}`)},
		Solutions: []config.Solution{{
			Resource:  resource("solutions[0]", "shop-taste", `{"name":"shop-taste","recipeArn":"arn:aws:personalize:::recipe/aws-user-personalization","performAutoTraining":false,"solutionConfig":{"algorithmHyperParameters":{"members":"ials","hidden_dimension":"32"}}}`),
			Version:   json.RawMessage(`{"trainingMode":"FULL","tags":[]}`),
			Campaigns: []config.Resource{resource("solutions[0].campaigns[0]", "shop-home", `{"name":"shop-home","minProvisionedTPS":1,"campaignConfig":{"itemExplorationConfig":{"explorationWeight":"0.2"}}}`)},
			Inference: []config.Batch{{Resource: resource("solutions[0].batchInferenceJobs[0]", "", `{"numResults":5}`)}},
		}},
	}
}

// walk takes steps in the order of their needs until all are done, and fails the
// test on an error.
func (p *place) walk(t *plan.Target, steps []plan.Step) map[string]plan.Result {
	p.Helper()
	have, err := walk(p.Context(), t, steps)
	if err != nil {
		p.Fatal(err)
	}
	return have
}

func walk(ctx context.Context, t *plan.Target, steps []plan.Step) (map[string]plan.Result, error) {
	have := map[string]plan.Result{}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		open := 0
		for _, s := range steps {
			if have[s.Path].Done || !ready(s, have) {
				open += b2i(!have[s.Path].Done)
				continue
			}
			r, err := t.Advance(ctx, s, have)
			if err != nil && !plan.Retryable(err) {
				return have, err
			}
			if err == nil {
				have[s.Path] = r
			}
			if r.Action == plan.Blocked {
				return have, errors.New(r.Note)
			}
			open += b2i(!r.Done)
		}
		if open == 0 {
			return have, nil
		}
	}
	return have, fmt.Errorf("not done in time: %+v", have)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ready says whether everything in the list that a step needs is done.
func ready(s plan.Step, have map[string]plan.Result) bool {
	for _, n := range s.Needs {
		if !have[n].Done {
			return false
		}
	}
	return true
}

// settled waits until something is so.
func settled(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if so() {
			return
		}
	}
	t.Fatalf("%s did not settle", what)
}

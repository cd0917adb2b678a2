package job_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/engine/bucket"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/engine/temporal"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/profile"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
	"github.com/attune-io/attune/world"
)

// house is every room a job works with, on real engines below one folder.
type house struct {
	*testing.T
	registry  *resource.Registry
	log       *event.Log
	artifacts *artifact.Store
	uploads   *artifact.Store
	serve     *serve.Server
	jobs      *job.Manager
	engine    *temporal.Engine
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

func newHouse(t *testing.T) *house {
	t.Helper()
	ctx, dir, reg := t.Context(), t.TempDir(), prometheus.NewRegistry()
	level := slog.LevelWarn
	if testing.Verbose() {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	closing := func(f func() error) {
		t.Cleanup(func() {
			if err := f(); err != nil {
				t.Error(err)
			}
		})
	}
	n := must[*nats.Engine](t)(nats.Open(ctx, "", filepath.Join(dir, "nats"), log, reg))
	closing(n.Close)
	te := must[*temporal.Engine](t)(temporal.Open(ctx, "", filepath.Join(dir, "temporal"), log, reg))
	closing(te.Close)
	s := must[*sql.Engine](t)(sql.Open(ctx, "", filepath.Join(dir, "sql"), log, reg))
	closing(s.Close)
	b := must[*bucket.Engine](t)(bucket.Open(ctx, "", filepath.Join(dir, "bucket"), log, reg))
	closing(b.Close)

	h := &house{T: t, engine: te}
	h.artifacts = artifact.New(b.Client(), b.Dir(), "attune/")
	h.uploads = artifact.New(b.Client(), b.Dir(), "s3/")
	store := must[*resource.SQL](t)(resource.OpenStore(ctx, s.Client(), resource.Dialect(s.Dialect())))
	h.registry = resource.New(store, attune.Namer{Region: "us-east-1", Account: "000000000000"}, attune.WallClock,
		&resource.Options{OnChange: func() { h.jobs.Kick() }})
	h.log = must[*event.Log](t)(event.Open(ctx, n.Client(), attune.WallClock, log, reg, nil))
	profiles := profile.New(h.log, h.artifacts, h.artifacts, attune.WallClock, log, reg, nil)
	h.serve = serve.New(profiles.View, log, reg, nil)
	h.jobs = job.New(job.Deps{Registry: h.registry, Log: h.log, Artifacts: h.artifacts, Objects: h.uploads, Profiles: profiles,
		Serve: h.serve, Recipes: all.List(), Temporal: te.Client(), Clock: attune.WallClock, Logger: log, Metrics: reg})

	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 3)
	for _, run := range []func(context.Context) error{h.log.Run, profiles.Run, h.jobs.Run} {
		go func() { done <- run(ctx) }()
	}
	t.Cleanup(func() {
		stop()
		for range 3 {
			<-done
		}
	})
	return h
}

// until waits for a status, and fails on another final one.
func (h *house) until(arn attune.ARN, want resource.Status) *resource.Resource {
	h.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		r := must[*resource.Resource](h)(h.registry.Get(h.Context(), arn))
		if r.Status == want {
			return r
		}
		if r.Status == resource.CreateFailed || r.Status == resource.Active && want != resource.Active {
			h.Fatalf("%s is %s: %s", arn, r.Status, r.Body)
		}
	}
	h.Fatalf("%s was not %s in time", arn, want)
	return nil
}

func (h *house) gone(arn attune.ARN) {
	h.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := h.registry.Get(h.Context(), arn); attune.KindOf(err) == attune.NotFound && err != nil {
			return
		}
	}
	h.Fatalf("%s was not deleted in time", arn)
}

// upload puts an object where import jobs read.
func (h *house) upload(name, body string) string {
	h.Helper()
	must[artifact.Info](h)(h.uploads.Put(h.Context(), name, []byte(body)))
	return "s3://" + name
}

// group makes an ACTIVE dataset group with an ACTIVE interactions dataset.
func (h *house) group(name string) (group, set *resource.Resource) {
	ctx := h.Context()
	group = must[*resource.Resource](h)(h.registry.CreateDatasetGroup(ctx, name, resource.DatasetGroupBody{}))
	group = h.until(group.ARN, resource.Active)
	sch := must[*resource.Resource](h)(h.registry.CreateSchema(ctx, name, resource.SchemaBody{Schema: world.InteractionsSchema}))
	set = must[*resource.Resource](h)(h.registry.CreateDataset(ctx, name, resource.DatasetBody{
		DatasetGroupArn: string(group.ARN), DatasetType: "INTERACTIONS", SchemaArn: string(sch.ARN)}))
	return group, h.until(set.ARN, resource.Active)
}

func (h *house) importing(name string, set *resource.Resource, location string) attune.ARN {
	h.Helper()
	r := must[*resource.Resource](h)(h.registry.CreateImportJob(h.Context(), name, resource.ImportJobBody{
		DatasetArn: string(set.ARN), DataSource: resource.DataSource{DataLocation: location}}))
	return r.ARN
}

func shopCSV(t testing.TB) string {
	w := must[*world.World](t)(world.New(world.Spec{Users: 200, Items: 100, Events: 4000, Clusters: 5, Seed: 3}))
	var b bytes.Buffer
	if err := w.WriteInteractions(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestLine takes data from upload to recommendation, and all of it away again.
func TestLine(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, set := h.group("line")
	imported := h.until(h.importing("base", set, h.upload("up/base.csv", shopCSV(t)+"broken\n")), resource.Active)
	report := must[resource.ImportJobBody](t)(resource.Body[resource.ImportJobBody](imported)).Report
	if report == nil || report.Rows != 4000 || report.Rejected != 1 || len(report.Reasons) != 1 {
		t.Fatalf("report %+v", report)
	}
	solution := must[*resource.Resource](t)(h.registry.CreateSolution(ctx, "line", resource.SolutionBody{
		DatasetGroupArn: string(group.ARN), RecipeArn: "arn:aws:personalize:::recipe/aws-user-personalization"}))
	h.until(solution.ARN, resource.Active)
	version := must[*resource.Resource](t)(h.registry.CreateSolutionVersion(ctx, resource.VersionRequest{SolutionArn: string(solution.ARN)}))
	version = h.until(version.ARN, resource.Active)
	body := must[resource.SolutionVersionBody](t)(resource.Body[resource.SolutionVersionBody](version))
	if body.Model == "" || body.Snapshot == "" || body.TrainingHours == nil || body.Metrics["coverage"] == 0 {
		t.Fatalf("version %+v", body)
	}
	campaign := must[*resource.Resource](t)(h.registry.CreateCampaign(ctx, "line", resource.CampaignBody{SolutionVersionArn: string(version.ARN), MinProvisionedTPS: 1}))
	h.until(campaign.ARN, resource.Active)
	answer := must[*serve.Answer](t)(h.serve.Recommend(ctx, serve.Request{Campaign: campaign.ARN, User: "u0001", N: 5}))
	if len(answer.Items) != 5 {
		t.Fatalf("answer %+v", answer)
	}

	// A second version of the same data learns the same numbers.
	again := must[*resource.Resource](t)(h.registry.CreateSolutionVersion(ctx, resource.VersionRequest{SolutionArn: string(solution.ARN)}))
	again = h.until(again.ARN, resource.Active)
	other := must[resource.SolutionVersionBody](t)(resource.Body[resource.SolutionVersionBody](again))
	first, second := must[*model.Model](t)(model.Open(ctx, h.artifacts, body.Model)), must[*model.Model](t)(model.Open(ctx, h.artifacts, other.Model))
	if !reflect.DeepEqual(first.Tensors, second.Tensors) || !slices.Equal(first.Items, second.Items) {
		t.Error("two trainings on the same data differ")
	}
	if err := h.registry.UpdateCampaign(ctx, string(campaign.ARN), resource.CampaignChange{SolutionVersionArn: string(again.ARN)}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if r, _ := h.serve.Get(campaign.ARN); r.Version == again.ARN {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the update was not served")
		}
	}
	for deadline := time.Now().Add(30 * time.Second); must[*resource.Resource](t)(h.registry.Get(ctx, campaign.ARN)).Busy(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the update did not end")
		}
	}

	for _, d := range []struct {
		arn attune.ARN
		do  func(context.Context, string) error
	}{{campaign.ARN, h.registry.DeleteCampaign}, {solution.ARN, h.registry.DeleteSolution}, {set.ARN, h.registry.DeleteDataset}, {group.ARN, h.registry.DeleteDatasetGroup}} {
		if err := d.do(ctx, string(d.arn)); err != nil {
			t.Fatal(err)
		}
		h.gone(d.arn)
	}
	if h.serve.Has(campaign.ARN) {
		t.Error("a deleted campaign answers")
	}
	for info, err := range h.artifacts.List(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s is left behind", info.Name)
	}
}

// TestImportFailures says what is wrong, and applies nothing.
func TestImportFailures(t *testing.T) {
	h := newHouse(t)
	_, set := h.group("bad")
	for name, c := range map[string]struct{ location, says string }{
		"nothing-there": {"s3://up/none.csv", "none.csv"},
		"all-broken":    {h.upload("up/broken.csv", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n"+strings.Repeat("u,i,View,tomorrow\n", 50)), "50"},
	} {
		arn := h.importing(name, set, c.location)
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			r := must[*resource.Resource](t)(h.registry.Get(t.Context(), arn))
			if r.Status == resource.CreateFailed {
				if b := must[resource.ImportJobBody](t)(resource.Body[resource.ImportJobBody](r)); !strings.Contains(b.FailureReason, c.says) {
					t.Errorf("%s: %q does not say %q", name, b.FailureReason, c.says)
				}
				break
			}
			if r.Status == resource.Active || time.Now().After(deadline) {
				t.Fatalf("%s is %s", name, r.Status)
			}
		}
	}
	for info, err := range h.artifacts.List(t.Context(), "table/") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(info.Name, "rejects.csv") {
			t.Errorf("a failed import left %s", info.Name)
		}
	}
}

// TestStop ends a training that its owner stops.
func TestStop(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, set := h.group("stop")
	h.until(h.importing("base", set, h.upload("up/base.csv", shopCSV(t))), resource.Active)
	solution := must[*resource.Resource](t)(h.registry.CreateSolution(ctx, "stop", resource.SolutionBody{
		DatasetGroupArn: string(group.ARN), RecipeArn: "arn:aws:personalize:::recipe/aws-user-personalization"}))
	h.until(solution.ARN, resource.Active)
	for i := range 3 {
		v := must[*resource.Resource](t)(h.registry.CreateSolutionVersion(ctx, resource.VersionRequest{SolutionArn: string(solution.ARN), Name: fmt.Sprintf("v%d", i)}))
		if err := h.registry.StopSolutionVersion(ctx, string(v.ARN)); err != nil {
			t.Fatal(err)
		}
		h.until(v.ARN, resource.CreateStopped)
	}
}

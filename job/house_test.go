package job_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/engine/bucket"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/engine/temporal"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/profile"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/recipe/blend"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
	"github.com/attune-io/attune/world"
)

// house is every room a job works with, on real engines below one folder.
type house struct {
	memory int64 // that trainings may take; 0 for any that a recipe wants
	*testing.T
	registry  *resource.Registry
	store     resource.Store
	log       *event.Log
	profiles  *profile.Keeper
	artifacts *artifact.Store
	uploads   *artifact.Store
	files     string // folder of the bucket
	serve     *serve.Server
	temporal  client.Client
	logger    *slog.Logger
	ahead     atomic.Int64 // nanoseconds that the clock of these rooms is ahead of the wall's

	jobs atomic.Pointer[job.Manager] // nil while none runs
	stop func()                      // ends the running manager and waits for it
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

// newHouse opens the engines and rooms, and runs all but a manager of jobs.
// Tests mostly wait for it and run beside each other, but those that look at
// how long something takes.
func newHouse(t *testing.T) *house {
	t.Helper()
	ctx, dir, reg := t.Context(), t.TempDir(), prometheus.NewRegistry()
	out := io.Discard // these tests fail many steps on purpose
	if testing.Verbose() {
		out = os.Stderr
	}
	log := slog.New(slog.NewTextHandler(out, nil))
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

	h := &house{T: t, temporal: te.Client(), files: b.Dir(), logger: log}
	h.artifacts = artifact.New(b.Client(), b.Dir(), "attune/")
	h.uploads = artifact.New(b.Client(), b.Dir(), "s3/")
	h.store = must[*resource.SQL](t)(resource.OpenStore(ctx, s.Client(), ledger.Dialect(s.Dialect())))
	h.registry = resource.New(h.store, attune.Namer{Region: "us-east-1", Account: "000000000000"}, h.now,
		&resource.Options{OnChange: func() {
			if m := h.jobs.Load(); m != nil {
				m.Kick()
			}
		}})
	h.log = must[*event.Log](t)(event.Open(ctx, n.Client(), attune.WallClock, log, reg, nil))
	h.profiles = profile.New(h.log, h.artifacts, h.artifacts, attune.WallClock, log, reg, nil)
	h.serve = serve.New(h.profiles.View, log, reg, nil)
	running(t, h.log.Run, h.profiles.Run)
	return h
}

// running runs until the test ends or what it returns is called, which waits.
func running(t *testing.T, runs ...func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, len(runs))
	for _, run := range runs {
		go func() { done <- run(ctx) }()
	}
	left := len(runs)
	stop = func() {
		cancel()
		for ; left > 0; left-- {
			<-done
		}
	}
	t.Cleanup(stop)
	return stop
}

// start runs a manager, as a process that has just begun would.
func (h *house) start(recipes ...recipe.Recipe) *job.Manager {
	if len(recipes) == 0 {
		recipes = quick()
	}
	m := job.New(job.Deps{Registry: h.registry, Log: h.log, Artifacts: h.artifacts, Objects: h.uploads, Profiles: h.profiles,
		HasBucket: func(_ context.Context, bucket string) (bool, error) { return bucket != "nowhere", nil },
		Serve:     h.serve, Recipes: recipes, Temporal: h.temporal, Clock: h.now, Logger: h.logger,
		ReceiptKey: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), TrainMemory: h.memory})
	h.jobs.Store(m)
	h.stop = running(h.T, m.Run)
	return m
}

// now is the clock of registry and jobs, which tests move ahead.
func (h *house) now() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }

// later moves the clock ahead and lets the jobs look.
func (h *house) later(d time.Duration) {
	h.ahead.Add(int64(d))
	h.jobs.Load().Kick()
}

// newLine is a house with a manager at work.
func newLine(t *testing.T) *house {
	h := newHouse(t)
	h.start()
	return h
}

// patience bounds a wait: long, for the race detector on a machine that others use.
const patience = 5 * time.Minute

// eventually polls until ok, and fails with what when patience ends.
func (h *house) eventually(what string, ok func() bool) {
	h.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatalf("not in time: %s", what)
		}
	}
}

func (h *house) get(arn attune.ARN) *resource.Resource {
	h.Helper()
	return must[*resource.Resource](h)(h.registry.Get(h.Context(), arn))
}

// until waits for a status, and fails on another final one.
func (h *house) until(arn attune.ARN, want resource.Status) (r *resource.Resource) {
	h.Helper()
	h.eventually(string(arn)+" is "+string(want), func() bool {
		r = h.get(arn)
		if r.Status != want && (r.Status == resource.CreateFailed || r.Status == resource.Active) {
			h.Fatalf("%s is %s: %s", arn, r.Status, r.Body)
		}
		return r.Status == want
	})
	return r
}

// failed waits for CREATE FAILED and gives the reason.
func (h *house) failed(arn attune.ARN) string {
	h.Helper()
	r := h.until(arn, resource.CreateFailed)
	return must[struct{ FailureReason string }](h)(resource.Body[struct{ FailureReason string }](r)).FailureReason
}

func (h *house) gone(arn attune.ARN) {
	h.Helper()
	h.eventually(string(arn)+" is gone", func() bool {
		_, err := h.registry.Get(h.Context(), arn)
		return err != nil && attune.KindOf(err) == attune.NotFound
	})
}

// upload puts an object where import jobs read.
func (h *house) upload(name, body string) string {
	h.Helper()
	must[artifact.Info](h)(h.uploads.Put(h.Context(), name, []byte(body)))
	return "s3://" + name
}

// breakBucket makes every write below a folder of the artifacts fail, also for
// root, until mend is called: a file lies where the folder should.
func (h *house) breakBucket(folder string) (mend func()) {
	h.Helper()
	path := filepath.Join(h.files, "attune", folder)
	kept := path + ".kept"
	_ = os.Rename(path, kept)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		h.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			h.Fatal(err)
		}
		_ = os.Rename(kept, path)
	}
}

// group makes an ACTIVE dataset group with an ACTIVE interactions dataset.
func (h *house) group(name string) (group, set *resource.Resource) {
	h.Helper()
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

// solution makes a group with a shop's interactions and an ACTIVE solution.
func (h *house) solution(name string) *resource.Resource {
	h.Helper()
	group, set := h.group(name)
	h.until(h.importing(name, set, h.upload("up/"+name+".csv", shopCSV(h, 4000))), resource.Active)
	s := must[*resource.Resource](h)(h.registry.CreateSolution(h.Context(), name, resource.SolutionBody{
		DatasetGroupArn: string(group.ARN), RecipeArn: "arn:aws:personalize:::recipe/aws-user-personalization"}))
	return h.until(s.ARN, resource.Active)
}

// version asks for a training.
func (h *house) version(solution *resource.Resource) *resource.Resource {
	h.Helper()
	return must[*resource.Resource](h)(h.registry.CreateSolutionVersion(h.Context(), resource.VersionRequest{SolutionArn: string(solution.ARN)}))
}

func (h *house) campaign(name string, version *resource.Resource) *resource.Resource {
	h.Helper()
	return must[*resource.Resource](h)(h.registry.CreateCampaign(h.Context(), name, resource.CampaignBody{SolutionVersionArn: string(version.ARN), MinProvisionedTPS: 1}))
}

func (h *house) update(campaign *resource.Resource, version *resource.Resource) {
	h.Helper()
	if err := h.registry.UpdateCampaign(h.Context(), string(campaign.ARN), resource.CampaignChange{SolutionVersionArn: string(version.ARN)}); err != nil {
		h.Fatal(err)
	}
}

func (h *house) settled(arn attune.ARN) {
	h.Helper()
	h.eventually(string(arn)+" is settled", func() bool { return !h.get(arn).Busy() })
}

// shopCSV is a synthetic shop's upload.
func shopCSV(t testing.TB, events int) string {
	w := must[*world.World](t)(world.New(world.Spec{Users: max(200, events/50), Items: 100, Events: events, Clusters: 5, Seed: 3}))
	var b bytes.Buffer
	if err := w.WriteInteractions(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// quick is every recipe of the build, but that a blend is matrix factorisation
// and chooses nothing: what jobs do does not depend on how good their models
// are, and the race detector makes a search take minutes. test/sdk, test/kill
// and test/maintain train whole blends.
func quick() []recipe.Recipe {
	list := all.List()
	for i, r := range list {
		if r.Name() == spec.Blend {
			list[i] = struct{ recipe.Recipe }{blend.New(ials.New())}
		}
	}
	return list
}

// slow is a recipe whose training waits until it is let go or its context ends.
type slow struct {
	recipe.Recipe
	begun chan struct{} // gets one value for each training that begins
	let   chan struct{} // closed: trainings go on
}

func newSlow() *slow {
	s := &slow{begun: make(chan struct{}, 100), let: make(chan struct{})}
	for _, r := range quick() {
		if r.Name() == spec.Blend {
			s.Recipe = r
		}
	}
	return s
}

// recipes is every recipe of the build, with this one in its place.
func (s *slow) recipes() []recipe.Recipe {
	list := []recipe.Recipe{s}
	for _, r := range quick() {
		if r.Name() != s.Name() {
			list = append(list, r)
		}
	}
	return list
}

// Train waits, then trains.
func (s *slow) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	s.begun <- struct{}{}
	in.Report(1, 10)
	select {
	case <-s.let:
		return s.Recipe.Train(ctx, in)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

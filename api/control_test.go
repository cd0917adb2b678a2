package api_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api"
	"github.com/attune-io/attune/api/awsjson"
	enginenats "github.com/attune-io/attune/engine/nats"
	enginesql "github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/resource"
)

const (
	interactionsAvro = `{"type":"record","name":"Interactions","namespace":"n","version":"1.0","fields":[
		{"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},
		{"name":"EVENT_VALUE","type":["null","float"]},{"name":"TIMESTAMP","type":"long"},{"name":"NUMBER_OF_RATINGS","type":["null","int"]}]}`
	itemsAvro = `{"type":"record","name":"Items","namespace":"n","version":"1.0","fields":[
		{"name":"ITEM_ID","type":"string"},{"name":"GENRES","type":"string","categorical":true},{"name":"PRICE","type":["null","float"]}]}`
	usersAvro = `{"type":"record","name":"Users","namespace":"n","version":"1.0","fields":[
		{"name":"USER_ID","type":"string"},{"name":"AGE_GROUP","type":["null","string"],"categorical":true}]}`

	role       = "arn:aws:iam::000000000000:role/reader"
	base       = "arn:aws:personalize:us-east-1:000000000000:"
	userRecipe = "arn:aws:personalize:::recipe/aws-user-personalization"
)

// shop is a server with real rows, a real log, and real clients.
type shop struct {
	*testing.T
	ctx     context.Context
	rows    *resource.Registry
	log     *event.Log
	control *personalize.Client
	events  *personalizeevents.Client
	url     string
	kick    chan struct{}
	hold    sync.RWMutex // held: rows stay where they are
}

func newShop(t *testing.T) *shop {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	sql, err := enginesql.Open(t.Context(), "", t.TempDir(), quiet, nil)
	fatal(t, err)
	t.Cleanup(func() { _ = sql.Close() })
	nats, err := enginenats.Open(t.Context(), "", t.TempDir(), quiet, nil)
	fatal(t, err)
	t.Cleanup(func() { _ = nats.Close() })
	store, err := resource.OpenStore(t.Context(), sql.Client(), ledger.SQLite)
	fatal(t, err)
	s := &shop{T: t, ctx: t.Context(), kick: make(chan struct{}, 1)}
	s.rows = resource.New(store, attune.Namer{Region: "us-east-1", Account: "000000000000"}, attune.WallClock, &resource.Options{OnChange: s.changed, Limits: resource.Strict()})
	s.log, err = event.Open(t.Context(), nats.Client(), attune.WallClock, quiet, nil, nil)
	fatal(t, err)

	server := awsjson.New(quiet, nil, nil)
	api.NewPersonalize(s.rows, s.log).Register(server)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	s.url = web.URL
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &web.URL, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
		})}
	s.control, s.events = personalize.NewFromConfig(cfg), personalizeevents.NewFromConfig(cfg)

	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	moved := make(chan struct{})
	go func() { defer close(moved); s.move(ctx) }()
	t.Cleanup(func() { stop(); <-moved })
	return s
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *shop) changed() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// move stands for the job room: it takes every busy row to its end at once.
func (s *shop) move(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.kick:
		}
		s.hold.RLock()
		rows, err := s.rows.Busy(ctx)
		for i := range rows {
			if err == nil {
				err = s.step(ctx, &rows[i])
			}
		}
		s.hold.RUnlock()
		if err != nil && ctx.Err() == nil {
			s.Errorf("moving rows: %v", err)
			return
		}
	}
}

func (s *shop) step(ctx context.Context, r *resource.Resource) error {
	switch {
	case r.Status == resource.DeletePending:
		return s.rows.Remove(ctx, r.ARN, r.ID)
	case r.Kind == resource.Campaign:
		_, version, err := s.rows.BeginDeploy(ctx, r.ARN, r.ID)
		if err != nil {
			return err
		}
		return s.rows.FinishDeploy(ctx, r.ARN, r.ID, version)
	}
	if r.Kind == resource.DatasetGroup {
		if err := s.log.Create(ctx, event.Group(r.ID)); err != nil {
			return err
		}
	}
	_, err := s.rows.Change(ctx, r.ARN, func(r *resource.Resource) error {
		next := map[resource.Status]resource.Status{resource.CreatePending: resource.CreateInProgress,
			resource.CreateInProgress: resource.Active, resource.CreateStopping: resource.CreateStopped}
		r.Status = next[r.Status]
		if r.Kind == resource.SolutionVersion && r.Status == resource.Active {
			hours := 0.25
			return resource.ChangeBody(r, func(b *resource.SolutionVersionBody) {
				b.TrainingHours, b.Metrics = &hours, map[string]float64{"coverage": 0.5}
			})
		}
		return nil
	})
	return err
}

// still keeps rows where they are until the function it gives is called.
func (s *shop) still() (release func()) {
	s.hold.Lock()
	return func() { s.hold.Unlock(); s.changed() }
}

// until polls for a condition.
func (s *shop) until(what string, is func() bool) {
	s.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if is() {
			return
		}
	}
	s.Fatalf("%s: not in time", what)
}

// settle waits until no row asks for work.
func (s *shop) settle() {
	s.Helper()
	s.until("all rows settled", func() bool {
		rows, err := s.rows.Busy(s.ctx)
		fatal(s.T, err)
		return len(rows) == 0
	})
}

func must[T any](s *shop) func(T, error) T {
	return func(v T, err error) T {
		s.Helper()
		fatal(s.T, err)
		return v
	}
}

// refused expects a modelled exception whose message has the words.
func refused[E error](s *shop, err error, words string) {
	s.Helper()
	var e E
	if !errors.As(err, &e) {
		s.Errorf("got %v, want %T", err, e)
	} else if !strings.Contains(err.Error(), words) {
		s.Errorf("%q does not say %q", err, words)
	}
}

func (s *shop) group(name string) string {
	s.Helper()
	out := must[*personalize.CreateDatasetGroupOutput](s)(s.control.CreateDatasetGroup(s.ctx, &personalize.CreateDatasetGroupInput{Name: &name}))
	s.settle()
	return *out.DatasetGroupArn
}

func (s *shop) schema(name, avro string) string {
	s.Helper()
	return *must[*personalize.CreateSchemaOutput](s)(s.control.CreateSchema(s.ctx, &personalize.CreateSchemaInput{Name: &name, Schema: &avro})).SchemaArn
}

func (s *shop) dataset(group, typ, schema string) string {
	s.Helper()
	name := strings.ToLower(typ)
	out := must[*personalize.CreateDatasetOutput](s)(s.control.CreateDataset(s.ctx, &personalize.CreateDatasetInput{Name: &name, DatasetGroupArn: &group, DatasetType: &typ, SchemaArn: &schema}))
	s.settle()
	return *out.DatasetArn
}

func importInput(name, dataset string) *personalize.CreateDatasetImportJobInput {
	return &personalize.CreateDatasetImportJobInput{JobName: &name, DatasetArn: &dataset, RoleArn: aws.String(role),
		DataSource: &types.DataSource{DataLocation: aws.String("s3://films/ratings.csv")}}
}

// trained makes everything up to an ACTIVE version.
func (s *shop) trained(name string) (group, solution, version string) {
	s.Helper()
	group = s.group(name)
	set := s.dataset(group, "Interactions", s.schema(name, interactionsAvro))
	must[*personalize.CreateDatasetImportJobOutput](s)(s.control.CreateDatasetImportJob(s.ctx, importInput(name, set)))
	s.settle()
	so := must[*personalize.CreateSolutionOutput](s)(s.control.CreateSolution(s.ctx, &personalize.CreateSolutionInput{Name: &name, DatasetGroupArn: &group, RecipeArn: aws.String(userRecipe)}))
	s.settle()
	return group, *so.SolutionArn, s.version(*so.SolutionArn)
}

func (s *shop) version(solution string) string {
	s.Helper()
	out := must[*personalize.CreateSolutionVersionOutput](s)(s.control.CreateSolutionVersion(s.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: &solution}))
	s.settle()
	return *out.SolutionVersionArn
}

// same compares what was sent with what came back.
func same(s *shop, what string, got, want any) {
	s.Helper()
	if !reflect.DeepEqual(got, want) {
		s.Errorf("%s: got\n%s\nwant\n%s", what, show(got), show(want))
	}
}

func show(v any) string { return fmt.Sprintf("%+v", reflect.Indirect(reflect.ValueOf(v))) }

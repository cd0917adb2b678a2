package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

const (
	// patience bounds the wait for one job.
	patience = 20 * time.Minute
	// pollEvery is how exactly the end of a job is seen.
	pollEvery = 20 * time.Millisecond
	// bucketName is where uploads go.
	bucketName = "bench"
	// interactions is the dataset type that everything here is about.
	interactions = "INTERACTIONS"
)

// binaryPath builds the binary once a run.
func (b *bench) binaryPath() (string, error) {
	if b.exe == "" {
		b.say("building attune")
		exe, err := binary.Build(b.dir)
		if err != nil {
			return "", err
		}
		b.exe = exe
	}
	return b.exe, nil
}

// folder names a new folder in the run's own; it is not made.
func (b *bench) folder(what string) string {
	return filepath.Join(b.dir, fmt.Sprintf("%s-%08x", what, rand.Uint32()))
}

// start runs a node on a data folder; it is killed at the end of the run if
// stop has not ended it before.
func (b *bench) start(data string) (*binary.Process, error) {
	exe, err := b.binaryPath()
	if err != nil {
		return nil, err
	}
	p, err := binary.Start(b.ctx, exe, data, "--log-level", "warn")
	if err != nil {
		return nil, err
	}
	b.nodes = append(b.nodes, p)
	return p, nil
}

// stop ends a node cleanly.
func (b *bench) stop(p *binary.Process) error {
	b.nodes = slices.DeleteFunc(b.nodes, func(q *binary.Process) bool { return q == p })
	return p.Stop()
}

// client is a node as its customers see it.
type client struct {
	*binary.Process
	ctx     context.Context
	api     *personalize.Client
	objects *s3.Client
}

func (b *bench) client(p *binary.Process) *client {
	cfg := p.AWS()
	return &client{p, b.ctx, personalize.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })}
}

// address is host:port.
func (c *client) address() string { return strings.TrimPrefix(c.URL, "http://") }

// active waits until a status is ACTIVE.
func (c *client) active(what string, status func() (state, why *string, err error)) error {
	for began := time.Now(); time.Since(began) < patience; {
		state, why, err := status()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", what, err)
		case aws.ToString(state) == "ACTIVE":
			return nil
		case strings.HasSuffix(aws.ToString(state), "FAILED"):
			return fmt.Errorf("%s: %s: %s", what, *state, aws.ToString(why))
		}
		select {
		case <-c.ctx.Done():
			return c.ctx.Err()
		case <-time.After(pollEvery):
		}
	}
	return fmt.Errorf("%s was not ACTIVE after %s", what, patience)
}

// group makes a dataset group.
func (c *client) group(name string) (arn string, err error) {
	out, err := c.api.CreateDatasetGroup(c.ctx, &personalize.CreateDatasetGroupInput{Name: &name})
	if err != nil {
		return "", err
	}
	return *out.DatasetGroupArn, c.active("dataset group", func() (*string, *string, error) {
		d, err := c.api.DescribeDatasetGroup(c.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: out.DatasetGroupArn})
		if err != nil {
			return nil, nil, err
		}
		return d.DatasetGroup.Status, d.DatasetGroup.FailureReason, nil
	})
}

// dataset makes the group's dataset of interactions.
func (c *client) dataset(group string) (arn string, err error) {
	name := group[strings.LastIndex(group, "/")+1:]
	s, err := c.api.CreateSchema(c.ctx, &personalize.CreateSchemaInput{Name: &name, Schema: aws.String(world.InteractionsSchema)})
	if err != nil {
		return "", err
	}
	out, err := c.api.CreateDataset(c.ctx, &personalize.CreateDatasetInput{
		Name: &name, DatasetGroupArn: &group, DatasetType: aws.String(interactions), SchemaArn: s.SchemaArn})
	if err != nil {
		return "", err
	}
	return *out.DatasetArn, c.active("dataset", func() (*string, *string, error) {
		d, err := c.api.DescribeDataset(c.ctx, &personalize.DescribeDatasetInput{DatasetArn: out.DatasetArn})
		if err != nil {
			return nil, nil, err
		}
		return d.Dataset.Status, nil, nil
	})
}

// tracker makes the group's event tracker.
func (c *client) tracker(group string) (id string, err error) {
	out, err := c.api.CreateEventTracker(c.ctx, &personalize.CreateEventTrackerInput{Name: aws.String("bench"), DatasetGroupArn: &group})
	if err != nil {
		return "", err
	}
	return *out.TrackingId, c.active("event tracker", func() (*string, *string, error) {
		d, err := c.api.DescribeEventTracker(c.ctx, &personalize.DescribeEventTrackerInput{EventTrackerArn: out.EventTrackerArn})
		if err != nil {
			return nil, nil, err
		}
		return d.EventTracker.Status, nil, nil
	})
}

// upload streams a file into an object, in parts when it is large.
func (c *client) upload(file, key string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := c.objects.CreateBucket(c.ctx, &s3.CreateBucketInput{Bucket: aws.String(bucketName)}); err != nil && !strings.Contains(err.Error(), "BucketAlready") {
		return err
	}
	_, err = transfermanager.New(c.objects).UploadObject(c.ctx, &transfermanager.UploadObjectInput{Bucket: aws.String(bucketName), Key: &key, Body: f})
	return err
}

// importing runs an import job over an uploaded object and returns how long it took.
func (c *client) importing(dataset, key string) (time.Duration, error) {
	began := time.Now()
	job, err := c.api.CreateDatasetImportJob(c.ctx, &personalize.CreateDatasetImportJobInput{
		JobName: aws.String(strings.TrimSuffix(key, ".csv")), DatasetArn: &dataset, RoleArn: aws.String(binary.Role),
		DataSource: &types.DataSource{DataLocation: aws.String("s3://" + bucketName + "/" + key)}})
	if err != nil {
		return 0, err
	}
	err = c.active("import", func() (*string, *string, error) {
		d, err := c.api.DescribeDatasetImportJob(c.ctx, &personalize.DescribeDatasetImportJobInput{DatasetImportJobArn: job.DatasetImportJobArn})
		if err != nil {
			return nil, nil, err
		}
		return d.DatasetImportJob.Status, d.DatasetImportJob.FailureReason, nil
	})
	return time.Since(began), err
}

// train makes a solution version of aws-user-personalization with the given
// algorithmHyperParameters.
func (c *client) train(group string, params map[string]string) (version string, err error) {
	s, err := c.api.CreateSolution(c.ctx, &personalize.CreateSolutionInput{
		Name: aws.String("bench"), DatasetGroupArn: &group, PerformAutoTraining: aws.Bool(false),
		RecipeArn:      aws.String("arn:aws:personalize:::recipe/aws-user-personalization"),
		SolutionConfig: &types.SolutionConfig{AlgorithmHyperParameters: params}})
	if err != nil {
		return "", err
	}
	if err := c.active("solution", func() (*string, *string, error) {
		d, err := c.api.DescribeSolution(c.ctx, &personalize.DescribeSolutionInput{SolutionArn: s.SolutionArn})
		if err != nil {
			return nil, nil, err
		}
		return d.Solution.Status, nil, nil
	}); err != nil {
		return "", err
	}
	v, err := c.api.CreateSolutionVersion(c.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: s.SolutionArn})
	if err != nil {
		return "", err
	}
	return *v.SolutionVersionArn, c.active("training", func() (*string, *string, error) {
		d, err := c.api.DescribeSolutionVersion(c.ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: v.SolutionVersionArn})
		if err != nil {
			return nil, nil, err
		}
		return d.SolutionVersion.Status, d.SolutionVersion.FailureReason, nil
	})
}

// launch puts a version behind a campaign.
func (c *client) launch(version string) (campaign string, err error) {
	out, err := c.api.CreateCampaign(c.ctx, &personalize.CreateCampaignInput{
		Name: aws.String("bench"), SolutionVersionArn: &version, MinProvisionedTPS: aws.Int32(1)})
	if err != nil {
		return "", err
	}
	return *out.CampaignArn, c.active("campaign", func() (*string, *string, error) {
		d, err := c.api.DescribeCampaign(c.ctx, &personalize.DescribeCampaignInput{CampaignArn: out.CampaignArn})
		if err != nil {
			return nil, nil, err
		}
		return d.Campaign.Status, d.Campaign.FailureReason, nil
	})
}

// manifest is what a version says of its model.
func (c *client) manifest(version string) (model.Manifest, error) {
	var out verb.DescribeModelOutput
	err := verb.Call(c.ctx, c.AWS(), "DescribeModel", verb.DescribeModelInput{SolutionVersionArn: version}, &out)
	return out.Manifest, err
}

// known waits until the node knows a history of the user, and says how long that took.
func (c *client) known(group, user string) (time.Duration, error) {
	for began := time.Now(); time.Since(began) < patience; {
		var out verb.DescribeUserOutput
		err := verb.Call(c.ctx, c.AWS(), "DescribeUser", verb.DescribeUserInput{DatasetGroupArn: group, UserID: user}, &out)
		if err == nil && len(out.History) > 0 {
			return time.Since(began), nil
		}
		select {
		case <-c.ctx.Done():
			return 0, c.ctx.Err()
		case <-time.After(pollEvery):
		}
	}
	return 0, fmt.Errorf("user %s was not known after %s", user, patience)
}

// spool writes a world's interactions to a file.
func spool(w *world.World, file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	var out io.Writer = f
	return errors.Join(w.WriteInteractions(out), f.Close())
}

// trained is a node whose campaign answers: what serve and fresh measure.
type trained struct {
	*client
	world    *world.World
	group    string
	tracking string
	campaign string
	manifest model.Manifest
}

// trained makes that node once a run: a world is imported, learned with d = 64
// through the API like anyone would, and deployed.
func (b *bench) trained() (*trained, error) {
	if b.made != nil {
		return b.made, nil
	}
	w, err := world.New(pick(b,
		world.Spec{Users: 10_000, Items: 10_000, Events: 500_000, Clusters: 40, Seed: 1},
		world.Spec{Users: 300, Items: 300, Events: 9_000, Seed: 1}))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.dir, "trained.csv")
	if err := spool(w, file); err != nil {
		return nil, err
	}
	p, err := b.start(b.folder("trained"))
	if err != nil {
		return nil, err
	}
	t := &trained{client: b.client(p), world: w}
	if t.group, err = t.client.group("bench"); err != nil {
		return nil, err
	}
	set, err := t.dataset(t.group)
	if err != nil {
		return nil, err
	}
	if err := t.upload(file, "trained.csv"); err != nil {
		return nil, err
	}
	if _, err := t.importing(set, "trained.csv"); err != nil {
		return nil, err
	}
	if t.tracking, err = t.tracker(t.group); err != nil {
		return nil, err
	}
	b.say("training on %s", w)
	version, err := t.train(t.group, map[string]string{"hidden_dimension": fmt.Sprint(factors)})
	if err != nil {
		return nil, err
	}
	if t.manifest, err = t.client.manifest(version); err != nil {
		return nil, err
	}
	if t.campaign, err = t.launch(version); err != nil {
		return nil, err
	}
	b.made = t
	return t, nil
}

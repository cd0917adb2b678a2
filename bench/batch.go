package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

const (
	// batchResults is how many items every user gets.
	batchResults = 25
	// batchSample is how many lines are compared with live answers.
	batchSample = 500
)

// batch measures batch inference: everybody of a world gets their items in one
// job, and some of them are asked for again one by one.
func (b *bench) batch() error {
	spec := pick(b, world.Spec{Users: 1_000_000, Items: 20_000, Events: 4_000_000, Clusters: 40, Seed: 1},
		world.Spec{Users: 2_000, Items: 500, Events: 20_000, Seed: 1})
	w, err := world.New(spec)
	if err != nil {
		return err
	}
	c, group, version, err := b.batchNode(w)
	if err != nil {
		return err
	}
	users := filepath.Join(b.dir, "users.json")
	if err := writeUsers(w, spec.Users, users); err != nil {
		return err
	}
	if err := c.upload(users, "in/users.json"); err != nil {
		return err
	}
	if _, err := c.known(group, w.UserID(spec.Users-1)); err != nil {
		return err
	}
	held := memoryOf(c.PID(), "VmRSS")
	if err := resetPeak(c.PID()); err != nil {
		b.say("the peak includes what came before: %v", err)
	}
	before, _ := processTime(c.PID())
	took, err := c.inferring(version)
	if err != nil {
		return err
	}
	after, _ := processTime(c.PID())
	peak := memoryOf(c.PID(), "VmHWM")
	same, size, err := b.batchCheck(c, version, w, spec.Users)
	if err != nil {
		return err
	}
	b.note("One job for %s users of a model of %s items (aws-user-personalization, d = %d), %d items each with scores; histories of %s events folded in. "+
		"%d lines, evenly from all, were asked for again from a campaign: the same items and the same scores in all of them:", grouped(int64(spec.Users)), grouped(int64(spec.Items)), factors, batchResults, grouped(int64(spec.Events)), same)
	t := newTable("batch inference", "")
	t.add("from CreateBatchInferenceJob to ACTIVE", took)
	t.add("users/s", float64(spec.Users)/took.Seconds())
	t.add("processor time of the node", after-before)
	t.add("output, MiB", mebibytes(size))
	t.add("memory before (profiles of all users), MiB", mebibytes(held))
	t.add("most memory meanwhile, MiB", mebibytes(peak))
	t.write(b.out)
	return nil
}

// batchNode is a node that has learned from a world.
func (b *bench) batchNode(w *world.World) (c *client, group, version string, err error) {
	file := filepath.Join(b.dir, "batch.csv")
	if err := spool(w, file); err != nil {
		return nil, "", "", err
	}
	p, err := b.start(b.folder("batch"))
	if err != nil {
		return nil, "", "", err
	}
	c = b.client(p)
	if group, err = c.group("bench"); err != nil {
		return nil, "", "", err
	}
	set, err := c.dataset(group)
	if err != nil {
		return nil, "", "", err
	}
	if err := c.upload(file, "batch.csv"); err != nil {
		return nil, "", "", err
	}
	if _, err := c.importing(set, "batch.csv"); err != nil {
		return nil, "", "", err
	}
	b.say("training on %s", w)
	version, err = c.train(group, map[string]string{ // just enough: what is measured does not depend on how good the factors are
		"members": "ials", "hidden_dimension": fmt.Sprint(factors), "ials.iterations": "1", "ials.solver_steps": "2", "ials.regularization": "0.01", "ials.recency_half_life": "0"})
	return c, group, version, err
}

// writeUsers writes everybody's id, one JSON object a line.
func writeUsers(w *world.World, n int, file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	for u := range n {
		fmt.Fprintf(out, "{\"userId\":%q}\n", w.UserID(u))
	}
	return errors.Join(out.Flush(), f.Close())
}

// inferring runs the job and returns how long it took.
func (c *client) inferring(version string) (time.Duration, error) {
	began := time.Now()
	job, err := c.api.CreateBatchInferenceJob(c.ctx, &personalize.CreateBatchInferenceJobInput{JobName: aws.String("bench"), SolutionVersionArn: &version,
		NumResults: aws.Int32(batchResults), RoleArn: aws.String(binary.Role),
		JobInput:  &types.BatchInferenceJobInput{S3DataSource: &types.S3DataConfig{Path: aws.String("s3://" + bucketName + "/in/users.json")}},
		JobOutput: &types.BatchInferenceJobOutput{S3DataDestination: &types.S3DataConfig{Path: aws.String("s3://" + bucketName + "/out/")}}})
	if err != nil {
		return 0, err
	}
	err = c.active("batch inference", func() (*string, *string, error) {
		d, err := c.api.DescribeBatchInferenceJob(c.ctx, &personalize.DescribeBatchInferenceJobInput{BatchInferenceJobArn: job.BatchInferenceJobArn})
		if err != nil {
			return nil, nil, err
		}
		return d.BatchInferenceJob.Status, d.BatchInferenceJob.FailureReason, nil
	})
	return time.Since(began), err
}

// batchAnswer is a line of the output.
type batchAnswer struct {
	Input  struct{ UserID string } `json:"input"`
	Output struct {
		Items  []string  `json:"recommendedItems"`
		Scores []float64 `json:"scores"`
	} `json:"output"`
}

// batchCheck reads the whole output, looks at every line, and asks for some of them again.
func (b *bench) batchCheck(c *client, version string, w *world.World, users int) (same int, size int64, err error) {
	campaign, err := c.launch(version)
	if err != nil {
		return 0, 0, err
	}
	conn, err := dial(b.ctx, c.address())
	if err != nil {
		return 0, 0, err
	}
	defer conn.hangUp()
	out, err := c.objects.GetObject(b.ctx, &s3.GetObjectInput{Bucket: aws.String(bucketName), Key: aws.String("out/users.json.out")})
	if err != nil {
		return 0, 0, err
	}
	defer out.Body.Close()
	lines, n := bufio.NewScanner(out.Body), 0
	for every := max(1, users/batchSample); lines.Scan(); n++ {
		size += int64(len(lines.Bytes())) + 1
		if n%every != 0 {
			continue
		}
		var a batchAnswer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil || a.Input.UserID != w.UserID(n) {
			return 0, 0, fmt.Errorf("line %d is %q: %w", n, lines.Text(), err)
		}
		ask, err := signed(b.ctx, c.Key, c.address(), "/recommendations", fmt.Appendf(nil, `{"campaignArn":%q,"userId":%q,"numResults":%d}`, campaign, a.Input.UserID, batchResults))
		if err != nil {
			return 0, 0, err
		}
		if err := conn.SetDeadline(time.Now().Add(freshPatience)); err != nil {
			return 0, 0, err
		}
		text, err := conn.call(ask)
		if err != nil {
			return 0, 0, err
		}
		var p struct {
			ItemList []struct {
				ItemID string
				Score  float64
			}
		}
		if err := json.Unmarshal(text, &p); err != nil {
			return 0, 0, err
		}
		items, scores := make([]string, len(p.ItemList)), make([]float64, len(p.ItemList))
		for i, item := range p.ItemList {
			items[i], scores[i] = item.ItemID, item.Score
		}
		if !slices.Equal(items, a.Output.Items) || !slices.Equal(scores, a.Output.Scores) {
			return 0, 0, fmt.Errorf("line %d is %q, and live %s", n, lines.Text(), text)
		}
		same++
	}
	if n != users {
		err = fmt.Errorf("%d lines for %d users", n, users)
	}
	return same, size, errors.Join(err, lines.Err())
}

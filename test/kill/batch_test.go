package kill_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/test/binary"
)

const (
	// batchUsers is how many lines the job has: some seconds of work, so that
	// both kills fall into it.
	batchUsers = 200_000
	// batchKills is how often the node is killed meanwhile.
	batchKills = 2
	// batchSample is how many lines are compared with live answers.
	batchSample = 300
)

// TestKillBatch kills the node twice while a batch inference job runs: its output
// has every line once, in order, and the answers are those of live requests.
func TestKillBatch(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills take minutes")
	}
	r := newRun(t, 1, 0)
	var in strings.Builder
	for i := range batchUsers {
		fmt.Fprintf(&in, "{\"userId\":\"u%03d\"}\n", i)
	}
	r.upload("in/users.json", in.String())
	job, err := r.control().CreateBatchInferenceJob(t.Context(), &personalize.CreateBatchInferenceJobInput{JobName: aws.String("kill"), SolutionVersionArn: &r.version,
		NumResults: aws.Int32(10), RoleArn: aws.String(binary.Role),
		JobInput:  &types.BatchInferenceJobInput{S3DataSource: &types.S3DataConfig{Path: aws.String("s3://kill/in/users.json")}},
		JobOutput: &types.BatchInferenceJobOutput{S3DataDestination: &types.S3DataConfig{Path: aws.String("s3://kill/out/")}}})
	r.check(err)
	status := func(ctx context.Context) (*string, *string, error) {
		d, err := r.control().DescribeBatchInferenceJob(ctx, &personalize.DescribeBatchInferenceJobInput{BatchInferenceJobArn: job.BatchInferenceJobArn})
		if err != nil {
			return nil, nil, err
		}
		return d.BatchInferenceJob.Status, d.BatchInferenceJob.FailureReason, nil
	}
	for k := range batchKills {
		r.answering(*job.BatchInferenceJobArn, int64(k+1)*int64(in.Len())/(2*(batchKills+1)))
		now, _, err := status(t.Context())
		r.check(err)
		r.node.Kill()
		if *now != "IN PROGRESS" {
			t.Fatalf("kill %d came too late: the job was %s", k, *now)
		}
		if _, err := r.object("out/users.json.out"); err == nil {
			t.Errorf("after kill %d an output is there that is not whole", k)
		}
		r.restart()
	}
	r.until("batch", status)
	r.checkBatch()
}

// answering waits until a job has answered so many bytes of its input.
func (r *run) answering(arn string, bytes int64) {
	r.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var out verb.DescribeProgressOutput
		r.check(verb.Call(r.Context(), r.node.AWS(), "DescribeProgress", verb.DescribeProgressInput{Arn: arn}, &out))
		if out.Stage == "answer" && out.Done >= bytes || !out.Running && out.Status == "ACTIVE" {
			return
		}
	}
	r.Fatalf("the job did not answer %d bytes\n%s", bytes, r.node.Output())
}

func (r *run) object(key string) (string, error) {
	client := s3.NewFromConfig(r.node.AWS(), func(o *s3.Options) { o.UsePathStyle = true })
	out, err := client.GetObject(r.Context(), &s3.GetObjectInput{Bucket: aws.String("kill"), Key: &key})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	return string(text), err
}

// checkBatch reads the output to its end.
func (r *run) checkBatch() {
	text, err := r.object("out/users.json.out")
	r.check(err)
	campaign, err := r.control().ListCampaigns(r.Context(), &personalize.ListCampaignsInput{})
	r.check(err)
	live := personalizeruntime.NewFromConfig(r.node.AWS())
	n := 0
	for line := range strings.Lines(text) {
		var l struct {
			Input  struct{ UserID string } `json:"input"`
			Output struct {
				Items  []string  `json:"recommendedItems"`
				Scores []float64 `json:"scores"`
			} `json:"output"`
			Error *string `json:"error"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Input.UserID != fmt.Sprintf("u%03d", n) || l.Error != nil || len(l.Output.Items) != 10 {
			r.Fatalf("line %d is %q (%v)", n, line, err)
		}
		if n%(batchUsers/batchSample) == 0 || n < 350 && n%10 == 0 { // those below 300 have histories
			want, err := live.GetRecommendations(r.Context(), &personalizeruntime.GetRecommendationsInput{CampaignArn: campaign.Campaigns[0].CampaignArn, UserId: &l.Input.UserID, NumResults: 10})
			r.check(err)
			for i, item := range want.ItemList {
				if l.Output.Items[i] != *item.ItemId || l.Output.Scores[i] != *item.Score {
					r.Errorf("%s, place %d: %s %g, live %s %g", l.Input.UserID, i, l.Output.Items[i], l.Output.Scores[i], *item.ItemId, *item.Score)
				}
			}
		}
		n++
	}
	if n != batchUsers {
		r.Errorf("%d lines of %d", n, batchUsers)
	}
}

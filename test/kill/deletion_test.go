package kill_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/test/binary"
)

// defaultDeletions is how many deletions are killed; ATTUNE_KILLS says more.
const defaultDeletions = 6

// killsEach is how often each deletion is killed, so that work that was taken up
// is interrupted again.
const killsEach = 2

// TestKillDeletion kills the node while users are being deleted and others send
// events. Every deletion ends as if nothing had happened: nobody finds the user,
// nobody misses anything of others.
func TestKillDeletion(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills take minutes")
	}
	rounds, seed := number(t, "ATTUNE_KILLS", defaultDeletions), number(t, "ATTUNE_SEED", int(time.Now().UnixNano()&0x7fffffff))
	t.Logf("%d deletions, ATTUNE_SEED=%d", rounds, seed)
	r := newRun(t, uint64(seed), 1)
	victims := make([]string, rounds+1)
	var rows strings.Builder
	rows.WriteString("USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n")
	for i := range victims {
		id := make([]byte, 16)
		_, _ = rand.Read(id)
		victims[i] = hex.EncodeToString(id)
		for k := range 20 {
			fmt.Fprintf(&rows, "%s,b%d,View,%d\n", victims[i], k, 1_700_000_000+k)
		}
	}
	r.upload("victims.csv", rows.String())
	r.until("victims", r.importing("victims", "victims.csv", types.ImportModeIncremental))
	_, status := r.training() // a snapshot that holds them all
	r.until("training", status)
	r.remove("victims.csv")

	began := time.Now()
	r.deleted(r.deletion(rounds, victims[rounds]))
	r.usual["deletion"] = time.Since(began)
	r.remove(fmt.Sprintf("deletion-%d.csv", rounds))
	for k := range rounds {
		r.deletionRound(k, victims[k])
	}
	r.Logf("%d of %d kills fell into unfinished work; undisturbed a deletion takes %s", r.interrupted, rounds*killsEach, r.usual["deletion"].Round(time.Millisecond))
	if rounds >= defaultDeletions && r.interrupted == 0 {
		t.Error("no kill fell into unfinished work: nothing was shown")
	}
	for _, victim := range victims {
		r.noTrace(victim)
	}
	_, status = r.training() // everything that is left can be trained on
	r.until("last training", status)
}

// deletion asks for a user to be deleted, who has a few events beside 20 imported rows.
func (r *run) deletion(k int, victim string) (arn string) {
	r.Helper()
	r.acked[victim] = 0
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	r.send(ctx, victim)
	cancel()
	name := fmt.Sprintf("deletion-%d", k)
	r.upload(name+".csv", "USER_ID\n"+victim+"\n")
	out, err := r.control().CreateDataDeletionJob(r.Context(), &personalize.CreateDataDeletionJobInput{JobName: &name, DatasetGroupArn: &r.group,
		RoleArn: aws.String(binary.Role), DataSource: &types.DataSource{DataLocation: aws.String("s3://kill/" + name + ".csv")}})
	r.check(err)
	return *out.DataDeletionJobArn
}

// deleted waits for the end of a deletion, and looks at its receipt.
func (r *run) deleted(arn string) *types.DataDeletionJob {
	r.Helper()
	var pause binary.Pause
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); pause.Sleep() {
		out, err := r.control().DescribeDataDeletionJob(r.Context(), &personalize.DescribeDataDeletionJobInput{DataDeletionJobArn: &arn})
		r.check(err)
		switch j := out.DataDeletionJob; *j.Status {
		case "FAILED":
			r.Fatalf("%s: %s\n%s", arn, aws.ToString(j.FailureReason), r.node.Output())
		case "COMPLETED":
			var signed job.SignedReceipt
			r.check(verb.Call(r.Context(), r.node.AWS(), "GetDeletionReceipt", verb.GetDeletionReceiptInput{DataDeletionJobArn: arn}, &signed))
			receipt, err := signed.Verify(signed.PublicKey, nil)
			r.check(err)
			if int32(receipt.Deleted.Records()) != aws.ToInt32(j.NumDeleted) || receipt.Deleted.TableRows != 20 || len(receipt.Snapshots) == 0 {
				r.Errorf("%s deleted %d records, its receipt says %+v", arn, aws.ToInt32(j.NumDeleted), receipt.Deleted)
			}
			return j
		}
	}
	r.Fatalf("%s did not end within %s\n%s", arn, patience, r.node.Output())
	return nil
}

// deletionRound kills one deletion, twice, beside event intake.
func (r *run) deletionRound(k int, victim string) {
	arn := r.deletion(k, victim)
	for n := range killsEach {
		ctx, cancel := context.WithCancel(r.Context())
		var wg sync.WaitGroup
		users := []string{fmt.Sprintf("sender-%d-%d-a", k, n), fmt.Sprintf("sender-%d-%d-b", k, n)}
		for _, user := range users {
			wg.Go(func() { r.send(ctx, user) })
		}
		moment := time.Duration(r.chance.Float64() * beyond * float64(r.usual["deletion"]))
		time.Sleep(moment)
		r.node.Kill()
		cancel()
		wg.Wait()
		r.restart()
		out, err := r.control().DescribeDataDeletionJob(r.Context(), &personalize.DescribeDataDeletionJobInput{DataDeletionJobArn: &arn})
		r.check(err)
		if *out.DataDeletionJob.Status != "COMPLETED" {
			r.interrupted++
		}
		r.checkProfiles(users)
	}
	j := r.deleted(arn)
	// One event more may be in the log than was acknowledged.
	if got, want := int(aws.ToInt32(j.NumDeleted)), 20+r.acked[victim]; got != want && got != want+1 {
		r.Errorf("%d records were deleted, want %d", got, want)
	}
	r.remove(fmt.Sprintf("deletion-%d.csv", k))
	r.noTrace(victim)
}

func (r *run) remove(key string) {
	client := s3.NewFromConfig(r.node.AWS(), func(o *s3.Options) { o.UsePathStyle = true })
	_, err := client.DeleteObject(r.Context(), &s3.DeleteObjectInput{Bucket: aws.String("kill"), Key: &key})
	r.check(err)
}

// noTrace looks for a user in every file below the data folder.
func (r *run) noTrace(user string) {
	r.Helper()
	_ = filepath.WalkDir(r.data, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(user)) {
				r.Errorf("%s is still in %s", user, path)
			}
		}
		return nil
	})
}

// Package kill_test kills a node at random moments and looks whether anything
// that was acknowledged is lost, or anything is there twice.
package kill_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// attuneBinary is built once for all tests of this package.
var attuneBinary string

func TestMain(m *testing.M) { os.Exit(binary.Main(m, &attuneBinary)) }

const (
	defaultKills = 8
	// beyond is how far past the usual length of a kind of work a kill may fall.
	beyond = 1.2
	// patience bounds the wait for a job to be taken up and finished after a kill.
	patience = 90 * time.Second
	// importRows is how many rows each round imports, all of one user of its own.
	importRows = 300
	senders    = 4
	// senderEvents keeps each user's history below what a profile keeps.
	senderEvents = 400
	// senderPause is about as long as an event takes, so that a sender is still
	// sending when the kill comes, and leaves the work its share of the machine.
	senderPause = 5 * time.Millisecond
)

// TestKill kills the node ATTUNE_KILLS times over import, training, deployment
// and event intake. ATTUNE_SEED repeats a run.
func TestKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills take minutes")
	}
	kills, seed := number(t, "ATTUNE_KILLS", defaultKills), number(t, "ATTUNE_SEED", int(time.Now().UnixNano()&0x7fffffff))
	t.Logf("%d kills, ATTUNE_SEED=%d", kills, seed)
	r := newRun(t, uint64(seed), 0)
	for k := range kills {
		r.round(k)
	}
	r.Logf("%d of %d kills fell into unfinished work", r.interrupted, kills)
	if kills >= defaultKills && r.interrupted == 0 {
		t.Error("no kill fell into unfinished work: nothing was shown")
	}
	r.audit()
}

func number(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%q is no number", name, text)
	}
	return n
}

// run is one series of kills on one data folder.
type run struct {
	*testing.T
	data   string
	chance *rand.Rand
	node   *binary.Process

	group, interactions, tracking, solution, version string

	usual       map[string]time.Duration // kind of work → how long it took undisturbed
	interrupted int                      // rounds whose work was not yet done when the node came back

	mu       sync.Mutex
	acked    map[string]int  // user → events acknowledged, item names e0, e1, …
	imported map[string]bool // users whose rows an import job brought
}

// newRun starts a node with a dataset group to be killed over. seed and stream
// are those of its chance.
func newRun(t *testing.T, seed, stream uint64) *run {
	r := &run{T: t, data: t.TempDir(), chance: rand.New(rand.NewPCG(seed, stream)),
		acked: map[string]int{}, imported: map[string]bool{}, usual: map[string]time.Duration{}}
	r.restart()
	t.Cleanup(func() { r.node.Kill() })
	r.setUp()
	return r
}

func (r *run) restart() {
	r.Helper()
	node, err := binary.Start(r.Context(), attuneBinary, r.data)
	if err != nil {
		r.Fatal(err)
	}
	r.node = node
}

func (r *run) control() *personalize.Client { return personalize.NewFromConfig(r.node.AWS()) }

// until polls a Describe until it says ACTIVE.
func (r *run) until(what string, status func(ctx context.Context) (*string, *string, error)) {
	r.Helper()
	var pause binary.Pause
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); pause.Sleep() {
		now, why, err := status(r.Context())
		if err != nil {
			r.Fatalf("%s: %v\n%s", what, err, r.node.Output())
		}
		switch aws.ToString(now) {
		case "ACTIVE":
			return
		case "CREATE FAILED":
			r.Fatalf("%s: CREATE FAILED: %s", what, aws.ToString(why))
		}
	}
	r.Fatalf("%s was not ACTIVE %s after the kill\n%s", what, patience, r.node.Output())
}

// setUp makes a group with data, a tracker, a solution and a first version.
func (r *run) setUp() {
	shop, err := world.New(world.Spec{Users: 300, Items: 150, Events: 6000, Clusters: 6, Seed: 7})
	r.check(err)
	var csv strings.Builder
	r.check(shop.WriteInteractions(&csv))
	r.upload("base.csv", csv.String())
	ctx, c := r.Context(), r.control()
	g, err := c.CreateDatasetGroup(ctx, &personalize.CreateDatasetGroupInput{Name: aws.String("kill")})
	r.check(err)
	r.group = *g.DatasetGroupArn
	r.until("group", func(ctx context.Context) (*string, *string, error) {
		d, err := c.DescribeDatasetGroup(ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: &r.group})
		if err != nil {
			return nil, nil, err
		}
		return d.DatasetGroup.Status, d.DatasetGroup.FailureReason, nil
	})
	s, err := c.CreateSchema(ctx, &personalize.CreateSchemaInput{Name: aws.String("kill"), Schema: aws.String(world.InteractionsSchema)})
	r.check(err)
	d, err := c.CreateDataset(ctx, &personalize.CreateDatasetInput{Name: aws.String("kill"), DatasetGroupArn: &r.group, DatasetType: aws.String("Interactions"), SchemaArn: s.SchemaArn})
	r.check(err)
	r.interactions = *d.DatasetArn
	r.until("dataset", func(ctx context.Context) (*string, *string, error) {
		d, err := c.DescribeDataset(ctx, &personalize.DescribeDatasetInput{DatasetArn: &r.interactions})
		if err != nil {
			return nil, nil, err
		}
		return d.Dataset.Status, nil, nil
	})
	r.measure("import", r.importing("base", "base.csv", types.ImportModeFull))
	tr, err := c.CreateEventTracker(ctx, &personalize.CreateEventTrackerInput{Name: aws.String("kill"), DatasetGroupArn: &r.group})
	r.check(err)
	r.tracking = *tr.TrackingId
	so, err := c.CreateSolution(ctx, &personalize.CreateSolutionInput{Name: aws.String("kill"), DatasetGroupArn: &r.group,
		RecipeArn: aws.String("arn:aws:personalize:::recipe/aws-user-personalization"), PerformAutoTraining: aws.Bool(false)})
	r.check(err)
	r.solution = *so.SolutionArn
	r.until("solution", func(ctx context.Context) (*string, *string, error) {
		d, err := c.DescribeSolution(ctx, &personalize.DescribeSolutionInput{SolutionArn: &r.solution})
		if err != nil {
			return nil, nil, err
		}
		return d.Solution.Status, nil, nil
	})
	var status func(context.Context) (*string, *string, error)
	r.version, status = r.training()
	r.measure("training", status)
	r.measure("deployment", r.deploying(-1))
}

// measure waits for a kind of work, and keeps how long it took.
func (r *run) measure(what string, status func(context.Context) (*string, *string, error)) {
	began := time.Now()
	r.until(what, status)
	r.usual[what] = time.Since(began)
}

func (r *run) check(err error) {
	r.Helper()
	if err != nil {
		r.Fatalf("%v\n%s", err, r.node.Output())
	}
}

func (r *run) upload(key, body string) {
	client := s3.NewFromConfig(r.node.AWS(), func(o *s3.Options) { o.UsePathStyle = true })
	_, err := client.CreateBucket(r.Context(), &s3.CreateBucketInput{Bucket: aws.String("kill")})
	if err != nil && !strings.Contains(err.Error(), "BucketAlready") {
		r.Fatal(err)
	}
	_, err = client.PutObject(r.Context(), &s3.PutObjectInput{Bucket: aws.String("kill"), Key: &key, Body: strings.NewReader(body)})
	r.check(err)
}

// importing creates an import job (once) and returns how to ask for it.
func (r *run) importing(name, key string, mode types.ImportMode) func(context.Context) (*string, *string, error) {
	out, err := r.control().CreateDatasetImportJob(r.Context(), &personalize.CreateDatasetImportJobInput{JobName: &name, DatasetArn: &r.interactions,
		RoleArn: aws.String(binary.Role), ImportMode: mode, DataSource: &types.DataSource{DataLocation: aws.String("s3://kill/" + key)}})
	r.check(err)
	return func(ctx context.Context) (*string, *string, error) {
		d, err := r.control().DescribeDatasetImportJob(ctx, &personalize.DescribeDatasetImportJobInput{DatasetImportJobArn: out.DatasetImportJobArn})
		if err != nil {
			return nil, nil, err
		}
		return d.DatasetImportJob.Status, d.DatasetImportJob.FailureReason, nil
	}
}

func (r *run) training() (version string, status func(context.Context) (*string, *string, error)) {
	out, err := r.control().CreateSolutionVersion(r.Context(), &personalize.CreateSolutionVersionInput{SolutionArn: &r.solution})
	r.check(err)
	return *out.SolutionVersionArn, func(ctx context.Context) (*string, *string, error) {
		d, err := r.control().DescribeSolutionVersion(ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: out.SolutionVersionArn})
		if err != nil {
			return nil, nil, err
		}
		return d.SolutionVersion.Status, d.SolutionVersion.FailureReason, nil
	}
}

func (r *run) deploying(k int) func(context.Context) (*string, *string, error) {
	out, err := r.control().CreateCampaign(r.Context(), &personalize.CreateCampaignInput{Name: aws.String(fmt.Sprintf("kill-%d", k+1)), SolutionVersionArn: &r.version})
	r.check(err)
	return func(ctx context.Context) (*string, *string, error) {
		d, err := r.control().DescribeCampaign(ctx, &personalize.DescribeCampaignInput{CampaignArn: out.CampaignArn})
		if err != nil {
			return nil, nil, err
		}
		return d.Campaign.Status, d.Campaign.FailureReason, nil
	}
}

// round starts work of one kind beside event intake, kills the node somewhere
// in it, starts it again, and waits for the work to end as if nothing had happened.
func (r *run) round(k int) {
	var what string
	var status func(context.Context) (*string, *string, error)
	switch k % 3 {
	case 0:
		user := fmt.Sprintf("import-%d", k)
		key := user + ".csv"
		r.upload(key, importFile(user))
		what, status = "import", r.importing(user, key, types.ImportModeIncremental)
		r.imported[user] = true
	case 1:
		what = "training"
		_, status = r.training()
	case 2:
		what, status = "deployment", r.deploying(k)
	}
	ctx, cancel := context.WithCancel(r.Context())
	var wg sync.WaitGroup
	users := make([]string, senders)
	for s := range senders {
		users[s] = fmt.Sprintf("sender-%d-%d", k, s)
		wg.Add(1)
		go func() { defer wg.Done(); r.send(ctx, users[s]) }()
	}
	moment := time.Duration(r.chance.Float64() * beyond * float64(r.usual[what]))
	time.Sleep(moment)
	r.node.Kill()
	cancel()
	wg.Wait()
	killed := time.Now()
	r.restart()
	if now, _, err := status(r.Context()); err == nil && aws.ToString(now) != "ACTIVE" {
		r.interrupted++
	}
	r.until(what, status)
	r.checkProfiles(users)
	r.Logf("round %d: killed %s after %s; ready again in %s, ACTIVE %s after the kill", k, what,
		moment.Round(time.Millisecond), r.node.Ready.Round(time.Millisecond), time.Since(killed).Round(time.Millisecond))
}

// importFile is importRows interactions of one user, the i-th with item b<i>.
func importFile(user string) string {
	var b strings.Builder
	b.WriteString("USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n")
	for i := range importRows {
		fmt.Fprintf(&b, "%s,b%d,View,%d\n", user, i, 1_700_000_000+i)
	}
	return b.String()
}

// send puts one event after another for one user and counts what was
// acknowledged, until the node is gone. The SDK sends a call that failed again
// under the same eventId, so the last event may be in the log unacknowledged.
func (r *run) send(ctx context.Context, user string) {
	client := personalizeevents.NewFromConfig(r.node.AWS())
	for i := range senderEvents {
		_, err := client.PutEvents(ctx, &personalizeevents.PutEventsInput{
			TrackingId: &r.tracking, UserId: &user, SessionId: aws.String("s-" + user),
			EventList: []etypes.Event{{EventId: aws.String(fmt.Sprintf("%s-%d", user, i)), EventType: aws.String("View"),
				ItemId: aws.String(fmt.Sprintf("e%d", i)), SentAt: aws.Time(time.Unix(1_700_000_000+int64(i), 0))}},
		})
		if err != nil {
			return
		}
		r.mu.Lock()
		r.acked[user] = i + 1
		r.mu.Unlock()
		time.Sleep(senderPause)
	}
}

package sdk_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// anyID is 128 random bits in hexadecimal.
func anyID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// traces names the files below a folder that hold one of the texts, as it is or
// as the bytes that it is the hexadecimal form of.
func traces(t *testing.T, folder string, texts ...string) (found []string) {
	t.Helper()
	var needles [][]byte
	for _, text := range texts {
		raw := must[[]byte](t)(hex.DecodeString(text))
		needles = append(needles, []byte(text), raw, []byte(strings.ToUpper(text)))
	}
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // what is deleted while we look holds nothing
		}
		name, _ := filepath.Rel(folder, path)
		text, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		for _, needle := range needles {
			if bytes.Contains(text, needle) || strings.Contains(name, string(needle)) {
				found = append(found, name)
				break
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// victim is a user who is everywhere, and what the rest of the world looks like.
type victim struct {
	*clients
	id, session     string // session is one that began anonymously
	group, tracking string
	campaign        string
	versions        []string
	batchKey        string
	uploads         []string // keys in bucket data
}

// deleteUsers lists users in a file and deletes them.
func (c *clients) deleteUsers(name, group string, users ...string) *types.DataDeletionJob {
	c.Helper()
	location := c.put("data", "deletions/"+name+".csv", "USER_ID\n"+strings.Join(users, "\n")+"\n")
	made := must[*personalize.CreateDataDeletionJobOutput](c)(c.control.CreateDataDeletionJob(c.ctx, &personalize.CreateDataDeletionJobInput{
		JobName: &name, DatasetGroupArn: &group, RoleArn: aws.String(binary.Role), DataSource: &types.DataSource{DataLocation: &location}}))
	return c.deletionEnds(*made.DataDeletionJobArn)
}

func (c *clients) deletionEnds(arn string) *types.DataDeletionJob {
	c.Helper()
	var pause binary.Pause
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); pause.Sleep() {
		out := must[*personalize.DescribeDataDeletionJobOutput](c)(c.control.DescribeDataDeletionJob(c.ctx, &personalize.DescribeDataDeletionJobInput{DataDeletionJobArn: &arn}))
		switch j := out.DataDeletionJob; *j.Status {
		case "PENDING", "IN_PROGRESS":
		case "COMPLETED", "FAILED":
			return j
		default:
			c.Fatalf("%s is %s", arn, *j.Status)
		}
	}
	c.Fatalf("%s did not end in time", arn)
	return nil
}

// everywhere brings a user to every place there is.
func everywhere(t *testing.T, node *binary.Process) *victim {
	v := &victim{clients: newClients(t, node), id: anyID(), session: anyID()}
	shop := smallShop(t)
	v.group = v.datasetGroup("erase")
	interactions, users := v.dataset(v.group, "Interactions", world.InteractionsSchema), v.dataset(v.group, "Users", world.UsersSchema)
	var rows, people bytes.Buffer
	if err := shop.WriteInteractions(&rows); err != nil {
		t.Fatal(err)
	}
	if err := shop.WriteUsers(&people); err != nil {
		t.Fatal(err)
	}
	header := strings.SplitN(rows.String(), "\n", 2)[0]
	for i := range 12 {
		v.row(&rows, header, fmt.Sprint(1_700_000_000+i))
	}
	v.row(&rows, header, "yesterday") // rejected
	v.person(&people)
	v.upload("interactions.csv", rows.String())
	v.upload("users.csv", people.String())
	for _, in := range []struct{ name, set string }{{"interactions", interactions}, {"users", users}} {
		j := v.importing(in.name, in.set, "s3://data/"+in.name+".csv", types.ImportModeFull)
		v.active(in.name, func() (*string, *string, error) { return v.importStatus(j) })
	}
	_, v.tracking = v.tracker(v.group)
	v.live(users)
	s := v.solution("erase", v.group, "aws-user-personalization")
	v.versions = append(v.versions, v.version(s))
	v.campaign = v.clients.campaign("erase", v.versions[0])
	v.recommend(v.campaign, v.id) // leaves an impression
	v.recommend(v.campaign, v.session)
	v.put1(v.id, v.session, "i000002") // joined only now: the first training knew two people
	v.versions = append(v.versions, v.version(s))
	v.batchOf(v.versions[1])
	return v
}

// row adds a line of interactions about the victim.
func (v *victim) row(out *bytes.Buffer, header, at string) {
	cells := strings.Split(header, ",")
	for i, name := range cells {
		cells[i] = map[string]string{"USER_ID": v.id, "ITEM_ID": fmt.Sprintf("i%06d", out.Len()%100), "EVENT_TYPE": "View", "TIMESTAMP": at}[name]
	}
	fmt.Fprintln(out, strings.Join(cells, ","))
}

// person adds the victim's line of users: another's, under this id.
func (v *victim) person(out *bytes.Buffer) {
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	cells := strings.Split(lines[len(lines)-1], ",")
	cells[slices.Index(strings.Split(lines[0], ","), "USER_ID")] = v.id
	fmt.Fprintln(out, strings.Join(cells, ","))
}

// upload puts a file in two parts, and begins a third upload that is given up.
func (v *victim) upload(key, text string) {
	v.Helper()
	v.put("data", "here", "")
	v.uploads = append(v.uploads, key)
	up := must[*s3.CreateMultipartUploadOutput](v)(v.objects.CreateMultipartUpload(v.ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String("data"), Key: &key}))
	part := must[*s3.UploadPartOutput](v)(v.objects.UploadPart(v.ctx, &s3.UploadPartInput{Bucket: aws.String("data"), Key: &key, UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader(text)}))
	must[*s3.CompleteMultipartUploadOutput](v)(v.objects.CompleteMultipartUpload(v.ctx, &s3.CompleteMultipartUploadInput{Bucket: aws.String("data"), Key: &key, UploadId: up.UploadId,
		MultipartUpload: &s3types.CompletedMultipartUpload{Parts: []s3types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}}}}))
	left := must[*s3.CreateMultipartUploadOutput](v)(v.objects.CreateMultipartUpload(v.ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String("data"), Key: &key}))
	must[*s3.UploadPartOutput](v)(v.objects.UploadPart(v.ctx, &s3.UploadPartInput{Bucket: aws.String("data"), Key: &key, UploadId: left.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader(text)}))
	must[*s3.AbortMultipartUploadOutput](v)(v.objects.AbortMultipartUpload(v.ctx, &s3.AbortMultipartUploadInput{Bucket: aws.String("data"), Key: &key, UploadId: left.UploadId}))
}

// put1 puts one event; an empty user is anonymous.
func (v *victim) put1(user, session, item string) {
	v.Helper()
	in := &personalizeevents.PutEventsInput{TrackingId: &v.tracking, SessionId: &session,
		EventList: []etypes.Event{{EventType: aws.String("View"), ItemId: &item, SentAt: aws.Time(time.Now())}}}
	if user != "" {
		in.UserId = &user
	}
	must[*personalizeevents.PutEventsOutput](v)(v.events.PutEvents(v.ctx, in))
}

// live tells of the victim as a shop does: with a user, without, and both.
func (v *victim) live(users string) {
	v.Helper()
	v.put1("", v.session, "i000001")
	v.put1(v.id, "s-"+v.id, "i000003")
	v.put1("bystander", "s-bystander", "i000004")
	for _, id := range []string{v.id, "bystander"} {
		must[*personalizeevents.PutUsersOutput](v)(v.events.PutUsers(v.ctx, &personalizeevents.PutUsersInput{DatasetArn: &users,
			Users: []etypes.User{{UserId: aws.String(id), Properties: aws.String(`{"age": 33, "membership": "gold"}`)}}}))
	}
}

// batchOf asks for recommendations of the victim and of others.
func (v *victim) batchOf(version string) {
	v.Helper()
	v.uploads = append(v.uploads, "ask.json")
	v.put("data", "ask.json", fmt.Sprintf("{\"userId\":\"u000001\"}\n{\"userId\":%q}\n{\"userId\":\"bystander\"}\n", v.id))
	made := must[*personalize.CreateBatchInferenceJobOutput](v)(v.control.CreateBatchInferenceJob(v.ctx, &personalize.CreateBatchInferenceJobInput{
		JobName: aws.String("erase"), SolutionVersionArn: &version, RoleArn: aws.String(binary.Role), NumResults: aws.Int32(5),
		JobInput:  &types.BatchInferenceJobInput{S3DataSource: &types.S3DataConfig{Path: aws.String("s3://data/ask.json")}},
		JobOutput: &types.BatchInferenceJobOutput{S3DataDestination: &types.S3DataConfig{Path: aws.String("s3://data/out/")}}}))
	v.active("batch", func() (*string, *string, error) {
		d, err := v.control.DescribeBatchInferenceJob(v.ctx, &personalize.DescribeBatchInferenceJobInput{BatchInferenceJobArn: made.BatchInferenceJobArn})
		if err != nil {
			return nil, nil, err
		}
		return d.BatchInferenceJob.Status, d.BatchInferenceJob.FailureReason, nil
	})
	v.batchKey = "out/ask.json.out"
}

// remove deletes what the customer uploaded, through the door it came by.
func (v *victim) remove(keys ...string) {
	for _, key := range keys {
		must[*s3.DeleteObjectOutput](v)(v.objects.DeleteObject(v.ctx, &s3.DeleteObjectInput{Bucket: aws.String("data"), Key: &key}))
	}
}

// TestDeletion: a user who was everywhere is nowhere any more, in no file of the
// server, and the receipt says what happened.
func TestDeletion(t *testing.T) {
	data := t.TempDir()
	node := must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data))
	v := everywhere(t, node)
	if err := node.Stop(); err != nil { // writes a checkpoint of the profiles
		t.Fatal(err)
	}
	node = must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data))
	defer func() {
		if t.Failed() {
			t.Log(node.Output())
		}
		_ = node.Stop()
	}()
	v.clients = newClients(t, node)
	v.did(v.group, "bystander", "i000004/View")
	before := traces(t, data, v.id, v.session)
	for _, place := range []string{"nats/", "bucket/attune/table/", "bucket/attune/snapshot/", "bucket/attune/profile/", "bucket/s3/data/interactions.csv", "bucket/s3/data/out/"} {
		if !slices.ContainsFunc(before, func(f string) bool { return strings.HasPrefix(f, place) }) {
			t.Errorf("the user is not in %s, so this test would show nothing there: %v", place, before)
		}
	}
	if n := len(v.describeUser(v.group, v.id).History); n != 12+3 {
		t.Errorf("the user has %d events", n)
	}

	done := v.deleteUsers("first", v.group, v.id)
	if *done.Status != "COMPLETED" || *done.NumDeleted != 12+3+1+1 { // rows, events, PutUsers, row of users
		t.Fatalf("%s: %s, %d records", *done.Status, aws.ToString(done.FailureReason), aws.ToInt32(done.NumDeleted))
	}
	v.remove(append(v.uploads, "deletions/first.csv")...)
	if left := traces(t, data, v.id, v.session); len(left) > 0 {
		t.Errorf("the user is still in %v", left)
	}
	if got := v.describeUser(v.group, v.id); len(got.History)+len(got.Attributes) > 0 {
		t.Errorf("the profile has %+v", got)
	}
	v.did(v.group, "bystander", "i000004/View")
	if lines := v.batchLines("data", v.batchKey); len(lines) != 2 || len(lines[1].Output.Items) != 5 {
		t.Errorf("the batch has %+v", lines)
	}
	v.checkReceipt(*done.DataDeletionJobArn)
	v.after(data)
	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}
	if left := traces(t, data, v.id, v.session); len(left) > 0 {
		t.Errorf("after the end of the process the user is in %v", left)
	}
}

// after goes on as customers do: trains, recommends, deletes again.
func (v *victim) after(data string) {
	v.recommend(v.campaign, "bystander")
	described := must[*personalize.DescribeSolutionVersionOutput](v)(v.control.DescribeSolutionVersion(v.ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: &v.versions[0]}))
	v.version(*described.SolutionVersion.SolutionArn)
	again := anyID() // stands for a user who comes back: the id is new data now
	v.put1(again, "s1", "i000005")
	v.did(v.group, again, "i000005/View")
	if second := v.deleteUsers("second", v.group, again, "never-seen"); *second.Status != "COMPLETED" || *second.NumDeleted != 1 {
		v.Errorf("second deletion: %s, %d records", *second.Status, aws.ToInt32(second.NumDeleted))
	}
	v.put1(again, "s2", "i000006")
	v.did(v.group, again, "i000006/View") // a new user
	if third := v.deleteUsers("third", v.group, again); *third.Status != "COMPLETED" {
		v.Errorf("third deletion: %s", *third.Status)
	}
	location := v.put("data", "deletions/bad.csv", "USER\n"+again+"\n")
	bad := must[*personalize.CreateDataDeletionJobOutput](v)(v.control.CreateDataDeletionJob(v.ctx, &personalize.CreateDataDeletionJobInput{
		JobName: aws.String("bad"), DatasetGroupArn: &v.group, RoleArn: aws.String(binary.Role), DataSource: &types.DataSource{DataLocation: &location}}))
	if j := v.deletionEnds(*bad.DataDeletionJobArn); *j.Status != "FAILED" || !strings.Contains(aws.ToString(j.FailureReason), "USER_ID") {
		v.Errorf("a file of another column: %s, %s", *j.Status, aws.ToString(j.FailureReason))
	}
	v.remove("deletions/second.csv", "deletions/third.csv", "deletions/bad.csv")
	if left := traces(v.T, data, again); len(left) > 0 {
		v.Errorf("after the third deletion the user is in %v", left)
	}
	var names []string
	for token := (*string)(nil); ; {
		page := must[*personalize.ListDataDeletionJobsOutput](v)(v.control.ListDataDeletionJobs(v.ctx, &personalize.ListDataDeletionJobsInput{DatasetGroupArn: &v.group, MaxResults: aws.Int32(3), NextToken: token}))
		for _, j := range page.DataDeletionJobs {
			names = append(names, *j.JobName)
		}
		if token = page.NextToken; token == nil {
			break
		}
	}
	if want := []string{"bad", "third", "second", "first"}; !slices.Equal(names, want) {
		v.Errorf("the list is %v, want %v", names, want)
	}
}

// attune runs the command line against the node.
func (c *clients) attune(args ...string) (string, error) {
	cmd := exec.CommandContext(c.ctx, attuneBinary, args...)
	cmd.Env = c.node.Env()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (v *victim) checkReceipt(arn string) {
	v.Helper()
	dir := v.TempDir()
	text, err := v.attune("deletion", "receipt", arn)
	if err != nil {
		v.Fatalf("receipt: %v: %s", err, text)
	}
	file, list := filepath.Join(dir, "receipt.json"), filepath.Join(dir, "users.csv")
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			v.Fatal(err)
		}
	}
	write(file, text)
	write(list, "USER_ID\n"+v.id+"\n")
	if out, err := v.attune("deletion", "verify", file, "--users", list); err != nil || !strings.Contains(out, "genuine") {
		v.Errorf("verify: %v: %s", err, out)
	}
	var signed job.SignedReceipt
	var r job.Receipt
	if err := json.Unmarshal([]byte(text), &signed); err != nil {
		v.Fatal(err)
	}
	if err := json.Unmarshal(signed.Receipt, &r); err != nil {
		v.Fatal(err)
	}
	if len(r.Tables) != 2 || len(r.Snapshots) != 2 || len(r.Outputs) != 1 || len(r.Models) != 2 || r.Users.Count != 1 || r.Deleted.Impressions == 0 {
		v.Errorf("the receipt says %s", signed.Receipt)
	}
	for i, m := range r.Models {
		if string(m.Arn) != v.versions[i] || m.NextTraining != "none scheduled" {
			v.Errorf("model %d is %+v", i, m)
		}
	}
	write(file, strings.Replace(text, `"impressions": `, `"impressions": 1`, 1))
	if out, err := v.attune("deletion", "verify", file); err == nil || !strings.Contains(out, "signature") {
		v.Errorf("a changed receipt: %v: %s", err, out)
	}
	write(file, text)
	write(list, "USER_ID\nsomebody-else\n")
	if out, err := v.attune("deletion", "verify", file, "--users", list, "--public-key", signed.PublicKey); err == nil {
		v.Errorf("another list of users: %s", out)
	}
	if strings.Contains(text, v.id) {
		v.Error("the receipt names the user")
	}
}

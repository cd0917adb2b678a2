// Package maintain_test declares a shop in a file, and watches a running node
// create it, keep it fresh and take it away again: by the command line and the
// ordinary clients only.
package maintain_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

const (
	bucket = "attune"
	folder = "train/shop"
	source = "s3://" + bucket + "/" + folder
	// patience bounds the wait for anything that a node does by itself.
	patience = 3 * time.Minute
)

var attuneBinary string

func TestMain(m *testing.M) { os.Exit(binary.Main(m, &attuneBinary)) }

// house is a node that is spoken to by command line, and the place that it
// maintains: itself, or a second node.
type house struct {
	*testing.T
	node *binary.Process // has the runs and the schedules
	shop *binary.Process // has the resources; often the same
	file string          // the configuration
	dir  string
	args []string // of the node
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

func start(t *testing.T, data string, args ...string) *binary.Process {
	t.Helper()
	p := must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data, args...))
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Log(p.Output())
		}
	})
	return p
}

// strict is a node with a clock that can be put forward.
func strict() []string { return []string{"--mode=strict", "--rate=control=0"} }

// newHouse starts a node that maintains itself.
func newHouse(t *testing.T, args ...string) *house {
	h := &house{T: t, dir: t.TempDir(), args: args}
	h.node = start(t, t.TempDir(), args...)
	h.shop = h.node
	h.file = filepath.Join(h.dir, "config.json")
	return h
}

// newHouses starts a strict node that maintains another one, which it knows by
// URL and keys only.
func newHouses(t *testing.T) *house {
	shop := start(t, t.TempDir(), "--rate=control=0")
	t.Setenv("ATTUNE_MAINTAIN_ACCESS_KEY_ID", shop.Key.ID)
	t.Setenv("ATTUNE_MAINTAIN_SECRET_ACCESS_KEY", shop.Key.Secret)
	args := append([]string{"--maintain-endpoint=" + shop.URL}, strict()...)
	h := &house{T: t, dir: t.TempDir(), shop: shop, args: args}
	h.node = start(t, t.TempDir(), args...)
	h.file = filepath.Join(h.dir, "config.json")
	return h
}

func (h *house) ctx() context.Context { return h.Context() }

func (h *house) control() *personalize.Client { return personalize.NewFromConfig(h.shop.AWS()) }

func (h *house) objects() *s3.Client {
	return s3.NewFromConfig(h.shop.AWS(), func(o *s3.Options) { o.UsePathStyle = true })
}

// attune runs the command line against the node, and gives what it printed.
func (h *house) attune(args ...string) (out string, code int) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.ctx(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, attuneBinary, args...)
	cmd.Env, cmd.Dir = h.node.Env(), h.dir
	text, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		h.Fatalf("attune %s did not end\n%s", strings.Join(args, " "), text)
	}
	if err != nil && cmd.ProcessState == nil {
		h.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// done runs the command line and ends the test unless it ends well.
func (h *house) done(args ...string) string {
	h.Helper()
	out, code := h.attune(args...)
	if code != 0 {
		h.Fatalf("attune %s ended with %d:\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// json runs the command line with -o json and reads what it printed.
func (h *house) json(v any, args ...string) {
	h.Helper()
	out := h.done(append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), v); err != nil {
		h.Fatalf("attune %s: %v:\n%s", strings.Join(args, " "), err, out)
	}
}

// call asks the node as the command line does, for looks that are repeated: a
// start of the command line takes a tenth of a second's work.
func (h *house) call(v any, name string, in any) {
	h.Helper()
	if err := verb.Call(h.ctx(), h.node.AWS(), name, in, v); err != nil {
		h.Fatalf("%s: %v", name, err)
	}
}

// list is all runs, newest first.
func (h *house) list() []maintain.Run {
	h.Helper()
	var out verb.ListRunsOutput
	h.call(&out, "ListRuns", maintain.RunsQuery{})
	return out.Runs
}

// write puts a configuration into the file that is applied.
func (h *house) write(config string) {
	h.Helper()
	if err := os.WriteFile(h.file, []byte(config), 0o600); err != nil {
		h.Fatal(err)
	}
}

// put uploads an object; the bucket is made when it is missing.
func (h *house) put(key, body string) {
	h.Helper()
	c := h.objects()
	if _, err := c.CreateBucket(h.ctx(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil && !strings.Contains(err.Error(), "BucketAlready") {
		h.Fatal(err)
	}
	must[*s3.PutObjectOutput](h)(c.PutObject(h.ctx(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(body)}))
}

func (h *house) get(key string) string {
	h.Helper()
	out := must[*s3.GetObjectOutput](h)(h.objects().GetObject(h.ctx(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key}))
	defer out.Body.Close()
	return string(must[[]byte](h)(io.ReadAll(out.Body)))
}

// changes counts the requests so far that change something at the place that is maintained.
func (h *house) changes() (n int) {
	h.Helper()
	resp := must[*http.Response](h)(http.Get(h.shop.URL + "/metrics"))
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "attune_api_requests_total{") || !strings.Contains(line, `service="personalize"`) {
			continue
		}
		for _, verb := range []string{"Create", "Update", "Delete", "Start", "Stop", "Tag", "Untag"} {
			if strings.Contains(line, `operation="`+verb) {
				v := must[float64](h)(strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64))
				n += int(v)
			}
		}
	}
	return n
}

// betweenLooks is short beside what is waited for, and long beside a look.
const betweenLooks = 100 * time.Millisecond

// eventually waits for something that comes by itself.
func (h *house) eventually(what string, ok func() bool) {
	h.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(betweenLooks) {
		if ok() {
			return
		}
	}
	h.Fatalf("%s: not within %s\n%s", what, patience, h.done("runs", "list"))
}

// customers is how many the shop has: enough to learn from what they do, and for
// a tenth of them to be evaluated by.
const customers = 400

// shopWorld is what the shop's customers do, in the whole time of a test.
func shopWorld(t testing.TB) *world.World {
	return must[*world.World](t)(world.New(world.Spec{Users: customers, Items: 150, Events: 12_000, Clusters: 8, Seed: 1}))
}

// history is the CSV of what the first users did before a share of the time.
func (h *house) history(users int, share float64) string {
	h.Helper()
	w := shopWorld(h)
	from := w.Spec().Start.Unix()
	until := from + int64(share*float64(w.End().Unix()-from))
	var b strings.Builder
	b.WriteString("USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n")
	for x := range w.Interactions() {
		if x.User < users && x.At < until {
			fmt.Fprintf(&b, "%s,%s,%s,%d\n", w.UserID(x.User), w.ItemID(x.Item), x.Type, x.At)
		}
	}
	return b.String()
}

// bring uploads the shop's data of the first half of the time.
func (h *house) bring() {
	h.Helper()
	var items, users strings.Builder
	w := shopWorld(h)
	if err := errors.Join(w.WriteItems(&items), w.WriteUsers(&users)); err != nil {
		h.Fatal(err)
	}
	h.put(folder+"/interactions.csv", h.history(customers, 0.5))
	h.put(folder+"/items.csv", items.String())
	h.put(folder+"/users.csv", users.String())
}

// renew uploads a file of interactions that is newer than all imports.
func (h *house) renew(n int) {
	h.Helper()
	time.Sleep(1100 * time.Millisecond) // objects are dated in whole seconds
	h.put(folder+"/interactions.csv", h.history(customers, 0.5)+fmt.Sprintf("u0001,i001,View,%d\n", 1_767_225_600+n))
}

// imports lists the import jobs of the whole place.
func (h *house) imports() []types.DatasetImportJobSummary {
	h.Helper()
	return must[*personalize.ListDatasetImportJobsOutput](h)(h.control().ListDatasetImportJobs(h.ctx(), &personalize.ListDatasetImportJobsInput{MaxResults: aws.Int32(100)})).DatasetImportJobs
}

func (h *house) versions(solution string) []types.SolutionVersionSummary {
	h.Helper()
	arn := h.arn("solution/" + solution)
	return must[*personalize.ListSolutionVersionsOutput](h)(h.control().ListSolutionVersions(h.ctx(), &personalize.ListSolutionVersionsInput{SolutionArn: &arn, MaxResults: aws.Int32(100)})).SolutionVersions
}

func (h *house) campaign(name string) *types.Campaign {
	h.Helper()
	arn := h.arn("campaign/" + name)
	return must[*personalize.DescribeCampaignOutput](h)(h.control().DescribeCampaign(h.ctx(), &personalize.DescribeCampaignInput{CampaignArn: &arn})).Campaign
}

func (h *house) arn(of string) string {
	return "arn:aws:personalize:" + binary.Region + ":" + binary.Account + ":" + of
}

package sdk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/notify"
	"github.com/attune-io/attune/test/binary"
)

// told reads the bus from its beginning until enough says that it is enough.
func (c *clients) told(enough func([]notify.Event) bool) []notify.Event {
	c.Helper()
	var all []notify.Event
	after := uint64(0)
	for began := time.Now(); !enough(all); {
		if time.Since(began) > time.Minute {
			c.Fatalf("the bus has only %d events: %v", len(all), all)
		}
		var out verb.ReadNoticesOutput
		if err := c.verb("ReadNotices", verb.ReadNoticesInput{After: &after, WaitSeconds: 5}, &out); err != nil {
			c.Fatal(err)
		}
		for _, t := range out.Events {
			all = append(all, t.Event)
		}
		after = out.Next
	}
	return all
}

// TestPutEvents: a job that tells EventBridge what it did tells this server.
func TestPutEvents(t *testing.T) {
	t.Parallel()
	python := need(t, []string{"-c", "import boto3"}, "../../.venv/bin/python3", "python3")
	node := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), toolTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "eventbridge.py")
	cmd.Env = node.Env()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c := newClients(t, node)
	all := c.told(func(all []notify.Event) bool { return len(all) >= 2 })
	if len(all) != 2 || all[0].ID != strings.TrimSpace(string(out)) || all[0].Source != "etl" || all[0].Resources[0] != "arn:x" ||
		!all[1].Time.Equal(time.Unix(1767225600, 0)) || all[0].Account != "000000000000" {
		t.Errorf("told %v after %s", all, out)
	}
	// An incoming webhook of the running node.
	if err := c.verb("CreateHook", verb.CreateHookInput{Name: "ci", Kind: notify.ByToken, Secret: "0123456789abcdef"}, &verb.HookOutput{}); err != nil {
		t.Fatal(err)
	}
	post := func(token string) int {
		req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, *node.AWS().BaseEndpoint+"/attune/hooks/ci", strings.NewReader(`{"ok":true}`)))
		req.Header.Set("Authorization", "Bearer "+token)
		resp := must[*http.Response](t)(http.DefaultClient.Do(req))
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if a, b := post("wrong"), post("0123456789abcdef"); a != 403 || b != 200 {
		t.Errorf("the hook answers %d and %d", a, b)
	}
	all = c.told(func(all []notify.Event) bool { return len(all) >= 3 })
	if all[2].Source != "hook.ci" || string(all[2].Detail) != `{"ok":true}` {
		t.Errorf("told %v", all[2])
	}
	if strings.Contains(node.Output(), "0123456789abcdef") {
		t.Error("the log shows the secret")
	}
}

// TestNoticesKilled: a node that is killed while it changes, tells and delivers
// tells every change of state that it made, and its rule's target hears of each.
func TestNoticesKilled(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	heard := map[string]string{} // id of the event → its body
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e notify.Event
		err := json.NewDecoder(r.Body).Decode(&e)
		mu.Lock()
		defer mu.Unlock()
		if before := heard[e.ID]; err != nil || before != "" && before != string(e.Detail) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		heard[e.ID] = string(e.Detail)
	}))
	t.Cleanup(target.Close)
	data := t.TempDir()
	made := 0
	for round := range 4 {
		node := must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data))
		t.Cleanup(node.Kill)
		c := newClients(t, node)
		if round == 0 {
			rule := notify.Rule{Name: "all", Pattern: []byte(`{"source":["solutions.aws.personalize"]}`), Target: notify.Target{Webhook: &notify.Webhook{URL: target.URL}}}
			if err := c.verb("PutRule", verb.PutRuleInput{Rule: rule}, &verb.RuleOutput{}); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			made++
			name := fmt.Sprintf("g%d", made)
			must[*personalize.CreateDatasetGroupOutput](t)(c.control.CreateDatasetGroup(c.ctx, &personalize.CreateDatasetGroupInput{Name: &name}))
		}
		node.Kill()
	}
	node := must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data))
	t.Cleanup(node.Kill)
	c := newClients(t, node)
	active := func(all []notify.Event) int {
		seen := map[string]bool{}
		for _, e := range all {
			if strings.Contains(string(e.Detail), `"Status":"ACTIVE"`) {
				seen[e.Resources[0]] = true
			}
		}
		return len(seen)
	}
	all := c.told(func(all []notify.Event) bool { return active(all) == made })
	states := map[string][]string{}
	ids := map[string]bool{}
	for _, e := range all {
		var d notify.StateDetail
		if err := json.Unmarshal(e.Detail, &d); err != nil {
			t.Fatal(err)
		}
		if !ids[e.ID] {
			states[d.Arn] = append(states[d.Arn], string(d.State))
		}
		ids[e.ID] = true
	}
	if len(states) != made {
		t.Errorf("%d of %d groups were told of", len(states), made)
	}
	for arn, got := range states {
		if s := strings.Join(got, ","); s != "CREATE PENDING,CREATE IN_PROGRESS,ACTIVE" {
			t.Errorf("%s: %s", arn, s)
		}
	}
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		mu.Lock()
		n := len(heard)
		mu.Unlock()
		if n == len(ids) {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("the target heard of %d events of %d", n, len(ids))
		}
	}
}

// TestTriggers: a configuration that is dropped into the bucket is applied, an
// event of a job outside starts a run of it, and a rule that would start it again
// and again is stopped with a reason.
func TestTriggers(t *testing.T) {
	t.Parallel()
	node := start(t)
	c := newClients(t, node)
	bucket, key := "shop", "train/films/config.json"
	config := `{"datasetGroup":{"serviceConfig":{"name":"films"}}}`
	must[*s3.CreateBucketOutput](t)(c.objects.CreateBucket(c.ctx, &s3.CreateBucketInput{Bucket: &bucket}))
	must[*s3.PutObjectOutput](t)(c.objects.PutObject(c.ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(config)}))
	ended := func(n int) func(all []notify.Event) bool {
		return func(all []notify.Event) bool {
			for _, e := range all {
				if e.DetailType == "Attune Maintenance Run State Change" {
					if !strings.Contains(string(e.Detail), `"status":"SUCCEEDED"`) {
						t.Fatalf("a run ended with %s", e.Detail)
					}
					n--
				}
			}
			return n <= 0
		}
	}
	c.told(ended(1))
	rule := func(name, pattern string) {
		r := notify.Rule{Name: name, Pattern: []byte(pattern), Target: notify.Target{Maintain: &notify.Maintain{Config: "films", Purpose: "apply"}}}
		if err := c.verb("PutRule", verb.PutRuleInput{Rule: r}, &verb.RuleOutput{}); err != nil {
			t.Fatal(err)
		}
	}
	rule("etl", `{"source":["etl"],"detail":{"state":["SUCCEEDED"]}}`)
	rule("circle", `{"source":["attune.maintain"]}`)
	put := func(state string) {
		in := verb.PutNoticeInput{Source: "etl", DetailType: "Job State Change", Detail: json.RawMessage(`{"state":"` + state + `"}`)}
		if err := c.verb("PutNotice", in, &verb.PutNoticeOutput{}); err != nil {
			t.Fatal(err)
		}
	}
	put("FAILED")
	put("SUCCEEDED")
	all := c.told(func(all []notify.Event) bool {
		return len(all) > 0 && all[len(all)-1].DetailType == "Attune Trigger Refused"
	})
	if !ended(2)(all) || ended(3)(all) {
		t.Errorf("the bus has %v", all)
	}
	var r verb.RuleOutput
	if err := c.verb("DescribeRule", verb.RuleName{Name: "circle"}, &r); err != nil || !strings.Contains(r.Note, "refused: a circle") {
		t.Errorf("the rule says %q, %v", r.Note, err)
	}
	for _, e := range all { // what the run made says which run it was
		if e.DetailType == "Personalize Dataset Group State Change" && !strings.Contains(string(e.Detail), `"Configs":["films"]`) {
			t.Errorf("no cause in %s", e.Detail)
		}
	}
}

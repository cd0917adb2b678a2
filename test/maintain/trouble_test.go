package maintain_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/test/binary"
)

// whole finds everything that toKill(0) declares, once.
func (h *house) whole() {
	h.Helper()
	if n := len(h.imports()); n != 3 {
		h.Errorf("%d imports, want 3", n)
	}
	for _, solution := range []string{"shop-for-you", "shop-popular"} {
		if n := len(h.versions(solution)); n != 1 {
			h.Errorf("%d versions of %s, want 1", n, solution)
		}
		if got := aws.ToString(h.campaign(solution).Status); got != "ACTIVE" {
			h.Errorf("campaign %s is %s", solution, got)
		}
	}
	if out, code := h.attune("plan", h.file, "--source", source, "--exit-code"); code != 0 {
		h.Errorf("there is something to change:\n%s", out)
	}
}

// TestFaults applies a configuration to a service that throttles, fails and
// hesitates: it takes longer, and ends as ever.
func TestFaults(t *testing.T) {
	t.Parallel()
	h := newHouse(t, strict()...)
	h.bring()
	h.write(toKill(0))
	script := filepath.Join(h.dir, "faults.json")
	faults := `{"seed": 5, "rules": [
		{"operation": "Create*", "probability": 0.3, "throttle": true},
		{"operation": "Create*", "probability": 0.2, "error": {"name": "InternalFailure", "status": 500}},
		{"operation": "Describe*", "probability": 0.2, "error": {"name": "ServiceUnavailable", "status": 503}},
		{"operation": "List*", "every": 3, "latencyMs": 300, "jitterMs": 200}]}`
	if err := os.WriteFile(script, []byte(faults), 0o600); err != nil {
		t.Fatal(err)
	}
	h.done("fault", "set", script)
	h.done("apply", h.file, "--source", source, "--yes", "-o", "json")
	h.done("fault", "clear")
	h.whole()
}

// runNow is the newest run.
func (h *house) runNow() (id string, status maintain.RunStatus) {
	h.Helper()
	runs := h.list()
	if len(runs) == 0 {
		return "", ""
	}
	return runs[0].ID, runs[0].Status
}

// TestEndpointAway takes away the node that is maintained in the middle of an
// apply. The run waits, says what it waits for, and goes on when it is back.
func TestEndpointAway(t *testing.T) {
	data := t.TempDir()
	shop := start(t, data, "--rate=control=0")
	var at atomic.Pointer[url.URL]
	move := func(p *binary.Process) { at.Store(must[*url.URL](t)(url.Parse(p.URL))) }
	move(shop)
	door := httptest.NewServer(&httputil.ReverseProxy{ // signatures hold for the host that the client named
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(at.Load()); r.Out.Host = r.In.Host },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
	defer door.Close()
	t.Setenv("ATTUNE_MAINTAIN_ACCESS_KEY_ID", shop.Key.ID)
	t.Setenv("ATTUNE_MAINTAIN_SECRET_ACCESS_KEY", shop.Key.Secret)
	h := &house{T: t, dir: t.TempDir(), shop: shop}
	h.node = start(t, t.TempDir(), "--maintain-endpoint="+door.URL)
	h.file = filepath.Join(h.dir, "config.json")
	h.bring()
	h.write(toKill(0))

	h.done("apply", h.file, "--source", source, "--yes", "--no-wait")
	time.Sleep(700 * time.Millisecond)
	shop.Kill()
	run, _ := h.runNow()
	h.eventually("the run says what it waits for", func() bool {
		var now json.RawMessage
		h.call(&now, "DescribeRun", verb.RunInput{Run: run})
		return strings.Contains(string(now), "Bad Gateway")
	})
	if out := h.done("runs", "describe", run, "-o", "json"); !strings.Contains(out, `"status": "RUNNING"`) || !strings.Contains(out, "Bad Gateway") {
		t.Errorf("nobody can see what the run waits for:\n%s", out)
	}
	h.shop = start(t, data, "--rate=control=0")
	move(h.shop)
	h.quiet()
	h.whole()
}

// TestBucketGone takes the data away in the middle of an apply, and brings it back.
func TestBucketGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.bring()
	h.write(toKill(0))
	h.done("apply", h.file, "--source", source, "--yes", "--no-wait")
	c := h.objects()
	for _, kind := range []string{"interactions", "items", "users"} {
		key := folder + "/" + kind + ".csv"
		must[*s3.DeleteObjectOutput](t)(c.DeleteObject(h.ctx(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &key}))
	}
	must[*s3.DeleteBucketOutput](t)(c.DeleteBucket(h.ctx(), &s3.DeleteBucketInput{Bucket: aws.String(bucket)}))
	run := ""
	h.eventually("the run ends", func() bool {
		id, status := h.runNow()
		run = id
		return status != maintain.Running
	})
	out := h.done("runs", "describe", run)
	if len(h.imports()) < 3 && !strings.Contains(out, "s3://"+bucket) && !strings.Contains(out, "FAILED") { // 3: they were quicker than the deletion
		t.Errorf("the run does not say what is missing:\n%s", out)
	}
	for _, j := range h.imports() { // those that lost their file are in the way of nothing
		if s := aws.ToString(j.Status); s != "ACTIVE" && s != "CREATE FAILED" {
			t.Errorf("import %s is %s", *j.JobName, s)
		}
	}
	h.bring()
	h.done("apply", h.file, "--source", source, "--yes")
	group := h.arn("dataset-group/shop")
	if n := len(must[*personalize.ListDatasetsOutput](t)(h.control().ListDatasets(h.ctx(), &personalize.ListDatasetsInput{DatasetGroupArn: &group})).Datasets); n != 3 {
		t.Errorf("%d datasets, want 3", n)
	}
	if got := aws.ToString(h.campaign("shop-for-you").Status); got != "ACTIVE" {
		t.Errorf("campaign shop-for-you is %s", got)
	}
	if out, code := h.attune("plan", h.file, "--source", source, "--exit-code"); code != 0 {
		t.Errorf("there is something to change:\n%s", out)
	}
}

package maintain_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/notify"
)

// TestTriggers: what is dropped into the bucket is applied, or refused with all
// that is wrong with it; a job that tells EventBridge of its success has its data
// imported, learned and served, once for each date; and a rule that would go
// round in a circle is stopped, and says why.
func TestTriggers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.bring()
	h.droppedBroken()
	h.dropped()
	h.done("rule", "put", "round", "--pattern", `{"source":["solutions.aws.personalize"],"detail-type":["Personalize Campaign State Change"],"detail":{"Status":["ACTIVE"]}}`,
		"--maintain", "shop", "--purpose", "refresh")
	h.done("rule", "put", "etl", "--pattern", `{"source":["etl.glue"],"detail-type":["Glue Job State Change"],"detail":{"jobName":["nightly"],"state":["SUCCEEDED"]}}`,
		"--maintain", "shop", "--purpose", "refresh", "--base-date", "detail.date")
	before := map[string]string{}
	for _, name := range []string{"shop-for-you", "shop-popular"} {
		before[name] = aws.ToString(h.campaign(name).SolutionVersionArn)
	}
	h.renew(1)
	h.glue("FAILED", "2026-03-01")
	h.glue("SUCCEEDED", "2026-03-01")
	h.eventually("the refresh ends", func() bool { return h.runs("refresh", maintain.Succeeded) == 1 })
	h.refreshed(before)

	// The same again: the job tells twice, and one event is put twice.
	h.glue("SUCCEEDED", "2026-03-01")
	for range 2 {
		h.done("event", "put", "--id", "again", "--source", "etl.glue", "--detail-type", "Glue Job State Change", "--detail", `{"jobName":"nightly","state":"SUCCEEDED","date":"2026-03-01"}`)
	}
	h.eventually("the events are seen to", func() bool { return h.rule("etl").Delivered == 3 })
	h.eventually("the circle is refused", func() bool { return strings.Contains(h.rule("round").Note, "refused: a circle") })
	if out := h.done("rule", "describe", "round"); !strings.Contains(out, "would start shop again") {
		h.Errorf("nobody can see why the rule did nothing:\n%s", out)
	}
	if all, refreshes := h.runs("", ""), h.runs("refresh", ""); all != 2 || refreshes != 1 {
		h.Errorf("%d runs, of them %d to refresh:\n%s", all, refreshes, h.done("runs", "list"))
	}
	h.refusedOnce()
}

// dropped puts the configuration beside its data, and finds it applied.
func (h *house) dropped() {
	h.Helper()
	h.put(folder+"/config.json", toKill(0))
	h.eventually("it is applied", func() bool { return h.runs("apply", maintain.Succeeded) == 1 })
	h.write(toKill(0))
	h.whole()
	var out struct{ Runs []maintain.Run }
	h.json(&out, "runs", "list")
	if by := out.Runs[0].Cause; by.Kind != maintain.ByObject || !strings.HasPrefix(by.ID, source+"/config.json ") {
		h.Errorf("the run was started by %v", by)
	}
}

// droppedBroken puts a configuration that has three faults, and finds them told.
func (h *house) droppedBroken() {
	h.Helper()
	broken := strings.Replace(toKill(0), `"filterExpression"`, `"filterExpresion"`, 1)
	broken = strings.Replace(broken, "cron(0 3 ? * 1 *)", "cron(0 25 ? * 1 *)", 1)
	broken = strings.Replace(broken, `"promote"`, `"promotes"`, 1)
	h.put("train/broken/config.json", broken)
	e := h.events(1, refused)[0]
	var sum struct {
		Status      string
		Description []string
	}
	if err := json.Unmarshal(e.Detail, &sum); err != nil {
		h.Fatalf("%v: %s", err, e.Detail)
	}
	all := strings.Join(sum.Description, "\n")
	for _, what := range []string{"filterExpresion", "cron(0 25 ? * 1 *)", "promotes"} {
		if !strings.Contains(all, what) {
			h.Errorf("nothing is said of %s in:\n%s", what, all)
		}
	}
	if sum.Status != "UPDATE FAILED" || h.runs("", "") != 0 {
		h.Errorf("status %s, and %d runs", sum.Status, h.runs("", ""))
	}
}

const (
	refused = `{"detail-type":["Attune Configuration Refused"]}`
	marker  = `{"source":["marker"]}`
)

// refusedOnce counts on the bus: there was one broken configuration, and it was told once.
func (h *house) refusedOnce() {
	h.Helper()
	h.done("event", "put", "--source", "marker", "--detail-type", "End")
	if all := h.events(2, `{"$or":[`+refused+","+marker+`]}`); all[0].Source == "marker" || all[1].Source != "marker" {
		h.Errorf("the refusal was not told once: %v", all)
	}
}

// refreshed finds the data of the date imported, learned by a new version of each
// solution, served by its campaign, and all of that in the table.
func (h *house) refreshed(before map[string]string) {
	h.Helper()
	var table struct{ Refreshes []maintain.Refresh }
	h.json(&table, "runs", "status")
	if len(table.Refreshes) != len(before) {
		h.Fatalf("the table has %+v", table.Refreshes)
	}
	for _, r := range table.Refreshes {
		now := aws.ToString(h.campaign(r.Name).SolutionVersionArn)
		if n := len(h.versions(r.Name)); n != 2 || now == before[r.Name] || now == "" {
			h.Errorf("%s: %d versions, and the campaign has %s after %s", r.Name, n, now, before[r.Name])
		}
		if r.BaseDate != 20260301 || r.ImportStatus != "ACTIVE" || r.VersionStatus != "ACTIVE" || r.CampaignStatus != "ACTIVE" || r.VersionArn != now ||
			r.ImportArn != h.arn("dataset-import-job/dataset_import_interactions_20260301") {
			h.Errorf("the row is %+v", r)
		}
	}
	if out := h.done("runs", "status"); !strings.Contains(out, "20260301") || !strings.Contains(out, "shop-popular") {
		h.Errorf("people see:\n%s", out)
	}
}

// events waits for the first n events of the bus that match.
func (h *house) events(n int, pattern string) (all []notify.Event) {
	h.Helper()
	lines := json.NewDecoder(strings.NewReader(h.done("event", "tail", "--all", "-n", fmt.Sprint(n), "--pattern", pattern, "-o", "json")))
	for range n {
		var e notify.Event
		if err := lines.Decode(&e); err != nil {
			h.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// runs counts runs; "" is any.
func (h *house) runs(purpose string, status maintain.RunStatus) (n int) {
	h.Helper()
	for _, r := range h.list() {
		if r.Status == maintain.Failed {
			h.Fatalf("run %s failed:\n%s", r.ID, h.done("runs", "describe", r.ID))
		}
		if (purpose == "" || string(r.Purpose) == purpose) && (status == "" || r.Status == status) {
			n++
		}
	}
	return n
}

func (h *house) rule(name string) *notify.RuleState {
	h.Helper()
	var out verb.RuleOutput
	h.call(&out, "DescribeRule", verb.RuleName{Name: name})
	return &out.RuleState
}

// glue tells EventBridge, as a job does, how the job went.
func (h *house) glue(state, date string) {
	h.Helper()
	detail := fmt.Sprintf(`{"jobName":"nightly","severity":"INFO","state":"%s","jobRunId":"jr_1","date":"%s"}`, state, date)
	body := must[[]byte](h)(json.Marshal(map[string]any{"Entries": []map[string]any{{"Source": "etl.glue", "DetailType": "Glue Job State Change", "Detail": detail, "EventBusName": "default"}}}))
	cfg := h.node.AWS()
	req := must[*http.Request](h)(http.NewRequestWithContext(h.ctx(), http.MethodPost, *cfg.BaseEndpoint, bytes.NewReader(body)))
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "AWSEvents.PutEvents")
	sum := sha256.Sum256(body)
	key := must[aws.Credentials](h)(cfg.Credentials.Retrieve(h.ctx()))
	if err := v4.NewSigner().SignHTTP(h.ctx(), key, req, hex.EncodeToString(sum[:]), "events", cfg.Region, time.Now()); err != nil {
		h.Fatal(err)
	}
	resp := must[*http.Response](h)(http.DefaultClient.Do(req))
	defer resp.Body.Close()
	text := must[[]byte](h)(io.ReadAll(resp.Body))
	var out struct{ FailedEntryCount *int }
	if err := json.Unmarshal(text, &out); err != nil || out.FailedEntryCount == nil || *out.FailedEntryCount != 0 {
		h.Fatalf("PutEvents answers %d %s", resp.StatusCode, text)
	}
}

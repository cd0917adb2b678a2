package job_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
)

// outLine is one line of a batch job's output.
type outLine struct {
	Input  json.RawMessage `json:"input"`
	Output *struct {
		Items  []string   `json:"recommendedItems"`
		Scores []*float64 `json:"scores"`
		Users  []string   `json:"recommendedUsers"`
	} `json:"output"`
	Error *string `json:"error"`
}

func (h *house) lines(object string) (lines []outLine) {
	h.Helper()
	text := must[[]byte](h)(h.uploads.Get(h.Context(), object, 64<<20))
	for line := range strings.Lines(string(text)) {
		var l outLine
		if err := json.Unmarshal([]byte(line), &l); err != nil || !strings.HasSuffix(line, "\n") {
			h.Fatalf("%s has the line %q: %v", object, line, err)
		}
		lines = append(lines, l)
	}
	return lines
}

// batch asks for a batch inference job.
func (h *house) batch(name string, version *resource.Resource, in, out string, also ...func(*resource.BatchBody)) attune.ARN {
	h.Helper()
	b := resource.BatchBody{SolutionVersionArn: string(version.ARN), NumResults: 5, RoleArn: "arn:aws:iam::000000000000:role/attune",
		JobInput: resource.JobInput{S3DataSource: resource.S3Data{Path: in}}, JobOutput: resource.JobOutput{S3DataDestination: resource.S3Data{Path: out}}}
	for _, f := range also {
		f(&b)
	}
	r := must[*resource.Resource](h)(h.registry.CreateBatchInferenceJob(h.Context(), name, resource.BatchRequest{BatchBody: b}))
	return r.ARN
}

// swept says that a finished job left nothing but its outputs.
func (h *house) swept(arn attune.ARN) {
	h.Helper()
	h.eventually("the folder of "+string(arn)+" is gone", func() bool {
		for info, err := range h.artifacts.List(h.Context(), "batch/"+h.get(arn).ID+"/") {
			return err != nil && info.Name == ""
		}
		return true
	})
}

func (h *house) outputs(arn attune.ARN) []string {
	h.Helper()
	return must[resource.BatchBody](h)(resource.Body[resource.BatchBody](h.get(arn))).Outputs
}

// TestBatchInference: every line is answered as a live request would be, or says
// what is wrong with it.
func TestBatchInference(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	version := h.until(h.version(h.solution("batch")).ARN, resource.Active)
	campaign := h.until(h.campaign("batch", version).ARN, resource.Active)
	filter := must[*resource.Resource](t)(h.registry.CreateFilter(t.Context(), "seen", resource.FilterBody{
		DatasetGroupArn: string(must[*resource.Resource](t)(h.registry.ByID(t.Context(), version.Group)).ARN), FilterExpression: `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($T)`}))
	h.until(filter.ARN, resource.Active)

	long := `{"userId":"` + strings.Repeat("x", 3<<20) + `"}`
	in := "\ufeff{\"userId\": \"u001\"}\r\n\n{\"userId\":\"u002\",\"context\":{\"DEVICE\":\"tv\"}}\n" + long + "\nnonsense\n[1]\n{\"userId\":7}\n{\"itemId\":\"i01\"}\n" +
		"{\"userId\":\"nobody \\\"at all\\\" \u00e9\",\"also\":[1, 2]}\n{\"userId\":\"" + strings.Repeat("y", 257) + "\"}\n{\"userId\":\"u003\",\"filterValues\":{\"T\":\"\\\"View\\\"\"}}"
	h.upload("in/a.json", in)
	arn := h.batch("a", version, "s3://in/a.json", "s3://out/folder")
	h.until(arn, resource.Active)
	if got := h.outputs(arn); !slices.Equal(got, []string{"out/folder/a.json.out"}) {
		t.Errorf("outputs on the row: %v", got)
	}
	got := h.lines("out/folder/a.json.out")
	for i, want := range []struct{ user, input, problem string }{
		{"u001", `{"userId":"u001"}`, ""},
		{"u002", `{"userId":"u002","context":{"DEVICE":"tv"}}`, ""},
		{"", "", "longer than"}, {"", `"nonsense"`, "not a JSON object"}, {"", `"[1]"`, "not a JSON object"},
		{"", `{"userId":7}`, "userId has the wrong type"}, {"", `{"itemId":"i01"}`, "no userId"},
		{`nobody "at all" é`, `{"userId":"nobody \"at all\" é","also":[1,2]}`, ""}, {"", "", "longer than 256"},
		{"", "", "filterArn"}, // as a live request says
	} {
		if i >= len(got) {
			t.Fatalf("%d lines", len(got))
		}
		l := got[i]
		if want.input != "" && string(l.Input) != want.input {
			t.Errorf("line %d: input %s, want %s", i, l.Input, want.input)
		}
		if want.problem != "" {
			if l.Error == nil || !strings.Contains(*l.Error, want.problem) || l.Output != nil {
				t.Errorf("line %d: %v, want …%s…", i, l.Error, want.problem)
			}
			continue
		}
		h.asLive(l, campaign.ARN, serve.Request{User: want.user, N: 5})
	}
	if len(got) != 10 {
		t.Errorf("%d lines", len(got))
	}
	h.swept(arn)

	// A folder: each file has its output; what others left there is passed over.
	for name, text := range map[string]string{"x.json": `{"userId":"u001","filterValues":{"T":"\"View\""}}`, "sub/y.json": "{\"userId\":\"u002\"}\n", "empty.json": "", "_SUCCESS": "x", "old.json.out": "x"} {
		h.upload("in/folder/"+name, text)
	}
	arn = h.batch("b", version, "s3://in/folder", "s3://in/folder/", func(b *resource.BatchBody) { b.FilterArn = string(filter.ARN) })
	h.until(arn, resource.Active)
	if got := h.outputs(arn); !slices.Equal(got, []string{"in/folder/empty.json.out", "in/folder/sub/y.json.out", "in/folder/x.json.out"}) {
		t.Errorf("outputs of a folder: %v", got)
	}
	if n := len(h.lines("in/folder/empty.json.out")); n != 0 {
		t.Errorf("an empty file has %d lines of answers", n)
	}
	h.asLive(h.lines("in/folder/sub/y.json.out")[0], campaign.ARN, serve.Request{User: "u002", N: 5}) // a missing value switches an EXCLUDE off
	x := h.lines("in/folder/x.json.out")[0]
	for _, item := range x.Output.Items {
		v, _ := h.profiles.View(h.groupOf(version))
		for _, touch := range v.History("u001") {
			if v.Item(touch.Item) == item {
				t.Errorf("%s was seen and is recommended", item)
			}
		}
	}

	for what, refused := range map[string]struct{ in, out, why string }{
		"no input":  {"s3://in/none.json", "s3://out/", "nothing lies at s3://in/none.json"},
		"no lines":  {"s3://in/folder/empty.json", "s3://out/", "has no lines"},
		"no bucket": {"s3://in/a.json", "s3://nowhere/x", "bucket nowhere does not exist"},
		"odd name":  {"s3://in/a.json", "s3://out/a:b", "character"},
	} {
		arn := h.batch(strings.ReplaceAll(what, " ", "-"), version, refused.in, refused.out)
		if why := h.failed(arn); !strings.Contains(why, refused.why) {
			t.Errorf("%s: %s", what, why)
		}
		h.swept(arn)
	}
}

// asLive compares a line's answer with that of a live request.
func (h *house) asLive(l outLine, campaign attune.ARN, q serve.Request) {
	h.Helper()
	q.Campaign = campaign
	want := must[*serve.Answer](h)(h.serve.Recommend(h.Context(), q))
	if l.Output == nil || l.Error != nil || len(l.Output.Items) != len(want.Items) || len(l.Output.Scores) != len(want.Items) {
		h.Fatalf("%s got %+v, %v; live %d items", l.Input, l.Output, l.Error, len(want.Items))
	}
	for i, item := range want.Items {
		if l.Output.Items[i] != item.ID || *l.Output.Scores[i] != *item.Score {
			h.Errorf("%s, place %d: %s %g, live %s %g", l.Input, i, l.Output.Items[i], *l.Output.Scores[i], item.ID, *item.Score)
		}
	}
}

// TestBatchResumed: a job whose process ends in the middle goes on where it was.
func TestBatchResumed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.start()
	version := h.until(h.version(h.solution("resumed")).ARN, resource.Active)
	var in strings.Builder
	const n = 90_000
	for i := range n {
		fmt.Fprintf(&in, "{\"userId\":\"u%06d\"}\n", i)
	}
	h.upload("in/many.json", in.String())
	arn := h.batch("many", version, "s3://in/many.json", "s3://out/")
	parts := func() (n int) {
		for info, err := range h.artifacts.List(t.Context(), "batch/"+h.get(arn).ID+"/") {
			if err == nil && strings.Contains(info.Name, "/part-") {
				n++
			}
		}
		return n
	}
	first := func() artifact.Info { // the zero Info when there is none
		for info, err := range h.artifacts.List(t.Context(), "batch/"+h.get(arn).ID+"/") {
			if err == nil && strings.Contains(info.Name, "/part-") {
				return info
			}
		}
		return artifact.Info{}
	}
	h.eventually("a piece is answered", func() bool { return parts() > 0 || h.get(arn).Status == resource.Active })
	h.stop()
	before := parts()
	if r := h.get(arn); r.Status != resource.InProgress || before == 0 {
		t.Fatalf("stopped too late: %s with %d parts", r.Status, before)
	}
	kept := first()
	h.start()
	h.eventually("the job is done", func() bool {
		if now, err := h.artifacts.Stat(t.Context(), kept.Name); err == nil && now.ModTime != kept.ModTime {
			t.Fatalf("%s was answered again", kept.Name)
		}
		return h.get(arn).Status == resource.Active
	})
	got := h.lines("out/many.json.out")
	if len(got) != n {
		t.Fatalf("%d lines", len(got))
	}
	for i, l := range got {
		if want := fmt.Sprintf(`{"userId":"u%06d"}`, i); string(l.Input) != want || l.Error != nil || len(l.Output.Items) != 5 {
			t.Fatalf("line %d: %s %v", i, l.Input, l.Error)
		}
	}
	h.swept(arn)
}

func (h *house) groupOf(r *resource.Resource) event.Group { return event.Group(r.Group) }

package plan_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/double"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
)

// lossy stands between a Target and a node: of the calls that change something
// it does every other one, from the first of each operation, and loses the answer.
type lossy struct {
	mu    sync.Mutex
	rng   *rand.Rand     // of what is forgotten
	calls map[string]int // that changed something, by operation
}

func (l *lossy) loses(r *http.Request) bool {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if op == "" || strings.HasPrefix(op, "Describe") || strings.HasPrefix(op, "List") || strings.HasPrefix(op, "Get") {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[op]++
	return l.calls[op]%2 == 1
}

// through opens a Target that reaches the node over a lossy line.
func (p *place) through(l *lossy, o plan.Options) *plan.Target {
	to := must[*url.URL](p)(url.Parse(p.node.URL))
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }, // the host is signed
		ModifyResponse: func(r *http.Response) error {
			if l.loses(r.Request) {
				return errors.New("lost")
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }, // cuts the connection
	}
	s := httptest.NewServer(proxy)
	p.Cleanup(s.Close)
	cfg := p.node.AWS()
	cfg.BaseEndpoint = aws.String(s.URL)
	return must[*plan.Target](p)(plan.Open(p.Context(), cfg, o))
}

// TestLostAnswers: half of what changes something has its effect and no answer,
// and half of what is answered is forgotten as by a process that is killed.
// Everything is made once.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	p := start(t, plan.Options{})
	p.shop()
	line := &lossy{rng: rand.New(rand.NewPCG(3, 9)), calls: map[string]int{}}
	target := p.through(line, plan.Options{})
	c := declared()
	for _, o := range []plan.Order{
		{Purpose: plan.ForApply, Source: source, Run: "apply"},
		{Purpose: plan.ForFull, Run: "full"},
		{Purpose: plan.ForUpdate, Run: "update"},
		{Purpose: plan.ForInference, Source: source},
	} {
		if o.Purpose != plan.ForApply {
			time.Sleep(1100 * time.Millisecond) // what was made before is out of date then
		}
		o.Now = time.Now()
		forgetful(t, target, steps(t, c, o), line)
	}
	v := must[*plan.Inventory](t)(p.target.Look(t.Context(), "shop"))
	for what, n := range map[string]int{"datasets": len(v.Datasets), "solutions": 1 + len(v.Solutions), "campaigns": 1 + len(v.Campaigns), "filters": 1 + len(v.Filters), "trackers": 1 + len(v.Trackers)} {
		if n != 2 {
			t.Errorf("%d too many or few %s", n-2, what)
		}
	}
	api := personalize.NewFromConfig(p.node.AWS())
	imports := must[*personalize.ListDatasetImportJobsOutput](t)(api.ListDatasetImportJobs(t.Context(), &personalize.ListDatasetImportJobsInput{}))
	versions := must[*personalize.ListSolutionVersionsOutput](t)(api.ListSolutionVersions(t.Context(), &personalize.ListSolutionVersionsInput{}))
	batch := must[*personalize.ListBatchInferenceJobsOutput](t)(api.ListBatchInferenceJobs(t.Context(), &personalize.ListBatchInferenceJobsInput{}))
	if a, b, c := len(imports.DatasetImportJobs), len(versions.SolutionVersions), len(batch.BatchInferenceJobs); a != 2 || b != 3 || c != 2 {
		t.Errorf("%d imports, %d versions, %d batch jobs; want 2, 3, 2", a, b, c)
	}
	if len(line.calls) != 11 {
		t.Errorf("answers were lost of %v, want 11 operations", line.calls)
	}
	forgetful(t, target, must[[]plan.Step](t)(p.target.DestroySteps(t.Context(), c, false)), line)
	if _, err := p.target.Look(t.Context(), "shop"); attune.KindOf(err) != attune.NotFound {
		t.Errorf("after the destruction: %v", err)
	}
}

// forgetful walks, and forgets half of what it was told.
func forgetful(t *testing.T, target *plan.Target, steps []plan.Step, line *lossy) {
	t.Helper()
	have := map[string]plan.Result{}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		open := 0
		for _, s := range steps {
			if have[s.Path].Done || !ready(s, have) {
				open += b2i(!have[s.Path].Done)
				continue
			}
			r, err := target.Advance(t.Context(), s, have)
			switch {
			case err == nil && r.Action == plan.Blocked:
				t.Fatalf("%s: %s", s.Path, r.Note)
			case err != nil && !plan.Retryable(err):
				t.Fatal(err)
			case (s.Kind == plan.Version || s.Kind == plan.BatchInference) && r.Action == plan.Create && !r.Done:
				time.Sleep(1500 * time.Millisecond) // what was made is done, and out of date by its age, when it is looked at again
			}
			line.mu.Lock()
			remember := line.rng.Float64() < 0.5
			line.mu.Unlock()
			if err == nil && remember {
				have[s.Path] = r
			}
			open += b2i(!have[s.Path].Done)
		}
		if open == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not done in time: %+v", have)
		}
	}
}

// TestFaults: a service that throttles, fails and cuts the line is waited for; a
// quota that frees itself too; what it refuses for good ends the step with its words.
func TestFaults(t *testing.T) {
	t.Parallel()
	p := start(t, plan.Options{}, "--mode=strict")
	p.shop()
	faults := func(rules ...double.Rule) {
		t.Helper()
		if err := verb.Call(t.Context(), p.node.AWS(), "SetFaults", double.Script{Seed: 5, Rules: rules}, new(verb.FaultsOutput)); err != nil {
			t.Fatal(err)
		}
	}
	full := func(op string, times int) double.Rule {
		return double.Rule{Operation: op, Times: times, Error: &double.Exception{Name: "LimitExceededException", Status: 400, Message: "Too many of those."}}
	}
	c := declared()
	apply := steps(t, c, plan.Order{Purpose: plan.ForApply, Source: source})

	faults(full("CreateFilter", 1))
	_, err := walk(t.Context(), p.target, apply)
	if attune.KindOf(err) != attune.LimitExceeded || !strings.Contains(err.Error(), "filters[0]: create the filter shop-seen: Too many of those. (LimitExceededException)") {
		t.Errorf("a quota that does not free itself: %v", err)
	}
	faults(full("CreateDatasetImportJob", 2), full("CreateSolutionVersion", 2),
		double.Rule{Operation: "*", Probability: 0.1, Throttle: true}, double.Rule{Operation: "*", Probability: 0.1, Drop: true},
		double.Rule{Operation: "*", Probability: 0.1, Error: &double.Exception{Name: "InternalFailure", Status: 500}})
	for path, r := range p.walk(p.target, apply) {
		if !r.Done || r.ARN == "" {
			t.Errorf("%s: %+v", path, r)
		}
	}
	faults(double.Rule{Operation: "CreateSolutionVersion", FailJob: "Out of luck."})
	run := steps(t, c, plan.Order{Purpose: plan.ForFull, Run: "unlucky", Now: time.Now().Add(time.Second)})
	time.Sleep(1100 * time.Millisecond)
	_, err = walk(t.Context(), p.target, run)
	if err == nil || !strings.Contains(err.Error(), "is CREATE FAILED: Out of luck") {
		t.Errorf("a training that failed: %v", err)
	}
	faults()
	if _, again := walk(t.Context(), p.target, run); again == nil || again.Error() != err.Error() {
		t.Errorf("the same run, taken again: %v, want %v", again, err)
	}
	p.walk(p.target, steps(t, c, plan.Order{Purpose: plan.ForFull, Run: "next", Now: time.Now()}))
}

// TestOpen: a target that cannot be is refused, and by which kind.
func TestOpen(t *testing.T) {
	t.Parallel()
	p := start(t, plan.Options{})
	cfg := p.node.AWS()
	for want, o := range map[string]plan.Options{"not the ARN of a role": {Role: "attune"}, "give both or none": {KMSKey: "arn:aws:kms:us-east-1:000000000000:key/a"}} {
		if _, err := plan.Open(t.Context(), cfg, o); attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	away := cfg.Copy()
	away.BaseEndpoint = aws.String("http://127.0.0.1:1")
	if _, err := plan.Open(t.Context(), away, plan.Options{}); !plan.Retryable(err) {
		t.Errorf("nobody there: %v", err)
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer proxy.Close()
	behind := cfg.Copy()
	behind.BaseEndpoint, behind.RetryMaxAttempts = &proxy.URL, 1
	if _, err := plan.Open(t.Context(), behind, plan.Options{}); !plan.Retryable(err) || !strings.Contains(err.Error(), "502 Bad Gateway") {
		t.Errorf("a proxy without a service: %v", err)
	}
	stranger := cfg.Copy()
	stranger.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIASTRANGER", SecretAccessKey: "no"}, nil
	})
	if _, err := plan.Open(t.Context(), stranger, plan.Options{}); attune.KindOf(err) != attune.Denied {
		t.Errorf("a stranger: %v (%s)", err, attune.KindOf(err))
	}
}

// TestSameSecond: two dataset groups are applied in the same second; the names of
// their imports are of the whole account.
func TestSameSecond(t *testing.T) {
	t.Parallel()
	p := start(t, plan.Options{})
	p.shop()
	now := time.Now()
	data := func(group string) *config.Config {
		c := declared()
		c.Group.Resource = resource("datasetGroup", group, `{}`)
		c.Solutions, c.Filters, c.Tracker = nil, nil, nil
		return c
	}
	first := p.walk(p.target, steps(t, data("one"), plan.Order{Purpose: plan.ForApply, Source: source, Now: now}))
	second := p.walk(p.target, steps(t, data("two"), plan.Order{Purpose: plan.ForApply, Source: source, Now: now}))
	const path = "datasets.interactions.dataset.import"
	if a, b := first[path], second[path]; a.Action != plan.Create || b.Action != plan.Create || !strings.HasPrefix(b.ARN, a.ARN+"_") {
		t.Errorf("%+v and %+v", a, b)
	}
	// Their schemas are one and the same: the first destruction leaves them.
	have := p.walk(p.target, must[[]plan.Step](t)(p.target.DestroySteps(t.Context(), data("one"), false)))
	kept := 0
	for _, r := range have {
		kept += b2i(r.Action == plan.Skip && r.Note == "is used by another dataset, and stays")
	}
	if kept != 2 {
		t.Errorf("%d schemas were kept, want 2: %+v", kept, have)
	}
	p.quiet(steps(t, data("two"), plan.Order{Purpose: plan.ForApply, Source: source, Now: now}))
}

package sdk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/smithy-go"

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// refusedAs expects an exception as the SDK's own type, with words in its message.
func refusedAs[E error](t *testing.T, err error, words string) {
	t.Helper()
	var want E
	if !errors.As(err, &want) {
		t.Errorf("got %v, want a %T", err, want)
		return
	}
	if !strings.Contains(err.Error(), words) {
		t.Errorf("%q does not say %q", err, words)
	}
}

// refusedCode expects an error code that no operation models.
func refusedCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// TestSignatures shows the refusals of SigV4, as SDKs understand them.
func TestSignatures(t *testing.T) {
	t.Parallel()
	node := start(t)
	list := func(cfg aws.Config) error {
		cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
		_, err := personalize.NewFromConfig(cfg).ListSchemas(t.Context(), &personalize.ListSchemasInput{})
		return err
	}
	if err := list(node.AWS()); err != nil {
		t.Fatal(err)
	}
	cfg := node.AWS()
	cfg.Credentials = credentials.NewStaticCredentialsProvider("AKIAUNKNOWNUNKNOWN00", node.Key.Secret, "")
	refusedCode(t, list(cfg), "UnrecognizedClientException")
	cfg.Credentials = credentials.NewStaticCredentialsProvider(node.Key.ID, "wrong", "")
	refusedCode(t, list(cfg), "InvalidSignatureException")
	for name, at := range map[string]time.Duration{"expired": -time.Hour, "future": time.Hour} {
		resp := signed(t, node, "AmazonPersonalize.ListSchemas", "/", []byte("{}"), time.Now().Add(at), nil)
		if resp.StatusCode != http.StatusForbidden || !strings.Contains(resp.body, "InvalidSignatureException") || resp.Header.Get("Date") == "" {
			t.Errorf("%s: %d %s", name, resp.StatusCode, resp.body)
		}
	}
	resp := signed(t, node, "AmazonPersonalize.ListSchemas", "/", []byte("{}"), time.Now(), []byte(`{"maxResults":1}`))
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("a body that was changed after signing: %d %s", resp.StatusCode, resp.body)
	}
}

type answer struct {
	*http.Response
	body string
}

// signed sends raw bytes with a good signature; other, if not nil, goes out in place of body.
func signed(t *testing.T, p *binary.Process, target, path string, body []byte, at time.Time, other []byte) answer {
	t.Helper()
	sent := body
	if other != nil {
		sent = other
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+path, bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if target != "" {
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		req.Header.Set("X-Amz-Target", target)
	}
	sum := sha256.Sum256(body)
	creds := aws.Credentials{AccessKeyID: p.Key.ID, SecretAccessKey: p.Key.Secret}
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, req, hex.EncodeToString(sum[:]), "personalize", binary.Region, at); err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp, string(text)}
}

// TestBadRequests sends what no SDK would, and expects an error each time and a
// server that goes on.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	node := start(t)
	const create = "AmazonPersonalize.CreateDatasetGroup"
	for name, c := range map[string]struct {
		target, path, body string
		code               int
		says               string
	}{
		"malformed":         {create, "/", `{"name":`, 400, "SerializationException"},
		"wrong type":        {create, "/", `{"name":7}`, 400, "SerializationException"},
		"not an object":     {create, "/", `[]`, 400, "SerializationException"},
		"too long":          {create, "/", `{"name":"` + strings.Repeat("n", 64) + `"}`, 400, "length less than or equal to 63"},
		"bad pattern":       {create, "/", `{"name":"bad name!"}`, 400, "regular expression pattern"},
		"missing":           {create, "/", `{}`, 400, "must not be null"},
		"empty body":        {create, "/", ``, 400, "must not be null"},
		"bad arn":           {"AmazonPersonalize.DescribeCampaign", "/", `{"campaignArn":"campaign"}`, 400, "InvalidInputException"},
		"unknown operation": {"AmazonPersonalize.MakeCoffee", "/", `{}`, 400, "UnknownOperationException"},
		"unknown path":      {"", "/nothing", `{}`, 404, "UnknownOperationException"},
		"not utf-8":         {create, "/", "{\"name\":\"\xff\"}", 400, "SerializationException"},
		"too large":         {create, "/", `{"name":"` + strings.Repeat("n", 5<<20) + `"}`, 413, ""},
		"deep":              {create, "/", strings.Repeat("[", 100_000), 400, "SerializationException"},
	} {
		got := signed(t, node, c.target, c.path, []byte(c.body), time.Now(), nil)
		if got.StatusCode != c.code || !strings.Contains(got.body, c.says) {
			t.Errorf("%s: %d %.300s; want %d %s", name, got.StatusCode, got.body, c.code, c.says)
		}
		var e struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		if err := json.Unmarshal([]byte(got.body), &e); err != nil || e.Type == "" || e.Message == "" || got.Header.Get("X-Amzn-Requestid") == "" {
			t.Errorf("%s: not an error that SDKs read: %.300s", name, got.body)
		}
	}
	if got := signed(t, node, create, "/", []byte(`{"name":"still-there"}`), time.Now(), nil); got.StatusCode != http.StatusOK {
		t.Errorf("after all that: %d %s", got.StatusCode, got.body)
	}
}

// TestBadData uploads broken data and expects reasons that say what and where.
func TestBadData(t *testing.T) {
	t.Parallel()
	c := newClients(t, start(t))
	shop := smallShop(t)
	group := c.datasetGroup("bad")
	set := c.dataset(group, "Interactions", world.InteractionsSchema)
	var good strings.Builder
	if err := shop.WriteInteractions(&good); err != nil {
		t.Fatal(err)
	}
	head, rows, _ := strings.Cut(good.String(), "\n")
	line := strings.SplitN(rows, "\n", 2)[0]
	long := strings.Repeat("x", 10<<20)
	files := map[string]struct{ body, says string }{
		"missing-column": {strings.Replace(head, "ITEM_ID", "THING", 1) + "\n" + rows, "Input CSV is missing the following columns:[ITEM_ID]"},
		"wrong-type":     {head + "\n" + strings.Repeat(strings.Replace(line, ",1", ",soon1", 1)+"\n", 5), "reject"},
		"broken-quotes":  {head + "\n" + strings.Repeat("\"never closed,"+line+"\n", 50), "reject"},
		"not-utf8":       {head + "\n" + strings.Repeat("\xff\xfe"+line+"\n", 50), "reject"},
		"empty":          {"", "empty"},
		"long-line":      {head + "\n" + long + "\n", "reject"},
	}
	for name, f := range files {
		arn := c.importing(name, set, c.put("bad", name+".csv", f.body), types.ImportModeFull)
		if why := c.fails(arn); !strings.Contains(strings.ToLower(why), strings.ToLower(f.says)) {
			t.Errorf("%s: %q does not say %q", name, why, f.says)
		}
	}
	missing := c.importing("missing-object", set, "s3://bad/not-there.csv", types.ImportModeFull)
	if why := c.fails(missing); !strings.Contains(why, "s3://bad/not-there.csv") && !strings.Contains(why, "not-there.csv") {
		t.Errorf("missing object: %q", why)
	}
	// What is unusual but right: BOM, CRLF, and one bad row among thousands.
	odd := "\ufeff" + strings.ReplaceAll(head+"\n"+rows, "\n", "\r\n") + "only-one-cell\r\n"
	arn := c.importing("odd-but-right", set, c.put("bad", "odd.csv", odd), types.ImportModeFull)
	c.active("import", func() (*string, *string, error) { return c.importStatus(arn) })

	for name, schema := range map[string]string{
		"not-json":         `{"type":`,
		"unknown-type":     strings.Replace(world.InteractionsSchema, `"long"`, `"decimal128"`, 1),
		"no-fields":        `{"type":"record","name":"Interactions","namespace":"n","version":"1.0"}`,
		"duplicate-fields": `{"type":"record","name":"Interactions","namespace":"n","version":"1.0","fields":[{"name":"USER_ID","type":"string"},{"name":"USER_ID","type":"string"}]}`,
	} {
		_, err := c.control.CreateSchema(c.ctx, &personalize.CreateSchemaInput{Name: aws.String(name), Schema: &schema})
		refusedAs[*types.InvalidInputException](t, err, "")
	}
}

// fails waits for CREATE FAILED and returns the reason.
func (c *clients) fails(job string) string {
	c.Helper()
	var pause binary.Pause
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); pause.Sleep() {
		status, why, err := c.importStatus(job)
		if err != nil {
			c.Fatal(err)
		}
		switch aws.ToString(status) {
		case "CREATE FAILED":
			return aws.ToString(why)
		case "ACTIVE":
			c.Errorf("%s is ACTIVE", job)
			return ""
		}
	}
	c.Fatalf("%s did not fail in time", job)
	return ""
}

// TestTooLittleData trains on what is too little, and hears Personalize's words.
func TestTooLittleData(t *testing.T) {
	t.Parallel()
	c := newClients(t, start(t, "--mode=strict"))
	for name, f := range map[string]struct{ body, says string }{
		"few-rows":  {rows(40, 10), "1000 interactions"},
		"few-users": {rows(3, 500), "25 users with at least 2 interactions"},
	} {
		group := c.datasetGroup(name)
		set := c.dataset(group, "Interactions", world.InteractionsSchema)
		arn := c.importing(name, set, c.put("little", name+".csv", f.body), types.ImportModeIncremental) // a FULL one of few rows fails by itself
		c.active("import", func() (*string, *string, error) { return c.importStatus(arn) })
		solution := c.solution(name, group, "aws-user-personalization")
		v := must[*personalize.CreateSolutionVersionOutput](t)(c.control.CreateSolutionVersion(c.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: &solution}))
		why := ""
		var pause binary.Pause
		for deadline := time.Now().Add(time.Minute); why == "" && time.Now().Before(deadline); pause.Sleep() {
			status, reason, err := c.versionStatus(*v.SolutionVersionArn)
			if err != nil || aws.ToString(status) == "ACTIVE" {
				t.Fatalf("%s: %v %v", name, aws.ToString(status), err)
			}
			if aws.ToString(status) == "CREATE FAILED" {
				why = aws.ToString(reason)
			}
		}
		if !strings.Contains(why, f.says) {
			t.Errorf("%s: %q does not say %q", name, why, f.says)
		}
	}
}

// rows writes interactions of users with each items items.
func rows(users, each int) string {
	var b strings.Builder
	b.WriteString("USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n")
	for u := range users {
		for i := range each {
			fmt.Fprintf(&b, "u%d,i%d,View,%d\n", u, i, 1_700_000_000+i)
		}
	}
	return b.String()
}

// TestErrorKinds provokes each modelled exception that this build can answer.
func TestErrorKinds(t *testing.T) {
	t.Parallel()
	c := newClients(t, start(t))
	group := c.datasetGroup("kinds")
	set := c.dataset(group, "Interactions", world.InteractionsSchema)
	_, tracking := c.tracker(group)

	_, err := c.control.CreateDatasetGroup(c.ctx, &personalize.CreateDatasetGroupInput{Name: aws.String("kinds")})
	refusedAs[*types.ResourceAlreadyExistsException](t, err, "kinds")
	_, err = c.control.DescribeSolution(c.ctx, &personalize.DescribeSolutionInput{SolutionArn: aws.String("arn:aws:personalize:us-east-1:000000000000:solution/none")})
	refusedAs[*types.ResourceNotFoundException](t, err, "none")
	_, err = c.control.DeleteDatasetGroup(c.ctx, &personalize.DeleteDatasetGroupInput{DatasetGroupArn: &group})
	refusedAs[*types.ResourceInUseException](t, err, "")
	_, err = c.control.CreateEventTracker(c.ctx, &personalize.CreateEventTrackerInput{Name: aws.String("second"), DatasetGroupArn: &group})
	if err == nil {
		t.Error("a second event tracker was made in one dataset group")
	}
	d := must[*personalize.DescribeDatasetOutput](t)(c.control.DescribeDataset(c.ctx, &personalize.DescribeDatasetInput{DatasetArn: &set}))
	_, err = c.control.DeleteSchema(c.ctx, &personalize.DeleteSchemaInput{SchemaArn: d.Dataset.SchemaArn})
	refusedAs[*types.ResourceInUseException](t, err, "")
	_, err = c.control.CreateFilter(c.ctx, &personalize.CreateFilterInput{Name: aws.String("f"), DatasetGroupArn: &group, FilterExpression: aws.String("INCLUDE nonsense")})
	refusedAs[*types.InvalidInputException](t, err, "")
	_, err = c.control.CreateSolution(c.ctx, &personalize.CreateSolutionInput{Name: aws.String("s"), DatasetGroupArn: &group, RecipeArn: aws.String("arn:aws:personalize:::recipe/aws-made-up")})
	if err == nil {
		t.Error("a solution with an unknown recipe was made")
	}

	event := etypes.Event{EventType: aws.String("View"), ItemId: aws.String("i"), SentAt: aws.Time(time.Now())}
	put := func(tracking string, e ...etypes.Event) error {
		_, err := c.events.PutEvents(c.ctx, &personalizeevents.PutEventsInput{TrackingId: &tracking, SessionId: aws.String("s"), EventList: e})
		return err
	}
	refusedAs[*etypes.InvalidInputException](t, put("no-such-tracker", event), "")
	refusedAs[*etypes.InvalidInputException](t, put(tracking, slices.Repeat([]etypes.Event{event}, 11)...), "10")
	reserved := event
	reserved.Properties = aws.String(`{"userId":"u"}`)
	refusedAs[*etypes.InvalidInputException](t, put(tracking, reserved), "userId")
	unreadable := event
	unreadable.Properties = aws.String(`{"a":`)
	refusedAs[*etypes.InvalidInputException](t, put(tracking, unreadable), "properties")
	if err := put(tracking, event); err != nil {
		t.Errorf("a good event after bad ones: %v", err)
	}
}

// TestHyperParametersThatAreNone: what is no number, or far out of range, is
// refused at once, and says which parameter it is; what a manifest says is not.
func TestHyperParametersThatAreNone(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("absurd")
	create := func(name string, parameters map[string]string) (*personalize.CreateSolutionOutput, error) {
		return c.control.CreateSolution(c.ctx, &personalize.CreateSolutionInput{Name: &name, DatasetGroupArn: &group, RecipeArn: aws.String(recipePrefix + "aws-user-personalization"),
			SolutionConfig: &types.SolutionConfig{AlgorithmHyperParameters: parameters}})
	}
	tried := 0
	for _, name := range []string{"hidden_dimension", "ials.regularization", "ials.iterations", "ials#2.unobserved_weight", "weight.ials", "opening.demographic", "score_scale",
		"sequence.learning_rate", "graph.damping", "cold_item_gain"} {
		for _, value := range []string{"NaN", "nan", "Inf", "+Inf", "-Inf", "infinity", "1e999", "-1e999", "1e300", "-1", "99999999999999999999999999", "0x1p99999", "1,5", "5 ", "", "٣", "null"} {
			_, err := create(fmt.Sprintf("absurd-%d", tried), map[string]string{name: value})
			refusedAs[*types.InvalidInputException](t, err, name)
			tried++
		}
	}
	for _, members := range []string{"", "oracle", "ials,ials", "ials#1", "ials#NaN", "ials,,ease", "ials#99999999999999999999"} {
		_, err := create(fmt.Sprintf("absurd-%d", tried), map[string]string{"members": members})
		refusedAs[*types.InvalidInputException](t, err, "members")
		tried++
	}
	if list := must[*personalize.ListSolutionsOutput](t)(c.control.ListSolutions(c.ctx, &personalize.ListSolutionsInput{DatasetGroupArn: &group})); len(list.Solutions) != 0 {
		t.Errorf("%d solutions were made of %d that were refused", len(list.Solutions), tried)
	}
	if _, err := create("sane", map[string]string{"members": "content,demographic,ials,ials#2", "weight.ials": "0.25", "weight.ials#2": "0", "opening.demographic": "1",
		"ials#2.hidden_dimension": "8", "score_scale": "1e-6", "cold_item_gain": "2.5"}); err != nil {
		t.Errorf("as a manifest has it: %v", err)
	}
}

package sdk_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"
	"github.com/aws/smithy-go"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/double"
	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// once makes clients that try each call once.
func once(t *testing.T, p *binary.Process) *clients {
	cfg := p.AWS()
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return &clients{T: t, ctx: t.Context(), node: p, control: personalize.NewFromConfig(cfg), runtime: personalizeruntime.NewFromConfig(cfg),
		events: personalizeevents.NewFromConfig(cfg)}
}

// verb sends one of the node's own verbs.
func (c *clients) verb(name string, in, out any) error {
	return verb.Call(c.ctx, c.node.AWS(), name, in, out)
}

// TestClock puts a strict node's clock forward: rows are dated by it, signatures
// are not, and a restart and another mode know of it.
func TestClock(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	node := must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data, "--mode=strict"))
	t.Cleanup(func() { node.Kill() })
	c := newClients(t, node)
	const ahead = 30 * 24 * time.Hour
	made := func(name string) time.Duration {
		group := c.datasetGroup(name)
		d := must[*personalize.DescribeDatasetGroupOutput](t)(c.control.DescribeDatasetGroup(c.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: &group}))
		return time.Until(*d.DatasetGroup.CreationDateTime)
	}
	near := func(what string, got, want time.Duration) {
		if d := got - want; d > time.Minute || d < -time.Minute {
			t.Errorf("%s: %s ahead, want %s", what, got, want)
		}
	}
	near("a new node", made("before"), 0)
	var now verb.DescribeClockOutput
	if err := c.verb("AdvanceClock", verb.AdvanceClockInput{Seconds: ahead.Seconds()}, &now); err != nil {
		t.Fatal(err)
	}
	near("the clock", time.Until(now.Now), ahead)
	near("after an advance", made("after"), ahead)
	for _, in := range []verb.AdvanceClockInput{{Seconds: -1}, {To: aws.Time(time.Now())}, {Seconds: 1, To: &now.Now}, {Seconds: 1e300}} {
		if err := c.verb("AdvanceClock", in, &now); err == nil {
			t.Errorf("%+v was not refused", in)
		}
	}
	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}

	if p, err := binary.Start(t.Context(), attuneBinary, data); err == nil || !strings.Contains(err.Error(), "--mode=strict") {
		t.Errorf("a node that is not strict took the folder: %v", err)
		if err == nil {
			p.Kill()
		}
	}
	node = must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data, "--mode=strict"))
	c = newClients(t, node)
	near("after a restart", made("again"), ahead)
	if err := c.verb("AdvanceClock", verb.AdvanceClockInput{To: aws.Time(time.Now().Add(2 * ahead))}, &now); err != nil {
		t.Fatal(err)
	}
	near("after a set", made("set"), 2*ahead)
}

// TestNotStrict: the verbs of strict mode are refused elsewhere, and nothing is throttled.
func TestNotStrict(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	for name, in := range map[string]any{"DescribeClock": verb.DescribeClockInput{}, "AdvanceClock": verb.AdvanceClockInput{Seconds: 1},
		"DescribeFaults": verb.DescribeFaultsInput{}, "SetFaults": double.Script{}} {
		if err := c.verb(name, in, new(json.RawMessage)); err == nil || !strings.Contains(err.Error(), "--mode=strict") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFaults scripts what shall go wrong, and sees it through the SDK.
func TestFaults(t *testing.T) {
	t.Parallel()
	c := once(t, start(t, "--mode=strict"))
	script := func(rules ...double.Rule) {
		t.Helper()
		if err := c.verb("SetFaults", double.Script{Seed: 1, Rules: rules}, new(verb.FaultsOutput)); err != nil {
			t.Fatal(err)
		}
	}
	list := func() error {
		_, err := c.control.ListSchemas(c.ctx, &personalize.ListSchemasInput{})
		return err
	}
	answer := func() error {
		_, err := c.runtime.GetRecommendations(c.ctx, &personalizeruntime.GetRecommendationsInput{
			CampaignArn: aws.String("arn:aws:personalize:us-east-1:000000000000:campaign/none"), UserId: aws.String("u")})
		return err
	}

	script(double.Rule{Operation: "List*", Every: 2, Throttle: true}, double.Rule{Operation: "GetRecommendations", Next: 1, Throttle: true},
		double.Rule{Operation: "GetRecommendations", Resource: "*campaign/none", Next: 1, Error: &double.Exception{Name: "InternalFailure", Status: 500}})
	if err := list(); err != nil {
		t.Error(err)
	}
	refusedCode(t, list(), "ThrottlingException")
	if err := list(); err != nil {
		t.Error(err)
	}
	refusedCode(t, answer(), "ThrottlingException")
	refusedCode(t, answer(), "InternalFailure")
	refusedCode(t, answer(), "ResourceNotFoundException")
	var out verb.FaultsOutput
	if err := c.verb("DescribeFaults", verb.DescribeFaultsInput{}, &out); err != nil || len(out.Rules) != 3 || out.Rules[0].Met != 3 || out.Rules[0].Fired != 1 || out.Rules[2].Fired != 1 {
		t.Errorf("%+v, %v", out, err)
	}

	script(double.Rule{Operation: "ListSchemas", Drop: true, Times: 1}, double.Rule{Operation: "ListSchemas", LatencyMS: 300})
	var answered smithy.APIError
	if err := list(); err == nil || errors.As(err, &answered) {
		t.Errorf("a dropped connection answers %v", err)
	}
	began := time.Now()
	if err := list(); err != nil || time.Since(began) < 300*time.Millisecond {
		t.Errorf("after %s: %v", time.Since(began), err)
	}

	// An SDK with its usual patience sees none of a few throttles.
	script(double.Rule{Operation: "ListSchemas", Next: 2, Throttle: true})
	patient := newClients(t, c.node)
	must[*personalize.ListSchemasOutput](t)(patient.control.ListSchemas(c.ctx, &personalize.ListSchemasInput{}))

	const why = "The script says so."
	script(double.Rule{Operation: "CreateDatasetGroup", Times: 1, FailJob: why})
	g := must[*personalize.CreateDatasetGroupOutput](t)(c.control.CreateDatasetGroup(c.ctx, &personalize.CreateDatasetGroupInput{Name: aws.String("unlucky")}))
	soon(t, func() string {
		d := must[*personalize.DescribeDatasetGroupOutput](t)(c.control.DescribeDatasetGroup(c.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: g.DatasetGroupArn}))
		if aws.ToString(d.DatasetGroup.Status) != "CREATE FAILED" || aws.ToString(d.DatasetGroup.FailureReason) != why {
			return aws.ToString(d.DatasetGroup.Status) + " " + aws.ToString(d.DatasetGroup.FailureReason)
		}
		return ""
	})
	patient.datasetGroup("lucky")
}

// TestThrottling: rates hold where they are asked for, with the name and status
// that SDKs retry; one group's events do not take from another's.
func TestThrottling(t *testing.T) {
	t.Parallel()
	c := newNode(t, "--rate=events=5;items=2;resource=3")
	one := once(t, c.node)
	group := c.datasetGroup("busy")
	c.dataset(group, "Interactions", world.InteractionsSchema)
	items := c.dataset(group, "Items", world.ItemsSchema)
	_, busy := c.tracker(group)
	other := c.datasetGroup("quiet")
	c.dataset(other, "Interactions", world.InteractionsSchema)
	_, quiet := c.tracker(other)

	put := func(tracking string) error {
		_, err := one.events.PutEvents(c.ctx, &personalizeevents.PutEventsInput{TrackingId: &tracking, SessionId: aws.String("s"), UserId: aws.String("u"),
			EventList: []etypes.Event{{EventType: aws.String("View"), ItemId: aws.String("i"), SentAt: aws.Time(time.Now())}}})
		return err
	}
	item := func() error {
		_, err := one.events.PutItems(c.ctx, &personalizeevents.PutItemsInput{DatasetArn: &items,
			Items: []etypes.Item{{ItemId: aws.String("i"), Properties: aws.String(`{"price":1,"categoryL1":"a"}`)}}})
		return err
	}
	recommend := func() error {
		_, err := one.runtime.GetRecommendations(c.ctx, &personalizeruntime.GetRecommendationsInput{
			CampaignArn: aws.String("arn:aws:personalize:us-east-1:000000000000:campaign/none"), UserId: aws.String("u")})
		return err
	}
	for name, f := range map[string]struct {
		call func() error
		rate float64
	}{"PutEvents": {func() error { return put(busy) }, 5}, "PutItems": {item, 2}, "GetRecommendations": {recommend, 3}} {
		throttled, passed, began := 0, 0, time.Now()
		for n := 0; n < 60 && throttled < 3; n++ {
			err := f.call()
			var answered smithy.APIError
			if errors.As(err, &answered) && answered.ErrorCode() == "ThrottlingException" {
				throttled++
				var status interface{ HTTPStatusCode() int }
				if !errors.As(err, &status) || status.HTTPStatusCode() != 429 {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			passed++
		}
		if most := f.rate*time.Since(began).Seconds() + f.rate + 1; throttled == 0 || float64(passed) > most {
			t.Errorf("%s: %d throttled, %d passed in %s at %g per second", name, throttled, passed, time.Since(began), f.rate)
		}
	}
	if err := put(quiet); err != nil {
		t.Errorf("another group's event: %v", err)
	}
	for n := range 20 { // no rate was asked for
		if _, err := one.control.ListSchemas(c.ctx, &personalize.ListSchemasInput{}); err != nil {
			t.Errorf("list %d: %v", n, err)
		}
	}
	_, err := binary.Start(t.Context(), attuneBinary, t.TempDir(), fmt.Sprintf("--rate=%s=1", "coffee"))
	if err == nil || !strings.Contains(err.Error(), "give one of actions, control, events") {
		t.Errorf("an unknown rate: %v", err)
	}
}

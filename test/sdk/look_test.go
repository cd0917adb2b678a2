package sdk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// soonLimit bounds how long a test waits for an event to be seen. It takes
// milliseconds; the rest is for a busy machine.
const soonLimit = 10 * time.Second

// soon waits until now says that all is well, with "".
func soon(t testing.TB, now func() string) {
	t.Helper()
	wrong := now()
	var pause binary.Pause
	for deadline := time.Now().Add(soonLimit); wrong != "" && time.Now().Before(deadline); wrong = now() {
		pause.Sleep()
	}
	if wrong != "" {
		t.Errorf("after %s: %s", soonLimit, wrong)
	}
}

// describeUser asks the node what it knows of a user.
func (c *clients) describeUser(group, user string) verb.DescribeUserOutput {
	c.Helper()
	var out verb.DescribeUserOutput
	soon(c, func() string { // after a start the profiles are being read for a moment
		err := verb.Call(c.ctx, c.node.AWS(), "DescribeUser", verb.DescribeUserInput{DatasetGroupArn: group, UserID: user}, &out)
		if err != nil {
			return err.Error()
		}
		return ""
	})
	return out
}

// history is what a user did, as "item/type", sorted.
func (c *clients) history(group, user string) []string {
	c.Helper()
	did := []string{}
	for _, touch := range c.describeUser(group, user).History {
		did = append(did, touch.ItemID+"/"+touch.EventType)
	}
	slices.Sort(did)
	return did
}

// did waits until a user's history is what is wanted, in any order.
func (c *clients) did(group, user string, want ...string) {
	c.Helper()
	slices.Sort(want)
	soon(c, func() string {
		if got := c.history(group, user); !slices.Equal(got, want) {
			return fmt.Sprintf("%s did %v, want %v", user, got, want)
		}
		return ""
	})
}

// is waits until one attribute of a user is what is wanted; nil for none.
func (c *clients) is(group, user, attribute string, want any) {
	c.Helper()
	soon(c, func() string {
		if got := c.describeUser(group, user).Attributes[attribute]; got != want {
			return fmt.Sprintf("%s of %s is %v, want %v", attribute, user, got, want)
		}
		return ""
	})
}

// imported imports one CSV and returns what Describe says of it at its end.
func (c *clients) imported(dataset, name string, mode types.ImportMode, csv string) *types.DatasetImportJob {
	c.Helper()
	return c.importedFrom(dataset, name, mode, c.put("sdk-imports", name+".csv", csv))
}

func (c *clients) importedFrom(dataset, name string, mode types.ImportMode, location string) *types.DatasetImportJob {
	c.Helper()
	arn := c.importing(name, dataset, location, mode)
	var pause binary.Pause
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); pause.Sleep() {
		d := must[*personalize.DescribeDatasetImportJobOutput](c)(c.control.DescribeDatasetImportJob(c.ctx, &personalize.DescribeDatasetImportJobInput{DatasetImportJobArn: &arn}))
		if s := aws.ToString(d.DatasetImportJob.Status); s == "ACTIVE" || s == "CREATE FAILED" {
			return d.DatasetImportJob
		}
	}
	c.Fatalf("%s did not end in time", arn)
	return nil
}

// good ends the test when an import is not ACTIVE.
func (c *clients) good(j *types.DatasetImportJob) {
	c.Helper()
	if aws.ToString(j.Status) != "ACTIVE" {
		c.Fatalf("%s is %s: %s", *j.DatasetImportJobArn, *j.Status, aws.ToString(j.FailureReason))
	}
}

// gone waits until a Describe says that there is no such thing any more.
func (c *clients) gone(describe func() error) {
	c.Helper()
	soon(c, func() string {
		err := describe()
		if err == nil {
			return "it is still there"
		}
		if !strings.Contains(err.Error(), "ResourceNotFoundException") {
			c.Fatal(err)
		}
		return ""
	})
}

// putEvents sends events, made from "item/type", of one user and session; user may be "".
func (c *clients) putEvents(tracking, user, session string, did ...string) {
	c.Helper()
	in := &personalizeevents.PutEventsInput{TrackingId: &tracking, SessionId: &session}
	if user != "" {
		in.UserId = &user
	}
	for i, d := range did {
		item, typ, _ := strings.Cut(d, "/")
		in.EventList = append(in.EventList, etypes.Event{EventType: &typ, ItemId: &item, SentAt: aws.Time(time.Now().Add(time.Duration(i) * time.Millisecond))})
	}
	must[*personalizeevents.PutEventsOutput](c)(c.events.PutEvents(c.ctx, in))
}

// interactions writes a CSV from "user item type" lines, a second apart.
func interactions(lines ...string) string {
	var b strings.Builder
	b.WriteString("USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n")
	for i, line := range lines {
		fmt.Fprintf(&b, "%s,%d\n", strings.ReplaceAll(line, " ", ","), 1_700_000_000+i)
	}
	return b.String()
}

// shopGroup is a dataset group with the small shop's three datasets imported.
type shopGroup struct {
	group, interactions, items, users string // ARNs
	tracking                          string
	world                             *world.World
}

func (c *clients) shopGroup(name string) shopGroup {
	c.Helper()
	w := smallShop(c.T)
	var interactions, items, users strings.Builder
	for _, err := range []error{w.WriteInteractions(&interactions), w.WriteItems(&items), w.WriteUsers(&users)} {
		if err != nil {
			c.Fatal(err)
		}
	}
	s := shopGroup{group: c.datasetGroup(name), world: w}
	s.interactions = c.dataset(s.group, "Interactions", world.InteractionsSchema)
	s.items = c.dataset(s.group, "Items", world.ItemsSchema)
	s.users = c.dataset(s.group, "Users", world.UsersSchema)
	c.good(c.imported(s.interactions, name+"-interactions", types.ImportModeFull, interactions.String()))
	c.good(c.imported(s.items, name+"-items", types.ImportModeFull, items.String()))
	c.good(c.imported(s.users, name+"-users", types.ImportModeFull, users.String()))
	_, s.tracking = c.tracker(s.group)
	return s
}

// deployed trains a recipe on a group and deploys it.
func (c *clients) deployed(name, group, recipe string) (campaign string) {
	c.Helper()
	return c.campaign(name, c.version(c.solution(name, group, recipe)))
}

// ask gets recommendations for a user, as the SDK has them.
func (c *clients) ask(in *personalizeruntime.GetRecommendationsInput) *personalizeruntime.GetRecommendationsOutput {
	c.Helper()
	return must[*personalizeruntime.GetRecommendationsOutput](c)(c.runtime.GetRecommendations(c.ctx, in))
}

func (c *clients) filter(name, group, expression string) (arn string) {
	c.Helper()
	f := must[*personalize.CreateFilterOutput](c)(c.control.CreateFilter(c.ctx, &personalize.CreateFilterInput{Name: &name, DatasetGroupArn: &group, FilterExpression: &expression}))
	c.active("filter", func() (*string, *string, error) {
		d, err := c.control.DescribeFilter(c.ctx, &personalize.DescribeFilterInput{FilterArn: f.FilterArn})
		if err != nil {
			return nil, nil, err
		}
		return d.Filter.Status, d.Filter.FailureReason, nil
	})
	return *f.FilterArn
}

// newNode starts a node for a test and returns clients of it.
func newNode(t *testing.T, args ...string) *clients { return newClients(t, start(t, args...)) }

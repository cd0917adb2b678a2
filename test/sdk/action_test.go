package sdk_test

import (
	"fmt"
	"math"
	"math/rand/v2"
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
	rtypes "github.com/aws/aws-sdk-go-v2/service/personalizeruntime/types"

	"github.com/attune-io/attune/test/binary"
)

const (
	deskActionsSchema = `{"type":"record","name":"Actions","namespace":"n","version":"1.0","fields":[{"name":"ACTION_ID","type":"string"},
		{"name":"VALUE","type":["null","long"]},{"name":"ACTION_EXPIRATION_TIMESTAMP","type":["null","long"]},
		{"name":"REPEAT_FREQUENCY","type":["null","long"]},{"name":"LEVEL","type":["null","string"],"categorical":true}]}`
	deskHappenedSchema = `{"type":"record","name":"Action_interactions","namespace":"n","version":"1.0","fields":[{"name":"USER_ID","type":"string"},
		{"name":"ACTION_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"}]}`
	deskUsersSchema = `{"type":"record","name":"Users","namespace":"n","version":"1.0","fields":[{"name":"USER_ID","type":"string"},
		{"name":"TIER","type":"string","categorical":true}]}`

	offerUsers   = 400
	offerActions = 8
)

// offered is a synthetic desk: even users are gold, odd ones are not, and how
// likely an offer is taken is known.
func offered(user, action int) float64 {
	if (user+action)%2 == 0 {
		return 0.8 - 0.04*float64(action)
	}
	return 0.2
}

func userName(u int) string   { return fmt.Sprintf("user-%03d", u) }
func actionName(a int) string { return fmt.Sprintf("action-%d", a) }

type offerDesk struct {
	*clients
	actions, happened, tracking string
	group, campaign             string
}

// opened imports a desk, adds to it by PutActions and PutActionInteractions, trains and deploys.
func opened(c *clients) *offerDesk {
	d := &offerDesk{clients: c, group: c.datasetGroup("desk")}
	now := time.Now()
	var users, actions, happened strings.Builder
	users.WriteString("USER_ID,TIER\n")
	happened.WriteString("USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\n")
	r := rand.New(rand.NewPCG(1, 2))
	for u := range offerUsers {
		fmt.Fprintf(&users, "%s,%s\n", userName(u), []string{"gold", "none"}[u%2])
		for range 12 {
			a, at := r.IntN(offerActions), now.Add(-time.Duration(26+r.IntN(30*24))*time.Hour).Unix()
			fmt.Fprintf(&happened, "%s,%s,VIEWED,%d\n", userName(u), actionName(a), at)
			typ := "NOT_TAKEN"
			if r.Float64() < offered(u, a) {
				typ = "TAKEN"
			}
			fmt.Fprintf(&happened, "%s,%s,%s,%d\n", userName(u), actionName(a), typ, at+60)
		}
	}
	actions.WriteString("ACTION_ID,VALUE,ACTION_EXPIRATION_TIMESTAMP,REPEAT_FREQUENCY,LEVEL\n")
	for a := range offerActions {
		end, repeat := "", ""
		switch a {
		case 6:
			end = fmt.Sprint(now.Add(-time.Hour).Unix())
		case 5:
			repeat = "1"
		}
		fmt.Fprintf(&actions, "%s,%d,%s,%s,%s\n", actionName(a), a, end, repeat, []string{"soft", "hard"}[a/4])
	}
	for _, set := range []struct {
		typ, schema, text string
		arn               *string
	}{{"Users", deskUsersSchema, users.String(), new(string)}, {"Actions", deskActionsSchema, actions.String(), &d.actions},
		{"Action_Interactions", deskHappenedSchema, happened.String(), &d.happened}} {
		*set.arn = c.dataset(d.group, set.typ, set.schema)
		name := strings.ToLower(strings.ReplaceAll(set.typ, "_", "-"))
		job := c.importing("desk-"+name, *set.arn, c.put("desk", name+".csv", set.text), "")
		c.active("import of "+set.typ, func() (*string, *string, error) { return c.importStatus(job) })
	}
	d.tracking = *must[*personalize.DescribeDatasetOutput](c)(c.control.DescribeDataset(c.ctx, &personalize.DescribeDatasetInput{DatasetArn: &d.happened})).Dataset.TrackingId
	d.putAction("new", `{"value":100,"level":"soft"}`)
	for u := range 60 { // evidence for action 7 that no file had
		d.did(userName(u), actionName(7), []string{"Viewed", "Taken"}[u%2], now.Add(-time.Hour))
	}
	d.campaign = c.deployed("desk", d.group, "aws-next-best-action")
	return d
}

func (d *offerDesk) putAction(id, properties string) {
	d.Helper()
	must[*personalizeevents.PutActionsOutput](d)(d.events.PutActions(d.ctx, &personalizeevents.PutActionsInput{DatasetArn: &d.actions,
		Actions: []etypes.Action{{ActionId: &id, Properties: &properties}}}))
}

func (d *offerDesk) did(user, action, typ string, at time.Time) {
	d.Helper()
	must[*personalizeevents.PutActionInteractionsOutput](d)(d.events.PutActionInteractions(d.ctx, &personalizeevents.PutActionInteractionsInput{
		TrackingId: &d.tracking, ActionInteractions: []etypes.ActionInteraction{{ActionId: &action, UserId: &user, SessionId: aws.String("s-" + user), EventType: &typ, Timestamp: &at}}}))
}

// ask gives actions in order, and their propensities.
func (d *offerDesk) ask(user string, n int32, filter string, values map[string]string) ([]string, map[string]float64) {
	d.Helper()
	in := &personalizeruntime.GetActionRecommendationsInput{CampaignArn: &d.campaign, UserId: &user, FilterValues: values, NumResults: n}
	if filter != "" {
		in.FilterArn = &filter
	}
	out := must[*personalizeruntime.GetActionRecommendationsOutput](d)(d.runtime.GetActionRecommendations(d.ctx, in))
	if aws.ToString(out.RecommendationId) == "" {
		d.Error("no recommendationId")
	}
	var list []string
	scores, before := map[string]float64{}, 1.0
	for _, a := range out.ActionList {
		list = append(list, *a.ActionId)
		scores[*a.ActionId] = *a.Score
		if *a.Score > before || *a.Score < 0 {
			d.Errorf("%s has %g after %g", *a.ActionId, *a.Score, before)
		}
		before = *a.Score
	}
	return list, scores
}

// until waits until a user's list has an action, or has it no more.
func (d *offerDesk) until(user, action string, there bool) {
	d.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		list, _ := d.ask(user, 100, "", nil)
		if slices.Contains(list, action) == there {
			return
		}
		if time.Now().After(deadline) {
			d.Fatalf("%s for %s: %v; waited for %v", action, user, list, there)
		}
	}
}

// TestActions is the life of actions through aws-sdk-go-v2, across a restart.
func TestActions(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	node, err := binary.Start(t.Context(), attuneBinary, data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Kill() })
	d := opened(newClients(t, node))

	if list, _ := d.ask("user-000", 0, "", nil); len(list) != 5 {
		t.Errorf("%d actions when nobody says how many", len(list))
	}
	off := 0.0
	for u := range 40 {
		list, p := d.ask(userName(u), 100, "", nil)
		if len(list) != offerActions || slices.Contains(list, actionName(6)) || list[len(list)-1] != "new" || p["new"] != 0 {
			t.Fatalf("%s is offered %v", userName(u), p)
		}
		for a := range 5 {
			off += math.Abs(p[actionName(a)]-offered(u, a)) / (40 * 5)
		}
	}
	if off > 0.1 {
		t.Errorf("propensities are off by %.3f on average", off)
	}
	t.Logf("propensities are off by %.3f on average", off)
	d.until("user-001", actionName(5), true)
	d.did("user-001", actionName(5), "Taken", time.Now())
	d.until("user-001", actionName(5), false)
	d.until("user-003", actionName(5), true)
	d.did("user-003", actionName(5), "Taken", time.Now().AddDate(0, 0, -2)) // longer ago than it says
	d.putAction(actionName(4), fmt.Sprintf(`{"actionExpirationTimestamp":%d}`, time.Now().Add(-time.Second).Unix()))
	d.until("user-003", actionName(4), false)
	d.until("user-003", actionName(5), true)
	d.filtersOfActions()
	d.refusals()
	d.metrics()

	_, before := d.ask("user-001", 100, "", nil)
	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}
	if node, err = binary.Start(t.Context(), attuneBinary, data); err != nil {
		t.Fatal(err)
	}
	d.clients = newClients(t, node)
	d.until("user-001", actionName(5), false)
	if _, after := d.ask("user-001", 100, "", nil); !near(before, after) {
		t.Errorf("before a restart %v, after it %v", before, after)
	}
	must[*personalize.DeleteDatasetOutput](d)(d.control.DeleteDataset(d.ctx, &personalize.DeleteDatasetInput{DatasetArn: &d.happened}))
	d.until("user-001", actionName(5), true) // what was deleted did not happen
	if err := node.Stop(); err != nil {
		t.Error(err)
	}
}

// near says whether propensities agree but for the seconds that went by.
func near(a, b map[string]float64) bool {
	for id := range a {
		if math.Abs(a[id]-b[id]) > 1e-3 {
			return false
		}
	}
	return len(a) == len(b)
}

func (d *offerDesk) filtersOfActions() {
	d.Helper()
	filter := func(name, expression string) string {
		f := must[*personalize.CreateFilterOutput](d)(d.control.CreateFilter(d.ctx, &personalize.CreateFilterInput{Name: &name, DatasetGroupArn: &d.group, FilterExpression: &expression}))
		d.active("filter", func() (*string, *string, error) {
			out, err := d.control.DescribeFilter(d.ctx, &personalize.DescribeFilterInput{FilterArn: f.FilterArn})
			if err != nil {
				return nil, nil, err
			}
			return out.Filter.Status, out.Filter.FailureReason, nil
		})
		return *f.FilterArn
	}
	level := filter("level", `INCLUDE ActionID WHERE Actions.LEVEL IN ($LEVEL)`)
	list, _ := d.ask("user-002", 100, level, map[string]string{"LEVEL": `"hard"`})
	if slices.Sort(list); fmt.Sprint(list) != "[action-5 action-7]" { // 4 and 6 have expired
		d.Errorf("of level hard: %v", list)
	}
	untaken := filter("untaken", `EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("taken")`)
	if list, _ := d.ask("user-001", 100, untaken, nil); slices.Contains(list, actionName(7)) || !slices.Contains(list, "new") {
		d.Errorf("of what user-001 did not take: %v", list)
	}
}

func (d *offerDesk) refusals() {
	d.Helper()
	user := aws.String("u")
	_, err := d.runtime.GetRecommendations(d.ctx, &personalizeruntime.GetRecommendationsInput{CampaignArn: &d.campaign, UserId: user})
	refusedAs[*rtypes.InvalidInputException](d.T, err, "GetActionRecommendations")
	_, err = d.runtime.GetPersonalizedRanking(d.ctx, &personalizeruntime.GetPersonalizedRankingInput{CampaignArn: &d.campaign, UserId: user, InputList: []string{"a"}})
	refusedAs[*rtypes.InvalidInputException](d.T, err, "GetActionRecommendations")
	_, err = d.runtime.GetActionRecommendations(d.ctx, &personalizeruntime.GetActionRecommendationsInput{CampaignArn: &d.campaign})
	refusedAs[*rtypes.InvalidInputException](d.T, err, "userId")
	_, err = d.control.CreateDataset(d.ctx, &personalize.CreateDatasetInput{Name: aws.String("again"), DatasetGroupArn: &d.group, DatasetType: aws.String("ACTIONS"),
		SchemaArn: must[*personalize.DescribeDatasetOutput](d)(d.control.DescribeDataset(d.ctx, &personalize.DescribeDatasetInput{DatasetArn: &d.actions})).Dataset.SchemaArn})
	refusedAs[*types.ResourceAlreadyExistsException](d.T, err, "ACTIONS")
}

// metrics are those of ranked lists and of propensities.
func (d *offerDesk) metrics() {
	d.Helper()
	campaign := must[*personalize.DescribeCampaignOutput](d)(d.control.DescribeCampaign(d.ctx, &personalize.DescribeCampaignInput{CampaignArn: &d.campaign})).Campaign
	m := must[*personalize.GetSolutionMetricsOutput](d)(d.control.GetSolutionMetrics(d.ctx, &personalize.GetSolutionMetricsInput{SolutionVersionArn: campaign.SolutionVersionArn})).Metrics
	if m["coverage"] <= 0 || m["area_under_roc_curve"] < 0.7 || m["expected_calibration_error"] > 0.15 || m["normalized_discounted_cumulative_gain_at_5"] <= 0 {
		d.Errorf("metrics %v", m)
	}
	d.Logf("metrics %v", m)
}

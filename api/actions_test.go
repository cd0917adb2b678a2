package api_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	ptypes "github.com/aws/aws-sdk-go-v2/service/personalize/types"
	pe "github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

const (
	actionsAvro = `{"type":"record","name":"Actions","fields":[{"name":"ACTION_ID","type":"string"},{"name":"VALUE","type":["null","long"]},
		{"name":"ACTION_EXPIRATION_TIMESTAMP","type":["null","long"]},{"name":"REPEAT_FREQUENCY","type":["null","long"]},{"name":"LEVEL","type":"string","categorical":true}]}`
	actionInteractionsAvro = `{"type":"record","name":"ActionInteractions","fields":[{"name":"USER_ID","type":"string"},{"name":"ACTION_ID","type":"string"},
		{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"},{"name":"CHANNEL","type":["null","string"],"categorical":true}]}`
)

// desk makes a group with both datasets of actions and tells the trackingId.
func (s *shop) desk() (group event.Group, actions, happened, tracking string) {
	s.Helper()
	arn := s.group("offers")
	actions = s.dataset(arn, "Actions", s.schema("actions", actionsAvro))
	happened = s.dataset(arn, "Action_Interactions", s.schema("happened", actionInteractionsAvro))
	s.settle()
	d := must[*personalize.DescribeDatasetOutput](s)(s.control.DescribeDataset(s.ctx, &personalize.DescribeDatasetInput{DatasetArn: &happened}))
	r, err := s.rows.Get(s.ctx, attune.ARN(arn))
	fatal(s.T, err)
	return event.Group(r.ID), actions, happened, *d.Dataset.TrackingId
}

func TestPutActionsAndInteractions(t *testing.T) {
	s := newShop(t)
	group, actions, _, tracking := s.desk()
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(tracking) {
		t.Errorf("trackingId %q is no UUID", tracking)
	}
	d := must[*personalize.DescribeDatasetOutput](s)(s.control.DescribeDataset(s.ctx, &personalize.DescribeDatasetInput{DatasetArn: &actions}))
	if d.Dataset.TrackingId != nil {
		t.Errorf("the Actions dataset has trackingId %q", *d.Dataset.TrackingId)
	}
	must[*pe.PutActionsOutput](s)(s.events.PutActions(s.ctx, &pe.PutActionsInput{DatasetArn: &actions, Actions: []types.Action{
		{ActionId: aws.String("join"), Properties: aws.String(`{"value":"5","level":"gold|silver"}`)}}}))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	full := types.ActionInteraction{ActionId: aws.String("join"), UserId: aws.String("u"), SessionId: aws.String("s"), EventType: aws.String("Not Taken"),
		Timestamp: &at, EventId: aws.String("e"), RecommendationId: aws.String("rid"), Impression: []string{"join", "quit"}, Properties: aws.String(`{"channel":"mail"}`)}
	bare := types.ActionInteraction{ActionId: aws.String("quit"), SessionId: aws.String("s"), EventType: aws.String("taken"), Timestamp: &at}
	must[*pe.PutActionInteractionsOutput](s)(s.events.PutActionInteractions(s.ctx, &pe.PutActionInteractionsInput{
		TrackingId: &tracking, ActionInteractions: []types.ActionInteraction{full, bare}}))
	same(s, "records", s.records(group), []event.Body{
		&event.Action{ID: "join", Properties: `{"value":"5","level":"gold|silver"}`},
		&event.ActionInteraction{EventID: "e", User: "u", Session: "s", Action: "join", Type: "Not Taken", At: at, Properties: `{"channel":"mail"}`,
			RecommendationID: "rid", Impression: []string{"join", "quit"}},
		&event.ActionInteraction{Session: "s", Action: "quit", Type: "taken", At: at},
	})
}

func TestRefusedActions(t *testing.T) {
	s := newShop(t)
	group, actions, happened, tracking := s.desk()
	put := func(dataset, properties string) error {
		_, err := s.events.PutActions(s.ctx, &pe.PutActionsInput{DatasetArn: &dataset, Actions: []types.Action{
			{ActionId: aws.String("a"), Properties: aws.String(`{"level":"x"}`)}, {ActionId: aws.String("b"), Properties: &properties}}})
		return err
	}
	refused[*types.InvalidInputException](s, put(actions, `{"value":3}`), "action 2")
	refused[*types.InvalidInputException](s, put(actions, `{"level":"x","price":3}`), "price")
	refused[*types.InvalidInputException](s, put(happened, `{"level":"x"}`), "ACTIONS")
	refused[*types.ResourceNotFoundException](s, put(actions+"X", `{"level":"x"}`), "does not exist")
	chose := func(tracking, typ, properties string) error {
		at := time.Now()
		a := types.ActionInteraction{ActionId: aws.String("a"), SessionId: aws.String("s"), EventType: &typ, Timestamp: &at, Properties: &properties}
		_, err := s.events.PutActionInteractions(s.ctx, &pe.PutActionInteractionsInput{TrackingId: &tracking, ActionInteractions: []types.ActionInteraction{a}})
		return err
	}
	refused[*types.ResourceNotFoundException](s, chose("nobody", "Taken", "{}"), "trackingId")
	refused[*types.InvalidInputException](s, chose(tracking, "Clicked", "{}"), "Not Taken")
	refused[*types.InvalidInputException](s, chose(tracking, "NOT_TAKEN", `{"shop":1}`), "action interaction 1")
	if got := s.records(group); len(got) != 0 {
		t.Errorf("what was refused is in the log: %v", got)
	}
	release := s.still()
	must[*personalize.DeleteDatasetOutput](s)(s.control.DeleteDataset(s.ctx, &personalize.DeleteDatasetInput{DatasetArn: &happened}))
	refused[*types.ResourceInUseException](s, chose(tracking, "Taken", "{}"), "DELETE PENDING")
	release()
	s.settle()
	refused[*types.ResourceNotFoundException](s, chose(tracking, "Taken", "{}"), "trackingId")
}

// TestActionsAreForCustomGroups as the service publishes.
func TestActionsAreForCustomGroups(t *testing.T) {
	s := newShop(t)
	g := must[*personalize.CreateDatasetGroupOutput](s)(s.control.CreateDatasetGroup(s.ctx, &personalize.CreateDatasetGroupInput{Name: aws.String("store"), Domain: ptypes.DomainEcommerce}))
	sc := must[*personalize.CreateSchemaOutput](s)(s.control.CreateSchema(s.ctx, &personalize.CreateSchemaInput{Name: aws.String("actions"), Schema: aws.String(actionsAvro), Domain: ptypes.DomainEcommerce}))
	s.settle()
	_, err := s.control.CreateDataset(s.ctx, &personalize.CreateDatasetInput{Name: aws.String("a"), DatasetGroupArn: g.DatasetGroupArn, SchemaArn: sc.SchemaArn, DatasetType: aws.String("Actions")})
	refused[*ptypes.InvalidInputException](s, err, "custom dataset groups")
}

// TestActionInteractionsAreAdmitted: the trackingId of a dataset has a rate, as
// that of an event tracker has.
func TestActionInteractionsAreAdmitted(t *testing.T) {
	s := newShop(t)
	_, _, _, tracking := s.desk()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	admission := api.NewAdmission(s.rows, func() time.Time { return now }, nil)
	op, _ := wire.Lookup(wire.PersonalizeEvents, "PutActionInteractions")
	rate := int(resource.Strict().Rates.Events)
	for i := range rate + 1 {
		_, err := admission.Admit(s.ctx, op, map[string]any{"trackingId": tracking})
		if refused := attune.KindOf(err) == attune.Throttled && err != nil; refused != (i == rate) {
			t.Fatalf("request %d of %d in a moment: %v", i+1, rate, err)
		}
	}
}

package resource_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/resource"
)

// TestOrder walks the whole life, trying each step too early first.
func TestOrder(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group := h.group("films")
	items := h.schema("items", itemsAvro)
	inter := h.schema("interactions", interactionsAvro)
	newSet := func(typ, schema string) error {
		return not(h.CreateDataset(ctx, "d", resource.DatasetBody{DatasetGroupArn: group, DatasetType: typ, SchemaArn: schema}))
	}
	h.refused(newSet("Interactions", inter), attune.InUse, "wait until it is ACTIVE")
	h.refused(not(h.CreateEventTracker(ctx, "t", resource.EventTrackerBody{DatasetGroupArn: group})), attune.InUse, "ACTIVE")
	h.refused(not(h.CreateSolution(ctx, "s", resource.SolutionBody{DatasetGroupArn: group, RecipeArn: userRecipe})), attune.InUse, "ACTIVE")
	h.refused(h.DeleteDatasetGroup(ctx, group), attune.InUse, "CREATE PENDING")
	h.active(group)

	h.refused(newSet("Interactions", items), attune.Invalid, "USER_ID")
	h.refused(newSet("Things", inter), attune.Invalid, "unknown")
	h.refused(newSet("Actions", inter), attune.Invalid, "ACTION_ID")
	h.refused(newSet("Interactions", inter+"x"), attune.NotFound, "does not exist")
	set := h.dataset(group, "interACTIONS", inter)
	if set != "arn:aws:personalize:us-east-1:000000000000:dataset/films/INTERACTIONS" {
		t.Error(set)
	}
	h.refused(newSet("INTERACTIONS", inter), attune.Exists, set)
	h.refused(h.DeleteSchema(ctx, inter), attune.InUse, set)

	newJob := func() error { return not(h.CreateImportJob(ctx, "again", importBody(set))) }
	h.refused(newJob(), attune.InUse, "ACTIVE")
	solution := h.active(h.solution("s", group, userRecipe))
	newVersion := func() error {
		return not(h.CreateSolutionVersion(ctx, resource.VersionRequest{SolutionArn: solution}))
	}
	h.refused(newVersion(), attune.InUse, "dataset")
	h.active(set)
	h.refused(newVersion(), attune.Invalid, "no data")
	job := h.importJob("first", set)
	h.refused(h.DeleteDataset(ctx, set), attune.InUse, job)
	h.refused(newVersion(), attune.InUse, job)
	h.to(job, resource.CreateInProgress)
	h.refused(newVersion(), attune.InUse, job)
	h.to(job, resource.Active)

	version := h.version(solution)
	newCampaign := func() error {
		return not(h.CreateCampaign(ctx, "c", resource.CampaignBody{SolutionVersionArn: version}))
	}
	h.refused(newCampaign(), attune.InUse, "wait until it is ACTIVE")
	h.refused(h.DeleteDataset(ctx, set), attune.InUse, version)
	h.refused(h.DeleteSolution(ctx, solution), attune.InUse, version)
	_, err := h.Metrics(ctx, version)
	h.refused(err, attune.InUse, "has metrics when it is ACTIVE")
	h.active(version)
	campaign := h.campaign("c", version)
	h.refused(h.UpdateCampaign(ctx, campaign, resource.CampaignChange{}), attune.InUse, "CREATE PENDING")
	h.refused(h.DeleteCampaign(ctx, campaign), attune.InUse, "CREATE PENDING")
	h.refused(h.DeleteSolution(ctx, solution), attune.InUse, campaign)
	h.active(campaign)

	tracker := h.active(h.must(h.CreateEventTracker(ctx, "t", resource.EventTrackerBody{DatasetGroupArn: group})))
	filter := h.active(h.must(h.CreateFilter(ctx, "f", resource.FilterBody{DatasetGroupArn: group, FilterExpression: `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")`})))

	h.refused(h.DeleteDatasetGroup(ctx, group), attune.InUse, tracker)
	h.ok(h.DeleteEventTracker(ctx, tracker))
	h.refused(h.DeleteEventTracker(ctx, tracker), attune.InUse, "DELETE PENDING")
	h.refused(h.DeleteDatasetGroup(ctx, group), attune.InUse, tracker)
	h.erase(tracker)
	h.refused(h.DeleteDatasetGroup(ctx, group), attune.InUse, solution)
	h.ok(h.DeleteCampaign(ctx, campaign))
	h.refused(h.DeleteSolution(ctx, solution), attune.InUse, campaign)
	h.erase(campaign)
	h.ok(h.DeleteSolution(ctx, solution))
	h.refused(newVersion(), attune.InUse, "being deleted")
	h.refused(newCampaign(), attune.InUse, "being deleted")
	h.erase(solution)
	h.refused(newCampaign(), attune.NotFound, "does not exist") // the versions went with it
	h.refused(h.DeleteDatasetGroup(ctx, group), attune.InUse, set)
	h.ok(h.DeleteDataset(ctx, set))
	h.refused(h.DeleteSchema(ctx, inter), attune.InUse, set)
	h.erase(set)
	h.ok(h.DeleteSchema(ctx, inter))
	h.ok(h.DeleteDatasetGroup(ctx, group))
	h.refused(not(h.CreateDatasetGroup(ctx, "films", resource.DatasetGroupBody{})), attune.Exists, "still being deleted")
	h.erase(group)
	for _, arn := range []string{group, inter, set, job, tracker, solution, version, campaign, filter} {
		if _, err := h.Get(ctx, attune.ARN(arn)); attune.KindOf(err) != attune.NotFound {
			t.Errorf("%s is still there: %v", arn, err)
		}
	}
	h.group("films")
}

func TestNames(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, set := h.stocked("films")
	other, _ := h.stocked("books")
	_, version := h.trained("s", group)
	h.campaign("c", version)
	tracker := h.must(h.CreateEventTracker(ctx, "t", resource.EventTrackerBody{DatasetGroupArn: group}))
	filter := resource.FilterBody{DatasetGroupArn: group, FilterExpression: `INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")`}
	h.must(h.CreateFilter(ctx, "f", filter))

	h.refused(not(h.CreateDatasetGroup(ctx, "films", resource.DatasetGroupBody{})), attune.Exists, group)
	h.refused(not(h.CreateSchema(ctx, "films-interactions", resource.SchemaBody{Schema: interactionsAvro})), attune.Exists, "films-interactions")
	h.refused(not(h.CreateImportJob(ctx, "films-import", importBody(set))), attune.Exists, "films-import")
	h.refused(not(h.CreateSolution(ctx, "s", resource.SolutionBody{DatasetGroupArn: other, RecipeArn: userRecipe})), attune.Exists, "solution/s")
	h.refused(not(h.CreateCampaign(ctx, "c", resource.CampaignBody{SolutionVersionArn: version})), attune.Exists, "campaign/c")
	h.refused(not(h.CreateFilter(ctx, "f", filter)), attune.Exists, "filter/f")
	h.refused(not(h.CreateEventTracker(ctx, "t", resource.EventTrackerBody{DatasetGroupArn: other})), attune.Exists, tracker)
	h.refused(not(h.CreateEventTracker(ctx, "t2", resource.EventTrackerBody{DatasetGroupArn: group})), attune.Exists, "a group can have one")

	if !regexp.MustCompile(`:event-tracker/[0-9a-f]{8}$`).MatchString(tracker) {
		t.Error(tracker)
	}
	if !regexp.MustCompile(`:solution/s/[0-9a-f]{8}$`).MatchString(version) {
		t.Error(version)
	}
	if id := body[resource.EventTrackerBody](h, tracker).TrackingID; !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Error(id)
	}
	_, err := h.Find(ctx, resource.Campaign, attune.ARN(version))
	h.refused(err, attune.Invalid, "not the ARN of a campaign")
	_, err = h.Find(ctx, resource.Campaign, "arn:aws:personalize:us-east-1:000000000000:campaign/none")
	h.refused(err, attune.NotFound, "campaign")
	if r, err := h.ByID(ctx, mustGet(h, group).ID); err != nil || string(r.ARN) != group {
		t.Errorf("by id: %v, %v", r, err)
	}
}

func mustGet(h *house, arn string) *resource.Resource {
	h.Helper()
	r, err := h.Get(h.Context(), attune.ARN(arn))
	if err != nil {
		h.Fatal(err)
	}
	return r
}

func TestRefusedRequests(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, set := h.stocked("films")
	shop := h.active(h.must(h.CreateDatasetGroup(ctx, "shop", resource.DatasetGroupBody{Domain: "ECOMMERCE"})))
	tags := []resource.Tag{{Key: "a"}, {Key: "a"}}
	h.refused(not(h.CreateDatasetGroup(ctx, "x", resource.DatasetGroupBody{Tags: tags})), attune.Invalid, "twice")
	h.refused(not(h.CreateDatasetGroup(ctx, "x", resource.DatasetGroupBody{KmsKeyArn: "k"})), attune.Invalid, "roleArn")
	h.refused(not(h.CreateSchema(ctx, "x", resource.SchemaBody{Schema: "{"})), attune.Invalid, "")
	h.refused(not(h.CreateSchema(ctx, "x", resource.SchemaBody{Schema: strings.Replace(interactionsAvro, "USER_ID", "USER", 1)})), attune.Invalid, "USER_ID")
	h.refused(not(h.CreateDataset(ctx, "x", resource.DatasetBody{DatasetGroupArn: shop, DatasetType: "ITEMS", SchemaArn: h.schema("i", itemsAvro)})), attune.Invalid, "domain")

	job := importBody(set)
	for location, words := range map[string]string{"https://a/b": "s3://", "s3://": "s3://", "s3:///key": "s3://"} {
		job.DataSource.DataLocation = location
		h.refused(not(h.CreateImportJob(ctx, "x", job)), attune.Invalid, words)
	}
	job = importBody(set)
	job.PublishAttributionMetricsToS3 = true
	h.refused(not(h.CreateImportJob(ctx, "x", job)), attune.Invalid, "needs an ACTIVE metric attribution")

	for expression, words := range map[string]string{
		`INCLUDE nonsense`: "", `INCLUDE ItemID WHERE Items.GENRES IN ("a")`: "", `EXCLUDE ItemID WHERE Interactions.COLOUR IN ("a")`: "",
	} {
		h.refused(not(h.CreateFilter(ctx, "x", resource.FilterBody{DatasetGroupArn: group, FilterExpression: expression})), attune.Invalid, words)
	}
}

func TestRefusedSolutions(t *testing.T) {
	h := newHouse(t)
	group, _ := h.stocked("films")
	for _, c := range []struct {
		b     resource.SolutionBody
		words string
	}{
		{resource.SolutionBody{}, "recipeArn is missing"},
		{resource.SolutionBody{PerformAutoML: true, RecipeArn: userRecipe}, "not both"},
		{resource.SolutionBody{RecipeArn: userRecipe + "-v3"}, "aws-popularity-count, aws-trending-now, aws-user-personalization-v2"},
		{resource.SolutionBody{RecipeArn: "arn:aws:personalize:::recipe/aws-vod-top-picks"}, "CreateRecommender"},
		{resource.SolutionBody{RecipeArn: "arn:aws:personalize:::recipe/aws-made-up"}, "does not exist"},
		{resource.SolutionBody{RecipeArn: userRecipe, PerformIncrementalUpdate: true}, "performIncrementalUpdate"},
		{withConfig(`{"algorithmHyperParameters":{"hidden_dimension":"7"}}`), "32"},
		{withConfig(`{"algorithmHyperParameters":{"min_cointeraction_count":"3"}}`), "does not take"},
		{withConfig(`{"algorithmHyperParameters":{"negative_outcomes":"Rate<few"}}`), "a number after <"},
		{withConfig(`{"algorithmHyperParameters":{"negative_outcomes":"Hide"},"eventsConfig":{"eventParametersList":[{"eventType":"hide"},{"eventType":"Buy"}]}}`), "also counts"},
		{resource.SolutionBody{PerformAutoML: true, SolutionConfig: json.RawMessage(`{"algorithmHyperParameters":{"negative_outcomes":"Hide,"}}`)}, "event types with commas"},
		{withConfig(`{"eventValueThreshold":"many"}`), "eventValueThreshold"},
		{withConfig(`{"eventValueThreshold":"NaN"}`), "eventValueThreshold"},
		{withConfig(`{"optimizationObjective":{"itemAttribute":"PRICE","objectiveSensitivity":"LOW"}}`), "no Items dataset"},
		{withConfig(`{"autoTrainingConfig":{"schedulingExpression":"rate(31 days)"}}`), "1 to 30"},
		{withConfig(`{"eventsConfig":{"eventParametersList":[{"eventType":"a","weight":1.5}]}}`), "weight 1.5"},
		{withConfig(`{"eventsConfig":{"eventParametersList":[{"eventType":"a"},{"eventType":"A"}]}}`), "twice"},
		{withConfig(`{"eventsConfig":{"eventParametersList":[{"eventType":"a","weight":0},{"eventType":"b","weight":0}]}}`), "every event type the weight 0"},
		{withConfig(`{"eventsConfig":{"eventParametersList":[{"eventType":"a"}]},"eventValueThreshold":"1"}`), "twice"},
		{withConfig(`{"eventsConfig":{"eventParametersList":[{"weight":1}]}}`), "without an eventType"},
	} {
		c.b.DatasetGroupArn = group
		h.refused(not(h.CreateSolution(t.Context(), "x", c.b)), attune.Invalid, c.words)
	}
}

func withConfig(config string) resource.SolutionBody {
	return resource.SolutionBody{RecipeArn: userRecipe, SolutionConfig: json.RawMessage(config)}
}

func TestWhatAVersionLearnsFrom(t *testing.T) {
	h := newHouse(t)
	group, _ := h.stocked("films")
	for i, c := range []struct {
		event, config string
		wantEvents    string
		wantParams    string
	}{
		{"", "", `null`, `{}`},
		{"Watch", `{"eventValueThreshold":"4","algorithmHyperParameters":{"hidden_dimension":"64"}}`, `[{"eventType":"Watch","eventValueThreshold":4,"weight":null}]`, `{"hidden_dimension":"64"}`},
		{"", `{"eventsConfig":{"eventParametersList":[{"eventType":"Rate","eventValueThreshold":4,"weight":1},{"eventType":"Buy","weight":0.5}]},"featureTransformationParameters":{"max_user_history_length_percentile":"0.9"}}`,
			`[{"eventType":"Rate","eventValueThreshold":4,"weight":1},{"eventType":"Buy","eventValueThreshold":null,"weight":0.5}]`, `{"max_user_history_length_percentile":"0.9"}`},
	} {
		b := withConfig(c.config)
		b.DatasetGroupArn, b.EventType = group, c.event
		s := h.active(h.must(h.CreateSolution(t.Context(), fmt.Sprint("s", i), b)))
		v := body[resource.SolutionVersionBody](h, h.version(s))
		if events, _ := json.Marshal(v.Events()); string(events) != c.wantEvents {
			t.Errorf("%d: learns from %s", i, events)
		}
		if p, _ := json.Marshal(v.Parameters()); string(p) != c.wantParams {
			t.Errorf("%d: parameters %s", i, p)
		}
	}

	// What counts above a value may tell against its item below another.
	b := withConfig(`{"algorithmHyperParameters":{"negative_outcomes":"Hide, Rate<3"},"eventsConfig":{"eventParametersList":[{"eventType":"Rate","eventValueThreshold":4},{"eventType":"Hide","weight":0}]}}`)
	b.DatasetGroupArn = group
	v := body[resource.SolutionVersionBody](h, h.version(h.active(h.must(h.CreateSolution(t.Context(), "negative", b)))))
	if got, _ := json.Marshal(v.Negative()); string(got) != `[{"Type":"Hide","Below":null},{"Type":"Rate","Below":3}]` {
		t.Errorf("negative outcomes %s", got)
	}
}

func TestVersions(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, _ := h.stocked("films")
	solution := h.active(h.solution("s", group, userRecipe))
	ask := func(solution, name, mode string) error {
		return not(h.CreateSolutionVersion(ctx, resource.VersionRequest{SolutionArn: solution, Name: name, TrainingMode: mode}))
	}
	h.refused(ask(solution, "", "AUTOTRAIN"), attune.Invalid, "FULL or UPDATE")
	h.refused(ask(solution, "", "UPDATE"), attune.Invalid, "has none")
	sims := h.active(h.solution("sims", group, simsRecipe))
	h.active(h.version(sims))
	h.refused(ask(sims, "", "UPDATE"), attune.Invalid, "aws-user-personalization")
	first := h.version(solution)
	h.refused(ask(solution, "", "UPDATE"), attune.Invalid, "has none")
	h.active(first)
	h.ok(ask(solution, "named", "UPDATE"))
	h.refused(ask(solution, "named", ""), attune.Exists, "named")
	h.ok(ask(sims, "named", ""))

	pending, running := h.version(solution), h.to(h.version(solution), resource.CreateInProgress)
	h.ok(h.StopSolutionVersion(ctx, pending))
	h.ok(h.StopSolutionVersion(ctx, running))
	h.ok(h.StopSolutionVersion(ctx, running))
	if p, r := h.status(pending), h.status(running); p != resource.CreateStopped || r != resource.CreateStopping {
		t.Errorf("stopping gave %s and %s", p, r)
	}
	h.to(running, resource.CreateStopped)
	for _, arn := range []string{pending, running, first} {
		h.refused(h.StopSolutionVersion(ctx, arn), attune.Invalid, "can be stopped")
	}
	h.refused(not(h.CreateCampaign(ctx, "c", resource.CampaignBody{SolutionVersionArn: running})), attune.Invalid, "CREATE STOPPED")
	latest, err := h.LatestVersion(ctx, attune.ARN(solution))
	if err != nil || string(latest.ARN) != running {
		t.Errorf("the latest version is %v, %v", latest, err)
	}
}

// TestEcho keeps what was given as it was given.
func TestEcho(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, _ := h.stocked("films")
	config := `{"algorithmHyperParameters":{"hidden_dimension":"149"},"hpoConfig":{"hpoObjective":{"type":"max"}},"autoTrainingConfig":{"schedulingExpression":"rate(1 day)"}}`
	b := withConfig(config)
	b.DatasetGroupArn = group
	solution := h.must(h.CreateSolution(ctx, "s", b))
	sb := body[resource.SolutionBody](h, solution)
	if string(sb.SolutionConfig) != config || sb.PerformAutoTraining == nil || !*sb.PerformAutoTraining {
		t.Errorf("solution %+v", sb)
	}
	no := false
	b.PerformAutoTraining = &no
	if sb := body[resource.SolutionBody](h, h.must(h.CreateSolution(ctx, "s2", b))); *sb.PerformAutoTraining {
		t.Error("performAutoTraining false was not kept")
	}
	h.active(solution)
	vb := body[resource.SolutionVersionBody](h, h.version(solution))
	if string(vb.SolutionConfig) != config || vb.TrainingMode != "FULL" || vb.TrainingType != "MANUAL" || vb.RecipeArn != userRecipe || vb.DatasetGroupArn != group || vb.TrainingHours != nil {
		t.Errorf("version %+v", vb)
	}
	avro := "  " + interactionsAvro + "\n"
	if got := body[resource.SchemaBody](h, h.schema("spaced", avro)).Schema; got != avro {
		t.Errorf("schema %q", got)
	}
	expression := `exclude ItemID  where Interactions.event_type in ("View")`
	if got := body[resource.FilterBody](h, h.must(h.CreateFilter(ctx, "f", resource.FilterBody{DatasetGroupArn: group, FilterExpression: expression}))).FilterExpression; got != expression {
		t.Errorf("filter %q", got)
	}
}

// TestTimes: a status never changes without lastUpdatedDateTime, and rows of one
// moment keep their order.
func TestTimes(t *testing.T) {
	h := newHouse(t)
	a, b := mustGet(h, h.group("a")), mustGet(h, h.group("b"))
	if !a.Created.Before(b.Created) || !a.Updated.Equal(a.Created) {
		t.Errorf("created %s and %s, updated %s", a.Created, b.Created, a.Updated)
	}
	last := a.Updated
	for _, s := range []resource.Status{resource.CreateInProgress, resource.Active} {
		h.to(string(a.ARN), s)
		now := mustGet(h, string(a.ARN))
		if !now.Updated.After(last) || !now.Created.Equal(a.Created) {
			t.Errorf("%s at %s, was %s", s, now.Updated, last)
		}
		last = now.Updated
	}
	h.clock.advance(time.Hour)
	h.ok(h.DeleteDatasetGroup(t.Context(), string(a.ARN)))
	if got, want := mustGet(h, string(a.ARN)).Updated, h.clock.Now(); !got.Equal(want) {
		t.Errorf("updated %s at %s", got, want)
	}
}

func TestSchemasOfAGroup(t *testing.T) {
	h := newHouse(t)
	group, set := h.stocked("films")
	h.dataset(group, "ITEMS", h.schema("items", itemsAvro))
	schemas, err := h.Schemas(t.Context(), mustGet(h, group).ID)
	if err != nil || len(schemas) != 2 || schemas[schema.Interactions].Name != "Interactions" || schemas[schema.Items].Name != "Items" {
		t.Errorf("%v, %v", schemas, err)
	}
	h.ok(h.DeleteDataset(t.Context(), set))
	if schemas, err = h.Schemas(t.Context(), mustGet(h, group).ID); err != nil || len(schemas) != 1 {
		t.Errorf("while one is deleted: %v, %v", schemas, err)
	}
}

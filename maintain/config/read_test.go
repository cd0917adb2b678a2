package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sample reads a file of testdata.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReadFull(t *testing.T) {
	c, err := Read(sample(t, "full.json"), "full.json")
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string, got, want any) {
		t.Helper()
		if s, ok := got.(Schedule); ok {
			s.at = place{}
			got = s
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	calls := func(what string, got json.RawMessage, want string) {
		t.Helper()
		var a, b any
		if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("call of %s is\n%s, want\n%s", what, got, want)
		}
	}
	const tags = `"tags":[{"tagKey":"team","tagValue":"shop"}]`
	same("tags", c.Tags, []Tag{{"team", "shop"}})
	same("warnings", len(c.Warnings), 0)
	same("group name", c.Group.Name, "films")
	same("group age", c.Group.MaxAge, 30*24*time.Hour)
	same("import", c.Group.Import, Schedule{Path: "datasetGroup.workflowConfig.schedules.import", Text: "cron(0 */6 * * ? *)"})
	calls("group", c.Group.Call, `{"name":"films","domain":"VIDEO_ON_DEMAND",`+tags+`}`)
	calls("import", c.Datasets.Import, `{"importMode":"FULL","publishAttributionMetricsToS3":true,`+tags+`}`)
	var kinds []string
	for kind, d := range c.Datasets.All() {
		kinds = append(kinds, kind+" "+d.Path+" "+d.Schema.Path)
	}
	same("datasets", kinds, []string{
		"Interactions datasets.interactions datasets.interactions.schema",
		"Users datasets.users datasets.users.schema", "Items datasets.items datasets.items.schema",
	})
	calls("interactions", c.Datasets.Interactions.Call, `{"name":"films-interactions","tags":[{"tagKey":"source","tagValue":"player"}]}`)
	var schema struct{ Name, Domain, Schema string }
	if err := json.Unmarshal(c.Datasets.Users.Schema.Call, &schema); err != nil {
		t.Fatal(err)
	}
	same("schema", schema.Schema, `{"type":"record","name":"Users","namespace":"com.example","fields":[{"name":"USER_ID","type":"string"},{"name":"AGE","type":"int"},{"name":"PLAN","type":"string","categorical":true}],"version":"1.0"}`)
	same("schema's domain", schema.Domain, "VIDEO_ON_DEMAND")
	calls("tracker", c.Tracker.Call, `{"name":"films-events",`+tags+`}`)
	same("filters", len(c.Filters), 2)
	calls("filter", c.Filters[1].Call, `{"name":"films-drama","filterExpression":"INCLUDE ItemID WHERE Items.GENRES IN (\"drama\")"}`)
	calls("recommender", c.Recommenders[0].Call, `{"name":"films-top-picks","recipeArn":"arn:aws:personalize:::recipe/aws-vod-top-picks",
		"recommenderConfig":{"minRecommendationRequestsPerSecond":2,"itemExplorationConfig":{"explorationWeight":"0.2"}},`+tags+`}`)
	s := c.Solutions[0]
	calls("solution", s.Call, `{"name":"films-for-you","recipeArn":"arn:aws:personalize:::recipe/aws-user-personalization","eventType":"Watch",
		"solutionConfig":{"eventValueThreshold":"0.5","algorithmHyperParameters":{"hidden_dimension":"64"},
		"hpoConfig":{"hpoResourceConfig":{"maxNumberOfTrainingJobs":"4","maxParallelTrainingJobs":"2"}}},`+tags+`}`)
	calls("version", s.Version, `{"trainingMode":"FULL","tags":[{"tagKey":"kind","tagValue":"version"}]}`)
	same("update", s.Update, Schedule{Path: "solutions[0].workflowConfig.schedules.update", Text: "rate(6 hours)"})
	same("promote", s.Promote, Promote{IfNotWorse, "normalized_discounted_cumulative_gain_at_25", 0.02, 0.1})
	calls("campaign", s.Campaigns[0].Call, `{"name":"films-for-you-live","minProvisionedTPS":1,
		"campaignConfig":{"itemExplorationConfig":{"explorationWeight":"0.3","explorationItemAgeCutOff":"30"},"enableMetadataWithRecommendations":false},`+tags+`}`)
	if text := string(s.Campaigns[0].Call); !strings.Contains(text, `"minProvisionedTPS":1,`) {
		t.Errorf("a client cannot read an integer in %s", text)
	}
	calls("second campaign", s.Campaigns[1].Call, `{"name":"films-for-you-next","minProvisionedTPS":1,`+tags+`}`)
	same("path", s.Campaigns[1].Path, "solutions[0].campaigns[1]")
	calls("batch", s.Inference[0].Call, `{"numResults":25,"batchInferenceJobConfig":{"itemExplorationConfig":{"explorationWeight":"0"}},`+tags+`}`)
	same("batch age", s.Inference[0].MaxAge, 7*24*time.Hour)
	same("batch schedule", s.Inference[0].Schedule, Schedule{Path: "solutions[0].batchInferenceJobs[0].workflowConfig.schedule", Text: "cron(0 3 * * ? *)"})
	a := c.Solutions[1]
	calls("audiences", a.Call, `{"name":"films-audiences","recipeArn":"arn:aws:personalize:::recipe/aws-item-affinity",`+tags+`}`)
	same("dropped", a.Full, Schedule{Path: "solutions[1].workflowConfig.schedules.full", Drop: true})
	same("default promote", a.Promote, Promote{Always, "hits_at_1_percent", 0, 0.05})
	calls("audiences' version", a.Version, `{"trainingMode":"FULL",`+tags+`}`)
	same("segment", a.Segments[0].Schedule.Text, "cron(0 4 ? * MON#1 *)")
}

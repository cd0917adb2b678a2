package conform_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// addressed are the optional members that say what an operation is about.
var addressed = map[string]string{
	"GetRecommendations": "campaignArn", "GetActionRecommendations": "campaignArn",
	"UpdateMetricAttribution": "metricAttributionArn", "ListMetricAttributionMetrics": "metricAttributionArn", "ListSolutionVersions": "solutionArn",
}

// nobody is an ARN of the right kind that nothing has.
func nobody(member string) string {
	kind := kebab(strings.TrimSuffix(member, "Arn"))
	switch member {
	case "resourceArn":
		kind = "dataset-group"
	case "datasetArn":
		return "arn:aws:personalize:us-east-1:000000000000:dataset/nobody/ITEMS"
	case "solutionVersionArn":
		return "arn:aws:personalize:us-east-1:000000000000:solution/nobody/00000000"
	case "recipeArn", "algorithmArn", "featureTransformationArn":
		return "arn:aws:personalize:::" + kind + "/nobody"
	}
	return "arn:aws:personalize:us-east-1:000000000000:" + kind + "/nobody"
}

// kebab writes batchInferenceJob as batch-inference-job.
func kebab(camel string) string {
	var b strings.Builder
	for _, c := range camel {
		if c >= 'A' && c <= 'Z' {
			b.WriteByte('-')
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

// TestNothingThere asks every operation that publishes ResourceNotFoundException
// for what does not exist.
func TestNothingThere(t *testing.T) {
	ops := operations(t)
	n := start(t)
	asked := 0
	for _, op := range ops {
		if !op.declares("ResourceNotFoundException") {
			continue
		}
		body := op.request(minimal)
		for name, member := range op.of.shape(*op.Input).Members {
			if _, there := body[name]; member.Shape == "Arn" && (there || addressed[op.Name] == name) {
				body[name] = nobody(name)
			}
		}
		switch op.Name {
		case "PutActionInteractions":
			body["trackingId"] = "nobody"
		case "GetRecommendations", "GetActionRecommendations":
			body["userId"] = "u"
		case "CreateDatasetImportJob", "CreateDataDeletionJob":
			body["dataSource"] = map[string]any{"dataLocation": "s3://bucket/key"}
		case "CreateSolution":
			body["recipeArn"] = recipe("aws-user-personalization")
		case "CreateRecommender":
			body["recipeArn"] = recipe("aws-ecomm-recommended-for-you")
		}
		asked++
		if a := n.call(t, op, body); a.exception != "ResourceNotFoundException" || !strings.Contains(a.message, "nobody") {
			t.Errorf("%s %v: %d %s %q, want ResourceNotFoundException that names what is missing", op.Name, body, a.status, a.exception, a.message)
		}
	}
	t.Logf("%d operations", asked)
}

// TestForgedTokens gives every list a page token that it never made, and one of another list.
func TestForgedTokens(t *testing.T) {
	ops := operations(t)
	n := start(t)
	for _, name := range []string{"one", "two", "three"} {
		op := find(t, "CreateDatasetGroup")
		if a := n.call(t, op, map[string]any{"name": name}); a.status != 200 {
			t.Fatal(a.message)
		}
	}
	foreign := n.call(t, find(t, "ListDatasetGroups"), map[string]any{"maxResults": 1}).body["nextToken"]
	if foreign == nil {
		t.Fatal("three groups fit on a page of one")
	}
	for _, op := range ops {
		if op.Input == nil || op.of.shape(*op.Input).Members["nextToken"].Shape == "" {
			continue
		}
		for _, token := range []any{"forged", foreign} {
			if token == foreign && op.Name == "ListDatasetGroups" {
				continue
			}
			if a := n.call(t, op, map[string]any{"nextToken": token}); a.exception != "InvalidNextTokenException" {
				t.Errorf("%s with a token that is not its own: %d %s %q", op.Name, a.status, a.exception, a.message)
			}
		}
	}
}

// The errors that the services publish, but those that a request alone provokes:
// the tests of constraints, of what is not there and of tokens do.
const (
	exists   = "ResourceAlreadyExistsException"
	inUse    = "ResourceInUseException"
	limit    = "LimitExceededException"
	tags     = "TooManyTagsException"
	tagKeys  = "TooManyTagKeysException"
	missing  = "ResourceNotFoundException"
	invalid  = "InvalidInputException"
	badToken = "InvalidNextTokenException"
)

// refused sends a request that must be answered with an error that its operation publishes.
func (l *life) refused(name, exception string, body map[string]any) {
	l.Helper()
	op := find(l.T, name)
	if !op.declares(exception) {
		l.Errorf("%s does not publish %s", name, exception)
	}
	if a := l.node.call(l.T, op, body); a.status == 200 || a.exception != exception || a.message == "" {
		l.Errorf("%s: %d %s %q, want %s", name, a.status, a.exception, a.message, exception)
	}
}

// refusals provokes what needs a world: names that are taken, and things in use.
func (l *life) refusals() {
	again := 0
	for _, op := range operations(l.T) {
		if body, sent := l.last[op.Name]; sent && op.declares(exists) && op.Name != "UpdateMetricAttribution" && op.Name != "CreateSolutionVersion" {
			l.refused(op.Name, exists, body)
			again++
		}
	}
	if again != 14 {
		l.Errorf("%d operations were asked for a name that is taken, want 14", again)
	}
	l.refused("CreateSolutionVersion", exists, map[string]any{"solutionArn": l.known["solution"], "name": l.known["version name"]})
	metric := map[string]any{"eventType": "View", "metricName": "views", "expression": "SAMPLECOUNT()"}
	l.refused("UpdateMetricAttribution", exists, map[string]any{"metricAttributionArn": l.known["metricAttributionArn"], "addMetrics": []any{metric}})

	schema := l.node.call(l.T, find(l.T, "DescribeDataset"), map[string]any{"datasetArn": l.known["Items"]}).body["dataset"].(map[string]any)["schemaArn"]
	l.refused("DeleteDatasetGroup", inUse, map[string]any{"datasetGroupArn": l.known["custom"]})
	l.refused("DeleteSchema", inUse, map[string]any{"schemaArn": schema})
	l.refused("DeleteSolution", inUse, map[string]any{"solutionArn": l.known["solution"]})
	l.refused("StartRecommender", inUse, map[string]any{"recommenderArn": l.known["recommenderArn"]})

	l.known["solutionArn"] = l.known["solution"]
	l.both2("CreateSolutionVersion")
	l.refused("GetSolutionMetrics", inUse, map[string]any{"solutionVersionArn": l.known["solutionVersionArn"]})
	l.refused("CreateCampaign", inUse, map[string]any{"name": "too-early", "solutionVersionArn": l.known["solutionVersionArn"]})
	l.refused("DeleteSolution", inUse, map[string]any{"solutionArn": l.known["solution"]})
	l.both2("StopSolutionVersionCreation")
	l.settle("DescribeSolutionVersion", "CREATE STOPPED")
	l.known["solutionVersionArn"] = l.known["version"]
}

// TestQuotas provokes the errors of quotas, which only strict mode has.
func TestQuotas(t *testing.T) {
	operations(t)
	l := &life{T: t, node: start(t, "--mode=strict"), known: map[string]any{}, done: map[string]map[form]string{}, last: map[string]map[string]any{}}
	many := make([]any, 51)
	keys := make([]any, 51)
	for i := range many {
		keys[i] = fmt.Sprintf("key-%d", i)
		many[i] = map[string]any{"tagKey": keys[i], "tagValue": "v"}
	}
	l.refused("CreateDatasetGroup", tags, map[string]any{"name": "many", "tags": many})
	for range 5 {
		l.do("CreateDatasetGroup", minimal, nil)
	}
	l.settle("DescribeDatasetGroup", "ACTIVE")
	l.refused("CreateDatasetGroup", limit, map[string]any{"name": "sixth"})
	arn := l.known["datasetGroupArn"]
	l.refused("TagResource", tags, map[string]any{"resourceArn": arn, "tags": many})
	l.refused("UntagResource", tagKeys, map[string]any{"resourceArn": arn, "tagKeys": keys})
}

// TestEveryErrorIsProvoked finds published errors that no test of this package provokes.
func TestEveryErrorIsProvoked(t *testing.T) {
	provoked := []string{exists, inUse, limit, tags, tagKeys, missing, invalid, badToken}
	for _, op := range operations(t) {
		for _, e := range op.Errors {
			if !slices.Contains(provoked, e.Shape) {
				t.Errorf("%s publishes %s, which nothing provokes", op.Name, e.Shape)
			}
		}
	}
}

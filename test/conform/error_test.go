package conform_test

import (
	"strings"
	"testing"
)

// addressed are the optional members that say what an operation is about.
var addressed = map[string]string{
	"GetRecommendations": "campaignArn", "GetActionRecommendations": "campaignArn",
	"UpdateMetricAttribution": "metricAttributionArn", "ListSolutionVersions": "solutionArn",
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

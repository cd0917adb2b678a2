package conform_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

func (l *life) actions() {
	l.known["datasetGroupArn"] = l.known["custom"]
	l.dataset(minimal, left("the dataset group has no domain"), "Actions", actionsSchema, []byte("ACTION_ID,VALUE,CHANNEL\nsign-up,10,mail\ndownload,5,app\n"))
	var history bytes.Buffer
	history.WriteString("USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\n")
	end := l.shop.End().Unix()
	for i := range 400 {
		action, what := []string{"sign-up", "download"}[i%2], []string{"Taken", "Not Taken", "Viewed"}[i%3]
		fmt.Fprintf(&history, "%s,%s,%s,%d\n", l.shop.UserID(i%200), action, what, end-int64(i)*60)
	}
	l.dataset(minimal, left("the dataset group has no domain"), "Action_Interactions", actionInteractionsSchema, history.Bytes())
	l.known["datasetArn"] = l.known["Action_Interactions"]
	tracking := l.settle("DescribeDataset", "ACTIVE")["trackingId"]
	happened := map[string]any{"actionId": "sign-up", "userId": l.shop.UserID(3), "sessionId": "s", "timestamp": json.Number("1767225600"), "eventType": "Taken",
		"eventId": "a1", "recommendationId": "r", "impression": []any{"sign-up", "download"}, "properties": "{}"}
	l.do("PutActionInteractions", maximal, with{"trackingId": tracking, "actionInteractions": []any{happened}})
	l.do("PutActionInteractions", minimal, with{"trackingId": tracking, "actionInteractions": []any{map[string]any{
		"actionId": "sign-up", "sessionId": "s", "timestamp": json.Number("1767225600"), "eventType": "Viewed"}}})
	l.known["datasetArn"] = l.known["Actions"]
	l.both("PutActions", with{"actions": []any{map[string]any{"actionId": "call", "properties": `{"value":3,"channel":"phone"}`}}})
	l.do("PutActions", minimal, nil)
	version := l.trained("aws-next-best-action")
	l.known["solutionVersionArn"] = version
	l.do("CreateCampaign", minimal, nil)
	l.settle("DescribeCampaign", "ACTIVE")
	l.do("CreateFilter", minimal, with{"filterExpression": `EXCLUDE ActionID WHERE Actions.CHANNEL IN ($CHANNEL)`})
	l.settle("DescribeFilter", "ACTIVE")
	l.do("GetActionRecommendations", minimal, with{"campaignArn": l.known["campaignArn"], "userId": l.shop.UserID(1)})
	l.do("GetActionRecommendations", maximal, with{"userId": l.shop.UserID(1), "numResults": json.Number("5"), "filterValues": map[string]any{"CHANNEL": `"phone"`}})
}

// s3 is where a job reads or writes, without a key: nothing is encrypted.
func s3Path(path string) map[string]any { return map[string]any{"path": path} }

func (l *life) batch() {
	const (
		noTheme = left("theme generation is refused")
		noKey   = left("nothing is encrypted with a key")
	)
	in := l.upload("batch/users.json", []byte(fmt.Sprintf("{\"userId\":%q}\n{\"userId\":%q}\n", l.shop.UserID(1), l.shop.UserID(2))))
	inputs := map[string]any{"s3DataSource": s3Path(in)}
	outputs := map[string]any{"s3DataDestination": s3Path("s3://conform/out/")}
	l.known["solutionVersionArn"], l.known["filterArn"] = l.known["version"], l.known["by price"]
	l.do("CreateBatchInferenceJob", minimal, with{"jobInput": inputs, "jobOutput": outputs})
	l.settle("DescribeBatchInferenceJob", "ACTIVE")
	filtered := l.upload("batch/filtered.json", []byte(fmt.Sprintf("{\"userId\":%q,\"filterValues\":{\"LEAST\":\"1\"}}\n", l.shop.UserID(1))))
	l.do("CreateBatchInferenceJob", maximal, with{"jobInput": map[string]any{"s3DataSource": s3Path(filtered)}, "jobOutput": outputs, "numResults": json.Number("10"),
		"jobInput.s3DataSource.kmsKeyArn": noKey, "jobOutput.s3DataDestination.kmsKeyArn": noKey,
		"batchInferenceJobMode": "BATCH_INFERENCE", "themeGenerationConfig": noTheme,
		"batchInferenceJobConfig":                  map[string]any{"itemExplorationConfig": map[string]any{"explorationWeight": "0"}},
		"batchInferenceJobConfig.rankingInfluence": left("aws-semantic-similarity takes it")})
	l.settle("DescribeBatchInferenceJob", "ACTIVE")

	l.known["solutionVersionArn"] = l.trained("aws-item-affinity")
	items := map[string]any{"s3DataSource": s3Path(l.upload("batch/items.json", []byte(fmt.Sprintf("{\"itemId\":%q}\n", l.shop.ItemID(1)))))}
	l.do("CreateBatchSegmentJob", minimal, with{"jobInput": items, "jobOutput": outputs})
	l.settle("DescribeBatchSegmentJob", "ACTIVE")
	l.do("CreateFilter", minimal, with{"filterExpression": `EXCLUDE UserID WHERE Users.MEMBERSHIP IN ("nobody has this")`})
	l.settle("DescribeFilter", "ACTIVE")
	l.do("CreateBatchSegmentJob", maximal, with{"jobInput": items, "jobOutput": outputs, "numResults": json.Number("20"),
		"jobInput.s3DataSource.kmsKeyArn": noKey, "jobOutput.s3DataDestination.kmsKeyArn": noKey})
	l.settle("DescribeBatchSegmentJob", "ACTIVE")
}

func (l *life) attribution() {
	output := map[string]any{"s3DataDestination": s3Path("s3://conform/metrics/"), "roleArn": samples()["RoleArn"]}
	const noKey = left("nothing is encrypted with a key")
	key := "metricsOutputConfig.s3DataDestination.kmsKeyArn"
	metric := func(name string) map[string]any {
		return map[string]any{"eventType": "View", "metricName": name, "expression": "SAMPLECOUNT()"}
	}
	l.known["datasetGroupArn"] = l.known["shop"]
	l.do("CreateMetricAttribution", minimal, with{"metrics": []any{metric("views")}, "metricsOutputConfig": map[string]any{"roleArn": samples()["RoleArn"]}})
	l.settle("DescribeMetricAttribution", "ACTIVE")
	l.both2("DeleteMetricAttribution")
	l.settle("DescribeMetricAttribution", "gone")
	l.do("CreateMetricAttribution", maximal, with{"metrics": []any{metric("views"), metric("more views")}, "metricsOutputConfig": output, key: noKey})
	l.settle("DescribeMetricAttribution", "ACTIVE")
	l.do("UpdateMetricAttribution", minimal, with{"metricAttributionArn": l.known["metricAttributionArn"], "addMetrics": []any{metric("third")}})
	l.settle("DescribeMetricAttribution", "ACTIVE")
	l.do("UpdateMetricAttribution", maximal, with{"addMetrics": []any{metric("fourth")}, "removeMetrics": []any{"third"}, "metricsOutputConfig": output, key: noKey})
	l.settle("DescribeMetricAttribution", "ACTIVE")
	l.known["datasetGroupArn"] = l.known["custom"]
}

func (l *life) tags() {
	l.known["resourceArn"] = l.known["custom"]
	l.both("TagResource", with{"tags": []any{map[string]any{"tagKey": "team", "tagValue": "search"}}})
	if tags := l.both("ListTagsForResource", nil)["tags"].([]any); len(tags) != 1 {
		l.Errorf("tags: %v, want the one given", tags)
	}
	l.both("UntagResource", with{"tagKeys": []any{"team"}})
	if tags := l.both("ListTagsForResource", nil)["tags"].([]any); len(tags) != 0 {
		l.Errorf("tags: %v, want none", tags)
	}
}

func (l *life) exports() {
	l.known["datasetArn"] = l.known["Interactions"]
	output := map[string]any{"s3DataDestination": s3Path("s3://conform/export/")}
	l.do("CreateDatasetExportJob", minimal, with{"jobOutput": output})
	l.settle("DescribeDatasetExportJob", "ACTIVE")
	l.do("CreateDatasetExportJob", maximal, with{"jobOutput": output, "ingestionMode": "ALL", "jobOutput.s3DataDestination.kmsKeyArn": left("nothing is encrypted with a key")})
	l.settle("DescribeDatasetExportJob", "ACTIVE")
}

// lists sends every List, and walks each paginator one row a page.
func (l *life) lists() {
	const first = left("the first page has none; the walk sends it")
	l.known["datasetArn"], l.known["solutionArn"], l.known["solutionVersionArn"] = l.known["Interactions"], l.known["solution"], l.known["version"]
	for _, op := range operations(l.T) {
		if !strings.HasPrefix(op.Name, "List") || op.Name == "ListRecipes" || op.Name == "ListTagsForResource" {
			continue
		}
		if member := addressed[op.Name]; member != "" { // by rule, if not by shape, it must be there
			l.do(op.Name, minimal, with{member: l.known[member]})
			l.do(op.Name, maximal, with{"nextToken": first})
			continue
		}
		l.both(op.Name, with{"nextToken": first})
	}
	for _, s := range must(published()) {
		for name, p := range s.paginators {
			l.walk(find(l.T, name), p)
		}
	}
	l.walk(find(l.T, "ListDataDeletionJobs"), paginator{"nextToken", "nextToken", "maxResults", "dataDeletionJobs"})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // the file was read before
	}
	return v
}

// walk reads a list in pages of one and holds it against the list in one page.
func (l *life) walk(op *operation, p paginator) {
	l.Helper()
	of := map[string]any{}
	if member := addressed[op.Name]; member != "" {
		of[member] = l.known[member]
	}
	page := func(more map[string]any) map[string]any {
		maps.Copy(more, of)
		return more
	}
	whole := l.node.call(l.T, op, page(map[string]any{p.LimitKey: json.Number("100")}))
	var want []string
	for _, row := range whole.body[p.ResultKey].([]any) {
		want = append(want, fmt.Sprint(row))
	}
	var got []string
	for token := any(nil); ; {
		body := map[string]any{p.LimitKey: json.Number("1")}
		if token != nil {
			body[p.InputToken] = token
		}
		a := l.node.call(l.T, op, page(body))
		rows, _ := a.body[p.ResultKey].([]any)
		if a.status != 200 || len(rows) > 1 || len(got) > len(want) {
			l.Fatalf("%s: page %d: %d %s %s, %d rows", op.Name, len(got)+1, a.status, a.exception, a.message, len(rows))
		}
		for _, row := range rows {
			got = append(got, fmt.Sprint(row))
		}
		if token = a.body[p.OutputToken]; token == nil {
			break
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		l.Errorf("%s: in pages of one %d rows, in one page %d, or others", op.Name, len(got), len(want))
	}
	l.Logf("%s: %d rows", op.Name, len(got))
}

func (l *life) deletions() {
	source := func(user int) map[string]any {
		return map[string]any{"dataLocation": l.upload(fmt.Sprintf("forget-%d.csv", user), []byte("USER_ID\n"+l.shop.UserID(user)+"\n"))}
	}
	l.known["datasetGroupArn"] = l.known["custom"]
	l.do("CreateDataDeletionJob", minimal, with{"dataSource": source(7)})
	l.settle("DescribeDataDeletionJob", "COMPLETED")
	l.do("CreateDataDeletionJob", maximal, with{"dataSource": source(8)})
	l.settle("DescribeDataDeletionJob", "COMPLETED")
}

// theEnd deletes everything, in the order that the rules ask for.
func (l *life) theEnd() {
	every := func(list, key, arn, describe, remove string) {
		l.Helper()
		for _, row := range l.node.call(l.T, find(l.T, list), map[string]any{}).body[key].([]any) {
			l.known[arn] = row.(map[string]any)[arn]
			l.both2(remove)
			if describe != "" {
				l.settle(describe, "gone")
			}
		}
	}
	every("ListMetricAttributions", "metricAttributions", "metricAttributionArn", "DescribeMetricAttribution", "DeleteMetricAttribution")
	every("ListRecommenders", "recommenders", "recommenderArn", "DescribeRecommender", "DeleteRecommender")
	every("ListCampaigns", "campaigns", "campaignArn", "DescribeCampaign", "DeleteCampaign")
	every("ListSolutions", "solutions", "solutionArn", "DescribeSolution", "DeleteSolution")
	every("ListFilters", "Filters", "filterArn", "DescribeFilter", "DeleteFilter")
	every("ListEventTrackers", "eventTrackers", "eventTrackerArn", "DescribeEventTracker", "DeleteEventTracker")
	every("ListDatasets", "datasets", "datasetArn", "DescribeDataset", "DeleteDataset")
	every("ListSchemas", "schemas", "schemaArn", "", "DeleteSchema")
	every("ListDatasetGroups", "datasetGroups", "datasetGroupArn", "DescribeDatasetGroup", "DeleteDatasetGroup")
}

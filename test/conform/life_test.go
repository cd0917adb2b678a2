package conform_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// Schemas whose columns may be null, so that a row can be put with its id alone.
const (
	itemsSchema = `{"type":"record","name":"Items","namespace":"n","version":"1.0","fields":[
		{"name":"ITEM_ID","type":"string"},{"name":"NAME","type":["null","string"]},
		{"name":"CATEGORY_L1","type":["null","string"],"categorical":true},{"name":"GENRES","type":["null","string"],"categorical":true},
		{"name":"PRICE","type":["null","float"]},{"name":"CREATION_TIMESTAMP","type":["null","long"]}]}`
	usersSchema = `{"type":"record","name":"Users","namespace":"n","version":"1.0","fields":[
		{"name":"USER_ID","type":"string"},{"name":"AGE","type":["null","int"]},{"name":"MEMBERSHIP","type":["null","string"],"categorical":true}]}`
	widerUsersSchema = `{"type":"record","name":"Users","namespace":"n","version":"1.0","fields":[
		{"name":"USER_ID","type":"string"},{"name":"AGE","type":["null","int"]},{"name":"MEMBERSHIP","type":["null","string"],"categorical":true},
		{"name":"TOWN","type":["null","string"],"categorical":true}]}`
	interactionsSchema = `{"type":"record","name":"Interactions","namespace":"n","version":"1.0","fields":[
		{"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"}]}`
	actionsSchema = `{"type":"record","name":"Actions","namespace":"n","version":"1.0","fields":[
		{"name":"ACTION_ID","type":"string"},{"name":"VALUE","type":["null","long"]},{"name":"CHANNEL","type":["null","string"],"categorical":true}]}`
	actionInteractionsSchema = `{"type":"record","name":"ActionInteractions","namespace":"n","version":"1.0","fields":[
		{"name":"USER_ID","type":"string"},{"name":"ACTION_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"}]}`
)

// TestEveryOperation makes everything there is, each operation in its smallest
// and its fullest form, and takes it away again.
func TestEveryOperation(t *testing.T) {
	operations(t)
	l := newLife(t)
	for _, part := range []struct {
		name string
		run  func(*life)
	}{
		{"groups", (*life).groups},
		{"datasets", (*life).datasets},
		{"events", (*life).events},
		{"filters", (*life).filters},
		{"catalogue", (*life).catalogue},
		{"solutions", (*life).solutions},
		{"campaigns", (*life).campaigns},
		{"recommendations", (*life).recommendations},
		{"recommenders", (*life).recommenders},
		{"actions", (*life).actions},
		{"batch", (*life).batch},
		{"attribution", (*life).attribution},
		{"tags", (*life).tags},
		{"exports", (*life).exports},
		{"deletions", (*life).deletions},
		{"lists", (*life).lists},
		{"refusals", (*life).refusals},
		{"the end", (*life).theEnd},
	} {
		if !t.Run(part.name, func(t *testing.T) {
			l.T = t
			part.run(l)
		}) {
			t.Fatalf("%s went wrong: what comes after it needs it", part.name)
		}
	}
	l.T = t
	l.report()
}

// report counts what was sent, and fails for an operation that was not.
func (l *life) report() {
	ops := operations(l.T)
	for _, op := range ops {
		for _, f := range []form{minimal, maximal} {
			if _, ok := l.done[op.Name][f]; !ok {
				l.Errorf("%s was not sent in its %s form", op.Name, f)
			}
		}
		if out := l.done[op.Name][maximal]; out != "" && out != "map[]" {
			l.Logf("%s, maximal, leaves out %s", op.Name, strings.TrimPrefix(out, "map"))
		}
	}
	l.Logf("%d of %d operations in both forms", len(l.done), len(ops))
}

func (l *life) groups() {
	l.do("CreateDatasetGroup", maximal, with{"domain": "ECOMMERCE"})
	l.settle("DescribeDatasetGroup", "ACTIVE")
	l.known["shop"] = l.known["datasetGroupArn"]
	l.do("CreateDatasetGroup", minimal, nil)
	l.settle("DescribeDatasetGroup", "ACTIVE")
	l.known["custom"] = l.known["datasetGroupArn"]
}

// dataset makes a schema and a dataset of it, and imports data where there is some.
func (l *life) dataset(f form, domain any, kind, schema string, data []byte) {
	l.Helper()
	l.do("CreateSchema", f, with{"schema": schema, "domain": domain})
	l.both("DescribeSchema", nil)
	l.do("CreateDataset", f, with{"datasetType": kind})
	l.settle("DescribeDataset", "ACTIVE")
	l.known[kind] = l.known["datasetArn"]
	if data == nil {
		return
	}
	where := l.upload(kind+"/data.csv", data)
	l.do("CreateDatasetImportJob", f, with{"dataSource": map[string]any{"dataLocation": where}, "importMode": "FULL"})
	l.settle("DescribeDatasetImportJob", "ACTIVE")
}

func (l *life) datasets() {
	const none = left("the dataset group has no domain")
	l.known["datasetGroupArn"] = l.known["shop"]
	l.dataset(maximal, "ECOMMERCE", "Items", itemsSchema, csv(l.shop.WriteItems))
	l.dataset(maximal, "ECOMMERCE", "Interactions", interactionsSchema, csv(l.shop.WriteInteractions))
	l.known["shop Interactions"] = l.known["Interactions"]
	l.known["datasetGroupArn"] = l.known["custom"]
	l.dataset(minimal, none, "Items", itemsSchema, csv(l.shop.WriteItems))
	l.dataset(minimal, none, "Interactions", interactionsSchema, csv(l.shop.WriteInteractions))
	l.dataset(minimal, none, "Users", usersSchema, csv(l.shop.WriteUsers))
	l.do("CreateSchema", minimal, with{"schema": widerUsersSchema})
	for _, f := range []form{minimal, maximal} {
		l.do("UpdateDataset", f, with{"datasetArn": l.known["Users"]})
		l.settle("DescribeDataset", "ACTIVE", "latestDatasetUpdate") // a dataset being updated refuses the next update
	}
}

func (l *life) events() {
	l.known["datasetGroupArn"] = l.known["shop"]
	l.do("CreateEventTracker", maximal, nil)
	l.settle("DescribeEventTracker", "ACTIVE")
	l.known["shop tracker"] = l.known["eventTrackerArn"]
	l.known["datasetGroupArn"] = l.known["custom"]
	l.do("CreateEventTracker", minimal, nil)
	l.settle("DescribeEventTracker", "ACTIVE")
	event := map[string]any{
		"eventId": "e1", "eventType": "View", "eventValue": json.Number("1"), "itemId": l.shop.ItemID(1), "sentAt": json.Number("1767225600"),
		"properties": "{}", "recommendationId": "r", "impression": []any{l.shop.ItemID(1), l.shop.ItemID(2)},
		"metricAttribution": map[string]any{"eventAttributionSource": "newsletter"},
	}
	l.do("PutEvents", maximal, with{"userId": l.shop.UserID(1), "eventList": []any{event}})
	l.do("PutEvents", minimal, nil)
	l.known["datasetArn"] = l.known["Items"]
	l.both("PutItems", with{"items": []any{map[string]any{"itemId": "new", "properties": `{"genres":"odd","price":3}`}}})
	l.do("PutItems", minimal, nil)
	l.known["datasetArn"] = l.known["Users"]
	l.both("PutUsers", with{"users": []any{map[string]any{"userId": "new", "properties": `{"age":30,"town":"Bern"}`}}})
	l.do("PutUsers", minimal, nil)
}

func (l *life) filters() {
	l.do("CreateFilter", minimal, with{"filterExpression": "INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)"})
	l.settle("DescribeFilter", "ACTIVE")
	l.known["by genre"] = l.known["filterArn"]
	l.do("CreateFilter", maximal, with{"filterExpression": "EXCLUDE ItemID WHERE Items.PRICE < $LEAST"})
	l.settle("DescribeFilter", "ACTIVE")
	l.known["by price"] = l.known["filterArn"]
}

func (l *life) catalogue() {
	l.both("ListRecipes", with{"nextToken": left("the first page has none"), "domain": "ECOMMERCE"})
	l.known["recipeArn"] = recipe("aws-user-personalization")
	d := l.both("DescribeRecipe", nil)["recipe"].(map[string]any)
	l.known["algorithmArn"], l.known["featureTransformationArn"] = d["algorithmArn"], d["featureTransformationArn"]
	l.both("DescribeAlgorithm", nil)
	l.both("DescribeFeatureTransformation", nil)
}

package maintain_test

import (
	"fmt"
	"strings"

	"github.com/attune-io/attune/world"
)

// shopConfig declares everything that a configuration can declare, in the
// form of the original solution's file with one addition, promote.
func shopConfig(promote string) string {
	return fmt.Sprintf(`{
  "tags": [{"tagKey": "team", "tagValue": "shop"}],
  "datasetGroup": {
    "serviceConfig": {"name": "shop"},
    "workflowConfig": {"schedules": {"import": "cron(0 * * * ? *)"}}
  },
  "datasets": {
    "interactions": {"dataset": {"serviceConfig": {"name": "shop-interactions"}}, "schema": {"serviceConfig": {"name": "shop-interactions", "schema": %s}}},
    "items": {"dataset": {"serviceConfig": {"name": "shop-items"}}, "schema": {"serviceConfig": {"name": "shop-items", "schema": %s}}},
    "users": {"dataset": {"serviceConfig": {"name": "shop-users"}}, "schema": {"serviceConfig": {"name": "shop-users", "schema": %s}}}
  },
  "eventTracker": {"serviceConfig": {"name": "shop-events"}},
  "filters": [
    {"serviceConfig": {"name": "shop-unseen", "filterExpression": "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"View\")"}},
    {"serviceConfig": {"name": "shop-cheap", "filterExpression": "INCLUDE ItemID WHERE Items.PRICE < 50"}}
  ],
  "solutions": [
    {
      "serviceConfig": {"name": "shop-for-you", "recipeArn": "arn:aws:personalize:::recipe/aws-user-personalization"},
      "workflowConfig": {"schedules": {"full": "cron(0 3 ? * 1 *)", "update": "cron(30 4 * * ? *)"}, "promote": "%s"},
      "campaigns": [{"serviceConfig": {"name": "shop-for-you", "minProvisionedTPS": 1}}],
      "batchInferenceJobs": [{"serviceConfig": {"numResults": 10}, "workflowConfig": {"schedule": "cron(0 6 ? * 1 *)", "maxAge": "12 hours"}}]
    },
    {
      "serviceConfig": {"name": "shop-popular", "recipeArn": "arn:aws:personalize:::recipe/aws-popularity-count", "performAutoTraining": false},
      "campaigns": [{"serviceConfig": {"name": "shop-popular", "minProvisionedTPS": 1}}]
    }
  ]
}`, oneLine(world.InteractionsSchema), oneLine(world.ItemsSchema), oneLine(world.UsersSchema), promote)
}

func oneLine(schema string) string { return strings.Join(strings.Fields(schema), " ") }

// batchInput is what the batch job of shop-for-you reads.
func batchInput(users int) (key, body string) {
	var b strings.Builder
	for u := range users {
		fmt.Fprintf(&b, `{"userId":"u%04d"}`+"\n", u+1)
	}
	return "batch/shop/shop-for-you/job_config.json", b.String()
}

package conform_test

import (
	"encoding/json"
)

// manual is what solutions of the test say of automatic training: no.
var manual = with{"performAutoTraining": false}

// trained makes a solution of a recipe and a version of it.
func (l *life) trained(name string) (version any) {
	l.Helper()
	l.do("CreateSolution", minimal, with{"recipeArn": recipe(name), "performAutoTraining": false})
	l.settle("DescribeSolution", "ACTIVE")
	l.do("CreateSolutionVersion", minimal, nil)
	l.settle("DescribeSolutionVersion", "ACTIVE")
	return l.known["solutionVersionArn"]
}

func (l *life) solutions() {
	l.do("CreateSolution", maximal, with{
		"recipeArn": recipe("aws-user-personalization"), "eventType": left("eventsConfig says it"),
		"performHPO": true, "performAutoML": false, "performAutoTraining": true, "performIncrementalUpdate": false,
		"solutionConfig": map[string]any{
			"hpoConfig": map[string]any{
				"hpoObjective":      map[string]any{"type": "Maximize", "metricName": "precision_at_25", "metricRegex": "x"},
				"hpoResourceConfig": map[string]any{"maxNumberOfTrainingJobs": "2", "maxParallelTrainingJobs": "1"},
				"algorithmHyperParameterRanges": map[string]any{
					"integerHyperParameterRanges":     []any{map[string]any{"name": "hidden_dimension", "minValue": json.Number("32"), "maxValue": json.Number("40")}},
					"continuousHyperParameterRanges":  []any{},
					"categoricalHyperParameterRanges": []any{map[string]any{"name": "recency_mask", "values": []any{"true", "false"}}},
				}},
			"algorithmHyperParameters":        map[string]any{"bptt": "32"},
			"featureTransformationParameters": map[string]any{"max_user_history_length_percentile": "1.0"},
			"eventsConfig": map[string]any{"eventParametersList": []any{
				map[string]any{"eventType": "View", "weight": json.Number("0.3")}, map[string]any{"eventType": "Purchase", "weight": json.Number("1")}}},
			"optimizationObjective": map[string]any{"itemAttribute": "PRICE", "objectiveSensitivity": "LOW"},
			"trainingDataConfig":    map[string]any{"excludedDatasetColumns": map[string]any{"Items": []any{"NAME"}}},
			"autoTrainingConfig":    map[string]any{"schedulingExpression": "rate(7 days)"},
		},
		"solutionConfig.eventValueThreshold":                       left("eventsConfig says it"),
		"solutionConfig.autoMLConfig":                              left("recipeArn and performAutoML exclude each other"),
		"solutionConfig.trainingDataConfig.includedDatasetColumns": left("excludedDatasetColumns says it"),
	})
	l.settle("DescribeSolution", "ACTIVE")
	l.known["solution"] = l.known["solutionArn"]
	l.do("UpdateSolution", maximal, with{"performIncrementalUpdate": false,
		"solutionUpdateConfig.eventsConfig": map[string]any{"eventParametersList": []any{map[string]any{"eventType": "View", "weight": json.Number("0.5")}, map[string]any{"eventType": "Purchase", "weight": json.Number("1")}}}})
	l.settle("DescribeSolution", "ACTIVE", "latestSolutionUpdate")
	l.do("CreateSolutionVersion", maximal, with{"trainingMode": "FULL"})
	l.settle("DescribeSolutionVersion", "ACTIVE")
	l.known["version"], l.known["version name"] = l.known["solutionVersionArn"], l.last["CreateSolutionVersion"]["name"]
	l.both("GetSolutionMetrics", nil)
	l.do("CreateSolutionVersion", minimal, nil)
	l.both2("StopSolutionVersionCreation")
	l.settle("DescribeSolutionVersion", "CREATE STOPPED")
	l.known["ranking version"] = l.trained("aws-personalized-ranking")
	l.do("UpdateSolution", minimal, manual)
	l.settle("DescribeSolution", "ACTIVE", "latestSolutionUpdate")
}

// both2 sends a request that cannot be repeated and whose two forms are one.
func (l *life) both2(name string) map[string]any {
	l.Helper()
	out := l.do(name, maximal, nil)
	l.done[name][minimal] = "map[]"
	return out
}

func (l *life) campaigns() {
	l.known["solutionVersionArn"] = l.known["ranking version"]
	l.do("CreateCampaign", minimal, nil)
	l.settle("DescribeCampaign", "ACTIVE")
	l.known["ranking"] = l.known["campaignArn"]
	l.known["solutionVersionArn"] = l.known["version"]
	config := map[string]any{"itemExplorationConfig": map[string]any{"explorationWeight": "0.2", "explorationItemAgeCutOff": "30"},
		"enableMetadataWithRecommendations": true, "syncWithLatestSolutionVersion": false}
	const influence = left("aws-semantic-similarity takes it")
	l.do("CreateCampaign", maximal, with{"minProvisionedTPS": json.Number("1"), "campaignConfig": config, "campaignConfig.rankingInfluence": influence})
	l.settle("DescribeCampaign", "ACTIVE")
	l.do("UpdateCampaign", minimal, nil)
	l.settle("DescribeCampaign", "ACTIVE", "latestCampaignUpdate")
	l.do("UpdateCampaign", maximal, with{"minProvisionedTPS": json.Number("2"), "campaignConfig": config, "campaignConfig.rankingInfluence": influence})
	l.settle("DescribeCampaign", "ACTIVE", "latestCampaignUpdate")
}

func (l *life) recommendations() {
	metadata := map[string]any{"ITEMS": []any{"GENRES"}}
	genre := map[string]any{"GENRE": `"` + l.shop.Item(0).Genres[0] + `"`}
	l.do("GetRecommendations", minimal, with{"campaignArn": l.known["campaignArn"], "userId": l.shop.UserID(1)})
	l.do("GetRecommendations", maximal, with{
		"userId": l.shop.UserID(1), "numResults": json.Number("10"), "filterArn": l.known["by price"], "filterValues": map[string]any{"LEAST": "1"},
		"metadataColumns": metadata, "recommenderArn": left("campaignArn says it"), "itemId": l.shop.ItemID(1),
		"promotions": []any{map[string]any{"name": "deal", "percentPromotedItems": json.Number("30"), "filterArn": l.known["by genre"], "filterValues": genre}},
	})
	l.both("GetPersonalizedRanking", with{"campaignArn": l.known["ranking"], "userId": l.shop.UserID(2), "inputList": []any{l.shop.ItemID(1), l.shop.ItemID(2)},
		"filterArn": l.known["by genre"], "filterValues": genre, "metadataColumns": metadata})
	l.do("GetPersonalizedRanking", minimal, with{"campaignArn": l.known["ranking"], "inputList": []any{l.shop.ItemID(1)}})
}

func (l *life) recommenders() {
	l.known["datasetGroupArn"] = l.known["shop"]
	config := map[string]any{"itemExplorationConfig": map[string]any{"explorationWeight": "0.2"}, "minRecommendationRequestsPerSecond": json.Number("1"),
		"enableMetadataWithRecommendations": true, "trainingDataConfig": map[string]any{"excludedDatasetColumns": map[string]any{"Items": []any{"NAME"}}}}
	included := "recommenderConfig.trainingDataConfig.includedDatasetColumns"
	l.do("CreateRecommender", minimal, with{"recipeArn": recipe("aws-ecomm-popular-items-by-views")})
	l.settle("DescribeRecommender", "ACTIVE")
	l.known["second recommender"] = l.known["recommenderArn"]
	l.do("CreateRecommender", maximal, with{"recipeArn": recipe("aws-ecomm-recommended-for-you"), "recommenderConfig": config, included: left("excludedDatasetColumns says it")})
	l.settle("DescribeRecommender", "ACTIVE")
	l.do("GetRecommendations", minimal, with{"recommenderArn": l.known["recommenderArn"], "userId": l.shop.UserID(1)})
	l.do("UpdateRecommender", minimal, with{"recommenderConfig": map[string]any{"minRecommendationRequestsPerSecond": json.Number("2")}})
	l.settle("DescribeRecommender", "ACTIVE", "latestRecommenderUpdate")
	l.do("UpdateRecommender", maximal, with{"recommenderConfig": config, included: left("excludedDatasetColumns says it")})
	l.settle("DescribeRecommender", "ACTIVE", "latestRecommenderUpdate")
	l.both2("StopRecommender")
	l.settle("DescribeRecommender", "INACTIVE")
	l.both2("StartRecommender")
	l.settle("DescribeRecommender", "ACTIVE")
	l.known["datasetGroupArn"] = l.known["custom"]
}

package sdk_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// Every kind of resource, from its making to its end, through each client. The
// four programs do the same, so that a difference is a client's.

// TestKindsBoto3 goes the way of every kind through boto3.
func TestKindsBoto3(t *testing.T) {
	t.Parallel()
	python := need(t, []string{"-c", "import boto3"}, "../../.venv/bin/python3", "python3")
	script(t, nil, python, "kinds.py")
}

// TestKindsAWSCLI goes the way of every kind through the aws CLI of PyPI:
// Debian's is older than data deletion jobs and actions.
func TestKindsAWSCLI(t *testing.T) {
	t.Parallel()
	cli := need(t, []string{"--version"}, "../../.venv/bin/aws")
	shell(t, cli, "./kinds.sh")
}

// TestKindsJavaScript goes the way of every kind through the JavaScript SDK v3.
func TestKindsJavaScript(t *testing.T) {
	t.Parallel()
	node := need(t, []string{"-e", "require('../../.node/node_modules/@aws-sdk/client-personalize')"}, "node")
	script(t, []string{"NODE_PATH=../../.node/node_modules"}, node, "kinds.cjs")
}

const (
	actionsSchema = `{"type":"record","name":"Actions","namespace":"n","version":"1.0","fields":[
		{"name":"ACTION_ID","type":"string"},{"name":"CHANNEL","type":"string","categorical":true}]}`
	takenSchema = `{"type":"record","name":"ActionInteractions","namespace":"n","version":"1.0","fields":[
		{"name":"USER_ID","type":"string"},{"name":"ACTION_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"}]}`
)

// TestKindsGo goes the way of every kind through aws-sdk-go-v2.
func TestKindsGo(t *testing.T) {
	t.Parallel()
	k := &kinds{clients: newClients(t, start(t)), shop: smallShop(t)}
	for _, part := range []func(){k.data, k.live, k.models, k.acting, k.recommender, k.batch, k.reports, k.end} {
		part()
	}
}

type kinds struct {
	*clients
	shop                       *world.World
	group, domain              string
	interactions, items, users string
	tracking                   string
	filter, version, campaign  string
}

// settled waits until a status is the one wanted; missing means until the resource is gone.
func (k *kinds) settled(what, want string, status func() (*string, error)) {
	k.Helper()
	var pause binary.Pause
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); pause.Sleep() {
		now, err := status()
		var gone *types.ResourceNotFoundException
		if errors.As(err, &gone) && want == "gone" {
			return
		}
		if err != nil {
			k.Fatalf("%s: %v", what, err)
		}
		if aws.ToString(now) == want {
			return
		}
		if strings.HasSuffix(aws.ToString(now), "FAILED") {
			k.Fatalf("%s is %s", what, *now)
		}
	}
	k.Fatalf("%s was not %s in time", what, want)
}

func (k *kinds) imported(group, kind, schema string, write func(io.Writer) error) string {
	k.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		k.Fatal(err)
	}
	arn := k.dataset(group, kind, schema)
	name := "import-" + strings.ToLower(kind) + "-" + group[strings.LastIndex(group, "/")+1:]
	job := k.importing(name, arn, k.put("kinds", name, b.String()), types.ImportModeFull)
	k.active(kind, func() (*string, *string, error) { return k.importStatus(job) })
	return arn
}

func (k *kinds) data() {
	k.group = k.datasetGroup("custom")
	shop := must[*personalize.CreateDatasetGroupOutput](k)(k.control.CreateDatasetGroup(k.ctx, &personalize.CreateDatasetGroupInput{Name: aws.String("shop"), Domain: types.DomainEcommerce}))
	k.domain = *shop.DatasetGroupArn
	k.settled("group", "ACTIVE", func() (*string, error) {
		d, err := k.control.DescribeDatasetGroup(k.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: &k.domain})
		if err != nil {
			return nil, err
		}
		return d.DatasetGroup.Status, nil
	})
	k.interactions = k.imported(k.group, "Interactions", world.InteractionsSchema, k.shop.WriteInteractions)
	k.items = k.imported(k.group, "Items", world.ItemsSchema, k.shop.WriteItems)
	k.users = k.imported(k.group, "Users", world.UsersSchema, k.shop.WriteUsers)
	wider := strings.Replace(world.UsersSchema, `{"name": "AGE"`, `{"name": "TOWN", "type": ["null", "string"], "categorical": true}, {"name": "AGE"`, 1)
	s := must[*personalize.CreateSchemaOutput](k)(k.control.CreateSchema(k.ctx, &personalize.CreateSchemaInput{Name: aws.String("wider"), Schema: &wider}))
	must[*personalize.UpdateDatasetOutput](k)(k.control.UpdateDataset(k.ctx, &personalize.UpdateDatasetInput{DatasetArn: &k.users, SchemaArn: s.SchemaArn}))
	k.settled("dataset update", "ACTIVE", func() (*string, error) {
		d, err := k.control.DescribeDataset(k.ctx, &personalize.DescribeDatasetInput{DatasetArn: &k.users})
		if err != nil || d.Dataset.LatestDatasetUpdate == nil {
			return nil, err
		}
		return d.Dataset.LatestDatasetUpdate.Status, nil
	})
	for kind, schema := range map[string]string{"Interactions": world.InteractionsSchema, "Items": world.ItemsSchema} {
		name := "shop-" + kind
		s := must[*personalize.CreateSchemaOutput](k)(k.control.CreateSchema(k.ctx, &personalize.CreateSchemaInput{Name: &name, Schema: &schema, Domain: types.DomainEcommerce}))
		d := must[*personalize.CreateDatasetOutput](k)(k.control.CreateDataset(k.ctx, &personalize.CreateDatasetInput{Name: &name, DatasetGroupArn: &k.domain, DatasetType: &kind, SchemaArn: s.SchemaArn}))
		k.settled("dataset", "ACTIVE", func() (*string, error) {
			d, err := k.control.DescribeDataset(k.ctx, &personalize.DescribeDatasetInput{DatasetArn: d.DatasetArn})
			if err != nil {
				return nil, err
			}
			return d.Dataset.Status, nil
		})
		job := k.importing(name, *d.DatasetArn, "s3://kinds/import-"+strings.ToLower(kind)+"-custom", types.ImportModeFull)
		k.active(name, func() (*string, *string, error) { return k.importStatus(job) })
	}
}

func (k *kinds) live() {
	_, k.tracking = k.tracker(k.group)
	k.see(k.tracking, k.shop.UserID(1), k.shop.ItemID(3))
	must[*personalizeevents.PutItemsOutput](k)(k.events.PutItems(k.ctx, &personalizeevents.PutItemsInput{DatasetArn: &k.items, Items: []etypes.Item{{
		ItemId: aws.String("new"), Properties: aws.String(`{"name":"n","categoryL1":"odd","genres":"odd","price":1,"creationTimestamp":1767225600}`)}}}))
	must[*personalizeevents.PutUsersOutput](k)(k.events.PutUsers(k.ctx, &personalizeevents.PutUsersInput{DatasetArn: &k.users, Users: []etypes.User{{
		UserId: aws.String("new"), Properties: aws.String(`{"age":30,"membership":"gold","town":"Bern"}`)}}}))
	f := must[*personalize.CreateFilterOutput](k)(k.control.CreateFilter(k.ctx, &personalize.CreateFilterInput{
		Name: aws.String("kinds"), DatasetGroupArn: &k.group, FilterExpression: aws.String(`INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)`)}))
	k.filter = *f.FilterArn
	k.settled("filter", "ACTIVE", func() (*string, error) {
		d, err := k.control.DescribeFilter(k.ctx, &personalize.DescribeFilterInput{FilterArn: &k.filter})
		if err != nil {
			return nil, err
		}
		return d.Filter.Status, nil
	})
}

func (k *kinds) models() {
	solution := k.solution("user", k.group, "aws-user-personalization")
	k.version = k.clients.version(solution)
	if m := must[*personalize.GetSolutionMetricsOutput](k)(k.control.GetSolutionMetrics(k.ctx, &personalize.GetSolutionMetricsInput{SolutionVersionArn: &k.version})); m.Metrics["coverage"] <= 0 {
		k.Errorf("metrics: %v", m.Metrics)
	}
	must[*personalize.UpdateSolutionOutput](k)(k.control.UpdateSolution(k.ctx, &personalize.UpdateSolutionInput{SolutionArn: &solution, PerformAutoTraining: aws.Bool(true)}))
	k.settled("solution update", "ACTIVE", func() (*string, error) {
		d, err := k.control.DescribeSolution(k.ctx, &personalize.DescribeSolutionInput{SolutionArn: &solution})
		if err != nil || d.Solution.LatestSolutionUpdate == nil {
			return nil, err
		}
		return d.Solution.LatestSolutionUpdate.Status, nil
	})
	k.campaign = k.clients.campaign("user", k.version)
	must[*personalize.UpdateCampaignOutput](k)(k.control.UpdateCampaign(k.ctx, &personalize.UpdateCampaignInput{CampaignArn: &k.campaign, MinProvisionedTPS: aws.Int32(2)}))
	k.settled("campaign update", "ACTIVE", func() (*string, error) {
		d, err := k.control.DescribeCampaign(k.ctx, &personalize.DescribeCampaignInput{CampaignArn: &k.campaign})
		if err != nil || d.Campaign.LatestCampaignUpdate == nil {
			return nil, err
		}
		return d.Campaign.LatestCampaignUpdate.Status, nil
	})
	values := map[string]string{"GENRE": `"` + k.shop.Item(0).Genres[0] + `"`}
	out := must[*personalizeruntime.GetRecommendationsOutput](k)(k.runtime.GetRecommendations(k.ctx, &personalizeruntime.GetRecommendationsInput{
		CampaignArn: &k.campaign, UserId: aws.String(k.shop.UserID(1)), NumResults: 10,
		Promotions: []rtypes.Promotion{{Name: aws.String("deal"), PercentPromotedItems: aws.Int32(30), FilterArn: &k.filter, FilterValues: values}}}))
	promoted := 0
	for _, item := range out.ItemList {
		if aws.ToString(item.PromotionName) == "deal" {
			promoted++
		}
	}
	if promoted != 3 || len(out.ItemList) != 10 {
		k.Errorf("%d of %d items are promoted, want 3 of 10", promoted, len(out.ItemList))
	}
	ranking := k.clients.campaign("ranking", k.clients.version(k.solution("ranking", k.group, "aws-personalized-ranking")))
	ranked := must[*personalizeruntime.GetPersonalizedRankingOutput](k)(k.runtime.GetPersonalizedRanking(k.ctx, &personalizeruntime.GetPersonalizedRankingInput{
		CampaignArn: &ranking, UserId: aws.String(k.shop.UserID(1)), InputList: []string{"unknown", k.shop.ItemID(1), k.shop.ItemID(2)}}))
	if last := ranked.PersonalizedRanking[2]; *last.ItemId != "unknown" || last.Score != nil {
		k.Errorf("the last of a ranking is %v", *last.ItemId)
	}
}

func (k *kinds) acting() {
	actions := k.imported(k.group, "Actions", actionsSchema, func(w io.Writer) error {
		_, err := io.WriteString(w, "ACTION_ID,CHANNEL\nbuy,app\njoin,mail\n")
		return err
	})
	taken := k.imported(k.group, "Action_Interactions", takenSchema, func(w io.Writer) error {
		fmt.Fprintln(w, "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP")
		for n := range 600 {
			fmt.Fprintf(w, "%s,%s,%s,%d\n", k.shop.UserID(n%200), []string{"join", "buy"}[n%2], []string{"Taken", "Not Taken", "Viewed"}[n%3], 1_700_000_000+n)
		}
		return nil
	})
	d := must[*personalize.DescribeDatasetOutput](k)(k.control.DescribeDataset(k.ctx, &personalize.DescribeDatasetInput{DatasetArn: &taken}))
	must[*personalizeevents.PutActionsOutput](k)(k.events.PutActions(k.ctx, &personalizeevents.PutActionsInput{DatasetArn: &actions,
		Actions: []etypes.Action{{ActionId: aws.String("call"), Properties: aws.String(`{"channel":"phone"}`)}}}))
	must[*personalizeevents.PutActionInteractionsOutput](k)(k.events.PutActionInteractions(k.ctx, &personalizeevents.PutActionInteractionsInput{TrackingId: d.Dataset.TrackingId,
		ActionInteractions: []etypes.ActionInteraction{{ActionId: aws.String("buy"), UserId: aws.String(k.shop.UserID(1)), SessionId: aws.String("s"), Timestamp: aws.Time(time.Now()), EventType: aws.String("Taken")}}}))
	campaign := k.clients.campaign("next", k.clients.version(k.solution("next", k.group, "aws-next-best-action")))
	out := must[*personalizeruntime.GetActionRecommendationsOutput](k)(k.runtime.GetActionRecommendations(k.ctx, &personalizeruntime.GetActionRecommendationsInput{CampaignArn: &campaign, UserId: aws.String(k.shop.UserID(5))}))
	if len(out.ActionList) == 0 {
		k.Error("no action is recommended")
	}
}

func (k *kinds) recommender() {
	r := must[*personalize.CreateRecommenderOutput](k)(k.control.CreateRecommender(k.ctx, &personalize.CreateRecommenderInput{Name: aws.String("kinds"), DatasetGroupArn: &k.domain,
		RecipeArn: aws.String("arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you")}))
	status := func(of func(*types.Recommender) *string) func() (*string, error) {
		return func() (*string, error) {
			d, err := k.control.DescribeRecommender(k.ctx, &personalize.DescribeRecommenderInput{RecommenderArn: r.RecommenderArn})
			if err != nil {
				return nil, err
			}
			return of(d.Recommender), nil
		}
	}
	own := status(func(r *types.Recommender) *string { return r.Status })
	k.settled("recommender", "ACTIVE", own)
	out := must[*personalizeruntime.GetRecommendationsOutput](k)(k.runtime.GetRecommendations(k.ctx, &personalizeruntime.GetRecommendationsInput{RecommenderArn: r.RecommenderArn, UserId: aws.String(k.shop.UserID(1))}))
	if len(out.ItemList) == 0 {
		k.Error("the recommender recommends nothing")
	}
	must[*personalize.UpdateRecommenderOutput](k)(k.control.UpdateRecommender(k.ctx, &personalize.UpdateRecommenderInput{RecommenderArn: r.RecommenderArn,
		RecommenderConfig: &types.RecommenderConfig{MinRecommendationRequestsPerSecond: aws.Int32(2)}}))
	k.settled("recommender update", "ACTIVE", status(func(r *types.Recommender) *string {
		if r.LatestRecommenderUpdate == nil {
			return nil
		}
		return r.LatestRecommenderUpdate.Status
	}))
	must[*personalize.StopRecommenderOutput](k)(k.control.StopRecommender(k.ctx, &personalize.StopRecommenderInput{RecommenderArn: r.RecommenderArn}))
	k.settled("stopped recommender", "INACTIVE", own)
	must[*personalize.StartRecommenderOutput](k)(k.control.StartRecommender(k.ctx, &personalize.StartRecommenderInput{RecommenderArn: r.RecommenderArn}))
	k.settled("started recommender", "ACTIVE", own)
}

// lines reads an object that a job wrote, one JSON a line.
func (k *kinds) lines(key string) []map[string]any {
	k.Helper()
	o := must[*s3.GetObjectOutput](k)(k.objects.GetObject(k.ctx, &s3.GetObjectInput{Bucket: aws.String("kinds"), Key: &key}))
	defer o.Body.Close()
	var all []map[string]any
	for dec := json.NewDecoder(o.Body); ; {
		var line map[string]any
		if err := dec.Decode(&line); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			k.Fatal(err)
		}
		all = append(all, line)
	}
}

func (k *kinds) batch() {
	output := &types.S3DataConfig{Path: aws.String("s3://kinds/out/")}
	job := must[*personalize.CreateBatchInferenceJobOutput](k)(k.control.CreateBatchInferenceJob(k.ctx, &personalize.CreateBatchInferenceJobInput{
		JobName: aws.String("kinds"), SolutionVersionArn: &k.version, RoleArn: aws.String(binary.Role), NumResults: aws.Int32(5),
		JobInput:  &types.BatchInferenceJobInput{S3DataSource: &types.S3DataConfig{Path: aws.String(k.put("kinds", "batch/users.json", fmt.Sprintf("{\"userId\":%q}\n", k.shop.UserID(1))))}},
		JobOutput: &types.BatchInferenceJobOutput{S3DataDestination: output}}))
	k.settled("batch inference", "ACTIVE", func() (*string, error) {
		d, err := k.control.DescribeBatchInferenceJob(k.ctx, &personalize.DescribeBatchInferenceJobInput{BatchInferenceJobArn: job.BatchInferenceJobArn})
		if err != nil {
			return nil, err
		}
		return d.BatchInferenceJob.Status, nil
	})
	if lines := k.lines("out/users.json.out"); len(lines) != 1 || len(lines[0]["output"].(map[string]any)["recommendedItems"].([]any)) != 5 {
		k.Errorf("batch inference wrote %v", lines)
	}
	affinity := k.clients.version(k.solution("affinity", k.group, "aws-item-affinity"))
	segment := must[*personalize.CreateBatchSegmentJobOutput](k)(k.control.CreateBatchSegmentJob(k.ctx, &personalize.CreateBatchSegmentJobInput{
		JobName: aws.String("kinds"), SolutionVersionArn: &affinity, RoleArn: aws.String(binary.Role), NumResults: aws.Int32(7),
		JobInput:  &types.BatchSegmentJobInput{S3DataSource: &types.S3DataConfig{Path: aws.String(k.put("kinds", "batch/items.json", fmt.Sprintf("{\"itemId\":%q}\n", k.shop.ItemID(1))))}},
		JobOutput: &types.BatchSegmentJobOutput{S3DataDestination: output}}))
	k.settled("batch segment", "ACTIVE", func() (*string, error) {
		d, err := k.control.DescribeBatchSegmentJob(k.ctx, &personalize.DescribeBatchSegmentJobInput{BatchSegmentJobArn: segment.BatchSegmentJobArn})
		if err != nil {
			return nil, err
		}
		return d.BatchSegmentJob.Status, nil
	})
	if lines := k.lines("out/items.json.out"); len(lines) != 1 || len(lines[0]["output"].(map[string]any)["recommendedUsers"].([]any)) != 7 {
		k.Errorf("batch segment wrote %v", lines)
	}
}

func (k *kinds) reports() {
	role := aws.String(binary.Role)
	m := must[*personalize.CreateMetricAttributionOutput](k)(k.control.CreateMetricAttribution(k.ctx, &personalize.CreateMetricAttributionInput{Name: aws.String("kinds"), DatasetGroupArn: &k.group,
		Metrics:             []types.MetricAttribute{{EventType: aws.String("View"), MetricName: aws.String("views"), Expression: aws.String("SAMPLECOUNT()")}},
		MetricsOutputConfig: &types.MetricAttributionOutput{RoleArn: role, S3DataDestination: &types.S3DataConfig{Path: aws.String("s3://kinds/metrics/")}}}))
	status := func() (*string, error) {
		d, err := k.control.DescribeMetricAttribution(k.ctx, &personalize.DescribeMetricAttributionInput{MetricAttributionArn: m.MetricAttributionArn})
		if err != nil {
			return nil, err
		}
		return d.MetricAttribution.Status, nil
	}
	k.settled("metric attribution", "ACTIVE", status)
	must[*personalize.UpdateMetricAttributionOutput](k)(k.control.UpdateMetricAttribution(k.ctx, &personalize.UpdateMetricAttributionInput{MetricAttributionArn: m.MetricAttributionArn,
		AddMetrics: []types.MetricAttribute{{EventType: aws.String("Purchase"), MetricName: aws.String("revenue"), Expression: aws.String("SUM(Items.PRICE)")}}}))
	k.settled("metric attribution", "ACTIVE", status)
	metrics := must[*personalize.ListMetricAttributionMetricsOutput](k)(k.control.ListMetricAttributionMetrics(k.ctx, &personalize.ListMetricAttributionMetricsInput{MetricAttributionArn: m.MetricAttributionArn}))
	if len(metrics.Metrics) != 2 {
		k.Errorf("%d metrics, want 2", len(metrics.Metrics))
	}
	export := must[*personalize.CreateDatasetExportJobOutput](k)(k.control.CreateDatasetExportJob(k.ctx, &personalize.CreateDatasetExportJobInput{JobName: aws.String("kinds"), DatasetArn: &k.interactions,
		IngestionMode: types.IngestionModeAll, RoleArn: role, JobOutput: &types.DatasetExportJobOutput{S3DataDestination: &types.S3DataConfig{Path: aws.String("s3://kinds/export/")}}}))
	k.settled("export", "ACTIVE", func() (*string, error) {
		d, err := k.control.DescribeDatasetExportJob(k.ctx, &personalize.DescribeDatasetExportJobInput{DatasetExportJobArn: export.DatasetExportJobArn})
		if err != nil {
			return nil, err
		}
		return d.DatasetExportJob.Status, nil
	})
	must[*personalize.TagResourceOutput](k)(k.control.TagResource(k.ctx, &personalize.TagResourceInput{ResourceArn: &k.campaign, Tags: []types.Tag{{TagKey: aws.String("k"), TagValue: aws.String("v")}}}))
	tags := must[*personalize.ListTagsForResourceOutput](k)(k.control.ListTagsForResource(k.ctx, &personalize.ListTagsForResourceInput{ResourceArn: &k.campaign}))
	if len(tags.Tags) != 1 || *tags.Tags[0].TagValue != "v" {
		k.Errorf("tags %v", tags.Tags)
	}
	must[*personalize.UntagResourceOutput](k)(k.control.UntagResource(k.ctx, &personalize.UntagResourceInput{ResourceArn: &k.campaign, TagKeys: []string{"k"}}))
	forget := must[*personalize.CreateDataDeletionJobOutput](k)(k.control.CreateDataDeletionJob(k.ctx, &personalize.CreateDataDeletionJobInput{JobName: aws.String("kinds"), DatasetGroupArn: &k.group, RoleArn: role,
		DataSource: &types.DataSource{DataLocation: aws.String(k.put("kinds", "forget.csv", "USER_ID\n"+k.shop.UserID(9)+"\n"))}}))
	k.settled("data deletion", "COMPLETED", func() (*string, error) {
		d, err := k.control.DescribeDataDeletionJob(k.ctx, &personalize.DescribeDataDeletionJobInput{DataDeletionJobArn: forget.DataDeletionJobArn})
		if err != nil {
			return nil, err
		}
		return d.DataDeletionJob.Status, nil
	})
}

// end deletes the two dataset groups with everything in them, as their owner would.
func (k *kinds) end() {
	ms := must[*personalize.ListMetricAttributionsOutput](k)(k.control.ListMetricAttributions(k.ctx, &personalize.ListMetricAttributionsInput{}))
	must[*personalize.DeleteMetricAttributionOutput](k)(k.control.DeleteMetricAttribution(k.ctx, &personalize.DeleteMetricAttributionInput{MetricAttributionArn: ms.MetricAttributions[0].MetricAttributionArn}))
	k.settled("metric attribution", "gone", func() (*string, error) {
		_, err := k.control.DescribeMetricAttribution(k.ctx, &personalize.DescribeMetricAttributionInput{MetricAttributionArn: ms.MetricAttributions[0].MetricAttributionArn})
		return nil, err
	})
	rs := must[*personalize.ListRecommendersOutput](k)(k.control.ListRecommenders(k.ctx, &personalize.ListRecommendersInput{DatasetGroupArn: &k.domain}))
	must[*personalize.DeleteRecommenderOutput](k)(k.control.DeleteRecommender(k.ctx, &personalize.DeleteRecommenderInput{RecommenderArn: rs.Recommenders[0].RecommenderArn}))
	k.settled("recommender", "gone", func() (*string, error) {
		_, err := k.control.DescribeRecommender(k.ctx, &personalize.DescribeRecommenderInput{RecommenderArn: rs.Recommenders[0].RecommenderArn})
		return nil, err
	})
	for _, list := range []struct {
		jobs func() (int, error)
		what string
	}{
		{func() (int, error) {
			o, err := k.control.ListBatchInferenceJobs(k.ctx, &personalize.ListBatchInferenceJobsInput{SolutionVersionArn: &k.version})
			return len(o.BatchInferenceJobs), err
		}, "batch inference jobs"},
		{func() (int, error) {
			o, err := k.control.ListBatchSegmentJobs(k.ctx, &personalize.ListBatchSegmentJobsInput{})
			return len(o.BatchSegmentJobs), err
		}, "batch segment jobs"},
		{func() (int, error) {
			o, err := k.control.ListDatasetExportJobs(k.ctx, &personalize.ListDatasetExportJobsInput{DatasetArn: &k.interactions})
			return len(o.DatasetExportJobs), err
		}, "export jobs"},
		{func() (int, error) {
			o, err := k.control.ListDataDeletionJobs(k.ctx, &personalize.ListDataDeletionJobsInput{DatasetGroupArn: &k.group})
			return len(o.DataDeletionJobs), err
		}, "deletion jobs"},
	} {
		if n, err := list.jobs(); n != 1 || err != nil {
			k.Errorf("%s: %d listed, %v", list.what, n, err)
		}
	}
}

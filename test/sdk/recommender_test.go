package sdk_test

import (
	"fmt"
	"slices"
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

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// domainGroup is a domain dataset group with a small shop's data. In a video
// group what a shop calls View is Click, and Purchase is Watch.
func (c *clients) domainGroup(name string, domain types.Domain) (group, tracking string, shop *world.World) {
	c.Helper()
	g := must[*personalize.CreateDatasetGroupOutput](c)(c.control.CreateDatasetGroup(c.ctx, &personalize.CreateDatasetGroupInput{Name: &name, Domain: domain}))
	group = *g.DatasetGroupArn
	c.active("dataset group", func() (*string, *string, error) {
		d, err := c.control.DescribeDatasetGroup(c.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: &group})
		if err != nil {
			return nil, nil, err
		}
		return d.DatasetGroup.Status, d.DatasetGroup.FailureReason, nil
	})
	shop = smallShop(c.T)
	var interactions, items strings.Builder
	for _, err := range []error{shop.WriteInteractions(&interactions), shop.WriteItems(&items)} {
		if err != nil {
			c.Fatal(err)
		}
	}
	text := interactions.String()
	if domain == types.DomainVideoOnDemand {
		text = strings.NewReplacer(",View,", ",Click,", ",Purchase,", ",Watch,").Replace(text)
	}
	c.good(c.imported(c.domainDataset(group, "Interactions", world.InteractionsSchema, domain), name+"-interactions", types.ImportModeFull, text))
	c.good(c.imported(c.domainDataset(group, "Items", world.ItemsSchema, domain), name+"-items", types.ImportModeFull, items.String()))
	_, tracking = c.tracker(group)
	return group, tracking, shop
}

func (c *clients) domainDataset(group, kind, schema string, domain types.Domain) string {
	c.Helper()
	name := strings.ToLower(kind) + "-" + group[strings.LastIndex(group, "/")+1:]
	s := must[*personalize.CreateSchemaOutput](c)(c.control.CreateSchema(c.ctx, &personalize.CreateSchemaInput{Name: &name, Schema: &schema, Domain: domain}))
	d := must[*personalize.CreateDatasetOutput](c)(c.control.CreateDataset(c.ctx, &personalize.CreateDatasetInput{
		Name: &name, DatasetGroupArn: &group, DatasetType: &kind, SchemaArn: s.SchemaArn}))
	c.active("dataset", func() (*string, *string, error) {
		out, err := c.control.DescribeDataset(c.ctx, &personalize.DescribeDatasetInput{DatasetArn: d.DatasetArn})
		if err != nil {
			return nil, nil, err
		}
		return out.Dataset.Status, nil, nil
	})
	return *d.DatasetArn
}

// recommending asks for a recommender and does not wait.
func (c *clients) recommending(name, group, recipe string, config *types.RecommenderConfig) string {
	c.Helper()
	out := must[*personalize.CreateRecommenderOutput](c)(c.control.CreateRecommender(c.ctx, &personalize.CreateRecommenderInput{
		Name: &name, DatasetGroupArn: &group, RecipeArn: aws.String(recipePrefix + recipe), RecommenderConfig: config}))
	return *out.RecommenderArn
}

func (c *clients) recommender(arn string) *types.Recommender {
	c.Helper()
	return must[*personalize.DescribeRecommenderOutput](c)(c.control.DescribeRecommender(c.ctx, &personalize.DescribeRecommenderInput{RecommenderArn: &arn})).Recommender
}

// recommends waits until a recommender is ACTIVE.
func (c *clients) recommends(arn string) *types.Recommender {
	c.Helper()
	c.active("recommender "+arn, func() (*string, *string, error) {
		r := c.recommender(arn)
		return r.Status, r.FailureReason, nil
	})
	return c.recommender(arn)
}

// turned waits until a recommender has a status.
func (c *clients) turned(arn, want string) {
	c.Helper()
	soon(c, func() string {
		if s := aws.ToString(c.recommender(arn).Status); s != want {
			return arn + " is " + s + ", want " + want
		}
		return ""
	})
}

func (c *clients) page(in *personalizeruntime.GetRecommendationsInput) []string {
	c.Helper()
	return ids(must[*personalizeruntime.GetRecommendationsOutput](c)(c.runtime.GetRecommendations(c.ctx, in)).ItemList)
}

func asking(recommender, user, item string) *personalizeruntime.GetRecommendationsInput {
	in := &personalizeruntime.GetRecommendationsInput{RecommenderArn: &recommender, NumResults: 20}
	if user != "" {
		in.UserId = &user
	}
	if item != "" {
		in.ItemId = &item
	}
	return in
}

// mostOf are the items by how many users did something of a type with them.
func mostOf(shop *world.World, eventType string) map[string]int {
	users := map[[2]int]bool{}
	count := map[string]int{}
	for x := range shop.Interactions() {
		if pair := [2]int{x.User, x.Item}; x.Type == eventType && !users[pair] {
			users[pair] = true
			count[shop.ItemID(x.Item)]++
		}
	}
	return count
}

// TestRecommenders takes every recipe of both domains through its life.
func TestRecommenders(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	for domain, recipes := range map[types.Domain][]string{
		types.DomainEcommerce: {"aws-ecomm-popular-items-by-views", "aws-ecomm-popular-items-by-purchases", "aws-ecomm-frequently-bought-together",
			"aws-ecomm-customers-who-viewed-x-also-viewed", "aws-ecomm-recommended-for-you"},
		types.DomainVideoOnDemand: {"aws-vod-because-you-watched-x", "aws-vod-more-like-x", "aws-vod-most-popular", "aws-vod-trending-now", "aws-vod-top-picks"},
	} {
		d := &domainLife{clients: c, domain: domain, arns: map[string]string{}}
		d.group, d.tracking, d.shop = c.domainGroup(strings.ToLower(strings.ReplaceAll(string(domain), "_", "-")), domain)
		for _, recipe := range recipes {
			d.arns[recipe] = c.recommending(recipe, d.group, recipe, nil)
			if r := c.recommender(d.arns[recipe]); *r.Status != "ACTIVE" && r.ModelMetrics != nil {
				t.Errorf("%s has metrics while it is %s", recipe, *r.Status)
			}
		}
		d.described(recipes)
		if domain == types.DomainEcommerce {
			d.shopAnswers()
		} else {
			d.videoAnswers()
		}
		d.turns(recipes[0])
		d.deleted(recipes)
	}
}

// domainLife is one domain's group and its recommenders.
type domainLife struct {
	*clients
	domain          types.Domain
	group, tracking string
	shop            *world.World
	arns            map[string]string // by recipe
}

func (d *domainLife) described(recipes []string) {
	d.Helper()
	for _, recipe := range recipes {
		r := d.recommends(d.arns[recipe])
		if *r.Name != recipe || *r.DatasetGroupArn != d.group || *r.RecipeArn != recipePrefix+recipe || r.LatestRecommenderUpdate != nil ||
			aws.ToInt32(r.RecommenderConfig.MinRecommendationRequestsPerSecond) != 1 {
			d.Errorf("%+v", r)
		}
		if _, ok := r.ModelMetrics["coverage"]; !ok {
			d.Errorf("%s: metrics %v", recipe, r.ModelMetrics)
		}
		if _, ok := r.ModelMetrics["trend_prediction_accuracy"]; ok != (recipe == "aws-vod-trending-now") {
			d.Errorf("%s: metrics %v", recipe, r.ModelMetrics)
		}
	}
	var listed []string
	pages := personalize.NewListRecommendersPaginator(d.control, &personalize.ListRecommendersInput{DatasetGroupArn: &d.group, MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		for _, r := range must[*personalize.ListRecommendersOutput](d)(pages.NextPage(d.ctx)).Recommenders {
			listed = append(listed, *r.Name)
			if *r.Status != "ACTIVE" || aws.ToInt32(r.RecommenderConfig.MinRecommendationRequestsPerSecond) != 1 {
				d.Errorf("listed %+v", r)
			}
		}
	}
	slices.Sort(listed)
	if want := slices.Sorted(slices.Values(recipes)); !slices.Equal(listed, want) {
		d.Errorf("listed %v, want %v", listed, want)
	}
}

// refused expects an InvalidInputException of the runtime.
func (d *domainLife) refused(in *personalizeruntime.GetRecommendationsInput, says string) {
	d.Helper()
	_, err := d.runtime.GetRecommendations(d.ctx, in)
	refusedAs[*rtypes.InvalidInputException](d.T, err, says)
}

// leavesOut does something with the best item of a page and expects it to be
// gone from the next; who asks must be named.
func (d *domainLife) leavesOut(recipe, item, eventType string) {
	d.Helper()
	user := "buyer-of-" + recipe
	in := asking(d.arns[recipe], user, item)
	in.NumResults = 100
	best := d.page(in)[0]
	d.putEvents(d.tracking, user, "s-"+user, best+"/"+eventType)
	soon(d, func() string {
		if slices.Contains(d.page(in), best) {
			return fmt.Sprintf("%s: %s is recommended after a %s", recipe, best, eventType)
		}
		return ""
	})
	in.UserId = nil
	d.refused(in, "userId is required")
}

func (d *domainLife) shopAnswers() {
	d.Helper()
	for recipe, eventType := range map[string]string{"aws-ecomm-popular-items-by-views": world.View, "aws-ecomm-popular-items-by-purchases": world.Purchase} {
		count := mostOf(d.shop, eventType)
		page := d.page(asking(d.arns[recipe], "anybody", ""))
		for i := 1; i < len(page); i++ {
			if count[page[i]] > count[page[i-1]] {
				d.Errorf("%s: %s with %d stands behind %s with %d", recipe, page[i], count[page[i]], page[i-1], count[page[i-1]])
			}
		}
		for item, n := range count {
			if n > count[page[0]] {
				d.Errorf("%s: %s has %d and is not first", recipe, item, n)
			}
		}
		d.refused(asking(d.arns[recipe], "", ""), "userId is required by recommender")
	}
	item := d.page(asking(d.arns["aws-ecomm-popular-items-by-purchases"], "anybody", ""))[0]
	if page := d.page(asking(d.arns["aws-ecomm-frequently-bought-together"], "", item)); len(page) != 20 || slices.Contains(page, item) {
		d.Errorf("bought together with %s: %v", item, page)
	}
	d.refused(asking(d.arns["aws-ecomm-frequently-bought-together"], "u", ""), "itemId is required")
	d.leavesOut("aws-ecomm-customers-who-viewed-x-also-viewed", item, "Purchase")
	d.leavesOut("aws-ecomm-recommended-for-you", "", "purchase")
}

func (d *domainLife) videoAnswers() {
	d.Helper()
	item := d.page(asking(d.arns["aws-vod-most-popular"], "anybody", ""))[0]
	d.leavesOut("aws-vod-because-you-watched-x", item, "Watch")
	d.leavesOut("aws-vod-more-like-x", item, "Watch")
	d.leavesOut("aws-vod-top-picks", "", "Watch")
	if page := d.page(asking(d.arns["aws-vod-trending-now"], "anybody", "")); len(page) != 20 {
		d.Errorf("trending: %v", page)
	}
}

// turns updates a recommender, stops and starts it.
func (d *domainLife) turns(recipe string) {
	d.Helper()
	arn := d.arns[recipe]
	in := asking(arn, "anybody", d.shop.ItemID(0))
	before := d.page(in)
	update := func(config *types.RecommenderConfig) *types.Recommender {
		d.Helper()
		must[*personalize.UpdateRecommenderOutput](d)(d.control.UpdateRecommender(d.ctx, &personalize.UpdateRecommenderInput{RecommenderArn: &arn, RecommenderConfig: config}))
		var r *types.Recommender
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			if len(d.page(in)) == 0 {
				d.Errorf("nothing is served while updating")
			}
			if r = d.recommender(arn); *r.Status != "ACTIVE" || *r.LatestRecommenderUpdate.Status == "CREATE FAILED" || time.Now().After(deadline) {
				d.Fatalf("while updating: %+v", r)
			}
			if *r.LatestRecommenderUpdate.Status == "ACTIVE" {
				return r
			}
		}
	}
	if r := update(&types.RecommenderConfig{MinRecommendationRequestsPerSecond: aws.Int32(7)}); aws.ToInt32(r.RecommenderConfig.MinRecommendationRequestsPerSecond) != 7 ||
		aws.ToInt32(r.LatestRecommenderUpdate.RecommenderConfig.MinRecommendationRequestsPerSecond) != 7 {
		d.Errorf("after the update: %+v", r)
	}
	columns := map[string][]string{"ITEMS": {"GENRES"}}
	if r := update(&types.RecommenderConfig{TrainingDataConfig: &types.TrainingDataConfig{ExcludedDatasetColumns: columns}}); aws.ToInt32(r.RecommenderConfig.MinRecommendationRequestsPerSecond) != 7 ||
		!slices.Equal(r.RecommenderConfig.TrainingDataConfig.ExcludedDatasetColumns["ITEMS"], columns["ITEMS"]) {
		d.Errorf("after another training: %+v", r)
	}

	_, err := d.control.StartRecommender(d.ctx, &personalize.StartRecommenderInput{RecommenderArn: &arn})
	refusedAs[*types.ResourceInUseException](d.T, err, "INACTIVE")
	must[*personalize.StopRecommenderOutput](d)(d.control.StopRecommender(d.ctx, &personalize.StopRecommenderInput{RecommenderArn: &arn}))
	d.turned(arn, "INACTIVE")
	d.refused(in, "is INACTIVE: start it")
	_, err = d.control.StopRecommender(d.ctx, &personalize.StopRecommenderInput{RecommenderArn: &arn})
	refusedAs[*types.ResourceInUseException](d.T, err, "INACTIVE")
	must[*personalize.StartRecommenderOutput](d)(d.control.StartRecommender(d.ctx, &personalize.StartRecommenderInput{RecommenderArn: &arn}))
	d.turned(arn, "ACTIVE")
	if after := d.page(in); len(after) != len(before) {
		d.Errorf("after the start %v, before %v", after, before)
	}
}

func (d *domainLife) deleted(recipes []string) {
	d.Helper()
	_, err := d.control.DeleteDatasetGroup(d.ctx, &personalize.DeleteDatasetGroupInput{DatasetGroupArn: &d.group})
	refusedAs[*types.ResourceInUseException](d.T, err, d.group)
	must[*personalize.StopRecommenderOutput](d)(d.control.StopRecommender(d.ctx, &personalize.StopRecommenderInput{RecommenderArn: aws.String(d.arns[recipes[1]])}))
	d.turned(d.arns[recipes[1]], "INACTIVE") // which can be deleted, too
	for _, recipe := range recipes {
		arn := d.arns[recipe]
		must[*personalize.DeleteRecommenderOutput](d)(d.control.DeleteRecommender(d.ctx, &personalize.DeleteRecommenderInput{RecommenderArn: &arn}))
		d.gone(func() error {
			_, err := d.control.DescribeRecommender(d.ctx, &personalize.DescribeRecommenderInput{RecommenderArn: &arn})
			return err
		})
		_, err := d.runtime.GetRecommendations(d.ctx, asking(arn, "u", "i"))
		refusedAs[*rtypes.ResourceNotFoundException](d.T, err, "recommender/"+recipe)
	}
}

// TestRecommenderRules shows what cannot be made, and why a training fails.
func TestRecommenderRules(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	create := func(group, recipe string, config *types.RecommenderConfig) error {
		_, err := c.control.CreateRecommender(c.ctx, &personalize.CreateRecommenderInput{Name: aws.String("r"), DatasetGroupArn: &group,
			RecipeArn: aws.String(recipePrefix + recipe), RecommenderConfig: config})
		return err
	}
	custom := c.datasetGroup("custom")
	refusedAs[*types.InvalidInputException](t, create(custom, "aws-vod-top-picks", nil), "custom")
	refusedAs[*types.InvalidInputException](t, create(custom, "aws-sims", nil), "CreateSolution")
	refusedAs[*types.InvalidInputException](t, create(custom, "aws-made-up", nil), "does not exist")
	group, _, _ := c.domainGroup("shop", types.DomainEcommerce)
	refusedAs[*types.InvalidInputException](t, create(group, "aws-vod-top-picks", nil), "aws-ecomm-recommended-for-you")
	refusedAs[*types.InvalidInputException](t, create(group, "aws-ecomm-popular-items-by-views", &types.RecommenderConfig{
		ItemExplorationConfig: map[string]string{"explorationWeight": "0.5"}}), "itemExplorationConfig")
	refusedAs[*types.InvalidInputException](t, create(group, "aws-ecomm-recommended-for-you", &types.RecommenderConfig{
		ItemExplorationConfig: map[string]string{"explorationWeight": "2"}}), "from 0 to 1")
	refusedAs[*types.InvalidInputException](t, create(group, "aws-ecomm-recommended-for-you", &types.RecommenderConfig{
		TrainingDataConfig: &types.TrainingDataConfig{ExcludedDatasetColumns: map[string][]string{"PEOPLE": {"AGE"}}}}), "PEOPLE")

	// The data of a shop under the names of another: nobody watches here.
	var b strings.Builder
	b.WriteString("USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n")
	for i := range 1200 {
		fmt.Fprintf(&b, "u%d,i%d,Click,%d\n", i%100, (i*7+i/100)%60, 1_750_000_000+i)
	}
	g := must[*personalize.CreateDatasetGroupOutput](c)(c.control.CreateDatasetGroup(c.ctx, &personalize.CreateDatasetGroupInput{Name: aws.String("films"), Domain: types.DomainVideoOnDemand}))
	c.active("dataset group", func() (*string, *string, error) {
		d, err := c.control.DescribeDatasetGroup(c.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: g.DatasetGroupArn})
		if err != nil {
			return nil, nil, err
		}
		return d.DatasetGroup.Status, nil, nil
	})
	refusedAs[*types.InvalidInputException](t, create(*g.DatasetGroupArn, "aws-vod-most-popular", nil), "no Interactions dataset")
	c.good(c.imported(c.domainDataset(*g.DatasetGroupArn, "Interactions", world.InteractionsSchema, types.DomainVideoOnDemand), "films", types.ImportModeFull, b.String()))
	arn := c.recommending("r", *g.DatasetGroupArn, "aws-vod-most-popular", nil)
	soon(t, func() string {
		r := c.recommender(arn)
		if *r.Status != "CREATE FAILED" || !strings.Contains(aws.ToString(r.FailureReason), "counts Watch events, and the Interactions dataset has none of them (event types there: Click)") {
			return fmt.Sprintf("%s: %s", *r.Status, aws.ToString(r.FailureReason))
		}
		return ""
	})
	_, err := c.runtime.GetRecommendations(c.ctx, asking(arn, "u", ""))
	refusedAs[*rtypes.InvalidInputException](t, err, "CREATE FAILED")
	must[*personalize.DeleteRecommenderOutput](t)(c.control.DeleteRecommender(c.ctx, &personalize.DeleteRecommenderInput{RecommenderArn: &arn}))
}

// TestTrending shows that the change between two windows counts, and not how
// much there is; for a recommender, and for a campaign, to which nobody needs to be
// named; and that both are served again after a restart.
func TestTrending(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	node := must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data))
	t.Cleanup(func() { node.Kill() })
	c := newClients(t, node)
	group, tracking, shop := c.domainGroup("trends", types.DomainVideoOnDemand)
	rising, steady := shop.ItemID(11), shop.ItemID(22)
	watched := func(item string, times int, ago time.Duration) {
		t.Helper()
		for from := 0; from < times; from += 10 {
			in := &personalizeevents.PutEventsInput{TrackingId: &tracking, UserId: aws.String(fmt.Sprint("crowd-", item, from, ago)), SessionId: aws.String(fmt.Sprint("s-", item, from, ago))}
			for i := range min(10, times-from) {
				in.EventList = append(in.EventList, etypes.Event{EventType: aws.String("Watch"), ItemId: &item, SentAt: aws.Time(time.Now().Add(-ago - time.Duration(i)*time.Second))})
			}
			must[*personalizeevents.PutEventsOutput](t)(c.events.PutEvents(c.ctx, in))
		}
	}
	watched(rising, 20, time.Minute)
	watched(steady, 60, time.Minute) // three times as many, and as many as before
	watched(steady, 60, 140*time.Minute)
	watched(steady, 60, 200*time.Minute)

	recommender := c.recommending("trends", group, "aws-vod-trending-now", nil)
	c.recommends(recommender)
	solution := c.solutionOf(&personalize.CreateSolutionInput{Name: aws.String("trends"), DatasetGroupArn: &group, RecipeArn: aws.String(recipePrefix + "aws-trending-now"),
		SolutionConfig: &types.SolutionConfig{FeatureTransformationParameters: map[string]string{"trend_discovery_frequency": "1 day"}}})
	version := c.version(solution)
	metrics := must[*personalize.GetSolutionMetricsOutput](t)(c.control.GetSolutionMetrics(c.ctx, &personalize.GetSolutionMetricsInput{SolutionVersionArn: &version})).Metrics
	if x, ok := metrics["trend_prediction_accuracy"]; !ok || x < 0 || x > 1 {
		t.Errorf("metrics %v", metrics)
	}
	campaign := c.campaign("trends", version)
	check := func() {
		t.Helper()
		if page := c.page(asking(recommender, "anybody", "")); page[0] != rising {
			t.Errorf("in windows of two hours %v rises, want %s", page, rising)
		}
		// In windows of a day nothing was before, so the most is the most.
		if page := c.page(&personalizeruntime.GetRecommendationsInput{CampaignArn: &campaign, NumResults: 3}); page[0] != steady || page[1] != rising {
			t.Errorf("in windows of a day %v rises, want %s and %s", page, steady, rising)
		}
	}
	check()
	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}
	node = must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data))
	c = newClients(t, node)
	c.active("profile", func() (*string, *string, error) { // the profile may be a moment behind
		_, err := c.runtime.GetRecommendations(c.ctx, asking(recommender, "anybody", ""))
		if err != nil {
			return aws.String("loading"), nil, nil
		}
		return aws.String("ACTIVE"), nil, nil
	})
	check()
	if err := node.Stop(); err != nil {
		t.Error(err)
	}
}

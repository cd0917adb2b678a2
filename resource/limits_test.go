package resource_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

// quotaCase makes the n-th row of a kind in a group that has everything the
// kind needs. One line for each kind that has a quota.
var quotaCases = map[resource.Kind]struct {
	made int // by preparing the house
	make func(h *house, w *workshop, n int) (*resource.Resource, error)
}{
	resource.Schema: {1, func(h *house, _ *workshop, n int) (*resource.Resource, error) {
		return h.CreateSchema(h.Context(), fmt.Sprint("s", n), resource.SchemaBody{Schema: interactionsAvro})
	}},
	resource.DatasetGroup: {1, func(h *house, _ *workshop, n int) (*resource.Resource, error) {
		return h.CreateDatasetGroup(h.Context(), fmt.Sprint("g", n), resource.DatasetGroupBody{})
	}},
	resource.ImportJob: {0, func(h *house, w *workshop, n int) (*resource.Resource, error) {
		return h.CreateImportJob(h.Context(), fmt.Sprint("j", n), importBody(w.dataset))
	}},
	resource.Solution: {1, func(h *house, w *workshop, n int) (*resource.Resource, error) {
		return h.CreateSolution(h.Context(), fmt.Sprint("so", n), resource.SolutionBody{DatasetGroupArn: w.group, RecipeArn: userRecipe})
	}},
	resource.SolutionVersion: {0, func(h *house, w *workshop, _ int) (*resource.Resource, error) {
		return h.CreateSolutionVersion(h.Context(), resource.VersionRequest{SolutionArn: w.solution})
	}},
	resource.Campaign: {0, func(h *house, w *workshop, n int) (*resource.Resource, error) {
		return h.CreateCampaign(h.Context(), fmt.Sprint("c", n), resource.CampaignBody{SolutionVersionArn: w.version})
	}},
	resource.Recommender: {0, func(h *house, w *workshop, n int) (*resource.Resource, error) {
		if w.shop == "" {
			w.shop, _ = h.shop("shop")
		}
		return h.CreateRecommender(h.Context(), fmt.Sprint("r", n), recommenderOf(w.shop, ""))
	}},
	resource.Filter: {0, func(h *house, w *workshop, n int) (*resource.Resource, error) {
		return h.CreateFilter(h.Context(), fmt.Sprint("f", n), resource.FilterBody{DatasetGroupArn: w.group,
			FilterExpression: `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")`})
	}},
	resource.ExportJob: {0, func(h *house, w *workshop, n int) (*resource.Resource, error) {
		return h.CreateExportJob(h.Context(), fmt.Sprint("e", n), exportBody(w.dataset))
	}},
	resource.BatchInferenceJob: {0, func(h *house, w *workshop, n int) (*resource.Resource, error) {
		return h.CreateBatchInferenceJob(h.Context(), fmt.Sprint("b", n), resource.BatchRequest{BatchBody: batchBody(w.version)})
	}},
	resource.BatchSegmentJob: {0, func(h *house, w *workshop, n int) (*resource.Resource, error) {
		if w.segments == "" {
			w.segments = h.active(h.version(h.active(h.solution("segments", w.group, segmentRecipe))))
		}
		return h.CreateBatchSegmentJob(h.Context(), fmt.Sprint("b", n), batchBody(w.segments))
	}},
	resource.DataDeletionJob: {0, func(h *house, w *workshop, n int) (*resource.Resource, error) {
		return h.CreateDataDeletionJob(h.Context(), fmt.Sprint("d", n), resource.DataDeletionJobBody{DatasetGroupArn: w.group,
			DataSource: resource.DataSource{DataLocation: "s3://bucket/users.csv"}})
	}},
}

// workshop is a group with one ACTIVE thing of most kinds.
type workshop struct {
	group, dataset, solution, version, segments string
	shop                                        string // a group of domain ECOMMERCE, made when it is asked for
}

func newWorkshop(h *house) *workshop {
	w := &workshop{}
	w.group, w.dataset = h.stocked("films")
	w.solution, w.version = h.trained("so", w.group)
	return w
}

// TestQuotas fills every quota, hears the service's words for one more, and
// makes it after one of the others has failed. A house without limits goes on.
func TestQuotas(t *testing.T) {
	for _, q := range resource.Strict().Rows {
		c, ok := quotaCases[q.Kind]
		if !ok {
			if q.Kind != resource.MetricAttribution { // one a group, whatever the quotas are: see TestAttributionRules
				t.Errorf("%s has a quota and no case", q.Kind)
			}
			continue
		}
		t.Run(string(q.Kind), func(t *testing.T) {
			t.Parallel()
			h := strictHouse(t)
			w := newWorkshop(h)
			last := ""
			for n := range q.Most - c.made {
				last = h.must(c.make(h, w, n))
			}
			words := fmt.Sprintf("More than %d resources with PENDING or IN_PROGRESS status.", q.Most)
			if !q.UnderWay {
				words = fmt.Sprintf("Cannot create %s. More than %d resources in ACTIVE state. Please delete some and try again.", q.Kind.One(), q.Most)
			}
			_, err := c.make(h, w, 1000)
			if attune.KindOf(err) != attune.LimitExceeded || err.Error() != words {
				t.Errorf("one more: %v; want %s", err, words)
			}
			if q.Kind == resource.Schema { // which are in no state
				h.ok(h.DeleteSchema(h.Context(), last))
			} else {
				h.to(last, resource.WordsOf(q.Kind).Failed)
			}
			h.must(c.make(h, w, 1001))

			h = newHouse(t)
			w = newWorkshop(h)
			for n := range q.Most + 1 {
				h.must(c.make(h, w, n))
			}
		})
	}
}

// TestQuotasByGroup fills the quota of one group; another has its own.
func TestQuotasByGroup(t *testing.T) {
	h := strictHouse(t)
	w, other := newWorkshop(h), h.active(h.group("books"))
	for n := range 10 {
		h.must(quotaCases[resource.Filter].make(h, w, n))
	}
	if _, err := quotaCases[resource.Filter].make(h, w, 10); attune.KindOf(err) != attune.LimitExceeded {
		t.Errorf("the eleventh filter: %v", err)
	}
	h.active(h.dataset(other, "Interactions", h.schema("books", interactionsAvro)))
	h.must(quotaCases[resource.Filter].make(h, &workshop{group: other}, 11))
}

// TestUnderWay shows that rows under way are bounded without quotas, too.
func TestUnderWay(t *testing.T) {
	h := newHouse(t)
	for n := range 1000 {
		name := fmt.Sprint("g", n)
		h.ok(h.store.Create(t.Context(), &resource.Resource{ID: name, Kind: resource.DatasetGroup, ARN: names.Make("dataset-group", name), Name: name,
			Group: name, Status: resource.CreatePending, Body: []byte("{}"), Created: resourceTime(int64(n)), Updated: resourceTime(int64(n))}))
	}
	h.refused(not(h.CreateDatasetGroup(h.Context(), "more", resource.DatasetGroupBody{})), attune.LimitExceeded, "More than 1000 resources with PENDING")
}

func firstOf(first, _ string) string { return first }

// TestTagsAndColumns holds tags and columns to their quotas.
func TestTagsAndColumns(t *testing.T) {
	h, ctx := strictHouse(t), t.Context()
	var many []resource.Tag
	for i := range 51 {
		many = append(many, resource.Tag{Key: fmt.Sprint(i)})
	}
	h.refused(not(h.CreateDatasetGroup(ctx, "x", resource.DatasetGroupBody{Tags: many})), attune.TooManyTags, "51 tags were given: a resource can have 50")
	h.must(h.CreateDatasetGroup(ctx, "x", resource.DatasetGroupBody{Tags: many[:50]}))
	newHouse(t).must(newHouse(t).CreateDatasetGroup(ctx, "x", resource.DatasetGroupBody{Tags: many}))

	wide := func(name string, own int) string {
		var b strings.Builder
		for i := range own {
			fmt.Fprintf(&b, `,{"name":"C%d","type":"int"}`, i)
		}
		return strings.Replace(strings.Replace(interactionsAvro, `"Interactions"`, `"`+name+`"`, 1), `]}`, b.String()+`]}`, 1)
	}
	h.must(h.CreateSchema(ctx, "five", resource.SchemaBody{Schema: wide("Interactions", 5)}))
	h.refused(not(h.CreateSchema(ctx, "six", resource.SchemaBody{Schema: wide("Interactions", 6)})), attune.Invalid, "6 metadata fields: INTERACTIONS can have 5")
	named := h.schema("named", wide("Anything", 6)) // whose dataset type is not known yet
	group := h.active(h.group("g"))
	h.refused(not(h.CreateDataset(ctx, "d", resource.DatasetBody{DatasetGroupArn: group, DatasetType: "Interactions", SchemaArn: named})),
		attune.Invalid, "6 metadata fields: INTERACTIONS can have 5")

	_, version := h.trained("s", firstOf(h.stocked("trained")))
	h.refused(not(h.CreateCampaign(ctx, "c", resource.CampaignBody{SolutionVersionArn: version, MinProvisionedTPS: 501})), attune.LimitExceeded, "it can be at most 500")
	campaign := h.active(h.must(h.CreateCampaign(ctx, "c", resource.CampaignBody{SolutionVersionArn: version, MinProvisionedTPS: 500})))
	h.refused(h.UpdateCampaign(ctx, campaign, resource.CampaignChange{MinProvisionedTPS: 501}), attune.LimitExceeded, "it can be at most 500")

	free := newHouse(t)
	free.dataset(free.active(free.group("g")), "Interactions", free.schema("named", wide("Interactions", 60)))
}

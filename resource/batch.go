package resource

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/recipe/spec"
)

// S3Data is a place in the object door, as jobs name it.
type S3Data struct {
	Path      string `json:"path"`                // s3://bucket/key
	KmsKeyArn string `json:"kmsKeyArn,omitempty"` // kept and shown
}

// JobInput is where a batch job reads: one file, or a folder of files.
type JobInput struct {
	S3DataSource S3Data `json:"s3DataSource"`
}

// JobOutput is the folder that a job writes to.
type JobOutput struct {
	S3DataDestination S3Data `json:"s3DataDestination"`
}

// BatchBody is the body of a BatchInferenceJob, and of a BatchSegmentJob, which
// has neither mode nor configuration.
type BatchBody struct {
	SolutionVersionArn string          `json:"solutionVersionArn"`
	FilterArn          string          `json:"filterArn,omitempty"`
	NumResults         int             `json:"numResults"` // of each line
	JobInput           JobInput        `json:"jobInput"`
	JobOutput          JobOutput       `json:"jobOutput"`
	RoleArn            string          `json:"roleArn"`
	Mode               string          `json:"batchInferenceJobMode,omitempty"`
	Config             json.RawMessage `json:"batchInferenceJobConfig,omitempty"` // as given
	FailureReason      string          `json:"failureReason,omitempty"`
	Outputs            []string        `json:"outputs,omitempty"` // objects written, as bucket/key; recorded before the first appears
	Tags               []Tag           `json:"tags,omitempty"`
}

// The modes of a batch inference job.
const (
	ModeInference = "BATCH_INFERENCE"
	ModeThemes    = "THEME_GENERATION"
)

const (
	// defaultResults is numResults when nobody says.
	defaultResults = 25
	// maxItemResults is what a live request may ask for, too.
	maxItemResults = 500
	// maxUserResults bounds a segment, whose users are held in memory: what the
	// service publishes, in strict mode and by default.
	maxUserResults = 5_000_000
	// trendingNow has no batch: what trends is a matter of the moment.
	trendingNow = "aws-trending-now"
)

// BatchRequest is what CreateBatchInferenceJob asks for beside the body.
type BatchRequest struct {
	BatchBody
	ThemeConfig bool // a themeGenerationConfig was given
}

// CreateBatchInferenceJob asks for the recommendations of every line of a file.
func (g *Registry) CreateBatchInferenceJob(ctx context.Context, name string, in BatchRequest) (*Resource, error) {
	b := in.BatchBody
	if b.Mode == ModeThemes || in.ThemeConfig {
		return nil, attune.Errorf(attune.Invalid, "THEME_GENERATION is not offered: themes are written by a language model, and this server has none. Leave out batchInferenceJobMode and themeGenerationConfig to get the items without themes")
	}
	b.Mode = ModeInference
	return g.createBatch(ctx, BatchInferenceJob, name, b, maxItemResults)
}

// CreateBatchSegmentJob asks for the users that suit every line of a file.
func (g *Registry) CreateBatchSegmentJob(ctx context.Context, name string, b BatchBody) (*Resource, error) {
	b.Mode, b.Config = "", nil
	return g.createBatch(ctx, BatchSegmentJob, name, b, maxUserResults)
}

func (g *Registry) createBatch(ctx context.Context, k Kind, name string, b BatchBody, most int) (*Resource, error) {
	if err := checkTags(b.Tags); err != nil {
		return nil, err
	}
	if b.NumResults == 0 {
		b.NumResults = defaultResults
	}
	if b.NumResults < 1 || b.NumResults > most {
		return nil, attune.Errorf(attune.Invalid, "numResults is %d: it must be from 1 to %d", b.NumResults, most)
	}
	if err := checkPath("Invalid S3 input path", "jobInput", b.JobInput.S3DataSource.Path); err != nil {
		return nil, err
	}
	if err := checkPath("Invalid S3 output path", "jobOutput", b.JobOutput.S3DataDestination.Path); err != nil {
		return nil, err
	}
	b.FailureReason, b.Outputs = "", nil
	return g.created(ctx, func() (*Resource, error) {
		version, group, err := g.batchable(ctx, k, b)
		if err != nil {
			return nil, err
		}
		if err := g.free(ctx, k, name); err != nil {
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: k, ARN: g.names.Make(string(k), name), Parent: version.ARN, Name: name}, b, group)
	})
}

// batchable finds the ACTIVE version of a job, whose recipe must be one for such
// jobs, and checks the job's filter.
func (g *Registry) batchable(ctx context.Context, k Kind, b BatchBody) (version, group *Resource, err error) {
	if strings.HasSuffix(b.SolutionVersionArn, "/$LATEST") {
		return nil, nil, attune.Errorf(attune.Invalid, "%s takes one solution version: give its ARN instead of $LATEST, as DescribeSolution shows it in latestSolutionVersion", k.One())
	}
	version, group, recipe, err := g.usable(ctx, b.SolutionVersionArn)
	if err == nil {
		err = checkBatchRecipe(k, recipe)
	}
	if err == nil {
		err = checkCampaign(CampaignBody{CampaignConfig: b.Config}, recipe) // the same configuration
	}
	if err != nil {
		return nil, nil, err
	}
	if b.FilterArn == "" {
		return version, group, nil
	}
	return version, group, g.checkBatchFilter(ctx, k, b.FilterArn, group)
}

// checkBatchRecipe refuses recipes that have no such jobs.
func checkBatchRecipe(k Kind, recipe spec.Recipe) error {
	switch {
	case k == BatchSegmentJob && recipe.Kind != spec.Segment:
		return attune.Errorf(attune.Invalid, "%s makes no segments of users: batch segment jobs are for aws-item-affinity and aws-item-attribute-affinity", recipe.Name)
	case k == BatchInferenceJob && recipe.Kind == spec.Segment:
		return attune.Errorf(attune.Invalid, "%s makes segments of users: use CreateBatchSegmentJob", recipe.Name)
	case k == BatchInferenceJob && (recipe.Kind == spec.Action || recipe.Name == trendingNow):
		return attune.Errorf(attune.Invalid, "batch recommendations are not offered for %s: create a campaign and ask it", recipe.Name)
	}
	return nil
}

// checkBatchFilter refuses a filter that is not ready, of another group, or not
// about what the job answers with.
func (g *Registry) checkBatchFilter(ctx context.Context, k Kind, arn string, group *Resource) error {
	r, err := g.findReady(ctx, Filter, arn)
	if err != nil {
		return err
	}
	if r.Group != group.ID {
		return attune.Errorf(attune.Invalid, "filter %s is not of %s, to which the solution version belongs", arn, group.ARN)
	}
	b, err := Body[FilterBody](r)
	if err != nil {
		return err
	}
	e, err := filter.Parse(b.FilterExpression)
	if err != nil {
		return err
	}
	want := filter.ItemID
	if k == BatchSegmentJob {
		want = filter.UserID
	}
	for i := range e.Clauses {
		if s := e.Clauses[i].Subject; s != want {
			return attune.Errorf(attune.Invalid, "filter %s is about %s: %s needs one about %s", arn, s, k.One(), want)
		}
	}
	return nil
}

// checkPath refuses a path that does not begin with a bucket of the object door.
func checkPath(what, member, path string) error {
	rest, ok := strings.CutPrefix(path, "s3://")
	if bucket, _, _ := strings.Cut(rest, "/"); !ok || bucket == "" {
		return attune.Errorf(attune.Invalid, "%s. The path of %s is %q: write s3://bucket/key", what, member, path)
	}
	return nil
}

// batchUses finds a batch job under way that has what is asked for; nil for none.
func (g *Registry) batchUses(ctx context.Context, group string, uses func(BatchBody) bool) (*Resource, error) {
	for _, k := range []Kind{BatchInferenceJob, BatchSegmentJob} {
		jobs, err := g.every(ctx, Query{Kind: k, Group: group, Busy: true})
		if err != nil {
			return nil, err
		}
		for i := range jobs {
			b, err := Body[BatchBody](&jobs[i])
			if err != nil {
				return nil, err
			}
			if uses(b) {
				return &jobs[i], nil
			}
		}
	}
	return nil, nil
}

// inUse refuses to delete r while a job under way needs it; job may be nil.
func inUse(r, job *Resource) error {
	if job == nil {
		return nil
	}
	return attune.Errorf(attune.InUse, "%s %s is in use: %s %s is %s", r.Kind.Words(), r.ARN, job.Kind.Words(), job.ARN, job.Status)
}

package verb

import (
	"context"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/double"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/notify"
	"github.com/attune-io/attune/profile"
	"github.com/attune-io/attune/resource"
)

// Rooms are what the verbs look into; all fields but those of strict mode are required.
type Rooms struct {
	Registry  *resource.Registry
	Jobs      *job.Manager
	Profiles  *profile.Keeper
	Artifacts *artifact.Store
	Schedules *maintain.Schedules
	Maintain  *maintain.Manager
	Notify    *notify.Desk
	Clock     *double.Clock  // nil unless the node is strict
	Faults    *double.Faults // likewise
}

type rooms struct {
	Rooms
	api *awsjson.Server
}

// ApiCoverageInput asks for the published operations.
type ApiCoverageInput struct{}

// ApiCoverageOutput lists all published operations and whether this build answers them.
type ApiCoverageOutput struct {
	Operations []awsjson.OperationCoverage `json:"operations"`
}

func (d *Door) apiCoverage(context.Context, *ApiCoverageInput) (any, error) {
	return &ApiCoverageOutput{d.api.Coverage()}, nil
}

// DescribeModelInput names a solution version.
type DescribeModelInput struct {
	SolutionVersionArn string `json:"solutionVersionArn"`
}

// DescribeModelOutput is the manifest of what a solution version learned.
type DescribeModelOutput struct {
	Manifest model.Manifest `json:"manifest"`
}

func (d *Door) describeModel(ctx context.Context, in *DescribeModelInput) (any, error) {
	r, err := d.Registry.Find(ctx, resource.SolutionVersion, attune.ARN(in.SolutionVersionArn))
	if err != nil {
		return nil, err
	}
	v, err := resource.Body[resource.SolutionVersionBody](r)
	if err != nil || v.Model == "" {
		return nil, attune.Errorf(attune.InUse, "%s has no model: it is %s", in.SolutionVersionArn, r.Status)
	}
	m, err := model.OpenManifest(ctx, d.Artifacts, v.Model)
	if err != nil {
		return nil, err
	}
	return &DescribeModelOutput{*m}, nil
}

// DescribeProgressInput names an import job, a solution version or a campaign.
type DescribeProgressInput struct {
	Arn string `json:"arn"`
}

// DescribeProgressOutput says how far the work on a resource is.
type DescribeProgressOutput struct {
	Status  resource.Status `json:"status"`
	Running bool            `json:"running"`
	job.Progress
}

func (d *Door) describeProgress(ctx context.Context, in *DescribeProgressInput) (any, error) {
	r, err := d.Registry.Get(ctx, attune.ARN(in.Arn))
	if err != nil {
		return nil, err
	}
	p, running, err := d.Jobs.Progress(ctx, r.ARN)
	if err != nil {
		return nil, err
	}
	return &DescribeProgressOutput{Status: r.Status, Running: running, Progress: p}, nil
}

// DescribeUserInput names a user (or an anonymous session) of a dataset group.
type DescribeUserInput struct {
	DatasetGroupArn string `json:"datasetGroupArn"`
	UserID          string `json:"userId"`
}

// DescribeUserOutput is what the profile knows of a user now.
type DescribeUserOutput struct {
	Seq        event.Seq      `json:"seq"` // of the log, up to which this is true
	History    []UserTouch    `json:"history"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// UserTouch is one interaction, oldest first.
type UserTouch struct {
	ItemID    string    `json:"itemId"`
	EventType string    `json:"eventType,omitempty"`
	At        time.Time `json:"at"`
}

func (d *Door) describeUser(ctx context.Context, in *DescribeUserInput) (any, error) {
	r, err := d.Registry.Get(ctx, attune.ARN(in.DatasetGroupArn))
	if err != nil {
		return nil, err
	}
	if r.Kind != resource.DatasetGroup {
		return nil, attune.Errorf(attune.Invalid, "%s is %s, not a dataset group", r.ARN, r.Kind.One())
	}
	view, ok := d.Profiles.View(event.Group(r.ID))
	if !ok {
		return nil, attune.Errorf(attune.InUse, "the profiles of %s are being read; try again soon", r.ARN)
	}
	out := &DescribeUserOutput{Seq: view.Seq(), History: []UserTouch{}, Attributes: view.UserAttributes(in.UserID)}
	for _, t := range view.History(in.UserID) {
		out.History = append(out.History, UserTouch{view.Item(t.Item), view.TypeName(t.Type), time.UnixMilli(t.At).UTC()})
	}
	return out, nil
}

// DescribeImportInput names an import job.
type DescribeImportInput struct {
	DatasetImportJobArn string `json:"datasetImportJobArn"`
}

// DescribeImportOutput says what an import read.
type DescribeImportOutput struct {
	Status resource.Status `json:"status"`
	resource.ImportReport
}

func (d *Door) describeImport(ctx context.Context, in *DescribeImportInput) (any, error) {
	return d.importReport(ctx, in.DatasetImportJobArn)
}

// importReport reads what an import job found.
func (d *Door) importReport(ctx context.Context, arn string) (*DescribeImportOutput, error) {
	r, err := d.Registry.Get(ctx, attune.ARN(arn))
	if err != nil {
		return nil, err
	}
	if r.Kind != resource.ImportJob {
		return nil, attune.Errorf(attune.Invalid, "%s is %s, not an import job", r.ARN, r.Kind.One())
	}
	b, err := resource.Body[resource.ImportJobBody](r)
	if err != nil {
		return nil, err
	}
	out := &DescribeImportOutput{Status: r.Status}
	if b.Report != nil {
		out.ImportReport = *b.Report
	}
	return out, nil
}

// maxRejects bounds the rejects file that is sent, in bytes: ten thousand lines.
const maxRejects = 8 << 20

// GetRejectsInput names an import job.
type GetRejectsInput struct {
	DatasetImportJobArn string `json:"datasetImportJobArn"`
}

// GetRejectsOutput is the file of rejected rows: CSV with file, line, column and reason.
type GetRejectsOutput struct {
	CSV string `json:"csv"`
}

func (d *Door) getRejects(ctx context.Context, in *GetRejectsInput) (any, error) {
	out, err := d.importReport(ctx, in.DatasetImportJobArn)
	if err != nil {
		return nil, err
	}
	if out.RejectsFile == "" {
		return nil, attune.Errorf(attune.NotFound, "%s has no rejects file: no row of it was rejected, or it has not ended", in.DatasetImportJobArn)
	}
	text, err := d.Artifacts.Get(ctx, out.RejectsFile, maxRejects)
	if err != nil {
		return nil, err
	}
	return &GetRejectsOutput{string(text)}, nil
}

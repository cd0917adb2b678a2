package resource

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// ExportJobBody is the body of an ExportJob.
type ExportJobBody struct {
	DatasetArn    string    `json:"datasetArn"`
	IngestionMode string    `json:"ingestionMode"` // ExportBulk, ExportPut or ExportAll
	RoleArn       string    `json:"roleArn"`
	JobOutput     JobOutput `json:"jobOutput"`
	FailureReason string    `json:"failureReason,omitempty"`
	Outputs       []string  `json:"outputs,omitempty"` // objects written, as bucket/key; recorded before the first appears
	Tags          []Tag     `json:"tags,omitempty"`
}

// What an export holds: rows of imports, what came by Put*, or both.
const (
	ExportBulk = "BULK"
	ExportPut  = "PUT"
	ExportAll  = "ALL"
)

// CreateExportJob asks for an ACTIVE dataset to be written as CSV.
func (g *Registry) CreateExportJob(ctx context.Context, name string, b ExportJobBody) (*Resource, error) {
	if err := checkTags(b.Tags); err != nil {
		return nil, err
	}
	if b.IngestionMode == "" {
		b.IngestionMode = ExportPut
	}
	if err := checkPath("Invalid S3 output path", "jobOutput", b.JobOutput.S3DataDestination.Path); err != nil {
		return nil, err
	}
	b.FailureReason, b.Outputs = "", nil
	return g.created(ctx, func() (*Resource, error) {
		set, group, err := g.within(ctx, Dataset, b.DatasetArn)
		if err != nil {
			return nil, err
		}
		if err := ready(set); err != nil {
			return nil, err
		}
		sb, err := Body[DatasetBody](set)
		if err != nil {
			return nil, err
		}
		if t := schema.Type(sb.DatasetType); t == schema.Actions || t == schema.ActionInteractions {
			return nil, attune.Errorf(attune.Invalid, "dataset %s is of type %s: only Interactions, Items and Users can be exported", set.ARN, t)
		}
		if err := g.free(ctx, ExportJob, name); err != nil {
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: ExportJob, ARN: g.names.Make("dataset-export-job", name), Parent: set.ARN, Name: name}, b, group)
	})
}

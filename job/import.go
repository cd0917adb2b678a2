package job

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/resource"
)

// ImportWorkflow reads an upload into a table, then makes the table true.
func ImportWorkflow(ctx workflow.Context, ref Ref) error {
	ctx = step(ctx, queueLight)
	var a *activities
	var table Imported
	err := workflow.ExecuteActivity(ctx, a.ImportRead, ref).Get(ctx, &table)
	if err == nil {
		err = workflow.ExecuteActivity(ctx, a.ImportCommit, ref, table).Get(ctx, nil)
	}
	if temporal.IsCanceledError(err) {
		return err // by an operator of Temporal: the row still asks, and is taken up again
	}
	if err != nil {
		return workflow.ExecuteActivity(ctx, a.Fail, ref, reason(ctx, err)).Get(ctx, nil)
	}
	return nil
}

// Imported is what ImportRead leaves for ImportCommit: names and counts.
type Imported struct {
	Table  string                `json:"table"` // "" when the row no longer asks for work
	Report resource.ImportReport `json:"report"`
}

// ImportRead checks and copies the upload into a table named after this attempt.
// Nothing is true yet when it returns.
func (a *activities) ImportRead(ctx context.Context, ref Ref) (Imported, error) {
	return beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (out Imported, err error) {
		r, live, err := a.m.claim(ctx, ref)
		if err != nil || !live {
			return out, err
		}
		start := time.Now()
		defer func() { a.m.observe("import", start, err) }()

		job, err := resource.Body[resource.ImportJobBody](r)
		if err != nil {
			return out, err
		}
		set, sch, err := a.m.datasetOf(ctx, attune.ARN(job.DatasetArn))
		if err != nil {
			return out, err
		}
		location, err := objectLocation(job.DataSource.DataLocation)
		if err != nil {
			return out, err
		}
		typ, err := schema.ParseType(set.body.DatasetType)
		if err != nil {
			return out, err
		}
		most, least := a.m.Registry.Limits().Import.Of(typ, job.ImportMode)
		rep, err := dataset.Import(ctx, a.m.Objects, a.m.Artifacts, dataset.ImportSpec{
			Type: typ, Schema: sch, Location: location,
			Table: tableFolder(set.row, r) + attempt(ctx), MostBytes: most, LeastRows: least,
			Progress: func(bytes, total, _ int64) {
				report(Progress{Stage: "read", Done: bytes, Total: total})
			},
		})
		if err != nil {
			if rep != nil { // too many rows were rejected: their owner wants to see which
				err = errors.Join(err, a.m.keepReport(ctx, ref, importReport(rep)))
			}
			return out, err
		}
		return Imported{Table: rep.Table, Report: importReport(rep)}, nil
	})
}

// ImportCommit appends the Imported record, the commit point of an import, and
// then shows it on the row. Readers of the log count a job once, so a second
// attempt after a crash between the two adds nothing.
func (a *activities) ImportCommit(ctx context.Context, ref Ref, t Imported) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, _ func(Progress)) (struct{}, error) {
		var none struct{}
		r, live, err := a.m.claim(ctx, ref)
		if err != nil || !live {
			return none, err
		}
		job, err := resource.Body[resource.ImportJobBody](r)
		if err != nil {
			return none, err
		}
		set, _, err := a.m.datasetOf(ctx, attune.ARN(job.DatasetArn))
		if err != nil {
			return none, err
		}
		if err := a.m.publishImport(ctx, r, job, t.Table); err != nil {
			return none, err
		}
		mode := event.Full
		if strings.EqualFold(job.ImportMode, string(event.Incremental)) {
			mode = event.Incremental
		}
		_, err = a.m.Log.Append(ctx, event.Group(r.Group), &event.Imported{
			Dataset: strings.ToUpper(set.body.DatasetType), Table: t.Table, Mode: mode, Rows: t.Report.Rows, Job: r.ID,
		})
		if err != nil {
			return none, err
		}
		_, err = a.m.finish(ctx, ref, func(r *resource.Resource) error {
			return setReport(r, t.Report)
		})
		a.m.sweep(ctx, tableFolder(set.row, r), t.Table)
		return none, err
	})
	return err
}

// tableFolder is where the attempts of an import job write their tables.
func tableFolder(set, job *resource.Resource) string { return "table/" + set.ID + "/" + job.ID + "/" }

// importReport is what a row shows of a dataset's report.
func importReport(rep *dataset.Report) resource.ImportReport {
	out := resource.ImportReport{Rows: rep.Rows, Rejected: rep.Rejected, RejectsFile: rep.RejectsFile}
	for _, rejected := range rep.Reasons {
		out.Reasons = append(out.Reasons, rejected.String())
	}
	return out
}

// keepReport shows what was read on a row whose import will fail.
func (m *Manager) keepReport(ctx context.Context, ref Ref, report resource.ImportReport) error {
	_, err := m.Registry.Change(ctx, ref.ARN, func(r *resource.Resource) error {
		if r.ID != ref.ID {
			return nil
		}
		report.Rows = 0 // none is true
		return setReport(r, report)
	})
	return err
}

func setReport(r *resource.Resource, report resource.ImportReport) error {
	return resource.ChangeBody(r, func(b *resource.ImportJobBody) { b.Report = &report })
}

// datasetRow is a dataset with its body read.
type datasetRow struct {
	row  *resource.Resource
	body resource.DatasetBody
}

// datasetOf finds a dataset and its parsed schema.
func (m *Manager) datasetOf(ctx context.Context, arn attune.ARN) (datasetRow, *schema.Schema, error) {
	row, err := m.Registry.Get(ctx, arn)
	if err != nil {
		return datasetRow{}, nil, err
	}
	body, err := resource.Body[resource.DatasetBody](row)
	if err != nil {
		return datasetRow{}, nil, err
	}
	sr, err := m.Registry.Get(ctx, attune.ARN(body.SchemaArn))
	if err != nil {
		return datasetRow{}, nil, err
	}
	sb, err := resource.Body[resource.SchemaBody](sr)
	if err != nil {
		return datasetRow{}, nil, err
	}
	sch, err := schema.Parse(sb.Schema)
	return datasetRow{row, body}, sch, err
}

// schemasOf gives the schemas of the datasets in r's group, by type.
func (m *Manager) schemasOf(ctx context.Context, r *resource.Resource) (map[schema.Type]*schema.Schema, error) {
	g, err := m.Registry.ByID(ctx, r.Group)
	if err != nil {
		return nil, err
	}
	sets, err := m.Registry.Children(ctx, g.ARN, resource.Dataset)
	if err != nil {
		return nil, err
	}
	all := map[schema.Type]*schema.Schema{}
	for i := range sets {
		set, sch, err := m.datasetOf(ctx, sets[i].ARN)
		if err != nil {
			return nil, err
		}
		all[schema.Type(set.body.DatasetType)] = sch
	}
	return all, nil
}

// objectLocation turns s3://bucket/key into the name the object door stores it under.
func objectLocation(url string) (string, error) {
	path, ok := strings.CutPrefix(url, "s3://")
	if bucket, _, _ := strings.Cut(path, "/"); !ok || bucket == "" {
		return "", attune.Errorf(attune.Invalid, "Invalid Data location. %q does not name an object: write s3://bucket/key, one file or a folder", url)
	}
	return path, nil
}

// attempt names this attempt of an activity, so that two never write to one
// place. The end of a run's id is its random part; it begins with the time.
func attempt(ctx context.Context) string {
	i := activity.GetInfo(ctx)
	run := i.WorkflowExecution.RunID
	return fmt.Sprintf("%s-%d", run[max(0, len(run)-12):], i.Attempt)
}

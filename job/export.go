package job

import (
	"bufio"
	"context"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/resource"
)

// ExportWorkflow writes a dataset as CSV.
func ExportWorkflow(ctx workflow.Context, ref Ref) error {
	ctx = step(ctx, queueLight)
	var a *activities
	err := workflow.ExecuteActivity(ctx, a.Export, ref).Get(ctx, nil)
	if temporal.IsCanceledError(err) {
		return err // by an operator of Temporal: the row still asks, and is taken up again
	}
	if err != nil {
		return workflow.ExecuteActivity(ctx, a.Fail, ref, reason(ctx, err)).Get(ctx, nil)
	}
	return nil
}

// Export streams the rows into an object that appears when it is whole, and then
// shows so on the row. Another attempt writes the object again.
func (a *activities) Export(ctx context.Context, ref Ref) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (none struct{}, err error) {
		r, live, err := a.m.claim(ctx, ref)
		if err != nil || !live {
			return none, err
		}
		start := time.Now()
		defer func() { a.m.observe("export", start, err) }()
		body, err := resource.Body[resource.ExportJobBody](r)
		if err != nil {
			return none, err
		}
		name := strings.TrimRight(strings.TrimPrefix(body.JobOutput.S3DataDestination.Path, "s3://"), "/") + "/" + r.Name + ".csv"
		if err := a.m.checkOutput(ctx, name); err != nil {
			return none, err
		}
		_, err = a.m.Registry.Change(ctx, ref.ARN, func(r *resource.Resource) error { // before it is there
			if r.ID != ref.ID {
				return nil
			}
			return resource.ChangeBody(r, func(b *resource.ExportJobBody) { b.Outputs = []string{name} })
		})
		if err != nil {
			return none, err
		}
		if err := a.m.export(ctx, r, body, name, report); err != nil {
			return none, err
		}
		_, err = a.m.finish(ctx, ref, func(*resource.Resource) error { return nil })
		return none, err
	})
	return err
}

// export writes one export's object.
func (m *Manager) export(ctx context.Context, r *resource.Resource, b resource.ExportJobBody, name string, report func(Progress)) error {
	set, sch, err := m.datasetOf(ctx, attune.ARN(b.DatasetArn))
	if err != nil {
		return err
	}
	end, err := m.Log.End(ctx, group(r))
	if err != nil {
		return err
	}
	w, err := m.Objects.Replace(ctx, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	out := bufio.NewWriterSize(w, copyBuffer)
	rows, err := dataset.Export(ctx, m.Log, m.Artifacts, dataset.ExportSpec{
		Group: group(r), UpTo: end, Type: schema.Type(set.body.DatasetType), Schema: sch,
		Bulk: b.IngestionMode != resource.ExportPut, Put: b.IngestionMode != resource.ExportBulk,
		Progress: func(rows, total int64) { report(Progress{Stage: "write", Done: rows, Total: total}) },
	}, out)
	if err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if _, err := w.Commit(); err != nil {
		return err
	}
	m.Logger.Info("dataset exported", "job", r.ARN, "rows", rows, "object", name)
	return nil
}

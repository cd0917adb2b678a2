package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

// BatchWorkflow cuts the input of a batch job into shards, answers each by
// itself, and puts the answers together. A shard that is done stays done.
func BatchWorkflow(ctx workflow.Context, ref Ref) error {
	light, batch := step(ctx, queueLight), step(ctx, queueBatch)
	var a *activities
	var plan Planned
	err := workflow.ExecuteActivity(light, a.BatchPlan, ref).Get(ctx, &plan)
	if err == nil {
		err = answerShards(batch, a, ref, plan)
	}
	if err == nil {
		err = workflow.ExecuteActivity(light, a.BatchCommit, ref, plan).Get(ctx, nil)
	}
	if temporal.IsCanceledError(err) {
		return err // by an operator of Temporal: the row still asks, and is taken up again
	}
	if err != nil {
		return workflow.ExecuteActivity(light, a.BatchFail, ref, reason(ctx, err)).Get(ctx, nil)
	}
	return nil
}

// SegmentWorkflow is BatchWorkflow for batch segment jobs, whose shards answer with users.
func SegmentWorkflow(ctx workflow.Context, ref Ref) error { return BatchWorkflow(ctx, ref) }

// answerShards asks for all shards at once; the queue takes as many as there are
// cores. The first error ends the others.
func answerShards(ctx workflow.Context, a *activities, ref Ref, plan Planned) error {
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	shards := make([]workflow.Future, plan.Shards)
	for i := range shards {
		shards[i] = workflow.ExecuteActivity(ctx, a.BatchShard, ref, plan, i)
	}
	var first error
	for _, shard := range shards {
		if err := shard.Get(ctx, nil); err != nil && first == nil {
			first = err
			cancel()
		}
	}
	return first
}

// Planned is what BatchPlan leaves for the others.
type Planned struct {
	Plan   string `json:"plan"` // artifact folder; "" when the row no longer asks for work
	Shards int    `json:"shards"`
}

// batchFolder is where a batch job keeps what it has not published yet.
func batchFolder(id string) string { return "batch/" + id + "/" }

const (
	planFile = "/plan.json"
	// maxPlan bounds a plan in bytes: as many files as may be, with long names, and
	// mostPieces.
	maxPlan = 32 << 20
	// batchFoldWait is how long a part waits for a profile that is behind, as
	// after a restart. Answers from half a profile would be kept, so it then
	// fails and is tried again.
	batchFoldWait = 10 * time.Minute
)

// BatchPlan finds the input, cuts it into pieces, and makes sure that the output
// can be written.
func (a *activities) BatchPlan(ctx context.Context, ref Ref) (Planned, error) {
	return beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (out Planned, err error) {
		r, live, err := a.m.claim(ctx, ref)
		if err != nil || !live {
			return out, err
		}
		body, err := resource.Body[resource.BatchBody](r)
		if err != nil {
			return out, err
		}
		report(Progress{Stage: "read"})
		plan, err := a.m.planBatch(ctx, r.Kind, body, report)
		if err != nil {
			return out, err
		}
		if err := a.m.checkOutputs(ctx, plan); err != nil {
			return out, err
		}
		out = Planned{Plan: batchFolder(ref.ID) + attempt(ctx), Shards: len(plan.Shards) - 1}
		return out, putPlan(ctx, a.m.Artifacts, out, plan)
	})
}

// BatchShard answers the lines of a shard's pieces, each into a file of its own.
// A piece whose file is there was answered by an attempt before.
func (a *activities) BatchShard(ctx context.Context, ref Ref, p Planned, shard int) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (none struct{}, err error) {
		r, live, err := a.m.get(ctx, ref)
		if err != nil || !live {
			return none, err
		}
		start := time.Now()
		defer func() { a.m.observe("batch", start, err) }()
		known, err := a.m.knows(ctx, r, batchFoldWait)
		if err == nil && !known {
			err = attune.Errorf(attune.Unavailable, "the profiles that %s answers from were not loaded within %s", r.ARN, batchFoldWait)
		}
		if err != nil {
			return none, err
		}
		run, done, err := a.m.openBatch(ctx, r, p)
		if err != nil {
			return none, err
		}
		defer done()
		for i := run.plan.Shards[shard]; i < run.plan.Shards[shard+1]; i++ {
			report(run.progress())
			if err := run.piece(ctx, i); err != nil {
				return none, err
			}
		}
		report(run.progress())
		return none, nil
	})
	return err
}

// BatchCommit puts the files of the pieces together into the outputs. What will
// be written is on the row before any of it is there, so that whoever has to
// find a user's traces knows where to look.
func (a *activities) BatchCommit(ctx context.Context, ref Ref, p Planned) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (none struct{}, err error) {
		_, live, err := a.m.get(ctx, ref)
		if err != nil {
			return none, err
		}
		if live {
			if err := a.m.publish(ctx, ref, p, report); err != nil {
				return none, err
			}
			if _, err := a.m.finish(ctx, ref, func(*resource.Resource) error { return nil }); err != nil {
				return none, err
			}
		}
		return none, a.m.Artifacts.DeletePrefix(ctx, batchFolder(ref.ID))
	})
	return err
}

// publish writes the outputs of a plan, one after the other.
func (m *Manager) publish(ctx context.Context, ref Ref, p Planned, report func(Progress)) error {
	plan, err := getPlan(ctx, m.Artifacts, p)
	if err != nil {
		return err
	}
	names := make([]string, len(plan.Files))
	for i, f := range plan.Files {
		names[i] = f.Output
	}
	_, err = m.Registry.Change(ctx, ref.ARN, func(r *resource.Resource) error {
		if r.ID != ref.ID {
			return nil
		}
		return resource.ChangeBody(r, func(b *resource.BatchBody) { b.Outputs = names })
	})
	if err != nil {
		return err
	}
	for i := range plan.Files {
		report(Progress{Stage: "write", Done: int64(i), Total: int64(len(plan.Files))})
		if err := m.publishFile(ctx, p, plan, i); err != nil {
			return fmt.Errorf("write %s: %w", plan.Files[i].Output, err)
		}
	}
	return nil
}

// publishFile streams the parts of one input file's answers into its output.
func (m *Manager) publishFile(ctx context.Context, p Planned, plan *batchPlan, file int) error {
	w, err := m.Objects.Replace(ctx, plan.Files[file].Output)
	if err != nil {
		return err
	}
	defer w.Abort()
	buffer := make([]byte, copyBuffer)
	for i, piece := range plan.Pieces {
		if piece.File != file {
			continue
		}
		r, err := m.Artifacts.Open(ctx, p.part(i))
		if err != nil {
			return err
		}
		_, err = io.CopyBuffer(w, r, buffer)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
	_, err = w.Commit()
	return err
}

// copyBuffer is how much is copied at once.
const copyBuffer = 256 << 10

// part is the file of one piece's answers.
func (p Planned) part(piece int) string { return fmt.Sprintf("%s/part-%06d", p.Plan, piece) }

// BatchFail moves a row to CREATE FAILED with the reason that Describe shows, and
// removes what was answered so far.
func (a *activities) BatchFail(ctx context.Context, ref Ref, why string) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, _ func(Progress)) (none struct{}, err error) {
		a.m.Logger.Warn("job failed", "resource", ref.ARN, "id", ref.ID, "reason", why)
		if err := a.m.Registry.Fail(ctx, ref.ARN, ref.ID, why); err != nil {
			return none, err
		}
		return none, a.m.Artifacts.DeletePrefix(ctx, batchFolder(ref.ID))
	})
	return err
}

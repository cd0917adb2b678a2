package job

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
)

// batches are the batch jobs that this process works on: the shards of one job
// share its model.
type batches struct {
	mu   sync.Mutex
	open map[string]*batchRun // by plan
}

// batchRun is one batch job while shards of it are answered here.
type batchRun struct {
	m       *Manager
	holders int // guarded by batches.mu
	opening sync.Mutex
	ready   bool // guarded by opening

	planned Planned
	plan    *batchPlan
	answers answers
	done    atomic.Int64 // bytes of input that were answered, by anybody
}

// answers writes the output lines of input lines, in their order. The error is
// of what keeps them all from being answered.
type answers interface {
	answer(ctx context.Context, lines []batchLine, dst []byte) ([]byte, error)
}

// openBatch opens the job that a plan is of; call done when the shard is.
func (m *Manager) openBatch(ctx context.Context, r *resource.Resource, p Planned) (run *batchRun, done func(), err error) {
	b := &m.batches
	b.mu.Lock()
	if run = b.open[p.Plan]; run == nil {
		run = &batchRun{m: m, planned: p}
		if b.open == nil {
			b.open = map[string]*batchRun{}
		}
		b.open[p.Plan] = run
	}
	run.holders++
	b.mu.Unlock()
	done = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if run.holders--; run.holders == 0 {
			delete(b.open, p.Plan)
		}
	}
	run.opening.Lock()
	defer run.opening.Unlock()
	if !run.ready {
		if err := run.fill(ctx, r); err != nil {
			done()
			return nil, nil, err
		}
		run.ready = true
	}
	return run, done, nil
}

// fill reads the plan, the model and the filter, and what is answered already.
func (run *batchRun) fill(ctx context.Context, r *resource.Resource) (err error) {
	if run.plan, err = getPlan(ctx, run.m.Artifacts, run.planned); err != nil {
		return err
	}
	b, err := resource.Body[resource.BatchBody](r)
	if err != nil {
		return err
	}
	if run.answers, err = run.m.newAnswers(ctx, r, b); err != nil {
		return err
	}
	run.done.Store(0)
	for i, piece := range run.plan.Pieces {
		there, err := run.m.Artifacts.Exists(ctx, run.planned.part(i))
		if err != nil {
			return err
		}
		if there {
			run.done.Add(piece.To - piece.From)
		}
	}
	return nil
}

// newAnswers opens what answers a job's lines.
func (m *Manager) newAnswers(ctx context.Context, r *resource.Resource, b resource.BatchBody) (answers, error) {
	expr, err := m.filterOf(ctx, b.FilterArn)
	if err != nil {
		return nil, err
	}
	release, err := m.release(ctx, r, attune.ARN(b.SolutionVersionArn))
	if err != nil {
		return nil, err
	}
	offline, err := m.Serve.Offline(release)
	if err != nil {
		return nil, err
	}
	if release.Kind == serve.Segment {
		recipe, err := m.recipeOf(ctx, b.SolutionVersionArn)
		return &userAnswers{offline: offline, attributes: recipe == attributeAffinity, n: b.NumResults, filter: expr}, err
	}
	return &itemAnswers{offline: offline, job: r.ARN, kind: release.Kind, n: b.NumResults, filter: expr}, nil
}

// filterOf reads the expression of a job's filter; nil when it has none.
func (m *Manager) filterOf(ctx context.Context, arn string) (*filter.Expr, error) {
	if arn == "" {
		return nil, nil
	}
	r, err := m.Registry.Get(ctx, attune.ARN(arn))
	if err != nil {
		return nil, err
	}
	b, err := resource.Body[resource.FilterBody](r)
	if err != nil {
		return nil, err
	}
	return filter.Parse(b.FilterExpression)
}

func (run *batchRun) progress() Progress {
	return Progress{Stage: "answer", Done: run.done.Load(), Total: run.plan.Bytes}
}

// linesAtOnce is how many lines are answered together.
const linesAtOnce = 64

// piece answers one piece into its file, which appears whole or not at all.
func (run *batchRun) piece(ctx context.Context, i int) (err error) {
	name, piece := run.planned.part(i), run.plan.Pieces[i]
	there, err := run.m.Artifacts.Exists(ctx, name)
	if err != nil || there {
		return err
	}
	in, err := run.openPiece(ctx, piece)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	w, err := run.m.Artifacts.Create(ctx, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	lines := newLineReader(io.LimitReader(in, piece.To-piece.From))
	var out []byte
	for more := true; more; {
		var some []batchLine
		if some, more, err = lines.some(linesAtOnce); err != nil {
			return err
		}
		if out, err = run.answers.answer(ctx, some, out[:0]); err != nil {
			return err
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
	}
	if _, err := w.Commit(); err != nil && attune.KindOf(err) != attune.Exists { // or an attempt that was thought dead was quicker
		return err
	}
	run.done.Add(piece.To - piece.From)
	return nil
}

// openPiece opens a piece's file at its place. An input that was replaced since
// it was cut is refused: half of the answers would be of another.
func (run *batchRun) openPiece(ctx context.Context, piece batchPiece) (io.ReadCloser, error) {
	f := &run.plan.Files[piece.File]
	r, err := run.m.Objects.Open(ctx, f.Name)
	if err != nil {
		return nil, err
	}
	if r.Size() != f.Size || !r.ModTime().Equal(f.ModTime) {
		err = attune.Errorf(attune.Invalid, "input %s was replaced while the job read it: create the job again", f.Name)
	} else {
		_, err = r.Seek(piece.From, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// lineReader reads lines of bounded length.
type lineReader struct {
	in  *bufio.Reader
	end bool
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(r, copyBuffer)}
}

const (
	// maxLine bounds a line in bytes: a list of 500 ids of 256 characters, all of
	// them escaped, and as much again.
	maxLine = 2 << 20
	// maxEcho is how much of a line that is no JSON comes back beside the error.
	maxEcho = 1000
)

// some reads up to n lines; more says whether there may be others.
func (l *lineReader) some(n int) (lines []batchLine, more bool, err error) {
	for len(lines) < n && !l.end {
		var line []byte
		long := false
		for {
			part, err := l.in.ReadSlice('\n')
			if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
				return nil, false, fmt.Errorf("read the input: %w", err)
			}
			if long = long || len(line)+len(part) > maxLine; !long {
				line = append(line, part...)
			}
			if l.end = errors.Is(err, io.EOF); err == nil || l.end {
				break
			}
		}
		if one := parseLine(line, long); one != nil {
			lines = append(lines, *one)
		}
	}
	return lines, !l.end, nil
}

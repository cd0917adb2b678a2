package job

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/resource"
)

// maxBatchFiles bounds the files of one job, whose names are held at once. In
// strict mode the service's quotas, resource.BatchLimits, are below.
const maxBatchFiles = 10_000

const (
	// pieceBytes is about how much input is answered into one file: some seconds
	// of work, which is what a kill costs.
	pieceBytes = 256 << 10
	// maxPieces bounds the files of large inputs; their pieces are larger.
	maxPieces = 512
	// mostPieces bounds the pieces, and so the files, of a job whose pieces are cut
	// by lines too (pieceLines): 6.4 million lines of segments, for which some 6 MB
	// of the plan go.
	mostPieces = 100_000
	// maxShards bounds the activities of a job, whose history is kept.
	maxShards = 64
)

// batchPlan says what a batch job reads, and in which parts.
type batchPlan struct {
	Files  []batchFile  `json:"files"`
	Pieces []batchPiece `json:"pieces"` // in the order of files and lines
	Shards []int        `json:"shards"` // shard i has the pieces from Shards[i] up to, without, Shards[i+1]
	Bytes  int64        `json:"bytes"`
}

// batchFile is one input object and the output object that answers it.
type batchFile struct {
	Name    string    `json:"name"` // bucket/key
	Size    int64     `json:"size"`
	ModTime time.Time `json:"modTime"`
	Output  string    `json:"output"` // bucket/key
}

// batchPiece is a stretch of whole lines of one file.
type batchPiece struct {
	File int   `json:"file"`
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// pieceLines is how many lines of a kind of job may be answered together.
func pieceLines(k resource.Kind) int64 {
	if k == resource.BatchSegmentJob {
		return segmentsAtOnce
	}
	return math.MaxInt64
}

// mostLines is how many lines a job's input may have; 0 for any number.
func mostLines(k resource.Kind, recipe string, most resource.BatchLimits) int64 {
	switch {
	case k == resource.BatchInferenceJob:
		return most.Records
	case recipe == attributeAffinity:
		return int64(most.SegmentQueries)
	}
	return int64(most.SegmentItems)
}

// planBatch finds the input of a job and cuts it at line ends.
func (m *Manager) planBatch(ctx context.Context, k resource.Kind, b resource.BatchBody, report func(Progress)) (*batchPlan, error) {
	recipe, err := m.recipeOf(ctx, b.SolutionVersionArn)
	if err != nil {
		return nil, err
	}
	most := mostLines(k, recipe, m.Registry.Limits().Batch)
	plan, err := m.findInputs(ctx, b)
	if err != nil {
		return nil, err
	}
	size := max(pieceBytes, plan.Bytes/maxPieces)
	var lines, read int64
	for i := range plan.Files {
		report(Progress{Stage: "read", Done: read, Total: plan.Bytes})
		n, err := m.cut(ctx, plan, i, size, pieceLines(k))
		if err != nil {
			return nil, err
		}
		lines, read = lines+n, read+plan.Files[i].Size
		if most > 0 && lines > most {
			return nil, attune.Errorf(attune.Invalid, "the input has more than %d lines: divide it among several jobs", most)
		}
	}
	if lines == 0 {
		return nil, attune.Errorf(attune.Invalid, "Invalid S3 input path: what lies at %s has no lines; write one JSON object a line", b.JobInput.S3DataSource.Path)
	}
	for at, n := 0, len(plan.Pieces); ; {
		plan.Shards = append(plan.Shards, at)
		if at == n {
			return plan, nil
		}
		left := maxShards - len(plan.Shards) + 1
		at += (n - at + left - 1) / left
	}
}

// findInputs lists the input: the object of the given name, or those below it.
// Of a folder, notes of other programs (_SUCCESS, .DS_Store) are left out, and
// outputs, so that a job may write where it reads.
func (m *Manager) findInputs(ctx context.Context, b resource.BatchBody) (*batchPlan, error) {
	location := b.JobInput.S3DataSource.Path
	full := strings.TrimPrefix(location, "s3://")
	exact := strings.TrimRight(full, "/")
	out := strings.TrimRight(strings.TrimPrefix(b.JobOutput.S3DataDestination.Path, "s3://"), "/") + "/"
	most, files, plan := m.Registry.Limits().Batch, maxBatchFiles, &batchPlan{}
	if most.Files > 0 {
		files = min(files, most.Files)
	}
	add := func(info artifact.Info, name string) {
		plan.Files = append(plan.Files, batchFile{info.Name, info.Size, info.ModTime, out + name + outSuffix})
		plan.Bytes += info.Size
	}
	for info, err := range m.Objects.List(ctx, exact) {
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", location, err)
		}
		if info.Name == exact && full == exact {
			plan.Files, plan.Bytes = nil, 0
			add(info, path.Base(exact))
			break
		}
		below, ok := strings.CutPrefix(info.Name, exact+"/")
		base := path.Base(below)
		if !ok || below == "" || strings.HasSuffix(below, "/") || base[0] == '_' || base[0] == '.' || strings.HasSuffix(base, outSuffix) {
			continue
		}
		if add(info, below); len(plan.Files) > files {
			return nil, attune.Errorf(attune.Invalid, "more than %d files lie below %s: give fewer, larger ones", files, location)
		}
	}
	if len(plan.Files) == 0 {
		return nil, attune.Errorf(attune.Invalid, "Invalid S3 input path: nothing lies at %s; upload a file of one JSON object a line there first", location)
	}
	if most.Bytes > 0 && plan.Bytes > most.Bytes {
		return nil, attune.Errorf(attune.Invalid, "the input has %d bytes: at most %d are allowed; divide it among several jobs", plan.Bytes, most.Bytes)
	}
	slices.SortFunc(plan.Files, func(a, b batchFile) int { return strings.Compare(a.Name, b.Name) })
	return plan, nil
}

// outSuffix is added to the name of an input for that of its output.
const outSuffix = ".out"

// cut adds the pieces of one file, each of about size bytes and at most most
// lines, and counts the lines that are not empty.
func (m *Manager) cut(ctx context.Context, plan *batchPlan, file int, size, most int64) (lines int64, err error) {
	f := &plan.Files[file]
	r, err := m.Objects.Open(ctx, f.Name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var at, begun, inPiece int64 // offsets, and lines since begun
	flush := func() {
		if inPiece > 0 {
			plan.Pieces = append(plan.Pieces, batchPiece{file, begun, at})
		}
		begun, inPiece = at, 0
	}
	in, blank := bufio.NewReaderSize(r, copyBuffer), true
	for err == nil {
		var part []byte
		part, err = in.ReadSlice('\n') // of a line longer than the buffer it is a part
		at += int64(len(part))
		blank = blank && len(bytes.TrimSpace(part)) == 0
		if errors.Is(err, bufio.ErrBufferFull) {
			err = ctx.Err()
			continue
		}
		if !blank {
			lines++
			inPiece++
		}
		blank = true
		if at-begun >= size || inPiece >= most {
			if flush(); len(plan.Pieces) > mostPieces {
				return 0, attune.Errorf(attune.Invalid, "the input has too many lines for one job (more than %d pieces of at most %d lines): divide it among several jobs", mostPieces, most)
			}
			err = errors.Join(err, ctx.Err())
		}
	}
	if !errors.Is(err, io.EOF) || at != f.Size {
		return 0, fmt.Errorf("read %s: %d of %d bytes: %w", f.Name, at, f.Size, err)
	}
	flush()
	return lines, nil
}

// checkOutputs refuses, before any work, outputs that could not be written.
func (m *Manager) checkOutputs(ctx context.Context, plan *batchPlan) error {
	for i := range plan.Files {
		if err := m.checkOutput(ctx, plan.Files[i].Output); err != nil {
			return err
		}
	}
	return nil
}

// checkOutput refuses an object that could not be written.
func (m *Manager) checkOutput(ctx context.Context, name string) error {
	bucket, _, _ := strings.Cut(name, "/")
	ok, err := m.HasBucket(ctx, bucket)
	if err == nil && !ok {
		err = attune.Errorf(attune.Invalid, "Invalid S3 output path: bucket %s does not exist; create it first", bucket)
	}
	if err != nil {
		return err
	}
	w, err := m.Objects.Replace(ctx, name)
	if err != nil {
		return err
	}
	w.Abort()
	return nil
}

// putPlan keeps a plan for the other activities, unless it is larger than they read.
func putPlan(ctx context.Context, store *artifact.Store, p Planned, plan *batchPlan) error {
	text, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	if len(text) > maxPlan {
		return attune.Errorf(attune.Invalid, "the plan of the job has %d bytes, at most %d are kept: give fewer files, with shorter names", len(text), maxPlan)
	}
	_, err = store.Put(ctx, p.Plan+planFile, text)
	return err
}

func getPlan(ctx context.Context, store *artifact.Store, p Planned) (*batchPlan, error) {
	text, err := store.Get(ctx, p.Plan+planFile, maxPlan)
	if err != nil {
		return nil, err
	}
	plan := new(batchPlan)
	return plan, json.Unmarshal(text, plan)
}

// recipeOf is the name of the recipe of a solution version.
func (m *Manager) recipeOf(ctx context.Context, version string) (string, error) {
	r, err := m.Registry.Get(ctx, attune.ARN(version))
	if err != nil {
		return "", err
	}
	v, err := resource.Body[resource.SolutionVersionBody](r)
	if err != nil {
		return "", err
	}
	_, name, _ := attune.ARN(v.RecipeArn).Split()
	return name, nil
}

package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"text/tabwriter"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/sequence"
)

//go:embed sasrec.py
var sasrecScript string

// The size of the comparison: a step has 128 whole windows and tells the right
// item from all 3500, through two plain layers of 64 dimensions. The script
// says the same.
const (
	sasrecItems = 3500
	sasrecBatch = 128
	sasrecSteps = 4 // of a round, at scale 1
	surprises   = 3 // one item in so many does not follow from the one before
)

// sasrec compares the training of a transformer over sequences.
func sasrec(ctx context.Context, r *run) error {
	py, err := r.environment(ctx, "torch", "torch", "numpy")
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "length\tPyTorch CPU s/step\tloss\tAttune CPU s/step\tloss\tratio\t\n")
	for _, length := range []int{50, 200} {
		steps := max(1, int(sasrecSteps*r.scale))
		rows := walks(steps*sasrecBatch, length+1, 1)
		if err := writeInts(filepath.Join(r.dir, "sequences"), rows); err != nil {
			return err
		}
		theirs, err := r.torch(ctx, py, len(rows), length)
		if err != nil {
			return fmt.Errorf("torch with length %d: %w", length, err)
		}
		ours, err := r.transformer(ctx, rows)
		if err != nil {
			return fmt.Errorf("attune with length %d: %w", length, err)
		}
		a, b := typical(theirs)/float64(steps), typical(ours)/float64(steps)
		fmt.Fprintf(table, "%d\t%.3f\t%.4f\t%.3f\t%.4f\t%.2f\t\n", length, a, theirs[len(theirs)-1].Loss, b, ours[len(ours)-1].Loss, a/b)
	}
	return table.Flush()
}

// walks are sequences in which most items follow from the one before.
func walks(n, length int, seed uint64) [][]int32 {
	r := rand.New(rand.NewPCG(seed, 2))
	follows := r.Perm(sasrecItems)
	out := make([][]int32, n)
	for u := range out {
		at := int32(r.IntN(sasrecItems))
		for range length {
			out[u] = append(out[u], at)
			if at = int32(follows[at]); r.IntN(surprises) == 0 {
				at = int32(r.IntN(sasrecItems))
			}
		}
	}
	return out
}

// writeInts writes rows one after the other, little endian.
func writeInts(path string, rows [][]int32) error {
	var out []byte
	for _, row := range rows {
		for _, v := range row {
			out = binary.LittleEndian.AppendUint32(out, uint32(v))
		}
	}
	return os.WriteFile(path, out, 0o644)
}

// torch trains with the peer.
func (r *run) torch(ctx context.Context, py *python, users, length int) (all []round, err error) {
	args := []string{r.dir}
	for _, n := range []int{users, length, sasrecItems, r.rounds, runtime.GOMAXPROCS(0), sasrecBatch} {
		args = append(args, strconv.Itoa(n))
	}
	err = py.script(ctx, sasrecScript, args, func(line []byte) error {
		one := round{Peer: "torch", Dim: length}
		if err := json.Unmarshal(line, &one); err != nil {
			return err
		}
		all = append(all, one)
		return r.line(one)
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("it made no round")
	}
	return all, err
}

// transformer trains with ours. A round is an epoch; what the loss takes is not counted.
func (r *run) transformer(ctx context.Context, rows [][]int32) (all []round, err error) {
	length := len(rows[0]) - 1
	in := recipe.Input{Users: len(rows), Items: make([]string, sasrecItems), Seed: 1, Params: map[string]string{
		sequence.ParamDimension: "64", sequence.ParamBlocks: "2", sequence.ParamHeads: "2", sequence.ParamGated: "0", sequence.ParamWide: "1",
		sequence.ParamDropout: "0.2", sequence.ParamRate: "0.001", sequence.ParamNegatives: "0", sequence.ParamBatch: strconv.Itoa(sasrecBatch),
		sequence.ParamLength: strconv.Itoa(length), sequence.ParamEpochs: strconv.Itoa(r.rounds)}}
	in.Events = dataset.Events{}
	for u, row := range rows {
		for k, i := range row {
			in.Events.User, in.Events.Item, in.Events.At = append(in.Events.User, int32(u)), append(in.Events.Item, i), append(in.Events.At, int64(k))
		}
	}
	mark := cpuSeconds()
	in.Watch = func(n int, now func() (model.Scorer, error)) (bool, error) {
		one := round{Peer: "attune", Dim: length, Round: n, CPU: cpuSeconds() - mark, Kernel: kernel.Using().String()}
		s, err := now()
		if err != nil {
			return false, err
		}
		if one.Loss, err = lastLoss(ctx, s, rows); err != nil {
			return false, err
		}
		all, mark = append(all, one), cpuSeconds()
		return false, r.line(one)
	}
	_, err = sequence.New().Train(ctx, in)
	return all, err
}

// lastLoss is the mean cross-entropy of the last items.
func lastLoss(ctx context.Context, s model.Scorer, rows [][]int32) (float64, error) {
	var sum float64
	scores := make([]float32, sasrecItems)
	for _, row := range rows {
		q := model.Query{Item: model.NoItem}
		for _, i := range row[:len(row)-1] {
			q.History = append(q.History, model.Touch{Item: i, Weight: 1})
		}
		if err := s.Score(ctx, q, scores); err != nil {
			return 0, err
		}
		sum += kernel.LogSumExp(scores) - float64(scores[row[len(row)-1]])
	}
	return sum / float64(len(rows)), nil
}

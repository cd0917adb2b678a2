package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/engine/bucket"
	"github.com/attune-io/attune/world"
)

const (
	// childArg makes this program a child of itself.
	childArg = "child"
	// nodeGC is the collector's setting of a serving node, for children that stand for one.
	nodeGC = 200
	// importRuns is how often dataset.Import is measured.
	importRuns = 3
)

// child is what runs in a process of its own, so that memory and cores are its own.
func child(what string, in io.Reader, out io.Writer) error {
	debug.SetGCPercent(nodeGC)
	switch what {
	case "import":
		return importChild(in, out)
	case "echo":
		return echoChild(in, out)
	}
	return fmt.Errorf("there is no child %q", what)
}

// imports measures dataset.Import alone, and then a whole import job of a node.
func (b *bench) imports() error {
	alone := newTable("rows", "CSV", "rows/s, best", "rows/s, median", "peak memory, most")
	whole := newTable("rows", "upload", "upload/s", "job", "rows/s", "peak until ACTIVE", "then known after", "peak then")
	for _, rows := range pick(b, []int{1_000_000, 10_000_000}, []int{20_000, 100_000}) {
		w, err := world.New(world.Spec{Users: rows / 50, Items: rows / 100, Events: rows, Seed: 1})
		if err != nil {
			return err
		}
		data := b.folder("import")
		file := filepath.Join(data, "s3", bucketName, "interactions.csv")
		b.say("writing %s", w)
		if err := spool(w, file); err != nil {
			return err
		}
		if err := b.importAlone(alone, data, file, rows); err != nil {
			return err
		}
		if err := b.importWhole(whole, w, file); err != nil {
			return err
		}
		if err := os.RemoveAll(data); err != nil {
			return err
		}
	}
	b.note("`dataset.Import` alone, in a process of its own (%d runs each; a file bucket to a file bucket, durable when it returns; peak is that process's VmHWM):", pick(b, importRuns, 1))
	alone.write(b.out)
	b.note("The whole path through a running node: multipart upload through the S3 door, then a job from CreateDatasetImportJob to ACTIVE. " +
		"Peaks are the node's VmHWM, begun anew after the upload. *Known* is when the profiles have folded the table, which serving keeps in memory and importing does not need:")
	whole.write(b.out)
	return nil
}

// importTask is what the child is told, importDone what it tells.
type (
	importTask struct{ Dir, Location, Table string }
	importDone struct {
		Rows, Peak int64
		Took       time.Duration
	}
)

func (b *bench) importAlone(t *table, data, file string, rows int) error {
	var rates []float64
	var peak int64
	best := 0.0
	for run := range pick(b, importRuns, 1) {
		b.say("importing %d rows, run %d", rows, run+1)
		task := importTask{Dir: data, Location: bucketName + "/" + filepath.Base(file), Table: fmt.Sprintf("table/bench/%d", run)}
		var done importDone
		if err := b.childTask("import", task, &done); err != nil {
			return err
		}
		if done.Rows != int64(rows) {
			return fmt.Errorf("%d of %d rows were imported", done.Rows, rows)
		}
		rate := float64(done.Rows) / done.Took.Seconds()
		rates, best, peak = append(rates, rate), max(best, rate), max(peak, done.Peak)
		if err := os.RemoveAll(filepath.Join(data, "attune")); err != nil {
			return err
		}
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	t.add(rows, figure(mebibytes(info.Size()))+" MiB", best, median(rates), figure(mebibytes(peak))+" MiB")
	return nil
}

// childTask runs a child that takes and makes one JSON value.
func (b *bench) childTask(what string, in, out any) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(b.ctx, self, childArg, what)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), b.log
	answer, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s child: %w", what, err)
	}
	return json.Unmarshal(answer, out)
}

// importChild imports one file between two parts of a bucket.
func importChild(in io.Reader, out io.Writer) (err error) {
	var task importTask
	if err := json.NewDecoder(in).Decode(&task); err != nil {
		return err
	}
	ctx, stop := signalContext()
	defer stop()
	e, err := bucket.Open(ctx, "", task.Dir, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	sch, err := schema.Parse(world.InteractionsSchema)
	if err != nil {
		return err
	}
	began := time.Now()
	report, err := dataset.Import(ctx, artifact.New(e.Client(), e.Dir(), "s3/"), artifact.New(e.Client(), e.Dir(), "attune/"),
		dataset.ImportSpec{Type: schema.Interactions, Schema: sch, Location: task.Location, Table: task.Table})
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(importDone{Rows: report.Rows, Took: time.Since(began), Peak: memoryOf(os.Getpid(), "VmHWM")})
}

func (b *bench) importWhole(t *table, w *world.World, file string) error {
	rows := w.Spec().Events
	b.say("importing %d rows through a node", rows)
	data := b.folder("node")
	p, err := b.start(data)
	if err != nil {
		return err
	}
	c := b.client(p)
	group, err := c.group("bench")
	if err != nil {
		return err
	}
	set, err := c.dataset(group)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := c.upload(file, filepath.Base(file)); err != nil {
		return err
	}
	uploaded := time.Since(began)
	if err := resetPeak(p.PID()); err != nil {
		b.say("the peak includes the upload: %v", err)
	}
	took, err := c.importing(set, filepath.Base(file))
	if err != nil {
		return err
	}
	active := memoryOf(p.PID(), "VmHWM")
	folded, err := c.known(group, w.UserID(w.Spec().Users-1))
	if err != nil {
		return err
	}
	known := memoryOf(p.PID(), "VmHWM")
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	t.add(rows, uploaded, figure(mebibytes(info.Size())/uploaded.Seconds())+" MiB", took, float64(rows)/took.Seconds(),
		figure(mebibytes(active))+" MiB", folded, figure(mebibytes(known))+" MiB")
	if err := b.stop(p); err != nil {
		return err
	}
	return os.RemoveAll(data)
}

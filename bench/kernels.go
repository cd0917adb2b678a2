package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// kernelRounds is how often every kernel is measured, in turns.
	kernelRounds = 7
	// kernelsTimed are those of kernel's benchmarks that the page shows.
	kernelsTimed = `^Benchmark(Gemm|Gather|Scatter)$/^(packed|whole)$`
)

// kernels measures the products that trainings and answers are made of, as shares
// of what registers alone can do, with the benchmarks of the room itself.
func (b *bench) kernels() error {
	exe := filepath.Join(b.dir, "kernel.test")
	if err := b.command("go", "test", "-c", "-o", exe, "./kernel").Run(); err != nil {
		return fmt.Errorf("build the benchmarks of kernel: %w", err)
	}
	var names []string // as they first come
	values := map[string]map[string][]float64{}
	for range pick(b, kernelRounds, 1) {
		cmd := b.command(exe, "-test.run", "^$", "-test.bench", kernelsTimed, "-test.benchtime", pick(b, "200ms", "1x"))
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("run the benchmarks of kernel: %w", err)
		}
		for _, f := range benchmarked(out) {
			if values[f.name] == nil {
				names, values[f.name] = append(names, f.name), map[string][]float64{}
			}
			for unit, v := range f.by {
				values[f.name][unit] = append(values[f.name][unit], v)
			}
		}
	}
	t := newTable("product", "Gflop/s", "of the peak", "best of the best peak")
	for _, name := range names {
		v := values[name]
		if len(v["%peak"]) > 0 {
			t.add(name, median(v["GF/s"]), percent(median(v["%peak"])), percent(median(v["%best"])))
		}
	}
	b.note("One processor, its own time; sizes are rows × depth × columns. The peak is what fused multiply-adds do in registers, measured beside each sample. Medians of %d rounds: "+
		"of the samples' medians, and of the best sample of a round as a share of its best peak, which other work on the host disturbs less:", pick(b, kernelRounds, 1))
	t.write(b.out)
	return nil
}

func percent(v float64) string { return significant(v) + " %" }

// command is a program in the module's folder that tells the log what went wrong.
func (b *bench) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(b.ctx, name, args...)
	cmd.Dir, cmd.Stderr = b.root, b.log
	return cmd
}

// figures are what go test printed of a benchmark, by unit.
type figures struct {
	name string // without Benchmark, and without the number of processors
	by   map[string]float64
}

// benchmarked reads the lines of benchmarks: name, rounds, and a value and a unit each.
func benchmarked(out []byte) (all []figures) {
	for line := range bytes.Lines(out) {
		fields := strings.Fields(string(line))
		if len(fields) < 2 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		f := figures{name: strings.TrimPrefix(fields[0], "Benchmark"), by: map[string]float64{}}
		if at := strings.LastIndexByte(f.name, '-'); at >= 0 {
			f.name = f.name[:at]
		}
		for at := 2; at+1 < len(fields); at += 2 {
			if v, err := strconv.ParseFloat(fields[at], 64); err == nil {
				f.by[fields[at+1]] = v
			}
		}
		all = append(all, f)
	}
	return all
}

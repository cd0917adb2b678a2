package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/cpu"
)

// python is a virtual environment in r.dir with the packages of one peer.
type python struct {
	exe string
	env []string
	run *run
}

// environment makes the virtual environment, or finds it from the run before.
// Only wheels are taken: nothing is compiled.
func (r *run) environment(ctx context.Context, name string, packages ...string) (*python, error) {
	root := filepath.Join(r.dir, name)
	p := &python{exe: filepath.Join(root, "bin", "python"), run: r}
	if _, err := os.Stat(filepath.Join(root, "ready")); err == nil {
		return p, nil
	}
	fmt.Fprintf(r.log, "installing %s into %s\n", strings.Join(packages, " "), root)
	for _, args := range [][]string{
		{"python3", "-m", "venv", root},
		append([]string{p.exe, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"}, packages...),
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = r.log, r.log
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%s: %w; python3 with venv and a way to PyPI are needed", strings.Join(args, " "), err)
		}
	}
	return p, os.WriteFile(filepath.Join(root, "ready"), nil, 0o644)
}

// script runs a script and gives each line of JSON that it prints to read. After
// each the script gets a newline, for which it may wait.
func (p *python) script(ctx context.Context, text string, args []string, read func([]byte) error) error {
	file := filepath.Join(p.run.dir, "peer.py")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, p.exe, append([]string{file}, args...)...)
	cmd.Stderr = p.run.log
	// Libraries that have threads of their own above BLAS want BLAS to have one.
	cmd.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1", fmt.Sprintf("OMP_NUM_THREADS=%d", runtime.GOMAXPROCS(0)))
	cmd.Env = append(cmd.Env, p.env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	answer, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && err == nil {
		if err = read(lines.Bytes()); err == nil {
			_, _ = io.WriteString(answer, "\n") // one that does not wait may be gone
		}
	}
	if err != nil {
		_ = cmd.Process.Kill()
	}
	if wait := cmd.Wait(); err == nil && wait != nil {
		err = fmt.Errorf("%s: %w", filepath.Base(file), wait)
	}
	return err
}

// blasScript prints what kernels every OpenBLAS that is loaded has chosen.
const blasScript = `import json, numpy, scipy.linalg
from threadpoolctl import threadpool_info
for lib in threadpool_info():
    if lib.get("internal_api") == "openblas":
        print(json.dumps({"core": lib["architecture"], "version": lib["version"]}), flush=True)
`

// knowsProcessor makes OpenBLAS use kernels for this processor. One that is older
// than the processor may not know it and take kernels of 2004, with which
// everything is several times slower and the comparison worth nothing.
func (p *python) knowsProcessor(ctx context.Context) (core string, err error) {
	best := []string{} // cores with the widest vectors of this processor, the first to be forced
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW:
		best = []string{"SkylakeX", "Cooperlake", "SapphireRapids"}
	case cpu.X86.HasAVX2:
		best = []string{"Haswell", "Zen"}
	}
	for range 2 {
		var cores []string
		if err := p.script(ctx, blasScript, nil, func(line []byte) error {
			var lib struct{ Core, Version string }
			err := json.Unmarshal(line, &lib)
			cores = append(cores, lib.Core)
			fmt.Fprintf(p.run.log, "OpenBLAS %s uses the kernels of %s\n", lib.Version, lib.Core)
			return err
		}); err != nil {
			return "", err
		}
		wrong := func(core string) bool { return len(best) > 0 && !slices.Contains(best, core) }
		cores = slices.Compact(cores)
		if core = strings.Join(cores, " "); !slices.ContainsFunc(cores, wrong) {
			return core, nil
		}
		fmt.Fprintf(p.run.log, "this processor has better: OPENBLAS_CORETYPE=%s\n", best[0])
		p.env = append(p.env, "OPENBLAS_CORETYPE="+best[0])
	}
	return core, fmt.Errorf("OpenBLAS insists on the kernels of %s; the comparison would not be fair", core)
}

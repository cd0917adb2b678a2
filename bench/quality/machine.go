package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune/kernel"
)

// surroundings tell the machine and the build.
func surroundings(command string) environment {
	e := environment{CPU: procLine("/proc/cpuinfo", "model name"), Cores: runtime.GOMAXPROCS(0), Go: runtime.Version(),
		OS: runtime.GOOS + "/" + runtime.GOARCH, Version: version(), Time: time.Now().UTC().Format(time.RFC3339), Command: command}
	if kib, err := strconv.ParseInt(strings.TrimSuffix(procLine("/proc/meminfo", "MemTotal"), " kB"), 10, 64); err == nil {
		e.Memory = kib << 10
	}
	return e
}

// version is the revision of the tree that is worked in, since go run does not
// stamp what it builds; "" outside of one.
func version() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// procLine is the value of a line "name: value" of a file of /proc; "" where there is none.
func procLine(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// peakBytes is the most memory that this process ever held; 0 where there is no /proc.
func peakBytes() int64 {
	var kib int64
	if _, err := fmt.Sscan(procLine("/proc/self/status", "VmHWM"), &kib); err != nil {
		return 0
	}
	return kib << 10
}

// tier is the family of kernels that computes here.
func tier() string { return kernel.Using().String() }

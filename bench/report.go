package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// table is a Markdown table; the first column is text, the others are figures.
type table struct {
	head []string
	rows [][]string
}

func newTable(head ...string) *table { return &table{head: head} }

// add appends a row: durations and floats are printed with three figures.
func (t *table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = figure(c)
	}
	t.rows = append(t.rows, row)
}

func (t *table) write(w io.Writer) {
	width := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c), 4)
		}
	}
	line := func(row []string) {
		for i, c := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if i == 0 {
				fmt.Fprintf(w, "| %s%s ", c, pad)
			} else {
				fmt.Fprintf(w, "| %s%s ", pad, c)
			}
		}
		fmt.Fprintln(w, "|")
	}
	fmt.Fprintln(w)
	line(t.head)
	for i := range t.head {
		if i == 0 {
			fmt.Fprintf(w, "| %s ", strings.Repeat("-", width[i]))
		} else {
			fmt.Fprintf(w, "| %s: ", strings.Repeat("-", width[i]-1))
		}
	}
	fmt.Fprintln(w, "|")
	for _, row := range t.rows {
		line(row)
	}
}

// figure prints a value as people read it: 12 345, 0.123, 4.56 ms.
func figure(v any) string {
	switch v := v.(type) {
	case time.Duration:
		switch {
		case v >= time.Second:
			return significant(v.Seconds()) + " s"
		case v >= time.Millisecond:
			return significant(v.Seconds()*1e3) + " ms"
		default:
			return significant(v.Seconds()*1e6) + " µs"
		}
	case float64:
		return significant(v)
	case int:
		return grouped(int64(v))
	case int64:
		return grouped(v)
	default:
		return fmt.Sprint(v)
	}
}

// significant prints three figures, and whole numbers from a hundred on.
func significant(v float64) string {
	switch {
	case v >= 100:
		return grouped(int64(v + 0.5))
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// grouped prints 1234567 as 1 234 567.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// quantile is the smallest value that a share q of all is not above; sorted is
// in ascending order. 0 of nothing.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	i := int(q*float64(len(sorted))+0.9999999) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// median is the middle of values in any order, the upper one of two.
func median[T int64 | float64 | time.Duration](values []T) T {
	s := slices.Sorted(slices.Values(values))
	return s[len(s)/2]
}

// mebibytes of a number of bytes.
func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// busyWindow is how long the machine is watched before a measurement.
const busyWindow = time.Second

// machineNote says what it runs on, and how busy that was before we began.
func machineNote() string {
	note := fmt.Sprintf("; %s, %d cores, %s, %s/%s", cpuModel(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if kernel, err := exec.Command("uname", "-r").Output(); err == nil {
		note += " " + strings.TrimSpace(string(kernel))
	}
	busy, ok := othersBusy()
	switch {
	case !ok:
	case busy > 0.1:
		note += fmt.Sprintf("; **the machine was shared**: others used %.1f of its cores just before", busy*float64(runtime.NumCPU()))
	default:
		note += "; nothing else ran"
	}
	return note
}

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// othersBusy is the share of the machine's time that was used while we slept.
func othersBusy() (share float64, ok bool) {
	idle0, all0, ok := cpuTimes()
	if !ok {
		return 0, false
	}
	time.Sleep(busyWindow)
	idle1, all1, ok := cpuTimes()
	if !ok || all1 == all0 {
		return 0, false
	}
	return 1 - float64(idle1-idle0)/float64(all1-all0), true
}

// cpuTimes reads the first line of /proc/stat: user nice system idle iowait ….
func cpuTimes() (idle, all int64, ok bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, f := range strings.Fields(line) {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil || i > 8 { // guest time is in user time already
			continue
		}
		all += n
		if i == 4 || i == 5 {
			idle += n
		}
	}
	return idle, all, all > 0
}

// memoryOf reads a line of /proc/<pid>/status in bytes: VmRSS is what a process
// holds now, VmHWM the most it ever held. 0 where there is no /proc.
func memoryOf(pid int, field string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			n, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}

// resetPeak makes VmHWM of a process begin anew at what it holds now.
func resetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// replaceSection puts text between the marks of a measurement in a file.
func replaceSection(file, name string, text []byte) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin, end := fmt.Appendf(nil, "<!-- begin %s -->\n", name), fmt.Appendf(nil, "<!-- end %s -->\n", name)
	i, j := bytes.Index(page, begin), bytes.Index(page, end)
	if i < 0 || j < i {
		return fmt.Errorf("%s has no place for %s: give it the lines %s and %s", file, name, bytes.TrimSpace(begin), bytes.TrimSpace(end))
	}
	page = slices.Concat(page[:i+len(begin)], text, page[j:])
	return os.WriteFile(file, page, 0o644)
}

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
	"syscall"
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

// shared is how many cores others may use before the page says so: the kernel's
// own work for the network and the disk is nobody's, and below that.
const shared = 0.3

// machineNote says what it runs on.
func machineNote() string {
	note := fmt.Sprintf("%s, %d cores, %s, %s/%s", cpuModel(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if kernel, err := exec.Command("uname", "-r").Output(); err == nil {
		note += " " + strings.TrimSpace(string(kernel))
	}
	return note
}

// usage is the processor time that was used until a moment.
type usage struct {
	at        time.Time
	all, ours time.Duration
	ok        bool // whether this system tells
}

// used reads the machine's processor time and that of this program, of its
// children that have ended, and of the nodes that run. A node that ends moves
// from the last to the second, so that differences stay right.
func (b *bench) used() usage {
	u := usage{at: time.Now()}
	busy, ok := machineTime()
	if !ok {
		return u
	}
	u.all, u.ok = busy, true
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if err := syscall.Getrusage(who, &r); err != nil {
			u.ok = false
		}
		u.ours += time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	for _, p := range b.nodes {
		t, ok := processTime(p.PID())
		u.ours, u.ok = u.ours+t, u.ok && ok
	}
	return u
}

// others says how much of the machine was not ours between two moments.
func others(from, to usage) string {
	if !from.ok || !to.ok {
		return ""
	}
	cores := ((to.all - from.all) - (to.ours - from.ours)).Seconds() / to.at.Sub(from.at).Seconds()
	if cores > shared {
		return fmt.Sprintf("; **the machine was shared**: others used %.1f of its cores meanwhile", cores)
	}
	return "; the machine was ours"
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

// tick is the unit of processor time under /proc.
const tick = 10 * time.Millisecond

// machineTime reads the first line of /proc/stat: user nice system idle iowait
// irq softirq steal, and guest times that are in user time already.
func machineTime() (busy time.Duration, ok bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 {
		return 0, false
	}
	for i, f := range fields[1:9] {
		if i == 3 || i == 4 { // idle, iowait
			continue
		}
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, false
		}
		busy += time.Duration(n) * tick
	}
	return busy, true
}

// processTime reads user and system time of a running process.
func processTime(pid int) (used time.Duration, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name before may have spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, false
	}
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, false
		}
		used += time.Duration(n) * tick
	}
	return used, true
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

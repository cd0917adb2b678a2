package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the child of itself, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == childArg {
		if err := child(os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestQuick runs measurements in small: they drive the real binary, so that the
// harness cannot rot between two releases.
func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts the binary")
	}
	var out, log bytes.Buffer // of one run, for which one binary is built and one node trained
	if err := run(t.Context(), []string{"events", "serve", "fresh", "import", "-quick", "-dir", t.TempDir()}, &out, &log); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	begin := regexp.MustCompile(`(?m)^### (\w+): `)
	sections, at := map[string]string{}, begin.FindAllStringSubmatchIndex(out.String(), -1)
	for i, m := range at {
		end := out.Len()
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		sections[out.String()[m[2]:m[3]]] = out.String()[m[0]:end]
	}
	for name, want := range map[string][]string{
		"import": {"20 000", "100 000", "MiB"},
		"events": {"write + fsync", "appends/s", "256"},
		"serve":  {"sequential", "open loop, 2000/s"},
		"fresh":  {"acknowledged → changed answer received"},
	} {
		for _, w := range append(want, "### "+name) {
			if !strings.Contains(sections[name], w) {
				t.Errorf("no %q in the part of %s:\n%s", w, name, out.String())
			}
		}
	}
}

func TestArguments(t *testing.T) {
	var log bytes.Buffer
	if err := run(t.Context(), []string{"speed"}, &log, &log); err == nil || !strings.Contains(err.Error(), `"speed"`) {
		t.Errorf("an unknown measurement: %v", err)
	}
	if err := run(t.Context(), []string{"-help"}, &log, &log); err != nil || !strings.Contains(log.String(), "import") {
		t.Errorf("help: %v\n%s", err, log.String())
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.01: 1, 0.5: 50, 0.99: 99, 0.991: 100, 1: 100} {
		if got := quantile(hundred, q); got != want {
			t.Errorf("quantile %v of 1…100 is %d, want %d", q, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("quantile of nothing is %v", got)
	}
	if got := median([]float64{3, 1, 2}); got != 2 {
		t.Errorf("median of 3 1 2 is %v", got)
	}
}

func TestFigures(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{1234567, "1 234 567"}, {int64(-1234), "-1 234"}, {-123, "-123"}, {0.1234, "0.12"}, {12.34, "12.3"}, {99_999.6, "100 000"},
		{1500 * time.Millisecond, "1.50 s"}, {12345 * time.Microsecond, "12.3 ms"}, {432 * time.Microsecond, "432 µs"}, {"x", "x"},
	} {
		if got := figure(c.v); got != c.want {
			t.Errorf("figure(%v) is %q, want %q", c.v, got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	table := newTable("what", "n")
	table.add("µs", 1234)
	var out bytes.Buffer
	table.write(&out)
	if want := "\n| what |     n |\n| ---- | ----: |\n| µs   | 1 234 |\n"; out.String() != want {
		t.Errorf("table:\n%q\nwant\n%q", out.String(), want)
	}
}

func TestReplaceSection(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, []byte("a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replaceSection(file, "x", []byte("new\n")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if want := "a\n<!-- begin x -->\nnew\n<!-- end x -->\nb\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	if err := replaceSection(file, "y", nil); err == nil || !strings.Contains(err.Error(), "y") {
		t.Errorf("a section without a place: %v", err)
	}
}

func TestBenchmarkFigures(t *testing.T) {
	out := []byte("goos: linux\nBenchmarkGemm/packed/64x64x64-2 \t 25796\t 8736 ns/op\t 91.59 %best\t 89.35 %peak\nBenchmarkGather/whole/16 1 5 ns/op\nPASS\n")
	all := benchmarked(out)
	if len(all) != 2 || all[0].name != "Gemm/packed/64x64x64" || all[1].name != "Gather/whole/16" {
		t.Fatalf("read %v", all)
	}
	if v := all[0].by; v["%peak"] != 89.35 || v["%best"] != 91.59 || v["ns/op"] != 8736 {
		t.Errorf("figures %v", v)
	}
	if v := all[1].by; len(v) != 1 || v["ns/op"] != 5 {
		t.Errorf("figures %v", v)
	}
}

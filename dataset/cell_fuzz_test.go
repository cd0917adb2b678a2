package dataset

import (
	"strconv"
	"strings"
	"testing"

	"github.com/attune-io/attune/dataset/schema"
)

// FuzzCell: a number read from a cell is the number strconv reads, and an
// accepted time is a plausible one.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"0.1", ".5", "5.", "123456789012345", "1234567890123.45", "-1e-7", "1.", "NaN", "0x1p3", "1_0", "", "1767225600.0", "1767225600000", "2026-03-01"} {
		f.Add(s)
	}
	double, long := newCell(field("X", schema.Double), 0), newCell(field("X", schema.Long), 0)
	when := newCell(field(schema.Timestamp, schema.Long), 0)
	f.Fuzz(func(t *testing.T, s string) {
		trimmed := strings.TrimSpace(s)
		want, err := strconv.ParseFloat(trimmed, 64)
		if v, problem := double.read([]byte(s)); problem == "" {
			if err != nil || v.Double() != want {
				t.Fatalf("%q: %v, want %v %v", s, v, want, err)
			}
		}
		if v, problem := long.read([]byte(s)); problem == "" {
			whole, frac, _ := strings.Cut(trimmed, ".")
			n, err := strconv.ParseInt(whole, 10, 64)
			if err != nil || v.Int64() != n || strings.Trim(frac, "0") != "" {
				t.Fatalf("%q: %v", s, v)
			}
		}
		if v, problem := when.read([]byte(s)); problem == "" && (v.Int64() < 0 || v.Int64() >= farSecond) {
			t.Fatalf("%q: %v", s, v)
		}
	})
}

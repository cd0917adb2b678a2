package model

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"gocloud.dev/blob/fileblob"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
)

func sample() *Model {
	threshold := 4.0
	return &Model{
		Manifest: Manifest{Format: format, Recipe: "aws-test", Algorithm: "test", Parameters: map[string]string{"b": "2", "a": "1"},
			Seed: math.MaxUint64, Events: EventRules{{Type: "watch", Threshold: &threshold}}, Users: 3, Items: 3,
			Evaluation: &Evaluation{Protocol: "p", Metrics: map[string]float64{"coverage": 0.1}, NDCG25: Interval{0.2, 0.1, 0.3}}},
		Items: []string{"a", "", "schöner Film"},
		Tensors: map[string]Tensor{
			"item_factors": {Shape: []int{3, 2}, F32: []float32{1, -2, float32(math.Inf(1)), 0, 5e-40, 6}},
			"count":        {Shape: []int{3}, I32: []int32{-1, 2, math.MaxInt32}},
			"empty":        {Shape: []int{0, 7}, F32: []float32{}},
			"scalar":       {Shape: []int{}, F32: []float32{3}},
		},
	}
}

func store(t *testing.T) *artifact.Store {
	t.Helper()
	dir := t.TempDir()
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return artifact.New(b, dir, "")
}

func encode(t testing.TB, m *Model) []byte {
	t.Helper()
	digest, err := Digest(m)
	if err != nil {
		t.Fatal(err)
	}
	m.Manifest.Digest = digest
	var out bytes.Buffer
	if err := write(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSaveOpen(t *testing.T) {
	s, m := store(t), sample()
	digest, err := Save(t.Context(), s, "model/x", m)
	if err != nil {
		t.Fatal(err)
	}
	if digest != m.Manifest.Digest || len(digest) != 64 {
		t.Errorf("digest %q, manifest %q", digest, m.Manifest.Digest)
	}
	got, err := Open(t.Context(), s, "model/x")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Errorf("got  %+v\nwant %+v", got, m)
	}
	manifest, err := OpenManifest(t.Context(), s, "model/x")
	if err != nil || !reflect.DeepEqual(*manifest, m.Manifest) {
		t.Errorf("manifest %+v, %v", manifest, err)
	}
	if _, err := Open(t.Context(), s, "model/y"); attune.KindOf(err) != attune.NotFound {
		t.Errorf("missing: %v", err)
	}
}

func TestDigestCoversWhatWasLearned(t *testing.T) {
	base, err := Digest(sample())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]struct {
		f    func(*Model)
		same bool
	}{
		"created":   {func(m *Model) { m.Manifest.Created = "2026-01-01T00:00:00Z" }, true},
		"seconds":   {func(m *Model) { m.Manifest.TrainingSeconds = 5 }, true},
		"digest":    {func(m *Model) { m.Manifest.Digest = "x" }, true},
		"seed":      {func(m *Model) { m.Manifest.Seed-- }, false},
		"parameter": {func(m *Model) { m.Manifest.Parameters["a"] = "3" }, false},
		"item":      {func(m *Model) { m.Items[0] = "b" }, false},
		"boundary":  {func(m *Model) { m.Items[0], m.Items[1] = "", "a" }, false},
		"number":    {func(m *Model) { m.Tensors["count"].I32[0]++ }, false},
		"shape":     {func(m *Model) { m.Tensors["count"] = Tensor{Shape: []int{1, 3}, I32: m.Tensors["count"].I32} }, false},
	} {
		m := sample()
		change.f(m)
		got, err := Digest(m)
		if err != nil || (got == base) != change.same {
			t.Errorf("%s: same digest %v, want %v (%v)", name, got == base, change.same, err)
		}
	}
}

func TestSaveRefusesTornTensors(t *testing.T) {
	for _, bad := range []Tensor{{Shape: []int{2}, F32: []float32{1}}, {Shape: []int{1}}, {Shape: []int{1, 1, 1, 1, 1}, F32: []float32{1}}} {
		m := sample()
		m.Tensors["bad"] = bad
		if _, err := Save(t.Context(), store(t), "model/x", m); err == nil {
			t.Errorf("saved %+v", bad)
		}
	}
}

func TestEveryDamageIsFound(t *testing.T) {
	whole := encode(t, sample())
	for i := range whole {
		bad := bytes.Clone(whole)
		bad[i] ^= 0x20
		if _, err := read(bytes.NewReader(bad), int64(len(bad))); !errors.Is(err, ErrUnreadable) {
			t.Fatalf("a flipped bit in byte %d of %d: %v", i, len(whole), err)
		}
	}
	for n := range whole {
		_, err := read(bytes.NewReader(whole[:n]), int64(n))
		if !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "damaged") {
			t.Fatalf("cut at %d of %d: %v", n, len(whole), err)
		}
	}
	if _, err := read(bytes.NewReader(append(bytes.Clone(whole), 0)), int64(len(whole)+1)); err == nil {
		t.Fatal("a byte too many was not found")
	}
}

// TestOutageIsNoDamage: a bucket that fails at any byte of a good file, or a stream
// that ends early, says nothing against the file.
func TestOutageIsNoDamage(t *testing.T) {
	whole := encode(t, sample())
	for _, outage := range []error{errors.New("connection reset"), context.DeadlineExceeded, fmt.Errorf("read model/x: %w", io.ErrUnexpectedEOF)} {
		for n := range whole {
			from := io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(outage))
			if _, err := read(from, int64(len(whole))); !errors.Is(err, outage) || errors.Is(err, ErrUnreadable) {
				t.Fatalf("%v at byte %d of %d: %v", outage, n, len(whole), err)
			}
		}
	}
}

// file frames a header as a file would, with nothing behind it but rest.
func file(head string, rest []byte) []byte {
	out := binary.LittleEndian.AppendUint64([]byte(magic), uint64(len(head)))
	out = append(append(out, head...), rest...)
	sum := sha256.Sum256(out)
	return append(out, sum[:]...)
}

func TestSizesAreNotBelieved(t *testing.T) {
	for _, head := range []string{
		`{"manifest":{"format":1},"items":{"count":1000000000,"bytes":0}}`,
		`{"manifest":{"format":1},"items":{"count":1,"bytes":9223372036854775807}}`,
		`{"manifest":{"format":1},"items":{"count":-1,"bytes":4}}`,
		`{"manifest":{"format":1},"tensors":[{"name":"a","type":"f32","shape":[4611686018427387904,4]}]}`,
		`{"manifest":{"format":1},"tensors":[{"name":"a","type":"f32","shape":[-1,-1]}]}`,
		`{"manifest":{"format":1},"tensors":[{"name":"a","type":"f64","shape":[1]}]}`,
		`{"manifest":{"format":1},"tensors":[{"name":"b","type":"f32","shape":[1]},{"name":"a","type":"f32","shape":[0]}]}`,
		`{"manifest":{"format":2}}`,
		`{}`, ``, `[]`,
	} {
		raw := file(head, make([]byte, 4))
		if m, err := read(bytes.NewReader(raw), int64(len(raw))); err == nil {
			t.Errorf("%s: read as %+v", head, m)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(encode(f, sample()))
	f.Add(file(`{"manifest":{"format":1},"items":{"count":1,"bytes":3},"tensors":[{"name":"a","type":"i32","shape":[]}]}`, make([]byte, 7)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		// A fuzzer cannot guess checksums, so it is given the right one.
		if len(raw) > sha256.Size {
			sum := sha256.Sum256(raw[:len(raw)-sha256.Size])
			raw = append(raw[:len(raw)-sha256.Size:len(raw)-sha256.Size], sum[:]...)
		}
		m, err := read(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		if again := encode(t, m); !bytes.Equal(encode(t, m), again) {
			t.Fatal("writing twice differs")
		}
	})
}

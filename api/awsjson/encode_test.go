package awsjson

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/attune-io/attune/wire"
)

// invent fills a wire value: every kind of text and number, absent members too.
func invent(rng *rand.Rand, v reflect.Value) {
	if v.Type() == reflect.TypeFor[wire.Time]() {
		if rng.IntN(4) > 0 {
			v.Set(reflect.ValueOf(wire.At(time.UnixMilli(rng.Int64N(4e12)).UTC())))
		}
		return
	}
	texts := []string{"", "plain", `a "quoted" \ one`, "two\nlines\tand\x01", "日本語 <&> \u2028", "bad \xff bytes", "$PARAM"}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			invent(rng, v.Field(i))
		}
	case reflect.Pointer:
		if rng.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			invent(rng, v.Elem())
		}
	case reflect.Slice:
		if n := rng.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
			for i := range n - 1 {
				invent(rng, v.Index(i))
			}
		}
	case reflect.Map:
		if rng.IntN(4) > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range rng.IntN(4) {
				elem := reflect.New(v.Type().Elem()).Elem()
				invent(rng, elem)
				if elem.Kind() == reflect.Slice && elem.IsNil() {
					elem.Set(reflect.MakeSlice(elem.Type(), 0, 0))
				}
				v.SetMapIndex(reflect.ValueOf(texts[1+rng.IntN(4)]), elem)
			}
		}
	case reflect.String:
		v.SetString(texts[rng.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Int:
		v.SetInt(rng.Int64N(1<<32) - 1<<31)
	case reflect.Float64:
		v.SetFloat([]float64{0, 1, -3, 0.1, 1e-7, 1e21, 123456789012, math.MaxFloat64, 5e-324, rng.NormFloat64()}[rng.IntN(10)])
	}
}

// TestEncodeLikeEncodingJSON holds the encoder of every published output
// against encoding/json: what clients read must be the same.
func TestEncodeLikeEncodingJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, op := range wire.All() {
		out := op.NewOutput()
		encode := newEncoder(reflect.TypeOf(out).Elem())
		for range 50 {
			v := reflect.ValueOf(out).Elem()
			v.SetZero()
			invent(rng, v)
			want, err := json.Marshal(out)
			if err != nil {
				t.Fatalf("%s: %v", op.Name, err)
			}
			got, err := encode(nil, v)
			if err != nil {
				t.Fatalf("%s: %v", op.Name, err)
			}
			var a, b any
			if err := json.Unmarshal(got, &a); err != nil {
				t.Fatalf("%s wrote what is not JSON: %v\n%s", op.Name, err, got)
			}
			if err := json.Unmarshal(want, &b); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("%s\n got %s\nwant %s", op.Name, got, want)
			}
		}
	}
}

func TestEncodeDoubles(t *testing.T) {
	for want, f := range map[string]float64{"1.0": 1, "0.0": 0, "-2.0": -2, "0.25": 0.25, "1e-07": 1e-7, "1e+21": 1e21, "100000000000.0": 1e11} {
		got, err := appendDouble(nil, f)
		if err != nil || string(got) != want {
			t.Errorf("appendDouble(%v) = %s, %v; want %s", f, got, err, want)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got, err := appendDouble(nil, f); err == nil {
			t.Errorf("appendDouble(%v) = %s; want an error", f, got)
		}
	}
}

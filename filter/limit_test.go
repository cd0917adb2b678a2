package filter

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune"
)

func TestLimits(t *testing.T) {
	e, err := Parse(`INCLUDE ItemID WHERE Items.C1 = "1" AND Items.c1 = "2" OR Items.PRICE > CurrentItem.PRICE | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE = "x" IF CurrentUser.AGE > 3`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := e.Fields(), []string{"ITEMS.C1", "ITEMS.PRICE", "INTERACTIONS.EVENT_TYPE", "USERS.AGE"}; !slices.Equal(got, want) {
		t.Errorf("fields %v, want %v", got, want)
	}
	for most, fine := range map[int]bool{0: true, 3: false, 4: true} {
		if err := e.Check(testSchemas(), Limits{Fields: most}); (err == nil) != fine || err != nil && attune.KindOf(err) != attune.Invalid {
			t.Errorf("at most %d fields: %v", most, err)
		}
	}
	if p := Personalize(); p.Fields != 10 || p.GroupFields != 20 || p.History != 100 || p.ActionHistory != 300 || p.Idle.Hours() != 90*24 {
		t.Errorf("the service's bounds are %+v", p)
	}
}

// TestParameterLimits holds the bounds that the published shapes have, which count for everybody.
func TestParameterLimits(t *testing.T) {
	params := func(n int) (string, map[string]string) {
		var list []string
		values := map[string]string{}
		for i := range n {
			name := "P" + strings.Repeat("x", i)
			list, values[name] = append(list, "$"+name), "1"
		}
		return "INCLUDE ItemID WHERE Items.C1 IN (" + strings.Join(list, ",") + ")", values
	}
	for n, fine := range map[int]bool{1: true, 25: true, 26: false} {
		text, values := params(n)
		e, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Check(testSchemas(), Limits{}); (err == nil) != fine {
			t.Errorf("check of %d parameters: %v", n, err)
		}
		if _, err := e.Bind(ItemID, values); (err == nil) != fine {
			t.Errorf("%d values: %v", n, err)
		}
	}
}

// TestRecent compares with counting from the end, the obvious way.
func TestRecent(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 5))
		var history, want []Seen
		for i := range rng.IntN(40) {
			history = append(history, Seen{int32(i), uint16(rng.IntN(3))})
		}
		most := rng.IntN(6)
		for i, seen := range history {
			newer := 0
			for _, later := range history[i+1:] {
				if later.Type == seen.Type {
					newer++
				}
			}
			if most == 0 || newer < most {
				want = append(want, seen)
			}
		}
		if got := Recent(slices.Clone(history), most); !slices.Equal(got, want) {
			t.Fatalf("seed %d: the newest %d of each type in %v are %v, want %v", seed, most, history, got, want)
		}
	}
}

// TestNumberKeys holds that keys come back as their numbers and are ordered like them.
func TestNumberKeys(t *testing.T) {
	numbers := []float64{math.Inf(-1), -math.MaxFloat64, -1.5, -1, -math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64, 1, 1.5, 1 << 53, math.MaxFloat64, math.Inf(1)}
	rng := rand.New(rand.NewPCG(1, 6))
	for range 500 {
		if x := math.Float64frombits(rng.Uint64()); x == x {
			numbers = append(numbers, x)
		}
	}
	for _, x := range numbers {
		if got := keyOf(x).float(); got != x {
			t.Errorf("%g came back as %g", x, got)
		}
		for _, y := range numbers {
			for op, want := range map[Op]bool{Less: x < y, LessEqual: x <= y, Greater: x > y, GreaterEqual: x >= y, Equal: x == y} {
				low, high := op.bounds(y)
				if got := keyOf(x) >= low && keyOf(x) <= high; got != want {
					t.Fatalf("%g %s %g is %v", x, op, y, got)
				}
			}
		}
	}
	if keyOf(math.NaN()) != noNumber || keyOf(math.Copysign(0, -1)) != keyOf(0) {
		t.Error("NaN has a number, or -0 is not 0")
	}
}

// TestNumbersOfEveryLength takes ranges and lists over columns that end anywhere in a word.
func TestNumbersOfEveryLength(t *testing.T) {
	for n := range 150 {
		c := newColumn()
		for row := range n {
			if row%5 != 3 {
				c.set(int32(row), float64(row%7))
			}
		}
		for _, keys := range [][]numberKey{{keyOf(2)}, {keyOf(2), keyOf(5)}, slices.Repeat([]numberKey{keyOf(6), keyOf(2), keyOf(5)}, fewNumbers)} {
			want := slices.Clone(keys)
			got := Bitmap(nil).Resize(n)
			c.oneOf(keys, got)
			for row := range n {
				if got.Has(int32(row)) != (row%5 != 3 && slices.Contains(want, keyOf(float64(row%7)))) {
					t.Fatalf("%d rows, %d keys: row %d is %v", n, len(keys), row, got.Has(int32(row)))
				}
			}
		}
		got := Bitmap(nil).Resize(n)
		c.between(keyOf(2), keyOf(4), got)
		for row := range n {
			if x := row % 7; got.Has(int32(row)) != (row%5 != 3 && x >= 2 && x <= 4) {
				t.Fatalf("%d rows: row %d, which is %d, is %v", n, row, x, got.Has(int32(row)))
			}
		}
	}
}

package filter

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
)

func TestColumnsKeepWhatWasSetLast(t *testing.T) {
	c := NewColumns()
	c.Set(3, "GENRES", []string{"a", "b", "a"})
	c.Set(3, "PRICE", 2.5)
	c.Set(0, "NAME", "lamp")
	c.Set(1, "AGE", int64(7))
	c.Set(2, "FLAG", true)
	for _, test := range []struct {
		row  int32
		name string
		want any
	}{
		{3, "GENRES", []string{"a", "b"}}, {3, "genres", []string{"a", "b"}}, {3, "PRICE", 2.5}, {0, "NAME", "lamp"},
		{1, "AGE", 7.0}, {2, "FLAG", "true"}, {0, "GENRES", nil}, {9, "NAME", nil}, {-1, "NAME", nil}, {0, "NONE", nil},
	} {
		if got := c.Get(test.row, test.name); !reflect.DeepEqual(got, test.want) {
			t.Errorf("Get(%d, %s) = %v, want %v", test.row, test.name, got, test.want)
		}
	}
	if got, want := c.Names(), []string{"AGE", "FLAG", "GENRES", "NAME", "PRICE"}; !slices.Equal(got, want) {
		t.Errorf("Names() = %v, want %v", got, want)
	}
	c.Set(3, "PRICE", "dear")
	if got := c.Get(3, "PRICE"); got != "dear" {
		t.Errorf("a number that became text reads %v", got)
	}
	if c.Len() != 4 {
		t.Errorf("Len() = %d, want 4", c.Len())
	}
}

// TestColumnsAgainstMap changes cells at random and compares reading and the index with a plain map.
func TestColumnsAgainstMap(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		c, want := NewColumns(), map[int32][]string{}
		const rows = 700
		for step := range 4000 {
			row := int32(rng.IntN(rows))
			switch k := rng.IntN(10); {
			case k == 0:
				c.Set(row, "X", nil)
				delete(want, row)
			case k < 5:
				v := fmt.Sprint("v", rng.IntN(4))
				c.Set(row, "X", v)
				want[row] = []string{v}
			default:
				v := []string{fmt.Sprint("v", rng.IntN(4)), fmt.Sprint("w", rng.IntN(300))}
				c.Set(row, "X", v)
				want[row] = v
			}
			if step == 1000 { // from here on the index is kept, before it is built
				c.rlockIndexed([]string{"X"})
				c.mu.RUnlock()
			}
		}
		for row := range int32(rows) {
			got := c.Get(row, "X")
			if one, ok := got.(string); ok {
				got = []string{one}
			}
			if w := want[row]; len(w) == 0 && got != nil || len(w) > 0 && !reflect.DeepEqual(got, w) {
				t.Fatalf("seed %d: row %d is %v, want %v", seed, row, got, w)
			}
		}
		checkIndex(t, c, want, rows)
	}
}

func checkIndex(t *testing.T, c *Columns, want map[int32][]string, rows int) {
	t.Helper()
	col := c.find("X")
	for text, code := range col.dict {
		got := Bitmap(nil).Resize(rows)
		col.rowsOf[code].into(got)
		for row := range int32(rows) {
			if got.Has(row) != slices.Contains(want[row], text) {
				t.Fatalf("index of %q at row %d says %v; the row has %v", text, row, got.Has(row), want[row])
			}
		}
	}
	if len(col.dict)+len(col.free) != len(col.texts) {
		t.Fatalf("%d codes, of which %d used and %d free", len(col.texts), len(col.dict), len(col.free))
	}
}

func TestColumnsReadWhileWritten(t *testing.T) {
	c := NewColumns()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for i := range 2000 {
				if got := c.Get(int32(i%50), "X"); got != nil && len(got.([]string)) != 2 {
					t.Errorf("torn read %v", got)
				}
				c.rlockIndexed([]string{"X"})
				c.mu.RUnlock()
			}
		})
	}
	for i := range 2000 {
		c.Set(int32(i%50), "X", []string{fmt.Sprint(i), "b"})
	}
	wg.Wait()
}

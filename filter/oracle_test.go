package filter

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// oracleShop is the same items twice: as columns, and as plain maps for the slow, obvious matcher.
type oracleShop struct {
	columns *Columns
	rows    []map[string][]string
	prices  []float64 // NaN-free; -1 is none
	history []Seen
}

var oracleTypes = []string{"View", "purchase", "CART"}

func newOracleShop(rng *rand.Rand) *oracleShop {
	n := rng.IntN(200)
	s := &oracleShop{columns: NewColumns(), rows: make([]map[string][]string, n), prices: make([]float64, n)}
	for row := range n {
		s.rows[row], s.prices[row] = map[string][]string{}, -1
		for _, name := range []string{"GENRES", "BRAND"} {
			var v []string
			for range rng.IntN(4) {
				v = append(v, fmt.Sprint("v", rng.IntN(6)))
			}
			s.rows[row][name] = v
			s.columns.Set(int32(row), name, v)
		}
		if rng.IntN(3) > 0 {
			s.prices[row] = float64(rng.IntN(8))
			s.columns.Set(int32(row), "PRICE", s.prices[row])
		}
	}
	for range rng.IntN(30) * min(n, 1) {
		s.history = append(s.history, Seen{int32(rng.IntN(n)), uint16(rng.IntN(len(oracleTypes)))})
	}
	return s
}

// matches says whether one row fulfils one condition, the slow way.
func (s *oracleShop) matches(c *Cond, row int, given map[string][]string) bool {
	var want []string
	for _, v := range c.Values {
		if v.Kind == Param {
			want = append(want, given[v.Text]...)
		} else if want = append(want, v.Text); v.Kind == Star {
			want[len(want)-1] = "*"
		}
	}
	in := false
	switch c.Field {
	case "EVENT_TYPE":
		for _, seen := range s.history {
			for _, w := range want {
				in = in || int(seen.Item) == row && (w == "*" || strings.EqualFold(w, oracleTypes[seen.Type]))
			}
		}
	case "PRICE":
		var w float64
		for _, text := range want {
			if _, err := fmt.Sscan(text, &w); err != nil {
				panic(err)
			}
			if p := s.prices[row]; p >= 0 {
				in = in || c.Op == Less && p < w || c.Op == LessEqual && p <= w || c.Op == Greater && p > w ||
					c.Op == GreaterEqual && p >= w || (c.Op == Equal || c.Op == In || c.Op == NotIn) && p == w
			}
		}
	default:
		in = slices.ContainsFunc(s.rows[row][c.Field], func(v string) bool { return slices.Contains(want, v) })
	}
	return in != (c.Op == NotIn)
}

func (s *oracleShop) shown(e *Expr, row int, given map[string][]string) bool {
	include, included := false, false
	for i := range e.Clauses {
		c := &e.Clauses[i]
		off := false
		for _, name := range c.params() {
			off = off || given[name] == nil
		}
		if off {
			continue
		}
		m := s.matches(&c.Where[0], row, given)
		for j := 1; j < len(c.Where); j++ {
			if o := s.matches(&c.Where[j], row, given); c.Or[j-1] {
				m = m || o
			} else {
				m = m && o
			}
		}
		if c.Exclude && m {
			return false
		}
		if !c.Exclude {
			include, included = true, included || m
		}
	}
	return included || !include
}

// randomExpr writes an expression that Check allows. Parameters A and B have values; Z, used only to exclude, has none.
func randomExpr(rng *rand.Rand) string {
	pick := func(s ...string) string { return s[rng.IntN(len(s))] }
	var clauses []string
	for range 1 + rng.IntN(3) {
		exclude := rng.IntN(2) == 0
		cond := func(events bool) string {
			list := func(value func() string) string {
				op := pick("IN", "NOT IN", "=")
				var values []string
				for range 1 + rng.IntN(3) {
					values = append(values, value())
				}
				if op == "=" {
					return "= " + values[0]
				}
				if op == "IN" && rng.IntN(3) == 0 {
					values[0] = pick("$A", "$B")
					if exclude && rng.IntN(2) == 0 {
						values[0] = "$Z"
					}
				}
				return op + " (" + strings.Join(values, ", ") + ")"
			}
			if events {
				return "Interactions.EVENT_TYPE " + list(func() string { return pick(`"view"`, `"PURCHASE"`, `"cart"`, `"other"`, `*`) })
			}
			switch rng.IntN(4) {
			case 0:
				return "Items.PRICE " + pick("<", "<=", ">", ">=", "=") + fmt.Sprintf(" %d", rng.IntN(9))
			case 1:
				return "Items.PRICE " + pick("IN", "NOT IN") + fmt.Sprintf(` ("%d", %d.0)`, rng.IntN(9), rng.IntN(9))
			}
			return "Items." + pick("GENRES", "BRAND") + " " + list(func() string { return fmt.Sprintf(`"v%d"`, rng.IntN(7)) })
		}
		events, join, conds := rng.IntN(3) == 0, pick(" AND ", " OR "), []string{}
		for range 1 + rng.IntN(3) {
			conds = append(conds, cond(events))
		}
		verb := "INCLUDE"
		if exclude {
			verb = "EXCLUDE"
		}
		clauses = append(clauses, verb+" ItemID WHERE "+strings.Join(conds, join))
	}
	return strings.Join(clauses, " | ")
}

// TestMaskAgainstOracle compares random expressions over random shops with one row at a time.
func TestMaskAgainstOracle(t *testing.T) {
	values := map[string]string{"A": `"v1","View"`, "B": `"v3", "cart" , v0`}
	given := map[string][]string{"A": {"v1", "View"}, "B": {"v3", "cart", "v0"}}
	var dst Bitmap
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 2))
		s, text := newOracleShop(rng), randomExpr(rng)
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		if err := e.Check(testSchemas()); err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		now := map[string]string{}
		for _, name := range e.Params() {
			if v, ok := values[name]; ok {
				now[name] = v
			}
		}
		b, err := e.Bind(now)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		dst = b.Mask(s.columns, len(s.rows), s.history, func(n uint16) string { return oracleTypes[n] }, dst)
		count := 0
		for row := range s.rows {
			want := s.shown(e, row, given)
			if dst.Has(int32(row)) != want {
				t.Fatalf("seed %d: %s: row %d (%v, price %v) shown: %v, want %v", seed, text, row, s.rows[row], s.prices[row], !want, want)
			}
			if want {
				count++
			}
		}
		if dst.Count() != count {
			t.Fatalf("seed %d: %s: %d rows set, %d of them exist", seed, text, dst.Count(), count)
		}
	}
}

// FuzzParse holds that printing what parses gives text that parses to the same, and that nothing panics.
func FuzzParse(f *testing.F) {
	for seed := range uint64(30) {
		f.Add(randomExpr(rand.New(rand.NewPCG(seed, 3))))
	}
	f.Add(`INCLUDE ActionID WHERE Actions.X IN ("a\"\\", *, $P, 1e5) OR Items.A IN CurrentItem.B IF CurrentUser.C <= .5 AND CurrentUser.D = ("x")`)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			return
		}
		printed := e.String()
		again, err := Parse(printed)
		if len(printed) > maxExpr && err != nil {
			return // canonical spacing can make a text too long
		}
		if err != nil || !reflect.DeepEqual(e, again) {
			t.Fatalf("%q prints as %q, which parses as %v, %v", text, printed, again, err)
		}
		if e.Check(testSchemas()) == nil {
			if b, err := e.Bind(map[string]string{"P": `"a",b`}); err == nil {
				_, columns := testShop()
				b.Mask(columns, 5, []Seen{{1, 0}}, func(uint16) string { return "View" }, nil)
			}
		}
	})
}

// FuzzValues holds that a quoted literal comes back from a request's text as it was.
func FuzzValues(f *testing.F) {
	f.Add(`a"b\`, "c,d")
	f.Fuzz(func(t *testing.T, a, b string) {
		if _, err := parseValues("P", a); err != nil && !strings.Contains(err.Error(), "P") {
			t.Errorf("error does not name the parameter: %v", err)
		}
		text := quote(a) + "," + quote(b)
		got, err := parseValues("P", text)
		if len(text) > maxValueText && err != nil {
			return
		}
		if err != nil || len(got) != 2 || got[0].text != a || got[1].text != b {
			t.Fatalf("%q and %q came back as %v, %v", a, b, got, err)
		}
	})
}

func BenchmarkMask(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	c := NewColumns()
	const n = 100_000
	for row := range int32(n) {
		c.Set(row, "GENRES", []string{fmt.Sprint("g", rng.IntN(20)), fmt.Sprint("g", rng.IntN(20))})
		c.Set(row, "BRAND", fmt.Sprint("b", rng.IntN(2000)))
		c.Set(row, "PRICE", rng.Float64()*100)
	}
	history := make([]Seen, 500)
	for i := range history {
		history[i] = Seen{int32(rng.IntN(n)), uint16(rng.IntN(3))}
	}
	for _, text := range []string{
		`INCLUDE ItemID WHERE Items.GENRES IN ("g1", "g2") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")`,
		`INCLUDE ItemID WHERE Items.BRAND IN ("b1", "b2", "b3") AND Items.GENRES NOT IN ("g1")`,
		`INCLUDE ItemID WHERE Items.PRICE < 20`,
	} {
		b.Run(text, func(b *testing.B) {
			e, err := Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			bound, err := e.Bind(nil)
			if err != nil {
				b.Fatal(err)
			}
			var dst Bitmap
			b.ReportAllocs()
			for b.Loop() {
				dst = bound.Mask(c, n, history, func(n uint16) string { return oracleTypes[n] }, dst)
			}
		})
	}
}

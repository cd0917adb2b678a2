package filter

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/attune-io/attune/dataset/schema"
)

// The oracle knows nothing of the package: it writes expressions of its own
// making, and says by the rules of the language alone, one row at a time, what
// they let through.

// oracleCond is one comparison as the oracle made it.
type oracleCond struct {
	dataset string // as written; CurrentUser behind IF
	field   string
	op      string
	values  []oracleValue
}

type oracleValue struct {
	text string // as written in the expression
	kind byte   // 'v'alue, 'p'arameter, '*', 'i'tem's field
	is   string // the value, the name of the parameter or the field
}

type oracleClause struct {
	exclude bool
	any     [][]oracleCond
	when    []oracleCond
}

// oracleRow is a row's attributes, all as texts; numbers are in PRICE and AGE.
type oracleRow map[string][]string

// oracleWorld is one subject's world: what is chosen from, and who asks.
type oracleWorld struct {
	subject Subject
	rows    []oracleRow
	history []Seen
	user    oracleRow // nil: nothing is known of them
	item    oracleRow
}

var oracleTypes = []string{"View", "purchase", "CART"}

// oracleParams are the values of a request; Z is never given.
var oracleParams = map[string][]string{"TEXTS": {"v1", "View", "7"}, "TEXT": {"v3"}, "NUMBER": {"4"}, "NUMBERS": {"1", "4.0"}, "IDS": {"id3", "id5"}}

var oracleGiven = map[string]string{"TEXTS": `"v1","View" , "7"`, "TEXT": ` "v3" `, "NUMBER": "4", "NUMBERS": `"1", 4.0`, "IDS": `id3,"id5"`}

func newOracleWorld(rng *rand.Rand, subject Subject) *oracleWorld {
	w := &oracleWorld{subject: subject}
	row := func(n int) oracleRow {
		r := oracleRow{"ID": {fmt.Sprint("id", n)}}
		for _, name := range []string{"GENRES", "BRAND"} {
			for range rng.IntN(4) {
				if v := fmt.Sprint("v", rng.IntN(6)); !slices.Contains(r[name], v) {
					r[name] = append(r[name], v)
				}
			}
		}
		for _, name := range []string{"PRICE", "AGE"} {
			if rng.IntN(3) > 0 {
				r[name] = []string{fmt.Sprint(rng.IntN(8))}
			}
		}
		return r
	}
	n := rng.IntN(150)
	for i := range n {
		w.rows = append(w.rows, row(i))
	}
	for range rng.IntN(30) * min(n, 1) {
		w.history = append(w.history, Seen{int32(rng.IntN(n)), uint16(rng.IntN(len(oracleTypes)))})
	}
	if rng.IntN(4) > 0 {
		w.user = row(rng.IntN(9))
	}
	if rng.IntN(8) > 0 && n > 0 {
		w.item = w.rows[rng.IntN(n)]
	}
	return w
}

// table is the rows in the package's form.
func (r oracleRow) put(c *Columns, n int) {
	for name, texts := range r {
		switch name {
		case "ID":
		case "PRICE", "AGE":
			x, _ := strconv.ParseFloat(texts[0], 64)
			c.Set(int32(n), name, x)
		default:
			c.Set(int32(n), name, texts)
		}
	}
}

func (r oracleRow) row(number int) Row {
	if r == nil {
		return Row{}
	}
	c := NewColumns()
	r.put(c, number)
	return Row{ID: r["ID"][0], Table: c, Number: int32(number)}
}

func (w *oracleWorld) scene() *Scene {
	s := &Scene{Rows: NewColumns(), N: len(w.rows), History: w.history,
		TypeName: func(n uint16) string { return oracleTypes[n] }, User: w.user.row(2), Item: w.item.row(0)}
	for i, r := range w.rows {
		r.put(s.Rows, i)
	}
	s.RowOf = func(id string) (int32, bool) {
		i := slices.IndexFunc(w.rows, func(r oracleRow) bool { return r["ID"][0] == id })
		return int32(i), i >= 0
	}
	return s
}

// shown says whether a row is let through.
func (w *oracleWorld) shown(clauses []oracleClause, row int) bool {
	include, included, excluded := false, false, false
	for _, c := range clauses {
		on := true
		for _, q := range slices.Concat(append(c.any, c.when)...) {
			for _, v := range q.values {
				on = on && (v.kind != 'p' || oracleParams[v.is] != nil)
			}
		}
		for _, q := range c.when {
			on = on && w.holds(q, w.user, -1)
		}
		if !on {
			continue
		}
		match := slices.ContainsFunc(c.any, func(all []oracleCond) bool {
			return !slices.ContainsFunc(all, func(q oracleCond) bool { return !w.holds(q, w.rows[row], row) })
		})
		if c.exclude {
			excluded = excluded || match
		} else {
			include, included = true, included || match
		}
	}
	return (included || !include) && !excluded
}

// holds says whether attributes, or what happened to a row, fulfil a condition.
func (w *oracleWorld) holds(q oracleCond, attributes oracleRow, row int) bool {
	var want []string
	for _, v := range q.values {
		switch v.kind {
		case 'p':
			want = append(want, oracleParams[v.is]...)
		case 'i':
			want = append(want, w.item[v.is]...)
		default:
			want = append(want, v.is)
		}
	}
	have := attributes[q.field]
	if q.field == "EVENT_TYPE" {
		have = nil
		for _, seen := range w.history {
			if int(seen.Row) == row {
				have = append(have, oracleTypes[seen.Type])
			}
		}
	}
	found := false
	for _, h := range have {
		for _, x := range want {
			found = found || oracleCompare(q, h, x)
		}
	}
	return found != (q.op == "NOT IN" || q.op == "!=")
}

func oracleCompare(q oracleCond, have, want string) bool {
	switch q.field {
	case "EVENT_TYPE":
		return want == "*" || strings.EqualFold(have, want)
	case "PRICE", "AGE":
		h, _ := strconv.ParseFloat(have, 64)
		x, err := strconv.ParseFloat(want, 64)
		if err != nil {
			return false
		}
		switch q.op {
		case "<":
			return h < x
		case "<=":
			return h <= x
		case ">":
			return h > x
		case ">=":
			return h >= x
		}
		return h == x
	}
	return have == want
}

// oracleWriter makes expressions that Check allows.
type oracleWriter struct {
	*rand.Rand
	subject Subject
	exclude bool // of the clause being made
}

func (g oracleWriter) pick(s ...string) string { return s[g.IntN(len(s))] }

func (g oracleWriter) clauses() (list []oracleClause) {
	for range 1 + g.IntN(3) {
		g.exclude = g.IntN(2) == 0
		c := oracleClause{exclude: g.exclude}
		dataset := map[Subject][2]string{ItemID: {"Items", "Interactions"}, ActionID: {"Actions", "Action_Interactions"},
			UserID: {"Users", "Interactions"}}[g.subject][min(g.IntN(3), 1)^1]
		for range 1 + g.IntN(2) {
			var all []oracleCond
			for range 1 + g.IntN(3) {
				all = append(all, g.cond(dataset))
			}
			c.any = append(c.any, all)
		}
		if g.subject != UserID && g.IntN(3) == 0 {
			for range 1 + g.IntN(2) {
				c.when = append(c.when, g.cond("CurrentUser"))
			}
		}
		list = append(list, c)
	}
	return list
}

func (g oracleWriter) cond(dataset string) oracleCond {
	q := oracleCond{dataset: dataset, op: g.pick("IN", "IN", "NOT IN", "=", "!=")}
	var literal func() string
	var params, list []string
	switch q.field = g.pick("GENRES", "GENRES", "BRAND", "ID", "PRICE"); {
	case strings.HasSuffix(dataset, "nteractions"):
		q.field, params, list = "EVENT_TYPE", []string{"TEXT"}, []string{"TEXTS"}
		literal = func() string { return g.pick("view", "PURCHASE", "cart", "other", "*") }
	case q.field == "PRICE":
		if dataset == "CurrentUser" || dataset == "Users" {
			q.field = "AGE"
		}
		params, list = []string{"NUMBER"}, []string{"NUMBER", "NUMBERS"}
		q.op = g.pick("IN", "NOT IN", "=", "!=", "<", "<=", ">", ">=")
		literal = func() string { return fmt.Sprint(g.IntN(9)) }
	case q.field == "ID":
		params, list = []string{"TEXT"}, []string{"IDS", "TEXTS"}
		literal = func() string { return fmt.Sprint("id", g.IntN(12)) }
	default:
		params, list = []string{"TEXT"}, []string{"TEXT", "TEXTS"}
		literal = func() string { return fmt.Sprint("v", g.IntN(7)) }
	}
	many := q.op == "IN" || q.op == "NOT IN"
	if many {
		params = list
	}
	for i := 0; i == 0 || many && i < 3 && g.IntN(2) == 0; i++ {
		q.values = append(q.values, g.value(&q, literal, params))
	}
	return q
}

func (g oracleWriter) value(q *oracleCond, literal func() string, params []string) oracleValue {
	events, number := q.field == "EVENT_TYPE", q.field == "PRICE" || q.field == "AGE"
	switch k := g.IntN(5); {
	case k == 0 && q.op != "NOT IN":
		if g.exclude && g.IntN(3) == 0 {
			return oracleValue{"$Z", 'p', "Z"}
		}
		name := g.pick(params...)
		return oracleValue{"$" + name, 'p', name}
	case k == 1 && g.subject == ItemID && !events:
		field := q.field
		if field == "AGE" {
			field = "PRICE"
		}
		written := map[string]string{"ID": "ITEM_ID"}[field]
		if written == "" {
			written = field
		}
		return oracleValue{g.pick("CurrentItem.", "currentitem.") + written, 'i', field}
	}
	v := literal()
	switch {
	case v == "*" && g.IntN(2) == 0:
		return oracleValue{"*", '*', "*"}
	case number && g.IntN(2) == 0:
		return oracleValue{v + g.pick("", ".0", "e0"), 'v', v}
	}
	return oracleValue{strconv.Quote(v), 'v', v}
}

// write is the text of clauses, in any case and spacing that the language allows.
func (g oracleWriter) write(clauses []oracleClause) string {
	word := func(s string) string { return g.pick(s, s, strings.ToLower(s)) }
	space := func() string { return g.pick("", " ", "\n\t") }
	cond := func(q oracleCond) string {
		field := q.field
		if field == "ID" {
			field = map[string]string{"Items": "ITEM_ID", "Actions": "ACTION_ID"}[q.dataset]
			if field == "" {
				field = "USER_ID"
			}
		}
		var texts []string
		for _, v := range q.values {
			texts = append(texts, v.text)
		}
		values := strings.Join(texts, space()+","+space())
		if bare := len(texts) == 1 && (q.op != "IN" && q.op != "NOT IN" || strings.ContainsAny(texts[0][:1], "$cC")); !bare || g.IntN(2) == 0 {
			values = "(" + space() + values + space() + ")"
		}
		return word(q.dataset) + "." + word(field) + " " + word(q.op) + " " + values
	}
	var out []string
	for _, c := range clauses {
		text := word("INCLUDE")
		if c.exclude {
			text = word("EXCLUDE")
		}
		text += " " + word(string(g.subject)) + " " + word("WHERE") + " "
		for i, all := range c.any {
			for j, q := range all {
				switch {
				case j > 0:
					text += " " + word("AND") + " "
				case i > 0:
					text += " " + word("OR") + " "
				}
				text += cond(q)
			}
		}
		for i, q := range c.when {
			text += " " + word([]string{"IF", "AND"}[min(i, 1)]) + " " + cond(q)
		}
		out = append(out, text)
	}
	return strings.Join(out, space()+"|"+space())
}

// oracleExpr is the text of a random expression of a random subject.
func oracleExpr(rng *rand.Rand) (subject Subject, clauses []oracleClause, text string) {
	subject = []Subject{ItemID, ItemID, ActionID, UserID}[rng.IntN(4)]
	g := oracleWriter{Rand: rng, subject: subject}
	clauses = g.clauses()
	return subject, clauses, g.write(clauses)
}

// TestMaskAgainstOracle compares random expressions over random worlds with one row at a time.
func TestMaskAgainstOracle(t *testing.T) {
	var dst Bitmap
	asked := map[string]int{} // that the worlds show what they shall show
	for seed := range uint64(12_000) {
		rng := rand.New(rand.NewPCG(seed, 2))
		subject, clauses, text := oracleExpr(rng)
		w := newOracleWorld(rng, subject)
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		if err := e.Check(oracleSchemas(), Limits{}); err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		now := map[string]string{}
		for _, name := range e.Params() {
			if v, ok := oracleGiven[name]; ok {
				now[name] = v
			}
		}
		b, err := e.Bind(subject, now)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		s := w.scene()
		if !b.History() {
			s.History, s.TypeName = nil, nil
		}
		if !b.User() {
			s.User = Row{}
		}
		if !b.Item() {
			s.Item = Row{}
		}
		dst = b.Mask(s, dst)
		count := 0
		for row := range w.rows {
			want := w.shown(clauses, row)
			if dst.Has(int32(row)) != want {
				t.Fatalf("seed %d: %s: row %d %v shown: %v, want %v; user %v, item %v, history %v",
					seed, text, row, w.rows[row], !want, want, w.user, w.item, w.history)
			}
			if want {
				count++
			}
		}
		if dst.Count() != count {
			t.Fatalf("seed %d: %s: %d rows set, %d of them exist", seed, text, dst.Count(), count)
		}
		asked[fmt.Sprintf("%s history %v user %v item %v", subject, b.History(), b.User(), b.Item())]++
		if count > 0 && count < len(w.rows) {
			asked["some"]++
		}
	}
	if len(asked) != 8+4+2+1 || asked["some"] < 5000 {
		t.Errorf("the worlds show too little: %v", asked)
	}
}

func oracleSchemas() map[schema.Type]*schema.Schema {
	all := map[schema.Type]*schema.Schema{}
	for t, id := range map[schema.Type]string{schema.Items: "ITEM_ID", schema.Users: "USER_ID", schema.Actions: "ACTION_ID"} {
		all[t] = &schema.Schema{Name: string(t), Fields: []schema.Field{{Name: id, Kind: schema.String}, {Name: "GENRES", Kind: schema.String},
			{Name: "BRAND", Kind: schema.String}, {Name: "PRICE", Kind: schema.Float}, {Name: "AGE", Kind: schema.Int}}}
	}
	return all
}

// FuzzParsePrint holds that printing what parses gives text that parses to the
// same, and that whatever Check lets through can be carried out.
func FuzzParsePrint(f *testing.F) {
	for seed := range uint64(40) {
		_, _, text := oracleExpr(rand.New(rand.NewPCG(seed, 3)))
		f.Add(text)
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
		if e.Check(oracleSchemas(), Limits{}) == nil {
			given := map[string]string{}
			for _, name := range e.Params() {
				given[name] = `"a",b`
			}
			if b, err := e.Bind(e.Subject(), given); err == nil {
				w := newOracleWorld(rand.New(rand.NewPCG(uint64(len(text)), 4)), e.Subject())
				b.Mask(w.scene(), nil)
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
	user, item := oracleRow{"ID": {"u"}, "AGE": {"30"}}, Row{"i", c, 17}
	scene := &Scene{Rows: c, N: n, History: history, TypeName: func(n uint16) string { return oracleTypes[n] }, User: user.row(0), Item: item}
	for _, text := range []string{
		`INCLUDE ItemID WHERE Items.GENRES IN ("g1", "g2") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")`,
		`INCLUDE ItemID WHERE Items.BRAND IN ("b1", "b2", "b3") AND Items.GENRES NOT IN ("g1")`,
		`INCLUDE ItemID WHERE Items.PRICE < 20`,
		`EXCLUDE ItemID WHERE Items.PRICE > 50 IF CurrentUser.AGE < 31`,
		`INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.GENRES IN CurrentItem.GENRES`,
	} {
		b.Run(text, func(b *testing.B) {
			e, err := Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			bound, err := e.Bind(ItemID, nil)
			if err != nil {
				b.Fatal(err)
			}
			var dst Bitmap
			b.ReportAllocs()
			for b.Loop() {
				dst = bound.Mask(scene, dst)
			}
		})
	}
}

// BenchmarkBind is what a request costs before its mask.
func BenchmarkBind(b *testing.B) {
	for name, values := range map[string]map[string]string{
		`INCLUDE ItemID WHERE Items.GENRES IN ("g1", "g2") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")`: nil,
		`INCLUDE ItemID WHERE Items.GENRES IN ($G) AND Items.PRICE < $P`:                                                   {"G": `"g1","g2"`, "P": "20"},
	} {
		e, err := Parse(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Bind(ItemID, values); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package circumstance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// home has 40 users: on the phone each reads item 0, at the tv each watches item
// 1, and half of them watch item 2 on both. Nobody has item 3. One user has a
// device of their own. By night is item 1 watched, by day the others.
func home(params map[string]string) recipe.Input {
	var rows []dataset.Row
	add := func(user, item int, device string, hour float64) {
		rows = append(rows, dataset.Row{User: fmt.Sprintf("u%02d", user), Item: fmt.Sprint("i", item), At: int64(1000 * len(rows)), Value: math.NaN(),
			Attributes: map[string]any{"DEVICE": device, "HOUR": hour, "LATE": hour > 20}})
	}
	for u := range 40 {
		add(u, 0, "phone", 8+float64(u%4))
		add(u, 1, "tv|radio", 21+float64(u%3))
		if u < 20 {
			add(u, 2, "phone", 12)
			add(u, 2, "tv|radio", 12)
			add(u, 2, "tv|radio", 12) // every day
		}
	}
	add(0, 0, "submarine", 8)
	s, err := dataset.NewSnapshot(time.Time{}, rows, []dataset.Row{{Item: "i3"}}, nil)
	if err != nil {
		panic(err)
	}
	return recipe.Input{Events: s.Events, Users: s.Users.Len(), Items: s.Items.IDs(), Params: params}
}

func scores(t *testing.T, in recipe.Input, now map[string]any) []float32 {
	t.Helper()
	m, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Manifest.AsksContext {
		t.Error("serving would not tell what is the case")
	}
	return ask(t, m, now)
}

func ask(t *testing.T, m *model.Model, now map[string]any) []float32 {
	t.Helper()
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, len(m.Items))
	if err := s.Score(t.Context(), model.Query{Item: model.NoItem, Context: now}, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}

// By hand: of the 141 times that a user had an item under a value of DEVICE, 60
// were on the phone, of which 40 with item 0, whose 41st was under water.
func TestWordsByHand(t *testing.T) {
	in := home(map[string]string{ParamShrinkage: "10", ParamWeight: "0.5"})
	got := scores(t, in, map[string]any{"DEVICE": "phone"})
	q := 60.0 / (60 + 60 + 60 + 1)
	word := func(of, n float64) float64 { return 0.5 * math.Log((of+10*q)/((n+10)*q)) }
	share := func(n float64) float64 { return math.Log((n + 1) / 104) }
	for i, want := range []float64{share(40) + word(40, 41), share(40) + word(0, 80), share(20) + word(20, 60), share(0)} {
		if math.Abs(float64(got[i])-want) > 1e-5 {
			t.Errorf("item %d has %g, want %g", i, got[i], want)
		}
	}
}

func TestWhatIsTheCaseDecides(t *testing.T) {
	in := home(nil)
	nothing := scores(t, in, nil)
	if nothing[0] != nothing[1] || !(nothing[1] > nothing[2]) || !(nothing[2] > nothing[3]) {
		t.Errorf("nothing is known: %v, want popularity", nothing)
	}
	for name, c := range map[string]struct {
		now   map[string]any
		wants int
	}{
		"a phone":            {map[string]any{"DEVICE": "phone"}, 0},
		"a tv":               {map[string]any{"DEVICE": "tv"}, 1},
		"one of two":         {map[string]any{"DEVICE": "radio|door"}, 1},
		"the evening":        {map[string]any{"HOUR": 22.0}, 1},
		"as a request says":  {map[string]any{"HOUR": "22.5", "LATE": "true"}, 1},
		"the morning":        {map[string]any{"HOUR": "9", "LATE": false}, 0},
		"an unheard-of hour": {map[string]any{"HOUR": "-1e300"}, 0},
	} {
		if got := scores(t, in, c.now); !(got[c.wants] > got[1-c.wants]) {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, now := range []map[string]any{{"DEVICE": "submarine"}, {"HOUR": math.NaN()}, {"HOUR": "late"}, {"HOUR": "NaN"}, {"WEATHER": "rain"}, {"DEVICE": 7.0}, {"LATE": "maybe"}, {"DEVICE": ""}} {
		if got := scores(t, in, now); !slices.Equal(got, nothing) {
			t.Errorf("%v says something: %v", now, got)
		}
	}
}

// A number that a request writes lies where it lay in training, also one that
// is an edge and that float32 rounds up.
func TestNumbersThatAreEdges(t *testing.T) {
	in := home(nil)
	c := dataset.Circumstance{Name: "PRICE", Kind: schema.Float}
	for i := range in.Events.Len() {
		c.Number = append(c.Number, []float32{0.1, 0.7, 9.99, 2.3}[in.Events.Item[i]])
	}
	in.Events.Context = []dataset.Circumstance{c}
	for i, text := range []string{"0.1", "0.7", "9.99"} {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		want := scores(t, in, map[string]any{"PRICE": float64(float32(x))}) // as evaluations ask
		if got := scores(t, in, map[string]any{"PRICE": text}); !slices.Equal(got, want) || !(got[i] > got[(i+1)%3]) {
			t.Errorf("%s: %v, in training %v", text, got, want)
		}
	}
}

// A text of many values takes as many pairs.
func TestBytesOfManyValues(t *testing.T) {
	in := home(nil)
	in.Events.Context = []dataset.Circumstance{{Name: "TAGS", Kind: schema.String, Texts: []string{"x"}, Code: make([]int32, in.Events.Len())}}
	one := New().Bytes(in)
	in.Events.Context[0].Texts = []string{"x|" + strings.Repeat("y|", 98) + "z"}
	if many := New().Bytes(in) - one; many != 99*24*int64(in.Events.Len()) {
		t.Errorf("99 values more of %d events take %d bytes more than %d", in.Events.Len(), many, one)
	}
}

// Without popularity what remains is the context's word: nothing where nothing is known.
func TestWordAlone(t *testing.T) {
	in := home(map[string]string{ParamPopularity: "0"})
	if got := scores(t, in, nil); slices.ContainsFunc(got, func(x float32) bool { return x != 0 }) {
		t.Errorf("%v", got)
	}
	if got := scores(t, in, map[string]any{"DEVICE": "phone"}); !(got[0] > 0) || !(got[1] < 0) || got[3] != 0 {
		t.Errorf("%v, want nothing of the item that nobody has", got)
	}
}

// Data without context makes a model of popularity that asks for none.
func TestNoContext(t *testing.T) {
	in := home(nil)
	in.Events.Context = nil
	m, err := New().Train(t.Context(), in)
	if err != nil || m.Manifest.AsksContext {
		t.Fatalf("%+v, %v", m.Manifest, err)
	}
	if got := ask(t, m, map[string]any{"DEVICE": "phone"}); got[0] != got[1] {
		t.Errorf("%v", got)
	}
}

// An id for every event tells nothing apart, and one's own value is nobody's business.
func TestColumnsOfIds(t *testing.T) {
	in := home(nil)
	texts, codes := make([]string, in.Events.Len()), make([]int32, in.Events.Len())
	for i := range texts {
		texts[i], codes[i] = fmt.Sprintf("%05d", i), int32(i)
	}
	in.Events.Context = []dataset.Circumstance{{Name: "REQUEST", Kind: 1, Texts: texts, Code: codes}}
	m, err := New().Train(t.Context(), in)
	if err != nil || m.Manifest.AsksContext || len(m.Tensors[tensorColumn].I32) > 0 {
		t.Errorf("%+v, %v", m.Manifest, err)
	}
}

// Whatever the data: no NaN, the smoothed shares of the values of a column sum to one for
// every item, and an item's words do not depend on others'.
func TestSharesSumToOne(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		items, values := 2+r.IntN(9), 1+r.IntN(5)
		e := dataset.Events{Context: []dataset.Circumstance{{Name: "C", Kind: 1, Code: []int32{}}}}
		c := &e.Context[0]
		for v := range values {
			c.Texts = append(c.Texts, fmt.Sprint("v", v))
		}
		for u := range 200 {
			for range values { // so that each value has ten users
				e.User, e.Item = append(e.User, int32(u)), append(e.Item, int32(r.IntN(items)))
				e.At, e.Type, e.Value = append(e.At, 0), append(e.Type, 0), append(e.Value, 1)
				c.Code = append(c.Code, int32(r.IntN(values)))
			}
		}
		in := recipe.Input{Events: e, Users: 200, Items: make([]string, items), Params: map[string]string{ParamPopularity: "0", ParamShrinkage: recipe.FormatFloat(math.Exp(2 * r.NormFloat64()))}}
		m, err := New().Train(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		sum := make([]float64, items)
		for v, text := range c.Texts {
			for i, x := range ask(t, m, map[string]any{"C": text}) {
				sum[i] += float64(m.Tensors[tensorShare].F32[v]) * math.Exp(float64(x))
			}
		}
		for i, x := range sum {
			if !(math.Abs(x-1) < 1e-4) {
				t.Fatalf("shares of item %d sum to %g", i, x)
			}
		}
	}
}

func TestTornModel(t *testing.T) {
	m, err := New().Train(t.Context(), home(nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*model.Model){
		"an item too far":      func(m *model.Model) { m.Tensors[tensorEntry].I32[0] = 4 },
		"a start that falls":   func(m *model.Model) { m.Tensors[tensorStart].I32[1] = 1000 },
		"a column too far":     func(m *model.Model) { m.Tensors[tensorGroup].I32[2] = 9 },
		"a share of nothing":   func(m *model.Model) { m.Tensors[tensorShare].F32[0] = 0 },
		"a share of NaN":       func(m *model.Model) { m.Tensors[tensorShare].F32[0] = float32(math.NaN()) },
		"a count below nought": func(m *model.Model) { m.Tensors[tensorEntry].I32[1] = -1 },
	} {
		bad := *m
		bad.Tensors = map[string]model.Tensor{}
		for k, v := range m.Tensors {
			v.I32, v.F32 = slices.Clone(v.I32), slices.Clone(v.F32)
			bad.Tensors[k] = v
		}
		spoil(&bad)
		if _, err := New().Decode(&bad); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

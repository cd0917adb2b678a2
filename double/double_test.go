package double_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/double"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string) *double.Clock {
	t.Helper()
	c, err := double.OpenClock(dir, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestClock goes forward only, and is as far after a restart.
func TestClock(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir)
	if !c.Now().Equal(noon) {
		t.Errorf("a new clock says %s", c.Now())
	}
	week := 7 * 24 * time.Hour
	if now, err := c.Advance(week); err != nil || !now.Equal(noon.Add(week)) || !c.Now().Equal(now) {
		t.Errorf("%s, %v", now, err)
	}
	if now, err := c.Set(noon.Add(2 * week)); err != nil || !now.Equal(noon.Add(2*week)) {
		t.Errorf("%s, %v", now, err)
	}
	for name, try := range map[string]func() (time.Time, error){
		"back":       func() (time.Time, error) { return c.Advance(-1) },
		"to before":  func() (time.Time, error) { return c.Set(noon.Add(week)) },
		"for ever":   func() (time.Time, error) { return c.Advance(101 * 365 * 24 * time.Hour) },
		"far beyond": func() (time.Time, error) { return c.Set(noon.AddDate(300, 0, 0)) },
	} {
		if now, err := try(); attune.KindOf(err) != attune.Invalid || !now.Equal(noon.Add(2*week)) {
			t.Errorf("%s: %s, %v", name, now, err)
		}
	}
	if again := open(t, dir); !again.Now().Equal(noon.Add(2*week)) || again.Ahead() != 2*week {
		t.Errorf("after a restart it is %s", again.Now())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("files: %v", left)
	}
	for _, text := range []string{"", "{", `{"aheadNanoseconds":-1}`, `{"aheadNanoseconds":"x"}`} {
		if err := os.WriteFile(filepath.Join(dir, "clock.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := double.OpenClock(dir, attune.WallClock); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestDated: what was dated before the clock was put forward stays before what it
// said since, and after what it said before, also after a restart.
func TestDated(t *testing.T) {
	dir, machine := t.TempDir(), noon
	base := func() time.Time { return machine }
	c := must[*double.Clock](t)(double.OpenClock(dir, base))
	var files, said []time.Time
	for range 3 {
		machine = machine.Add(time.Minute)
		said = append(said, c.Now())
		machine = machine.Add(time.Minute)
		files = append(files, machine)
		machine = machine.Add(time.Minute)
		must[time.Time](t)(c.Advance(time.Hour))
	}
	said = append(said, c.Now())
	for _, c := range []*double.Clock{c, must[*double.Clock](t)(double.OpenClock(dir, base))} {
		for i, at := range files {
			if d := c.Dated(at); !d.After(said[i]) || !d.Before(said[i+1]) {
				t.Errorf("a file of %s is dated %s, between %s and %s", at, d, said[i], said[i+1])
			}
		}
	}
}

func must[V any](t *testing.T) func(V, error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func faults(t *testing.T, s double.Script) *double.Faults {
	t.Helper()
	f := double.NewFaults(func() time.Time { return noon })
	if err := f.Set(s); err != nil {
		t.Fatal(err)
	}
	return f
}

// fired tells for each of n requests whether something befell it.
func fired(f *double.Faults, n int, operation string, names ...string) string {
	var b strings.Builder
	for range n {
		if f.Next(operation, names) == (double.Fault{}) {
			b.WriteByte('.')
		} else {
			b.WriteByte('x')
		}
	}
	return b.String()
}

// TestWhen holds every way of saying when against what fires.
func TestWhen(t *testing.T) {
	for name, c := range map[string]struct {
		rule double.Rule
		want string
	}{
		"always": {double.Rule{}, "xxxxxxxxxx"},
		"every":  {double.Rule{Every: 3}, "..x..x..x."},
		"next":   {double.Rule{Next: 2}, "xx........"},
		"times":  {double.Rule{Times: 3}, "xxx......."},
		"both":   {double.Rule{Every: 2, Times: 2}, ".x.x......"},
		"over":   {double.Rule{Until: noon}, ".........."},
		"soon":   {double.Rule{Until: noon.Add(1)}, "xxxxxxxxxx"},
		"never":  {double.Rule{Operation: "Put*"}, ".........."},
		"one":    {double.Rule{Operation: "Get?ecommendations"}, "xxxxxxxxxx"},
		"other":  {double.Rule{Resource: "arn:*:campaign/b"}, ".........."},
		"named":  {double.Rule{Resource: "arn:aws:*/a"}, "xxxxxxxxxx"},
	} {
		c.rule.Throttle = true
		if c.rule.Operation == "" {
			c.rule.Operation = "Get*"
		}
		f := faults(t, double.Script{Rules: []double.Rule{c.rule}})
		if got := fired(f, 10, "GetRecommendations", "arn:aws:personalize:us-east-1:000000000000:campaign/a"); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if r := f.Script().Rules[0]; r.Fired != strings.Count(c.want, "x") {
			t.Errorf("%s: counted %d", name, r.Fired)
		}
	}
}

// TestChance is the same for the same seed, about as frequent as was said, and
// not shifted by other rules.
func TestChance(t *testing.T) {
	rule := double.Rule{Operation: "GetRecommendations", Probability: 0.3, Drop: true}
	one := fired(faults(t, double.Script{Seed: 7, Rules: []double.Rule{rule}}), 1000, "GetRecommendations")
	f := faults(t, double.Script{Seed: 7, Rules: []double.Rule{rule, {Operation: "Put*", Probability: 0.5, Drop: true}}})
	var both strings.Builder
	for range 1000 {
		both.WriteString(fired(f, 1, "GetRecommendations"))
		fired(f, 3, "PutEvents")
	}
	if both.String() != one {
		t.Error("another rule shifts the chance of the first")
	}
	if other := fired(faults(t, double.Script{Seed: 8, Rules: []double.Rule{rule}}), 1000, "GetRecommendations"); other == one {
		t.Error("another seed draws the same")
	}
	if n := strings.Count(one, "x"); n < 250 || n > 350 {
		t.Errorf("%d of 1000 at a probability of 0.3", n)
	}
}

// TestFirstDecides: the first rule that fires is the only one that counts.
func TestFirstDecides(t *testing.T) {
	f := faults(t, double.Script{Rules: []double.Rule{
		{Operation: "*", Every: 2, LatencyMS: 5, JitterMS: 5},
		{Operation: "*", Error: &double.Exception{Name: "InternalFailure", Status: 500}},
	}})
	a, b := f.Next("X", nil), f.Next("X", nil)
	if a.Error == nil || a.Wait != 0 || b.Error != nil || b.Wait < 5*time.Millisecond || b.Wait > 10*time.Millisecond {
		t.Errorf("%+v, %+v", a, b)
	}
	if r := f.Script().Rules; r[0].Met != 2 || r[0].Fired != 1 || r[1].Met != 1 || r[1].Fired != 1 {
		t.Errorf("%+v", r)
	}
	f.Clear()
	if f.Next("X", nil) != (double.Fault{}) || len(f.Script().Rules) != 0 {
		t.Error("a cleared script goes on")
	}
}

// TestRefusedRules: what cannot be meant is refused, and the old script stays.
func TestRefusedRules(t *testing.T) {
	f := faults(t, double.Script{Rules: []double.Rule{{Operation: "*", Drop: true}}})
	bad := map[string]double.Rule{
		"no operation":   {Drop: true},
		"bad pattern":    {Operation: "[", Drop: true},
		"nothing":        {Operation: "*"},
		"two actions":    {Operation: "*", Drop: true, Throttle: true},
		"two whens":      {Operation: "*", Drop: true, Every: 2, Next: 1},
		"chance":         {Operation: "*", Drop: true, Probability: 1.5},
		"negative":       {Operation: "*", Drop: true, Times: -1},
		"long":           {Operation: "*", LatencyMS: 600_000},
		"status":         {Operation: "*", Error: &double.Exception{Name: "X", Status: 200}},
		"unnamed":        {Operation: "*", Error: &double.Exception{Status: 500}},
		"job of a get":   {Operation: "Get*", FailJob: "why"},
		"endless reason": {Operation: "Create*", FailJob: strings.Repeat("x", 1001)},
	}
	for name, r := range bad {
		if err := f.Set(double.Script{Rules: []double.Rule{r}}); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.Set(double.Script{Rules: slices.Repeat([]double.Rule{{Operation: "*", Drop: true}}, 101)}); attune.KindOf(err) != attune.Invalid {
		t.Errorf("101 rules: %v", err)
	}
	if !f.Next("X", nil).Drop {
		t.Error("the old script is gone")
	}
}

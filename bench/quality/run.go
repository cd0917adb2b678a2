package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/engine/bucket"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// modelName is what the sealed model is called in its folder.
const modelName = "model/quality"

// runSet measures one set: learn, seal, ask. It is all that its process does.
func runSet(ctx context.Context, s set, root string, o options) (result, error) {
	began := time.Now()
	w := newWatch(s.name, o.stderr)
	defer w.end()
	v, err := openVault(s, root)
	if err != nil {
		return result{}, err
	}
	lines, err := v.learn()
	if err != nil {
		return result{}, err
	}
	c, err := load(s.kind, lines)
	if err != nil {
		return result{}, fmt.Errorf("%s: %w", v.train, err)
	}
	w.say("%s", c)
	p, err := newPipeline(c, s.kind, o.recipe, o.budget, w.stage)
	if err != nil {
		return result{}, err
	}
	out := result{Set: s.name, Kind: s.kind, Protocol: protocols[s.kind], Budget: o.budget, Data: c.String(), Recipe: o.recipe, Tier: tier(),
		Seconds: map[string]float64{"load": time.Since(began).Seconds()}, Findings: findings(c.train, p.split)}
	m, err := p.make(ctx, &out)
	if err != nil {
		return out, err
	}
	others, err := p.makeBaselines(ctx)
	if err != nil {
		return out, err
	}
	store, size, end, err := modelStore(ctx, o.keep)
	if err != nil {
		return out, err
	}
	defer end()
	if err := v.Seal(ctx, store, modelName, m); err != nil {
		return out, err
	}
	out.Digest, out.ModelBytes = m.Manifest.Digest, size()
	w.say("sealed %s", out.Digest)
	if err := out.answer(ctx, v, c, p, m, others); err != nil {
		return out, err
	}
	out.Seconds["wall"], out.Seconds["cpu"] = time.Since(began).Seconds(), cpuSeconds()
	out.PeakBytes, out.Environment = peakBytes(), surroundings(o.command)
	return out, nil
}

// protocols say in a few words how a kind is tested.
var protocols = map[kind]string{
	kindCF:      "test file, all items ranked, items of the training file left out",
	kindLOO:     "leave one out, all items ranked, earlier items left out",
	kindNCF:     "1 + 99 given items, ties against the model",
	kindSession: "every prefix, all items ranked, nothing left out",
}

// findings of the data without order would only say that they have none.
func findings(e dataset.Events, split *dataset.Split) []dataset.Finding {
	var out []dataset.Finding
	for _, f := range append(dataset.Inspect(e, 0), dataset.InspectSplit(split)...) {
		if f.Kind != dataset.SameTime && f.Kind != dataset.ZeroTimes {
			out = append(out, f)
		}
	}
	return out
}

// leaks compares two files that are given apart, for what training must not hold
// of the test. Their rows have no time.
func leaks(k kind, c *corpus, asked []question) []dataset.Finding {
	if k != kindCF && k != kindNCF {
		return nil
	}
	type pair struct{ user, item int32 }
	events := func(pairs []pair) dataset.Events {
		slices.SortFunc(pairs, func(a, b pair) int { return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.item, b.item)) })
		e := dataset.Events{At: make([]int64, len(pairs))}
		for _, p := range pairs {
			e.User, e.Item = append(e.User, p.user), append(e.Item, p.item)
		}
		return e
	}
	var train, test []pair
	for i, user := range c.train.User {
		train = append(train, pair{user, c.train.Item[i]})
	}
	for _, q := range asked {
		for _, item := range q.truth {
			test = append(test, pair{q.user, item})
		}
	}
	return dataset.InspectPair(events(train), events(test))
}

// make is search and training of the model that is measured.
func (p *pipeline) make(ctx context.Context, out *result) (*model.Model, error) {
	at := time.Now()
	found, err := p.search(ctx, p.recipe)
	if err != nil {
		return nil, err
	}
	out.Seconds["search"] = time.Since(at).Seconds()
	out.Validation = &validation{p.split.Protocol, len(p.split.Cases), metricName(p.cut), found.Value}
	out.Trials = len(found.Trials)
	at = time.Now()
	m, err := p.train(ctx, p.recipe, found, "train")
	if err != nil {
		return nil, err
	}
	out.Seconds["train"] = time.Since(at).Seconds()
	out.Parameters = maps.Clone(m.Manifest.Parameters)
	return m, nil
}

// other is a baseline's model.
type other struct {
	recipe recipe.Recipe
	model  *model.Model
}

func (p *pipeline) makeBaselines(ctx context.Context) ([]other, error) {
	var out []other
	for _, name := range baselines {
		r, ok := all.ByName(name)
		if !ok || name == p.recipe.Name() {
			continue
		}
		found, err := p.choose(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m, err := p.train(ctx, r, found, "baselines")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, other{r, m})
	}
	return out, nil
}

// answer opens the test and asks the model and the baselines.
func (r *result) answer(ctx context.Context, v *vault, c *corpus, p *pipeline, m *model.Model, others []other) error {
	at := time.Now()
	lines, err := v.ask()
	if err != nil {
		return err
	}
	asked, err := c.questions(v.kind, lines)
	if err != nil {
		return fmt.Errorf("%s: %w", v.test, err)
	}
	f := v.kind.form()
	r.Questions = len(asked)
	r.Findings = append(r.Findings, leaks(v.kind, c, asked)...)
	mine, err := ask(ctx, p.recipe, m, asked, f, func(done, total int) { p.progress("measure", done, total) })
	if err != nil {
		return err
	}
	r.Metrics = metrics(f, asked, mine)
	for _, o := range others {
		theirs, err := ask(ctx, o.recipe, o.model, asked, f, func(done, total int) { p.progress("measure "+o.recipe.Name(), done, total) })
		if err != nil {
			return err
		}
		b := baseline{Name: o.recipe.Name(), Parameters: maps.Clone(o.model.Manifest.Parameters), Metrics: metrics(f, asked, theirs)}
		for k := range theirs {
			b.Difference = append(b.Difference, difference(asked, mine[k], theirs[k]))
		}
		r.Baselines = append(r.Baselines, b)
	}
	r.Seconds["measure"] = time.Since(at).Seconds()
	return v.unbroken() // asking has changed nothing
}

func metrics(f form, asked []question, values [2][]float64) (out []measured) {
	for k, name := range f.names {
		out = append(out, measured{name, told(interval(asked, values[k]))})
	}
	return out
}

// modelStore is where the sealed model goes: the folder to keep it in, or one
// that end takes away. size is that of what was written.
func modelStore(ctx context.Context, keep string) (store *artifact.Store, size func() int64, end func(), err error) {
	dir := keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "attune-quality-"); err != nil {
			return nil, nil, nil, err
		}
	}
	e, err := bucket.Open(ctx, "", dir, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return nil, nil, nil, err
	}
	size = func() int64 {
		var n int64
		_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error { // what cannot be looked at does not count
			if err == nil && !d.IsDir() {
				if info, err := d.Info(); err == nil {
					n += info.Size()
				}
			}
			return nil
		})
		return n
	}
	end = func() {
		_ = e.Close() // nothing is written any more
		if keep == "" {
			_ = os.RemoveAll(dir) // temporary
		}
	}
	return artifact.New(e.Client(), dir, ""), size, end, nil
}

// watch tells on stderr how far things are.
type watch struct {
	set      string
	out      io.Writer
	began    time.Time
	terminal bool

	mu   sync.Mutex
	now  string
	last time.Time
}

func newWatch(set string, out io.Writer) *watch {
	w := &watch{set: set, out: out, began: time.Now()}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		w.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return w
}

const (
	// barEvery is how often a bar on a terminal moves, lineEvery how often a line is
	// written elsewhere.
	barEvery, lineEvery = 200 * time.Millisecond, 10 * time.Second
	barWidth            = 30
)

// stage tells of progress, not too often.
func (w *watch) stage(name string, done, total int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	every := lineEvery
	if w.terminal {
		every = barEvery
	}
	if name == w.now && time.Since(w.last) < every || total <= 0 {
		return
	}
	w.now, w.last = name, time.Now()
	full := min(barWidth, barWidth*done/total)
	bar := fmt.Sprintf("%-12s %-18s [%s%s] %3d %% %6.0f s", w.set, name, strings.Repeat("#", full), strings.Repeat(".", barWidth-full), 100*done/total, time.Since(w.began).Seconds())
	if w.terminal {
		fmt.Fprintf(w.out, "\r%s\x1b[K", bar)
		return
	}
	fmt.Fprintln(w.out, bar)
}

func (w *watch) say(format string, args ...any) {
	w.clear()
	fmt.Fprintf(w.out, "%-12s %s\n", w.set, fmt.Sprintf(format, args...))
}

func (w *watch) clear() {
	if w.terminal {
		fmt.Fprint(w.out, "\r\x1b[K")
	}
}

func (w *watch) end() { w.clear() }

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
)

const reportHead = `# How good the models are

Measured by ` + "`go run ./bench/quality`" + `, which writes this page from ` + "`bench/quality/results.jsonl`" + `: rows of sets that were not measured the last time are
those of the time before. How is told in [docs/evaluation.md](../docs/evaluation.md).

Nothing is set per data set: the automatic pipeline gets the training data and chooses on a validation slice of it. The test file is opened after the
model is sealed, its digest written; the code refuses it earlier. Each set is measured in a process of its own.
`

// report writes the page.
func report(w io.Writer, all []result) {
	fmt.Fprint(w, reportHead)
	of := func(kinds ...kind) (out []result) {
		for _, r := range all {
			if slices.Contains(kinds, r.Kind) {
				out = append(out, r)
			}
		}
		slices.SortStableFunc(out, func(a, b result) int { return place(a.Set) - place(b.Set) })
		return out
	}
	ranked := of(kindCF, kindNCF, kindLOO, kindSession)
	if len(ranked) > 0 {
		goalsTable(w, ranked)
		baselinesTable(w, ranked)
	}
	if bandits := of(kindBandit); len(bandits) > 0 {
		banditTable(w, bandits)
	}
	if ratings := of(kindRatings); len(ratings) > 0 {
		ratingsTable(w, ratings)
	}
	if len(ranked) > 0 {
		costTable(w, append(ranked, of(kindRatings)...))
		chosenTable(w, append(ranked, of(kindRatings)...))
	}
	if sizes := of(kindScale); len(sizes) > 0 {
		scaleTable(w, sizes)
	}
	foundTable(w, all)
	machines(w, all)
}

// place is a set's in the list of sets; strange ones come last, by the order kept.
func place(name string) int {
	if i := slices.IndexFunc(sets, func(s set) bool { return s.name == name }); i >= 0 {
		return i
	}
	return len(sets)
}

// row writes a line of a table.
func row(w io.Writer, cells ...string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }

func head(w io.Writer, title string, cells ...string) {
	fmt.Fprintf(w, "\n## %s\n\n", title)
	row(w, cells...)
	line := make([]string, len(cells))
	for i := range line {
		line[i] = "---"
	}
	row(w, line...)
}

// number writes a metric, in per cent for some sets.
func (g goal) number(x float64) string {
	if g.percent {
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.4f", x)
}

func (g goal) both(p pair, by string) string {
	if by == "" {
		return "–"
	}
	return fmt.Sprintf("%s / %s (%s)", g.number(p[0]), g.number(p[1]), by)
}

func (g goal) withInterval(i model.Interval) string {
	k := 1.0
	if g.percent {
		k = 100
	}
	if i.Low == i.High {
		return g.number(k * i.Mean)
	}
	return fmt.Sprintf("%s [%s, %s]", g.number(k*i.Mean), g.number(k*i.Low), g.number(k*i.High))
}

func goalsTable(w io.Writer, all []result) {
	head(w, "Against published numbers", "set", "metrics", "floor", "must", "stretch", "attune, 95 % intervals", "must", "stretch")
	for _, r := range all {
		g, known := goals[r.Set]
		g.percent = g.percent || r.Kind == kindSession
		must, stretch := "–", "–"
		if known {
			must, stretch = verdict(g, r, g.must), verdict(g, r, g.stretch)
		}
		row(w, r.Set, r.Metrics[0].Name+" / "+r.Metrics[1].Name, g.both(g.floor, g.floorBy), g.both(g.must, g.mustBy), g.both(g.stretch, g.stretchBy),
			g.withInterval(r.Metrics[0].Interval)+" / "+g.withInterval(r.Metrics[1].Interval), must, stretch)
	}
	fmt.Fprintf(w, "\nReached means that both metrics are at least %g of the number; else the table says how much is missing of the worse one. Session metrics are per cent. "+
		"Numbers marked *here* are of simple programs on these very files; several of the others were chosen on the test data by their authors. "+
		"Methods that know no order are compared with one that uses it where the lines of the training file tell it ([how](../docs/evaluation.md)).\n", reachedShare)
}

// verdict says whether a number was reached, or what part of it.
func verdict(g goal, r result, want pair) string {
	if g.reached(r, want) {
		return "reached"
	}
	got, _ := g.got(r)
	return fmt.Sprintf("no, %+.1f %%", 100*(min(got[0]/want[0], got[1]/want[1])-1))
}

func baselinesTable(w io.Writer, all []result) {
	head(w, "Beside simple methods", "set", "questions", "method", "metrics", "model minus method, 95 % intervals", "p")
	for _, r := range all {
		g := goal{percent: r.Kind == kindSession}
		for _, b := range r.Baselines {
			row(w, r.Set, fmt.Sprint(r.Questions), b.Name, g.withInterval(b.Metrics[0].Interval)+" / "+g.withInterval(b.Metrics[1].Interval),
				g.withInterval(b.Difference[0].Interval)+" / "+g.withInterval(b.Difference[1].Interval), fmt.Sprintf("%.2g / %.2g", b.Difference[0].P, b.Difference[1].P))
		}
	}
	fmt.Fprintln(w, "\nIntervals resample users, or whole sessions, and are paired; p is of a sign-flip test. They tell how much those asked matter, not the seed.")
}

func banditTable(w io.Writer, all []result) {
	for _, r := range all {
		g := goals[r.Set]
		truth, _ := r.metric("truth")
		head(w, "What a log tells of another policy: "+r.Set, "estimator", "estimate, 95 % interval", "relative error", "holds the truth")
		for _, m := range r.Metrics {
			relative, ok := r.metric("relEE " + m.Name)
			if !ok {
				continue
			}
			name := m.Name
			if name == r.Recipe {
				name = "**" + name + "**"
			}
			holds := "no"
			if m.Low <= truth.Mean && truth.Mean <= m.High {
				holds = "yes"
			}
			row(w, name, fmt.Sprintf("%.5f [%.5f, %.5f]", m.Mean, m.Low, m.High), fmt.Sprintf("%.2f", relative.Mean), holds)
		}
		fmt.Fprintf(w, "\n%s. The policy itself earned %.5f [%.5f, %.5f], opened after the estimates were made. The estimator that counts, DRos, is the same for every log; it was settled on, and its tuning refined, when this log's truth was known, so another log is the fairer test of it. "+
			"Must (relative error ≤ %g, held): %s; stretch (≤ %g): %s.\n", r.Data, truth.Mean, truth.Low, truth.High, g.must[1], yes(g.reached(r, g.must)), g.stretch[1], yes(g.reached(r, g.stretch)))
	}
}

func yes(b bool) string {
	if b {
		return "reached"
	}
	return "no"
}

func ratingsTable(w io.Writer, all []result) {
	head(w, "MovieLens 100K, by protocol", "protocol", "users", "method", "NDCG@25", "MRR@25", "coverage", "model minus method")
	for _, r := range all {
		g := goal{}
		row(w, r.Protocol, fmt.Sprint(r.Questions), "**"+r.Recipe+"**", g.withInterval(r.Metrics[0].Interval), g.number(r.Metrics[1].Mean), g.number(r.Metrics[2].Mean), "")
		for _, b := range r.Baselines {
			row(w, r.Protocol, fmt.Sprint(r.Questions), b.Name, g.withInterval(b.Metrics[0].Interval), g.number(b.Metrics[1].Mean), g.number(b.Metrics[2].Mean), g.withInterval(b.Difference[0].Interval))
		}
	}
	fmt.Fprintf(w, "\nRatings of 4 and above, through `recipe.Fit` as the service calls it. Only rows of one protocol can be compared. By %s the service published NDCG@25 %.4f of its HRNN recipe, over 91 users, "+
		"with a standard error of about 0.024.\n", dataset.AWS2019, aws2019)
}

func costTable(w io.Writer, all []result) {
	head(w, "What it took", "set", "data", "budget", "search", "train", "wall", "CPU", "peak memory", "kernel tier", "model")
	seconds := func(r result, part string) string {
		if s, ok := r.Seconds[part]; ok {
			return fmt.Sprintf("%.1f s", s)
		}
		return "–"
	}
	for _, r := range all {
		row(w, r.Set+ofProtocol(r), r.Data, r.Budget, seconds(r, "search"), seconds(r, "train"), seconds(r, "wall"), seconds(r, "cpu"), mebibytes(r.PeakBytes), r.Tier, short(r.Digest))
	}
	fmt.Fprintln(w, "\nSeconds of wall time but for CPU; reading, the baselines, asking and writing are in the last two.")
}

func ofProtocol(r result) string {
	if r.Kind == kindRatings {
		return " " + r.Protocol
	}
	return ""
}

func short(digest string) string { return "`" + digest[:min(12, len(digest))] + "`" }

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

func chosenTable(w io.Writer, all []result) {
	head(w, "What was chosen", "set", "recipe", "trials", "validation", "parameters")
	for _, r := range all {
		on := "–"
		if v := r.Validation; v != nil {
			on = fmt.Sprintf("%s %.4f by %s, %d cases", v.Metric, v.Value, v.Protocol, v.Cases)
		}
		var params []string
		for _, name := range slices.Sorted(maps.Keys(r.Parameters)) {
			params = append(params, name+"="+r.Parameters[name])
		}
		row(w, r.Set+ofProtocol(r), r.Recipe, fmt.Sprint(r.Trials), on, strings.Join(params, " "))
	}
}

// scaleTable puts each size beside the one before.
func scaleTable(w io.Writer, sizes []result) {
	head(w, "How costs grow", "part", "interactions", "CPU", "memory", "times the interactions", "times the CPU", "times the memory")
	slices.SortFunc(sizes, func(a, b result) int { return size(a) - size(b) })
	for k, part := range sizes[0].Scale {
		for i, r := range sizes {
			if k >= len(r.Scale) {
				continue
			}
			now := r.Scale[k]
			cells := []string{part.Part, fmt.Sprint(now.Events), fmt.Sprintf("%.3g s", now.CPU), mebibytes(now.Peak), "", "", ""}
			if i > 0 && k < len(sizes[i-1].Scale) {
				was := sizes[i-1].Scale[k]
				cells[4] = fmt.Sprintf("%.1f", float64(now.Events)/float64(was.Events))
				cells[5] = fmt.Sprintf("%.1f", now.CPU/max(was.CPU, 1e-3))
				cells[6] = fmt.Sprintf("%.1f", float64(now.Peak)/float64(max(was.Peak, 1)))
			}
			row(w, cells...)
		}
	}
	fmt.Fprintf(w, "\nSynthetic worlds of %d items and histories of %d on average: ten times the interactions are those of ten times the users. Each part is measured three times: the least time counts, and the most memory above what was held before the part. "+
		"The aim is at most %d times the time and %d times the memory for ten times the interactions.\n", scaleItems, scaleHistory, timesTheTime, timesTheMemory)
}

func size(r result) int {
	if len(r.Scale) == 0 {
		return 0
	}
	return r.Scale[0].Events
}

// foundTable tells what was found in the data, and warnings.
func foundTable(w io.Writer, all []result) {
	var lines []string
	for _, r := range all {
		for _, f := range r.Findings {
			if line := fmt.Sprintf("* %s, %s: %s.", r.Set, f.Kind, f.Words); !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
		if r.Warning != "" {
			lines = append(lines, fmt.Sprintf("* %s, warning: %s.", r.Set, r.Warning))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(w, "\n## What was found in the data\n\n%s\n", strings.Join(lines, "\n"))
	}
}

// machines tells where each set was measured, those alike together.
func machines(w io.Writer, all []result) {
	head(w, "Where and when", "sets", "machine", "build", "command", "time")
	type where struct{ machine, build, command, day string }
	var order []where
	of := map[where][]string{}
	for _, r := range all {
		e := r.Environment
		at := where{fmt.Sprintf("%s, %d cores, %s", e.CPU, e.Cores, mebibytes(e.Memory)), strings.TrimSpace(e.Go + " " + e.OS + " " + e.Version), "`" + e.Command + "`", e.Time[:min(10, len(e.Time))]}
		if of[at] == nil {
			order = append(order, at)
		}
		if !slices.Contains(of[at], r.Set) {
			of[at] = append(of[at], r.Set)
		}
	}
	for _, at := range order {
		row(w, strings.Join(of[at], ", "), at.machine, at.build, at.command, at.day)
	}
}

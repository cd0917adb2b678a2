package job_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/world"
)

// shopLines is a shop's upload, line by line, and the time of each line.
func shopLines(t *testing.T) (head string, lines []string, at []int64) {
	t.Helper()
	w := must[*world.World](t)(world.New(world.Spec{Users: 300, Items: 100, Events: 9000, Clusters: 5, Drift: -1, Seed: 3}))
	var b bytes.Buffer
	if err := w.WriteInteractions(&b); err != nil {
		t.Fatal(err)
	}
	scan := bufio.NewScanner(&b)
	scan.Scan()
	head = scan.Text()
	column := strings.Count(head[:strings.Index(head, "TIMESTAMP")], ",")
	for scan.Scan() {
		lines = append(lines, scan.Text())
		at = append(at, must[int64](t)(strconv.ParseInt(strings.Split(scan.Text(), ",")[column], 10, 64)))
	}
	return head, lines, at
}

// shuffled gives every line the item of another.
func shuffled(lines []string) []string {
	r := rand.New(rand.NewPCG(7, 7))
	order, out := r.Perm(len(lines)), make([]string, len(lines))
	for i, line := range lines {
		cells := strings.Split(line, ",")
		cells[1] = strings.Split(lines[order[i]], ",")[1]
		out[i] = strings.Join(cells, ",")
	}
	return out
}

// TestCompare trains versions of which it is known how good they are.
func TestCompare(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.start(all.List()...) // whole blends
	ctx := t.Context()
	head, lines, at := shopLines(t)
	cut := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC).Unix() // of 120 days from 2026-01-01
	var early []string
	for i, line := range lines {
		if at[i] < cut {
			early = append(early, line)
		}
	}
	group, set := h.group("compare")
	imports := 0
	bring := func(lines []string) {
		t.Helper()
		imports++
		name := fmt.Sprintf("import-%d", imports)
		h.until(h.importing(name, set, h.upload("up/"+name+".csv", head+"\n"+strings.Join(lines, "\n")+"\n")), resource.Active)
	}
	solution := func(name string, recipe string, config any) *resource.Resource {
		t.Helper()
		text := must[[]byte](t)(json.Marshal(config))
		s := must[*resource.Resource](t)(h.registry.CreateSolution(ctx, name, resource.SolutionBody{
			DatasetGroupArn: string(group.ARN), RecipeArn: "arn:aws:personalize:::recipe/" + recipe, SolutionConfig: text}))
		return h.until(s.ARN, resource.Active)
	}
	train := func(s *resource.Resource) *resource.Resource {
		t.Helper()
		return h.until(h.version(s).ARN, resource.Active)
	}
	compare := func(a, b *resource.Resource) *job.Compared {
		t.Helper()
		return must[*job.Compared](t)(h.jobs.Load().Compare(ctx, job.Comparing{New: a.ARN, Live: b.ARN}))
	}

	bring(early)
	personal := solution("personal", "aws-user-personalization", struct{}{})
	first := train(personal)
	campaign := h.campaign("live", first)
	h.until(campaign.ARN, resource.Active)

	again := train(personal)
	if c := compare(again, first); c.Verdict != job.Same || !c.Comparable || !c.Paired || c.P != 1 || c.Difference != 0 || c.Users < 200 {
		t.Errorf("the same data and seed: %+v", c)
	}

	// The same data, learned badly: only from the few who came least often.
	ruined := train(solution("ruined", "aws-user-personalization", map[string]any{
		"featureTransformationParameters": map[string]string{"min_user_history_length_percentile": "0", "max_user_history_length_percentile": "0.01"}}))
	if c := compare(ruined, first); c.Verdict != job.Worse || !c.Paired || c.P > 0.001 || c.Interval[1] >= 0 || !strings.HasPrefix(c.Words, "worse: ") {
		t.Errorf("ruined: %+v", c)
	}
	if c := compare(first, ruined); c.Verdict != job.Better || c.Interval[0] <= 0 {
		t.Errorf("beside the ruined one: %+v", c)
	}
	generous := must[*job.Compared](t)(h.jobs.Load().Compare(ctx, job.Comparing{New: ruined.ARN, Live: first.ARN, Threshold: 0.99, Metric: evaluate.Precision10}))
	if generous.Verdict != job.Same || generous.Metric != evaluate.Precision10 {
		t.Errorf("all but a hundredth may be lost: %+v", generous)
	}

	// Newer data: the live version is asked about what came after its own.
	bring(lines)
	newer := train(personal)
	c := compare(newer, first)
	if c.Verdict == job.Worse || !c.Comparable || !c.Paired || c.Users < evaluate.LeastUsers || c.Live <= 0 {
		t.Errorf("newer data: %+v", c)
	}
	if back := compare(first, newer); !back.Paired || back.New != c.Live || back.Live != c.New || back.Verdict == job.Better {
		t.Errorf("the other way round: %+v", back)
	}
	body := must[resource.SolutionVersionBody](t)(resource.Body[resource.SolutionVersionBody](h.get(newer.ARN)))
	manifest := must[*model.Manifest](t)(model.OpenManifest(ctx, h.artifacts, body.Model))
	if len(manifest.Against) != 1 || manifest.Against[0].Version != string(first.ARN) || math.Abs(manifest.Against[0].Metrics[evaluate.NDCG25].New-c.New) > 1e-6 {
		t.Errorf("against %+v", manifest.Against)
	}

	// Data that came in broken, with the times of the data before: there is
	// nothing newer to ask about, and the evaluations themselves tell.
	h.update(campaign, newer)
	h.settled(campaign.ARN)
	bring(shuffled(lines))
	broken := train(personal)
	if c := compare(broken, newer); c.Verdict != job.Worse || !c.Comparable || c.Paired || !strings.Contains(c.Words, "not the same users: too few users with later interactions") {
		t.Errorf("shuffled: %+v", c)
	}

	// Broken data that is newer: neither model can tell what comes in it, and
	// the new one no longer beats popularity.
	bring(shuffled(after(lines, 200*24*time.Hour)))
	broken = train(personal)
	if c := compare(broken, newer); c.Verdict != job.Worse || !c.Paired || !strings.Contains(c.Words, "no better than popularity") {
		t.Errorf("shuffled and newer: %+v", c)
	}

	// A load that ended early, after 99 of 300 users: whoever is still there may be served as well.
	bring(slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return !strings.HasPrefix(line, "u00") }))
	part := train(personal)
	if c := compare(part, newer); c.Verdict != job.Worse || !strings.Contains(c.Words, "much of the data may be missing") {
		t.Errorf("a part: %+v", c)
	}
	if c := compare(newer, part); c.Verdict == job.Worse {
		t.Errorf("beside a part: %+v", c)
	}
	checkRefusals(t, h, first, newer)
}

// after is a shop's lines some time later.
func after(lines []string, d time.Duration) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		cells := strings.Split(line, ",")
		at, _ := strconv.ParseInt(cells[len(cells)-1], 10, 64)
		cells[len(cells)-1] = strconv.FormatInt(at+int64(d/time.Second), 10)
		out[i] = strings.Join(cells, ",")
	}
	return out
}

// checkRefusals asks what has no answer.
func checkRefusals(t *testing.T, h *house, a, b *resource.Resource) {
	t.Helper()
	jobs := h.jobs.Load()
	for name, c := range map[string]struct {
		ask  job.Comparing
		kind attune.Kind
		says string
	}{
		"metric":    {job.Comparing{New: a.ARN, Live: b.ARN, Metric: "beauty"}, attune.Invalid, "it has coverage"},
		"level":     {job.Comparing{New: a.ARN, Live: b.ARN, Level: 0.6}, attune.Invalid, "level"},
		"threshold": {job.Comparing{New: a.ARN, Live: b.ARN, Threshold: -1}, attune.Invalid, "threshold"},
		"nobody":    {job.Comparing{New: a.ARN, Live: a.ARN + "x"}, attune.NotFound, string(a.ARN + "x")},
	} {
		if _, err := jobs.Compare(t.Context(), c.ask); attune.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := must[*job.Compared](t)(jobs.Compare(t.Context(), job.Comparing{New: a.ARN, Live: b.ARN, Metric: evaluate.Coverage}))
	if c.Verdict != job.Unknown || c.Comparable || c.New == 0 || c.Live == 0 || !strings.Contains(c.Words, "not kept user by user") {
		t.Errorf("coverage: %+v", c)
	}
	last := h.version(&resource.Resource{ARN: attune.ARN(must[resource.SolutionVersionBody](t)(resource.Body[resource.SolutionVersionBody](a)).SolutionArn)})
	if _, err := jobs.Compare(t.Context(), job.Comparing{New: last.ARN, Live: a.ARN}); attune.KindOf(err) != attune.InUse {
		t.Errorf("still training: %v", err)
	}
}

package job

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/resource"
)

// Comparing asks how one solution version is beside another.
type Comparing struct {
	New, Live attune.ARN
	Metric    string  // of GetSolutionMetrics; "" for NDCG@25
	Level     float64 // of significance, one-sided, above 0 and at most 0.5; 0 for 0.05
	Threshold float64 // part of the live value by which the new one may be off before that counts, from 0 to below 1
}

// Verdict is how a new version is beside another.
type Verdict string

// The verdicts.
const (
	Better  Verdict = "better"  // significantly, by more than the threshold
	Worse   Verdict = "worse"   // likewise
	Same    Verdict = "same"    // neither
	Unknown Verdict = "unknown" // they cannot be compared
)

// Compared is the answer to Comparing.
type Compared struct {
	Comparable bool       `json:"comparable"` // a test could be made
	Paired     bool       `json:"paired"`     // on the same users
	Metric     string     `json:"metric"`
	Users      int        `json:"users"` // the test rests on; of each version when it is not paired
	New        float64    `json:"new"`   // means over these users; the versions' own metrics when nothing is comparable
	Live       float64    `json:"live"`
	Difference float64    `json:"difference"` // new minus live
	Interval   [2]float64 `json:"interval"`   // of the difference, 95 %
	P          float64    `json:"p"`          // two-sided, of no difference at all
	Verdict    Verdict    `json:"verdict"`    // one-sided, at level, beyond threshold
	Words      string     `json:"words"`      // all of it in one sentence
}

// compareSeed is the seed of every comparison: the same versions, the same answer.
const compareSeed = 1

const usualLevel = 0.05

// Compare says whether a solution version is better or worse than another, on
// the same users where that can be done honestly:
//
//   - both were asked the same: the same data, cut the same way;
//   - or the one was live when the other was trained, and was asked about what
//     neither had seen (recipe.Live).
//
// Whatever these say of users that both know, a version is worse whose data looks
// broken beside the other's: most of it is missing, as when a load ended early, or
// it no longer beats popularity, which the other did.
//
// Otherwise their own evaluations are compared, each on users of its own, which
// tells less and says so. Fewer than evaluate.LeastUsers users, and metrics that
// are no means over users, are not compared: the verdict is Unknown.
// A version without a model is attune.InUse, a metric that neither has attune.Invalid.
func (m *Manager) Compare(ctx context.Context, c Comparing) (*Compared, error) {
	if c.Metric == "" {
		c.Metric = evaluate.NDCG25
	}
	if c.Level == 0 {
		c.Level = usualLevel
	}
	if !(c.Level > 0 && c.Level <= 0.5) {
		return nil, attune.Errorf(attune.Invalid, "level is %g: give a level of significance above 0 and up to 0.5, e.g. 0.05", c.Level)
	}
	if !(c.Threshold >= 0 && c.Threshold < 1) {
		return nil, attune.Errorf(attune.Invalid, "threshold is %g: give a part of the live version's metric, from 0 to below 1, e.g. 0.02", c.Threshold)
	}
	a, err := m.measuredVersion(ctx, c.New)
	if err != nil {
		return nil, err
	}
	b, err := m.measuredVersion(ctx, c.Live)
	if err != nil {
		return nil, err
	}
	for _, side := range []*measuredVersion{a, b} {
		if _, ok := side.metrics[c.Metric]; !ok {
			return nil, attune.Errorf(attune.Invalid, "solution version %s has no metric %q; it has %s", side.arn, c.Metric, strings.Join(slices.Sorted(maps.Keys(side.metrics)), ", "))
		}
	}
	return c.judge(a, b), nil
}

// measuredVersion is what is known of how good a version is.
type measuredVersion struct {
	arn      attune.ARN
	metrics  map[string]float64
	manifest model.Manifest
	measured *model.Measured // nil in versions of older builds
}

func (m *Manager) measuredVersion(ctx context.Context, arn attune.ARN) (*measuredVersion, error) {
	r, err := m.Registry.Find(ctx, resource.SolutionVersion, arn)
	if err != nil {
		return nil, err
	}
	v, err := resource.Body[resource.SolutionVersionBody](r)
	if err != nil {
		return nil, err
	}
	if r.Status != resource.Active || v.Model == "" {
		return nil, attune.Errorf(attune.InUse, "solution version %s is %s: it can be compared when it is ACTIVE", arn, r.Status)
	}
	out := &measuredVersion{arn: arn, metrics: v.Metrics}
	if v.Measured == "" {
		return out, nil
	}
	measured, manifest, err := model.OpenMeasured(ctx, m.Artifacts, v.Measured)
	if err != nil {
		return nil, fmt.Errorf("what %s was measured by: %w", arn, err)
	}
	out.measured, out.manifest = measured, *manifest
	return out, nil
}

// own is the version's own measurement by a metric; nil when it is not kept.
func (v *measuredVersion) own(metric string) []float64 {
	if v.measured == nil {
		return nil
	}
	return wide(v.measured.Own[metric])
}

// against is the measurement of a version and another that was live, beside
// each other; words say why there is none.
func (v *measuredVersion) against(other attune.ARN, metric string) (mine, theirs []float64, words string) {
	for i, a := range v.manifest.Against {
		if a.Version == string(other) {
			return wide(v.measured.Against[i].New[metric]), wide(v.measured.Against[i].Live[metric]), a.Words
		}
	}
	return nil, nil, ""
}

func (v *measuredVersion) holdout() string {
	if v.manifest.Evaluation == nil {
		return ""
	}
	return v.manifest.Evaluation.Holdout
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// judge chooses the most telling comparison that there is.
func (c Comparing) judge(a, b *measuredVersion) *Compared {
	ownA, ownB := a.own(c.Metric), b.own(c.Metric)
	if h := a.holdout(); h != "" && h == b.holdout() && len(ownA) == len(ownB) && len(ownA) > 0 {
		return c.verdict(evaluate.Paired(compareSeed, ownA, ownB, c.Threshold), true, "both were asked the same of the same users")
	}
	x, y, why := a.against(b.arn, c.Metric)
	if len(x) == 0 && why == "" {
		y, x, why = b.against(a.arn, c.Metric)
	}
	if len(x) > 0 {
		how := fmt.Sprintf("the same users, by what neither version had seen of them; their own evaluations, on other users or data, say %.4f and %.4f", a.metrics[c.Metric], b.metrics[c.Metric])
		return unlessBroken(a, b, c.verdict(evaluate.Paired(compareSeed, x, y, c.Threshold), true, how))
	}
	why = strings.TrimPrefix(why, "not comparable: ")
	if why == "" {
		why = "they were trained from different data, and neither was live when the other was trained"
	}
	if len(ownA) > 0 && len(ownB) > 0 {
		return unlessBroken(a, b, c.verdict(evaluate.Unpaired(ownA, ownB, c.Threshold), false, "not the same users: "+why))
	}
	why = "this metric is not kept user by user"
	if a.measured == nil || b.measured == nil {
		why = "one of them was trained by an older build, which kept no numbers of users"
	}
	return unlessBroken(a, b, c.unknown(a.metrics[c.Metric], b.metrics[c.Metric], why))
}

// unlessBroken says that a version is worse whose data looks broken beside another's.
func unlessBroken(a, b *measuredVersion, out *Compared) *Compared {
	now, was := a.manifest, b.manifest
	var why string
	switch {
	case shrunk(int64(now.Users), int64(was.Users)) || shrunk(now.Interactions, was.Interactions):
		why = fmt.Sprintf("it learned from %d interactions of %d users, and the other from %d of %d: much of the data may be missing", now.Interactions, now.Users, was.Interactions, was.Users)
	case lost(a, b):
		why = "it is no better than popularity on its own data, and the other was on its own: the data may be broken"
	default:
		return out
	}
	out.Verdict, out.Words = Worse, "worse: "+why+". Else "+out.Words
	return out
}

// leastLeft is the share of the other version's data below which much of it may be missing.
const leastLeft = 0.5

// shrunk says whether too little is left. Those whose history is gone are
// strangers to a model, and no test on the users that both know can tell that.
func shrunk(now, was int64) bool { return float64(now) < leastLeft*float64(was) }

// lost says whether a version no longer beats popularity, which another did: a
// sign of data that came in broken, whose holdout is broken too, so that on it
// even a good model does no better.
func lost(a, b *measuredVersion) bool {
	now, ok := a.overPopularity()
	was, also := b.overPopularity()
	return ok && also && was.Low > 0 && now.Low <= 0 && now.Mean < was.Mean/2
}

// overPopularity is by how much a version is better than popularity; false for
// popularity itself.
func (v *measuredVersion) overPopularity() (model.Interval, bool) {
	if v.manifest.Evaluation != nil {
		for _, b := range v.manifest.Evaluation.Baselines {
			if b.Name == spec.Popularity {
				return b.Difference, true
			}
		}
	}
	return model.Interval{}, false
}

// unknown says that nothing can be said.
func (c Comparing) unknown(a, b float64, why string) *Compared {
	return &Compared{Metric: c.Metric, New: a, Live: b, Difference: a - b, Interval: [2]float64{a - b, a - b}, P: 1, Verdict: Unknown,
		Words: fmt.Sprintf("unknown: %s %.4f against %.4f; %s", c.Metric, a, b, why)}
}

// verdict puts a comparison in words.
func (c Comparing) verdict(e evaluate.Comparison, paired bool, how string) *Compared {
	if e.Users < evaluate.LeastUsers {
		return c.unknown(e.A, e.B, fmt.Sprintf("%d users are too few to tell, %d are needed (%s)", e.Users, evaluate.LeastUsers, how))
	}
	out := &Compared{Comparable: true, Paired: paired, Metric: c.Metric, Users: e.Users, New: e.A, Live: e.B, Difference: e.Difference.Mean,
		Interval: [2]float64{e.Difference.Low, e.Difference.High}, P: e.P, Verdict: Same}
	switch {
	case e.Less < c.Level:
		out.Verdict = Worse
	case e.Greater < c.Level:
		out.Verdict = Better
	}
	beyond := ""
	if c.Threshold > 0 {
		beyond = fmt.Sprintf(" by more than %g %%", 100*c.Threshold)
	}
	verdict := string(out.Verdict) + beyond
	if out.Verdict == Same {
		verdict = "not significantly better or worse" + beyond
	}
	out.Words = fmt.Sprintf("%s: %s %.4f against %.4f, difference %+.4f [%+.4f, %+.4f], p = %.2g, %d users; %s",
		verdict, c.Metric, e.A, e.B, e.Difference.Mean, e.Difference.Low, e.Difference.High, e.P, e.Users, how)
	return out
}

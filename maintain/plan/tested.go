package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/call"
	"github.com/attune-io/attune/maintain/config"
)

// Tested is the Judge of nodes of Attune, which can say how sure a difference is:
// their verb CompareVersions tests it on the same users where that can be done.
// Where there is no such verb, as at the real service, and where there is nothing
// to test, Means decides and the answer says so.
type Tested struct {
	means Means
	cfg   aws.Config
}

// compared is what is read of CompareVersions.
type compared struct {
	Verdict string `json:"verdict"`
	Words   string `json:"words"`
}

// Judge lets in what is not significantly worse, or only what is significantly
// better, by more than the threshold, at the level; unless every version is let in.
func (j Tested) Judge(ctx context.Context, q Question) (Answer, error) {
	p := q.Promote
	if p.Policy == "" || p.Policy == config.Always {
		return Answer{OK: true}, nil
	}
	in := map[string]any{"solutionVersionArn": q.Candidate, "againstArn": q.Live, "threshold": p.Threshold}
	if p.Metric != "" {
		in["metric"] = p.Metric
	}
	if p.Level > 0 {
		in["level"] = p.Level
	}
	asking, done := context.WithTimeout(ctx, callTimeout)
	defer done()
	var out compared
	err := call.Send(asking, j.cfg, "CompareVersions", in, &out)
	if ctx.Err() != nil {
		return Answer{}, ctx.Err()
	}
	if err != nil {
		return j.refused(ctx, q, err)
	}
	switch {
	case out.Verdict == "unknown":
		return j.byMeans(ctx, q, out.Words)
	case p.Policy == config.IfBetter:
		return Answer{OK: out.Verdict == "better", Why: out.Words}, nil
	}
	return Answer{OK: out.Verdict != "worse", Why: out.Words}, nil
}

// refused goes on without a comparison where the endpoint makes none: it has no
// such verb, or knows nobody who may sign for one, as the real service does, or
// one of the versions is gone. Everything else is worth another try, or an error.
func (j Tested) refused(ctx context.Context, q Question, err error) (Answer, error) {
	doing := "compare " + q.Candidate + " with " + q.Live
	var said *call.Refusal
	if !errors.As(err, &said) {
		return Answer{}, attune.Errorf(attune.Unavailable, "%s: %w", doing, err)
	}
	kind, known := kinds[said.Code]
	switch {
	case said.Status >= 500 || said.Status == 429:
		return Answer{}, attune.Errorf(attune.Unavailable, "%s: %w", doing, said)
	case !known || kind == attune.NotFound || kind == attune.Denied:
		return j.byMeans(ctx, q, fmt.Sprintf("the endpoint does not compare versions: %s", said.Message))
	}
	return Answer{}, attune.Errorf(kind, "%s: %w", doing, said)
}

// byMeans is Means, with why there was no test.
func (j Tested) byMeans(ctx context.Context, q Question, why string) (Answer, error) {
	a, err := j.means.Judge(ctx, q)
	if a.Why != "" {
		a.Why += "; "
	}
	a.Why += why
	return a, err
}

// Judge says whether a version may go live here.
func (t *Target) Judge(ctx context.Context, q Question) (Answer, error) { return t.judge.Judge(ctx, q) }

package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/attune-io/attune"
)

// decision is what is to be done, and how. act is nil where nothing is; it
// gives the ARN of what it made, or "".
type decision struct {
	Result
	act func(ctx context.Context) (arn string, err error)
	// soft: that the quota is used up only means to wait, because what fills it ends by itself.
	soft bool
	// at once: what act does is done when it returns.
	once bool
	made time.Time // of a version: for its metrics
}

// Decide looks, and says what Advance would do; it changes nothing. have has
// the results of the steps before, and what this step came to before, by path.
// What an earlier step has yet to make is unknown: then members that depend on
// it are different. A step that cannot be done is Blocked, and its Note says why.
func (t *Target) Decide(ctx context.Context, s Step, have map[string]Result) (Result, error) {
	d, err := t.decide(ctx, s, have)
	return d.Result, err
}

// Advance looks once and makes at most one call that changes anything. Done
// false with no error means that what was begun is on its way: take the step
// again later, unless it is Blocked, which ends the step as an error does. An error for which Retryable is true means the same; any other
// ends the step. It may be taken again after a death at any moment: what was
// made is found by its name.
func (t *Target) Advance(ctx context.Context, s Step, have map[string]Result) (Result, error) {
	d, err := t.decide(ctx, s, have)
	if err != nil {
		return d.Result, err
	}
	before, r := have[s.Path], d.Result
	if d.act == nil {
		if (r.Action == Keep || r.Action == Wait) && changes(before.Action) {
			r.Action, r.Diffs = before.Action, before.Diffs // what this run did to it
		} else if r.Action == Refuse {
			r.Diffs = before.Diffs // what was changed beside the version
		}
		if r.Done && r.Action != Skip && t.o.Metrics != nil && s.Kind == Version {
			err = t.handMetrics(ctx, s, d)
		}
		return r, err
	}
	arn, err := d.act(ctx)
	err = at(s.Path, err)
	if arn != "" {
		r.ARN = arn
	}
	switch kind := attune.KindOf(err); {
	case err == nil:
		r.Done = d.once
	case kind == attune.InUse && s.Delete && s.Kind == Schema:
		r.Action, r.Done, r.Note, err = Skip, true, "is used by another dataset, and stays", nil
	case kind == attune.Exists && before.Action == Wait && before.Note == err.Error():
		return r, err // no look finds it: it is somebody else's
	case kind == attune.InUse, kind == attune.Exists, kind == attune.LimitExceeded && d.soft:
		// Busy; or made meanwhile, which the next look sees; or a quota that others will free.
		r.Action, r.Done, r.Note, r.Diffs, err = Wait, false, err.Error(), nil, nil
	default:
		return r, err
	}
	return r, nil
}

// changes says whether an action changes anything.
func changes(a Action) bool { return a == Create || a == Update || a == Replace || a == Delete }

func (t *Target) decide(ctx context.Context, s Step, have map[string]Result) (decision, error) {
	d, err := t.decideKind(ctx, s, have)
	d.Path = s.Path
	return d, at(s.Path, err)
}

// at says which step an error is of. The end of a context stays what it is.
func at(path string, err error) error {
	var known *attune.Error
	if errors.As(err, &known) {
		return attune.Errorf(known.Kind, "%s: %w", path, err)
	}
	return err
}

func (t *Target) decideKind(ctx context.Context, s Step, have map[string]Result) (decision, error) {
	if s.Delete {
		return t.decideDelete(ctx, s)
	}
	switch s.Kind {
	case Import:
		return t.decideImport(ctx, s, have)
	case Version:
		return t.decideVersion(ctx, s, have)
	case BatchInference, BatchSegment:
		return t.decideBatch(ctx, s, have)
	}
	if n, ok := nounOf(s.Kind); ok {
		return t.decideNoun(ctx, n, s, have)
	}
	return decision{}, attune.Errorf(attune.Invalid, "there is no step about a %q", s.Kind)
}

// use gives the ARNs that a step takes from others: text where they are known.
func (t *Target) use(s Step, have map[string]Result) members {
	m := members{}
	for member, path := range s.Use {
		switch r, ok := have[path]; {
		case ok && r.ARN != "":
			m[member] = r.ARN
		case !ok && member == "datasetGroupArn":
			m[member] = t.arn("dataset-group", s.Group)
		default:
			m[member] = later(path)
		}
	}
	return m
}

// seen is a resource as it was described.
type seen struct {
	ARN, Status, Reason string
	Made, Changed       time.Time
	Body                members
	Update              string // status of the last update; "" when there was none
	UpdateReason        string
}

// see reads a description. update names the member that has the last update; "" for none.
func see(body members, arn, update string) *seen {
	s := &seen{ARN: body.text(arn), Status: body.text("status"), Reason: body.text("failureReason"),
		Made: body.when("creationDateTime"), Changed: body.when("lastUpdatedDateTime"), Body: body}
	if u := body.object(update); u != nil {
		s.Update, s.UpdateReason = u.text("status"), u.text("failureReason")
		if s.Update == active {
			s.Made, s.Changed = u.when("creationDateTime"), u.when("lastUpdatedDateTime")
		}
	}
	return s
}

// The words of statuses.
const (
	active   = "ACTIVE"
	inactive = "INACTIVE" // a recommender that was stopped
	failed   = "CREATE FAILED"
	stopped  = "CREATE STOPPED"
)

// busy says whether a status ends by itself.
func busy(status string) bool {
	switch status {
	case "PENDING", "IN PROGRESS", "CREATE STOPPING": // the first two are those of batch jobs
		return true
	}
	return strings.HasSuffix(status, " PENDING") || strings.HasSuffix(status, " IN_PROGRESS")
}

// ended is what a failed resource's step comes to.
func ended(what string, s *seen) string {
	why := s.Reason
	switch {
	case s.Status == stopped:
		why = "it was stopped"
	case s.Status != failed:
		return fmt.Sprintf("%s has the status %q, which nobody knows", what, s.Status)
	case why == "":
		why = "no reason was given"
	}
	return fmt.Sprintf("%s is %s: %s", what, s.Status, strings.TrimSuffix(why, "."))
}

package resource

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
)

const (
	// firstTraining is when a solution that nobody trained is trained for the
	// first time: within the hour that is published, and late in it, since
	// whoever made the solution will most likely train it in that hour.
	firstTraining = 55 * time.Minute
	day           = 24 * time.Hour
	defaultPeriod = 7 * day // of automatic training, when no schedulingExpression says
)

// Schedule is where a solution's automatic training stands. It is kept in the
// row, not in a timer, so that it goes by the clock of the server alone.
type Schedule struct {
	Since time.Time `json:"since"`         // when automatic training began to wait for its first run
	Last  time.Time `json:"last,omitzero"` // when the last run was due; zero before the first
}

// due is the newest moment at or before now for which a training is due. What
// was missed while nobody looked is one run, and the schedule goes on from there.
func (s Schedule) due(now time.Time, period time.Duration) (at time.Time, ok bool) {
	if s.Last.IsZero() {
		at = s.Since.Add(firstTraining)
		return at, !now.Before(at)
	}
	missed := now.Sub(s.Last) / period
	return s.Last.Add(missed * period), missed > 0
}

// period reads a schedulingExpression; the default when there is none.
func (a *AutoTraining) period() (time.Duration, error) {
	if a == nil || a.SchedulingExpression == "" {
		return defaultPeriod, nil
	}
	text, _ := strings.CutPrefix(a.SchedulingExpression, "rate(")
	number, unit, _ := strings.Cut(text, " ")
	days, err := strconv.Atoi(number)
	if err != nil || days < 1 || days > 30 || unit != "day)" && unit != "days)" {
		return 0, attune.Errorf(attune.Invalid, "schedulingExpression is %q: write rate(7 days), with 1 to 30 days", a.SchedulingExpression)
	}
	return time.Duration(days) * day, nil
}

// training says whether and how often a solution is trained by itself.
func (b SolutionBody) training() (period time.Duration, on bool, err error) {
	c, err := b.Config()
	if err != nil {
		return 0, false, err
	}
	period, err = c.AutoTrainingConfig.period()
	return period, b.PerformAutoTraining != nil && *b.PerformAutoTraining, err
}

// NextTraining is when the solution trains by itself next, at now at the
// earliest; ok is false when it does not.
func (b SolutionBody) NextTraining(now time.Time) (at time.Time, ok bool, err error) {
	period, on, err := b.training()
	if err != nil || !on || b.Schedule == nil {
		return at, false, err
	}
	at = b.Schedule.Since.Add(firstTraining)
	if !b.Schedule.Last.IsZero() {
		at = b.Schedule.Last.Add(period)
	}
	if at.Before(now) {
		at = now
	}
	return at, true, nil
}

// AutoTrain makes the solution versions that are due by the schedules of their
// solutions, and gives them. The first is due within an hour of the solution
// being ACTIVE, or of the update that turned training on; there is none when
// somebody made a version in that hour. The others follow every so many days.
// Nothing is trained while another version of the solution is, or without
// data; then a run is left out, and the hour of the first one begins again.
// It may be called at any time, by several processes at once.
func (g *Registry) AutoTrain(ctx context.Context) ([]Resource, error) {
	solutions, err := g.every(ctx, Query{Kind: Solution, Statuses: []Status{Active}})
	if err != nil {
		return nil, err
	}
	var made []Resource
	var failed error
	for i := range solutions {
		if ok, err := g.looksDue(&solutions[i]); err == nil && !ok {
			continue
		}
		v, err := g.autoTrain(ctx, &solutions[i])
		if v != nil {
			made = append(made, *v)
		}
		failed = errors.Join(failed, err)
	}
	return made, failed
}

// looksDue spares a decision for every solution at every look.
func (g *Registry) looksDue(r *Resource) (bool, error) {
	b, err := Body[SolutionBody](r)
	if err != nil {
		return false, err
	}
	period, on, err := b.training()
	if err != nil || on != (b.Schedule != nil) {
		return true, err
	}
	if !on {
		return false, nil
	}
	_, due := b.Schedule.due(g.clock(), period)
	return due, nil
}

// autoTrain decides about one solution. A run is two changes: the version is
// made, which of two processes only one can, and then noted in the schedule. A
// version that is there is taken as the run, so a process that is killed
// between the two leaves nothing to be done twice.
func (g *Registry) autoTrain(ctx context.Context, r *Resource) (made *Resource, err error) {
	for more := true; more && err == nil; {
		err = g.decide(ctx, func() (bool, error) {
			more = false
			solution, group, err := g.within(ctx, Solution, string(r.ARN))
			if missing(err) || err == nil && (solution.ID != r.ID || solution.Status != Active || solution.Busy()) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			b, err := Body[SolutionBody](solution)
			if err != nil {
				return false, err
			}
			next, train, err := g.nextRun(ctx, solution, group, b)
			if err != nil {
				return false, err
			}
			if train {
				v, err := g.addVersion(ctx, solution, group, b, SolutionVersionBody{TrainingMode: TrainingAutomatic, TrainingType: TypeAutomatic})
				if err == nil {
					made, more = v, true
				} else if attune.KindOf(err) == attune.LimitExceeded {
					return false, nil // the next look finds it due still
				}
				return err == nil, err
			}
			b.Schedule = next
			return g.write(ctx, solution, func(r *Resource) error { return r.SetBody(b) }, group)
		})
	}
	return made, err
}

// nextRun says whether a version must be made, or else what the schedule is now.
func (g *Registry) nextRun(ctx context.Context, r, group *Resource, b SolutionBody) (next *Schedule, train bool, err error) {
	period, on, err := b.training()
	if err != nil || !on {
		return nil, false, err
	}
	now := g.clock().UTC().Truncate(time.Millisecond)
	if b.Schedule == nil {
		return &Schedule{Since: now}, false, nil
	}
	s := *b.Schedule
	at, due := s.due(now, period)
	if !due {
		return &s, false, nil
	}
	first, from := s.Last.IsZero(), at
	if first {
		from = s.Since
	}
	latest, err := g.LatestVersion(ctx, r.ARN)
	if err != nil {
		return nil, false, err
	}
	busy, err := g.any(ctx, Query{Kind: SolutionVersion, Parent: r.ARN, Busy: true})
	if err != nil {
		return nil, false, err
	}
	run := &Schedule{Since: s.Since, Last: at}
	if busy != nil || latest != nil && !latest.Created.Before(from) {
		return run, false, nil
	}
	err = g.hasData(ctx, group, b.RecipeArn)
	if err == nil {
		err = g.hasText(ctx, group, b.RecipeArn)
	}
	switch {
	case err == nil:
	case attune.KindOf(err) != attune.Invalid && attune.KindOf(err) != attune.InUse:
		return nil, false, err
	case first:
		return &Schedule{Since: now}, false, nil
	default:
		return run, false, nil
	}
	return nil, true, nil
}

package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/maintain/plan"
)

// tourAhead is the least time from a schedule's making to the minute that it is
// due at, so that the tour is there before it.
const tourAhead = 3 * time.Second

// maintain writes what the tour made as a configuration, has the node keep it,
// and watches a schedule train and deploy anew.
func (t *tour) maintain() error {
	t.head("7. Maintain: the " + t.shop.name + " as a file, and a schedule that keeps it fresh")
	due := time.Now().UTC().Add(tourAhead).Truncate(time.Minute).Add(time.Minute)
	when := fmt.Sprintf("cron(%d %d * * ? *)", due.Minute(), due.Hour())
	solution := t.shop.name + "-for-you"
	to := targetFlags{clientFlags: t.client}
	target, err := to.target(t.ctx, plan.Options{})
	if err != nil {
		return err
	}
	text, err := target.Export(t.ctx, t.shop.name, plan.Schedules{Full: map[string]string{solution: when}})
	if err != nil {
		return err
	}
	t.say("attune export %s -f '%s@%s' > %s.json writes %d lines", t.shop.name, solution, when, t.shop.name, strings.Count(string(text), "\n"))
	var out verb.RunOutput
	if err := t.client.call(t.ctx, "ApplyConfiguration", verb.ApplyConfigurationInput{Text: string(text), File: t.shop.name + ".json"}, &out); err != nil {
		return err
	}
	applied, err := t.ended("apply", func() (string, error) { return out.Run.ID, nil })
	if err != nil {
		return err
	}
	kept := 0
	for i := range applied.Steps {
		if a := applied.Steps[i].Action; a == plan.Keep || a == plan.Skip {
			kept++
		}
	}
	t.say("attune apply %s.json finds %d of %d things as declared, and registers the schedule", t.shop.name, kept, len(applied.Steps))
	t.say("at %s it is due: train %s from scratch, and move its campaign", due.Format("15:04 UTC"), solution)
	trained, err := t.ended("waiting for "+due.Format("15:04 UTC"), func() (string, error) { return t.scheduled(plan.ForFull) })
	if err != nil {
		return err
	}
	d, err := t.personalize.DescribeCampaign(t.ctx, &personalize.DescribeCampaignInput{CampaignArn: aws.String(t.campaign)})
	if err != nil {
		return err
	}
	if *d.Campaign.SolutionVersionArn == t.version {
		return fmt.Errorf("run %s ended, and campaign %s still has %s", trained.ID, t.campaign, t.version)
	}
	t.say("run %s was started by the schedule and took %s; the campaign serves %s",
		trained.ID, trained.Ended.Sub(trained.Started).Round(10*time.Millisecond), *d.Campaign.SolutionVersionArn)
	t.say("\nattune runs list --endpoint %s --data %s shows what was done\n", t.url, t.client.Data)
	return nil
}

// ended waits for a run that find names, as soon as it does, and refuses one that failed.
func (t *tour) ended(what string, find func() (id string, err error)) (*maintain.Run, error) {
	bar := t.bar(what)
	defer func() { _ = bar.Finish(); _ = bar.Clear() }()
	for began := time.Now(); time.Since(began) < tourPatience; {
		_ = bar.Set64(min(100, int64(100*time.Since(began)/(time.Minute+tourAhead))))
		id, err := find()
		if err != nil {
			return nil, err
		}
		if id != "" {
			var out verb.RunOutput
			if err := t.client.call(t.ctx, "DescribeRun", verb.RunInput{Run: id}, &out); err != nil {
				return nil, err
			}
			switch out.Run.Status {
			case maintain.Succeeded:
				return out.Run, nil
			case maintain.Failed, maintain.Cancelled:
				return nil, fmt.Errorf("run %s of %s is %s: %s", id, out.Run.Configuration, out.Run.Status, out.Run.Error)
			case maintain.Running:
			}
		}
		select {
		case <-t.ctx.Done():
			return nil, t.ctx.Err()
		case <-time.After(4 * tourPoll):
		}
	}
	return nil, fmt.Errorf("%s did not end in %s", what, tourPatience)
}

// scheduled finds the run of a purpose that a schedule started; "" before there is one.
func (t *tour) scheduled(p plan.Purpose) (id string, err error) {
	var out verb.ListRunsOutput
	if err := t.client.call(t.ctx, "ListRuns", maintain.RunsQuery{Configuration: t.shop.name}, &out); err != nil {
		return "", err
	}
	for i := range out.Runs {
		if out.Runs[i].Purpose == p && out.Runs[i].Cause.Kind == maintain.BySchedule {
			return out.Runs[i].ID, nil
		}
	}
	return "", nil
}

package plan

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/attune-io/attune/maintain/config"
)

// latest after the ARN of a solution stands for its newest version.
const latest = "/$LATEST"

func solutionNoun() *noun {
	return &noun{
		kind:   Solution,
		find:   findSolution,
		create: created((*client).CreateSolution, Solution, "solutionArn"),
		remove: removed((*client).DeleteSolution, "solutionArn"),
		update: updateSolution,
		// What UpdateSolution takes.
		mutable: []string{"performAutoTraining", "solutionConfig.autoTrainingConfig", "solutionConfig.eventsConfig"},
		prepare: func(_ *Target, want members) { delete(want, "solutionVersion") },
		renamed: true, wayOut: renameWay,
	}
}

// findSolution looks at a solution as its last update left it.
func findSolution(ctx context.Context, t *Target, _ Step, want members) (*seen, error) {
	have, err := describe(ctx, t, (*client).DescribeSolution, t.arn("solution", want.text("name")), "solution", "latestSolutionUpdate")
	if have != nil {
		afterUpdate(have)
	}
	return have, err
}

// afterUpdate puts what an update that is done asked for in the place of what was.
func afterUpdate(have *seen) {
	if have.Update != active {
		return
	}
	u := have.Body.object("latestSolutionUpdate")
	if on, ok := u["performAutoTraining"]; ok {
		have.Body["performAutoTraining"] = on
	}
	changed := map[string]any{}
	maps.Copy(changed, have.Body.object("solutionConfig"))
	maps.Copy(changed, u.object("solutionUpdateConfig"))
	if len(changed) > 0 {
		have.Body["solutionConfig"] = changed
	}
}

func updateSolution(ctx context.Context, t *Target, have *seen, want members) error {
	in := members{"solutionArn": have.ARN}
	if on, ok := want["performAutoTraining"]; ok {
		in["performAutoTraining"] = on
	}
	update := map[string]any{}
	for _, name := range []string{"autoTrainingConfig", "eventsConfig"} {
		if x, ok := want.object("solutionConfig")[name]; ok {
			update[name] = x
		}
	}
	if len(update) > 0 {
		in["solutionUpdateConfig"] = update
	}
	_, err := change(ctx, t, "update the solution "+want.text("name"), (*client).UpdateSolution, in)
	return err
}

func campaignNoun() *noun {
	return &noun{
		kind:    Campaign,
		find:    described((*client).DescribeCampaign, "campaign", "campaign", "latestCampaignUpdate"),
		create:  created((*client).CreateCampaign, Campaign, "campaignArn"),
		remove:  removed((*client).DeleteCampaign, "campaignArn"),
		update:  updateCampaign,
		mutable: []string{"solutionVersionArn", "minProvisionedTPS", "campaignConfig"},
		prepare: prepareCampaign,
		judge:   judgeCampaign,
		renamed: true, wayOut: renameWay,
	}
}

// prepareCampaign gives a campaign the least throughput when the file has none,
// and one that follows its solution the name of whatever is newest.
func prepareCampaign(_ *Target, want members) {
	if empty(want["minProvisionedTPS"]) {
		want["minProvisionedTPS"] = float64(1)
	}
	version, known := want["solutionVersionArn"].(string)
	if known && follows(want) {
		want["solutionVersionArn"] = solutionOf(version) + latest
	}
}

func follows(want members) bool {
	on, _ := want.object("campaignConfig")["syncWithLatestSolutionVersion"].(bool)
	return on
}

// solutionOf is the ARN of a version's solution.
func solutionOf(version string) string {
	if at := strings.LastIndexByte(version, '/'); at > 0 && strings.Count(version, "/") > 1 {
		return version[:at]
	}
	return version
}

// judgeCampaign says whether the wanted version may go live. A campaign cannot
// go to another solution; what is refused leaves the live version where it is.
func judgeCampaign(ctx context.Context, t *Target, s Step, v *verdict) error {
	wanted, known := v.want["solutionVersionArn"].(string)
	live := v.have.Body.text("solutionVersionArn")
	switch {
	case !known && live != "" && follows(v.want): // it goes to the new version by itself
		v.diffs = without(v.diffs, "solutionVersionArn")
		return nil
	case !known || live == "" || wanted == live:
		return nil
	case solutionOf(wanted) != solutionOf(live):
		for i := range v.diffs {
			if v.diffs[i].Member == "solutionVersionArn" {
				v.diffs[i] = Diff{Member: "solutionArn", Want: jsonText(solutionOf(wanted)), Have: jsonText(solutionOf(live))}
			}
		}
		return nil
	case follows(v.want):
		v.diffs = without(v.diffs, "solutionVersionArn")
		return nil
	case busy(v.have.Status) || busy(v.have.Update): // what it is becoming is not known yet
		return nil
	}
	q := Question{Campaign: v.have.ARN, Live: live, Candidate: wanted}
	if s.Promote != nil {
		q.Promote = *s.Promote
	}
	a, err := t.judge.Judge(ctx, q)
	if err != nil {
		return fmt.Errorf("judge whether %s may go live: %w", wanted, err)
	}
	if !a.OK {
		v.refused = a.Why
		v.diffs = without(v.diffs, "solutionVersionArn")
		v.want = v.want.with("solutionVersionArn", live)
	}
	return nil
}

func updateCampaign(ctx context.Context, t *Target, have *seen, want members) error {
	in := members{"campaignArn": have.ARN}
	for _, name := range []string{"solutionVersionArn", "minProvisionedTPS", "campaignConfig"} {
		if x, ok := want[name]; ok {
			in[name] = x
		}
	}
	_, err := change(ctx, t, "update the campaign "+want.text("name"), (*client).UpdateCampaign, in)
	return err
}

// Judge says whether a new version may take the place of the live one. Every
// campaign is asked about, also one that takes every version: somebody may have
// said that it stays where it is.
type Judge interface {
	Judge(ctx context.Context, q Question) (Answer, error)
}

// Question is about one campaign and one version of its solution.
type Question struct {
	Campaign  string // ARN
	Live      string // ARN of the version that answers now
	Candidate string // ARN of the version that would
	Promote   config.Promote
}

// Answer is what a Judge says; Why is for people, and given with every no.
type Answer struct {
	OK  bool
	Why string
}

package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/config"
)

// DestroySteps are what takes away all that a configuration declares and what
// was made in its place under a name with a number, the last made first; or
// everything in its dataset group. Imports, versions and batch jobs go with what
// they hang on. attune.Invalid when the group could not go, because something
// would be left in it.
func (t *Target) DestroySteps(ctx context.Context, c *config.Config, everything bool) ([]Step, error) {
	declared, err := Steps(c, Order{Purpose: ForDestroy})
	if err != nil {
		return nil, err
	}
	v, err := t.Look(ctx, c.Group.Name)
	if missing(err) {
		return declared, nil // schemas may be left
	}
	if err != nil {
		return nil, err
	}
	steps := DestroyAll(v)
	if more := v.undeclared(c); len(more) > 0 && !everything {
		return nil, attune.Errorf(attune.Invalid, "dataset group %s has what the configuration does not declare, and cannot be deleted while it does: %s; say that everything shall go, or delete that first",
			c.Group.Name, strings.Join(more, ", "))
	}
	for _, s := range declared { // a schema that no dataset has is in no group
		if s.Kind == Schema && !slices.ContainsFunc(steps, func(x Step) bool { return x.Kind == Schema && x.Name == s.Name }) {
			s.Needs = nil
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// reversed turns steps that make into steps that take away: what needed
// another must be gone before that goes.
func reversed(made []Step) []Step {
	stands := map[string]string{} // path of a step that is left out → what it hangs on
	var kept []Step
	for _, s := range made {
		if _, ok := nounOf(s.Kind); ok || s.Kind == Attribution {
			kept = append(kept, s)
		} else if len(s.Needs) > 0 {
			stands[s.Path] = s.Needs[0]
		}
	}
	needs := map[string][]string{}
	for _, s := range kept {
		for _, n := range s.Needs {
			for stands[n] != "" {
				n = stands[n]
			}
			needs[n] = append(needs[n], s.Path)
		}
	}
	steps := make([]Step, 0, len(kept))
	for i := len(kept) - 1; i >= 0; i-- {
		s := kept[i]
		s.Delete, s.Needs, s.Call, s.Initial, s.Promote = true, needs[s.Path], nil, nil, nil
		if s.Kind == Dataset {
			s.Call = made[indexOf(made, s.Path)].Call // its type finds it
		}
		steps = append(steps, s)
	}
	return steps
}

func indexOf(steps []Step, path string) int {
	for i := range steps {
		if steps[i].Path == path {
			return i
		}
	}
	return -1
}

// decideDelete says whether a thing is gone, going, or still to be deleted.
func (t *Target) decideDelete(ctx context.Context, s Step) (decision, error) {
	n, ok := nounOf(s.Kind)
	if s.Kind == Attribution {
		n, ok = attributionNoun(), true
	}
	if !ok {
		return decision{}, attune.Errorf(attune.Invalid, "a %s cannot be deleted: it goes with what it hangs on", s.Kind)
	}
	want, err := readMembers(s.Call)
	if err != nil {
		return decision{}, err
	}
	want["name"] = s.Name
	have, err := n.find(ctx, t, s, want)
	if err != nil {
		return decision{}, err
	}
	d := decision{Result: Result{Action: Delete, Done: true, Note: "is not there"}}
	if have == nil {
		return d, nil
	}
	d.ARN, d.Status, d.Done, d.Note = have.ARN, have.Status, false, ""
	if group := have.Body.text(groupMember); s.Kind != DatasetGroup && group != "" && group != t.arn("dataset-group", s.Group) {
		d.Action, d.Done, d.Note = Skip, true, "belongs to another dataset group"
		return d, nil
	}
	if busy(have.Status) {
		d.Action, d.Note = Wait, "is "+have.Status
		return d, nil
	}
	d.once = s.Kind == Schema
	d.act = func(ctx context.Context) (string, error) {
		err := n.remove(ctx, t, have.ARN)
		if missing(err) {
			err = nil // gone since
		}
		return have.ARN, err
	}
	return d, nil
}

func attributionNoun() *noun {
	return &noun{
		kind:   Attribution,
		find:   described((*client).DescribeMetricAttribution, "metric-attribution", "metricAttribution", ""),
		remove: removed((*client).DeleteMetricAttribution, "metricAttributionArn"),
	}
}

// DestroyAll are the steps that take away a dataset group with everything in
// it, declared or not.
func DestroyAll(v *Inventory) []Step {
	group := v.Group.text("name")
	var made []Step
	add := func(k Kind, at int, m members, needs ...string) string {
		s := Step{Path: fmt.Sprintf("%s[%d]", strings.ReplaceAll(string(k), " ", "-"), at), Kind: k, Name: m.text("name"), Group: group, Needs: needs}
		if k == DatasetGroup {
			s.Path = "datasetGroup"
		}
		if k == Dataset {
			s.Call = mustMerge(nil, map[string]any{"datasetType": m["datasetType"]})
		}
		made = append(made, s)
		return s.Path
	}
	root := add(DatasetGroup, 0, v.Group)
	data := []string{root}
	for i, d := range v.Datasets {
		needs := []string{root}
		if s := d.object("schema"); s != nil {
			needs = append(needs, add(Schema, i, s))
		}
		data = append(data, add(Dataset, i, d, needs...))
	}
	solutions := map[string]string{}
	for _, x := range []struct {
		kind Kind
		list []members
	}{{EventTracker, v.Trackers}, {Filter, v.Filters}, {Attribution, v.Attributions}, {Recommender, v.Recommenders}, {Solution, v.Solutions}} {
		for i, m := range x.list {
			path := add(x.kind, i, m, data...)
			if x.kind == Solution {
				solutions[m.text(solutionMember)] = path
			}
		}
	}
	for i, m := range v.Campaigns {
		add(Campaign, i, m, solutions[solutionOf(m.text(versionMember))])
	}
	return reversed(made)
}

// undeclared are the things in a group that a configuration does not declare,
// and that stand for nothing that it does: kind and name.
func (v *Inventory) undeclared(c *config.Config) []string {
	declared, err := Steps(c, Order{Purpose: ForDestroy})
	if err != nil {
		return nil // cannot be: no source was given
	}
	var more []string
	for _, s := range DestroyAll(v) {
		if !slices.ContainsFunc(declared, func(d Step) bool { return d.Kind == s.Kind && (d.Name == s.Name || standsFor(s.Name, d.Name)) }) {
			more = append(more, string(s.Kind)+" "+s.Name)
		}
	}
	return more
}

// standsFor says whether a name is another with a number after it.
func standsFor(name, declared string) bool {
	for i := 2; i <= maxReplaced; i++ {
		if name == numbered(declared, i) {
			return true
		}
	}
	return false
}

package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/attune-io/attune"
)

const (
	// maxName is the most letters of a name.
	maxName = 63
	// maxReplaced bounds how often a thing is made anew under another name.
	maxReplaced = 9
)

// noun is how one kind of named resource is found, made and changed.
type noun struct {
	kind Kind
	// find gives the resource of a name, or the one that stands where it belongs; nil when there is none.
	find   func(ctx context.Context, t *Target, s Step, want members) (*seen, error)
	create func(ctx context.Context, t *Target, call members) (arn string, err error)
	// update takes to the resource what differs in members; nil when nothing can be changed.
	update  func(ctx context.Context, t *Target, have *seen, want members) error
	mutable []string // members that update takes, with all below
	// prepare puts into want what the file does not say; may be nil.
	prepare func(t *Target, want members)
	// judge takes away what shall not be changed, or makes it impossible; may be nil.
	judge    func(ctx context.Context, t *Target, s Step, v *verdict) error
	remove   func(ctx context.Context, t *Target, arn string) error
	renamed  bool   // it can be made anew under another name
	wayOut   string // what to do about what cannot be changed
	untagged bool
}

// verdict is what a look at one resource came to.
type verdict struct {
	have    *seen
	want    members
	diffs   []Diff
	fixed   []Diff // of diffs: what cannot be changed
	refused string // why something stays as it is; "" when nothing does
}

func (t *Target) decideNoun(ctx context.Context, n *noun, s Step, results map[string]Result) (decision, error) {
	want, err := t.wanted(n, s, results)
	if err != nil {
		return decision{}, err
	}
	v, err := t.look(ctx, n, s, want)
	if err != nil {
		return decision{}, err
	}
	if v.have == nil {
		return t.creation(n, s, v.want, Create, "is not there"), nil
	}
	if strings.HasPrefix(v.have.Status, "DELETE") { // what is going away is made again when it is gone
		return decision{Result: Result{Action: Wait, ARN: v.have.ARN, Status: v.have.Status, Note: "is being deleted"}}, nil
	}
	first := v
	for i := 2; len(v.fixed) > 0 && n.renamed && i <= maxReplaced; i++ {
		other := want.with("name", numbered(s.Name, i))
		if v, err = t.look(ctx, n, s, other); err != nil {
			return decision{}, err
		}
		if v.have != nil {
			continue
		}
		if !t.o.Replace {
			return n.blocked(s, first), nil
		}
		d := t.creation(n, s, other, Replace, fmt.Sprintf("%s differs in what cannot be changed, so %s is made in its place; %s stays until it is deleted", s.Name, other.text("name"), s.Name))
		d.Diffs = first.fixed
		return d, nil
	}
	if len(v.fixed) > 0 {
		return n.blocked(s, first), nil
	}
	d, err := t.settle(ctx, n, s, v, results[s.Path])
	if v.want.text("name") != s.Name && d.Note == "" {
		d.Note = v.want.text("name") + " stands in for " + s.Name
	}
	return d, err
}

// wanted are the members that a resource is to have.
func (t *Target) wanted(n *noun, s Step, results map[string]Result) (members, error) {
	want, err := readMembers(s.Call)
	if err != nil {
		return nil, err
	}
	want["name"] = s.Name
	for member, arn := range t.use(s, results) {
		want[member] = arn
	}
	if n.prepare != nil {
		n.prepare(t, want)
	}
	return want, nil
}

// with is a copy in which one member is another.
func (m members) with(name string, value any) members {
	c := members{}
	for k, v := range m {
		c[k] = v
	}
	c[name] = value
	return c
}

// numbered is a name with a number after it.
func numbered(name string, i int) string {
	end := fmt.Sprintf("-%d", i)
	return name[:min(len(name), maxName-len(end))] + end
}

// look finds a resource and holds it against what is wanted.
func (t *Target) look(ctx context.Context, n *noun, s Step, want members) (*verdict, error) {
	v := &verdict{want: want}
	var err error
	if v.have, err = n.find(ctx, t, s, want); err != nil || v.have == nil {
		return v, err
	}
	declared := want.with("tags", nil)
	v.diffs = compare(declared, v.have.Body)
	if n.judge != nil {
		if err := n.judge(ctx, t, s, v); err != nil {
			return v, err
		}
	}
	for _, d := range v.diffs {
		if !slices.ContainsFunc(n.mutable, func(m string) bool { return within(d.Member, m) }) {
			v.fixed = append(v.fixed, d)
		}
	}
	return v, nil
}

// creation makes a resource. Where something that it needs is not there yet,
// there is nothing to act with.
func (t *Target) creation(n *noun, s Step, want members, a Action, why string) decision {
	d := decision{Result: Result{Action: a, Note: why}, once: n.kind == Schema}
	d.act = func(ctx context.Context) (string, error) {
		call := want
		first, err := readMembers(s.Initial)
		if err != nil {
			return "", err
		}
		for name, value := range first {
			if _, given := call[name]; !given {
				call = call.with(name, value)
			}
		}
		for name, value := range call {
			if l, ok := value.(later); ok {
				return "", attune.Errorf(attune.Invalid, "%s needs %s of %s, which is not there: take that step first", s.Path, name, string(l))
			}
			if list, ok := value.([]any); ok && len(list) == 0 {
				call = call.with(name, nil)
			}
		}
		return n.create(ctx, t, call)
	}
	return d
}

// settle says what becomes of a resource that is there and can be as it is wanted.
func (t *Target) settle(ctx context.Context, n *noun, s Step, v *verdict, before Result) (decision, error) {
	h := v.have
	d := decision{Result: Result{Action: Keep, ARN: h.ARN, Status: h.Status}}
	what := string(n.kind) + " " + v.want.text("name")
	switch {
	case busy(h.Status):
		d.Action, d.Note = Wait, "is "+h.Status
		return d, nil
	case h.Status != "" && h.Status != active && h.Status != inactive:
		d.Action, d.Note = Blocked, ended(what, h)+"; delete it, and what it stands for is made again"
		return d, nil
	case busy(h.Update):
		d.Action, d.Status, d.Note = Wait, h.Update, "is being updated"
		return d, nil
	case len(v.diffs) > 0 && before.Action == Update && h.Update == failed:
		d.Action, d.Note, d.Diffs = Blocked, fmt.Sprintf("the update of %s failed: %s", what, strings.TrimSuffix(h.UpdateReason, ".")), v.diffs
		return d, nil
	case len(v.diffs) > 0:
		d.Action, d.Diffs, d.soft = Update, v.diffs, true
		d.act = func(ctx context.Context) (string, error) { return h.ARN, n.update(ctx, t, h, v.want) }
		return d, nil
	}
	if !n.untagged {
		add, diffs, err := t.tagsMissing(ctx, h.ARN, v.want["tags"])
		if err != nil {
			return d, err
		}
		if len(add) > 0 {
			d.Action, d.Diffs = Update, diffs
			d.act = func(ctx context.Context) (string, error) {
				_, err := change(ctx, t, "tag "+what, (*client).TagResource, members{"resourceArn": h.ARN, "tags": add})
				return h.ARN, err
			}
			return d, nil
		}
	}
	d.Done, d.Took = true, took(h.Made, h.Changed)
	if v.refused != "" {
		d.Action, d.Note = Refuse, v.refused
	} else if h.Status == inactive {
		d.Note = "is stopped; StartRecommender starts it"
	}
	return d, nil
}

// blocked says what cannot be changed, and the way out.
func (n *noun) blocked(s Step, v *verdict) decision {
	names := make([]string, len(v.fixed))
	for i, d := range v.fixed {
		names[i] = d.Member
	}
	note := fmt.Sprintf("%s of the %s %s cannot be changed: %s", strings.Join(names, ", "), n.kind, s.Name, n.wayOut)
	return decision{Result: Result{Action: Blocked, ARN: v.have.ARN, Status: v.have.Status, Note: note, Diffs: v.fixed}}
}

// tagsMissing gives the declared tags that a resource does not have, or has
// with another value. Tags that nobody declared are somebody else's.
func (t *Target) tagsMissing(ctx context.Context, arn string, declared any) (add []any, diffs []Diff, err error) {
	list, _ := declared.([]any)
	if len(list) == 0 {
		return nil, nil, nil
	}
	out, err := do(ctx, t, "list the tags of "+arn, (*client).ListTagsForResource, members{"resourceArn": arn})
	if err != nil {
		return nil, nil, err
	}
	have := map[string]any{}
	tags, _ := out["tags"].([]any)
	for _, x := range tags {
		if tag, ok := x.(map[string]any); ok {
			key, _ := tag["tagKey"].(string)
			have[key] = tag["tagValue"]
		}
	}
	for _, x := range list {
		tag, _ := x.(map[string]any)
		key, _ := tag["tagKey"].(string)
		value, there := have[key]
		if want, _ := tag["tagValue"].(string); !there || value != any(want) {
			add = append(add, x)
			diffs = append(diffs, Diff{Member: "tags." + key, Want: jsonText(tag["tagValue"]), Have: jsonText(value)})
		}
	}
	return add, diffs, nil
}

// merged puts one JSON object over another, member by member.
func merged(base json.RawMessage, over map[string]any) (json.RawMessage, error) {
	m, err := readMembers(base)
	if err != nil {
		return nil, err
	}
	for name, value := range over {
		if _, given := m[name]; !given {
			m[name] = value
		}
	}
	return json.Marshal(m)
}

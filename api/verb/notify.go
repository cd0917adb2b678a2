package verb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/notify"
	"github.com/attune-io/attune/notify/pattern"
)

// maxNoticeWait bounds how long ReadNotices waits, in seconds.
const maxNoticeWait = 20

// PutRuleInput is a rule as it shall be.
type PutRuleInput struct{ notify.Rule }

// RuleName names a rule.
type RuleName struct {
	Name string `json:"name"`
}

// RuleOutput is a rule and how it fares; it has no secrets.
type RuleOutput struct{ notify.RuleState }

func (d *Door) putRule(ctx context.Context, in *PutRuleInput) (any, error) {
	if w := in.Target.Webhook; w != nil && w.Signed {
		return nil, attune.Errorf(attune.Invalid, "signed is shown, not put: give the webhook a secret")
	}
	if err := d.Notify.PutRule(ctx, in.Rule); err != nil {
		return nil, err
	}
	return d.describeRule(ctx, &RuleName{in.Name})
}

func (d *Door) describeRule(ctx context.Context, in *RuleName) (any, error) {
	r, err := d.Notify.Rule(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return &RuleOutput{*r}, nil
}

func (d *Door) deleteRule(ctx context.Context, in *RuleName) (any, error) {
	return &struct{}{}, d.Notify.DeleteRule(ctx, in.Name)
}

// ListRulesInput asks for all rules.
type ListRulesInput struct{}

// ListRulesOutput is all rules by name.
type ListRulesOutput struct {
	Rules []notify.RuleState `json:"rules"`
}

func (d *Door) listRules(ctx context.Context, _ *ListRulesInput) (any, error) {
	rules, err := d.Notify.Rules(ctx)
	if err != nil {
		return nil, err
	}
	return &ListRulesOutput{rules}, nil
}

// TestRuleInput is an event, and a rule by name or a pattern.
type TestRuleInput struct {
	Name    string          `json:"name,omitempty"`
	Pattern json.RawMessage `json:"pattern,omitempty"`
	Event   json.RawMessage `json:"event"`
}

// TestRuleOutput says whether the event matches.
type TestRuleOutput struct {
	Matches bool `json:"matches"`
}

func (d *Door) testRule(ctx context.Context, in *TestRuleInput) (any, error) {
	text := in.Pattern
	switch {
	case (in.Name != "") == (len(text) > 0):
		return nil, attune.Errorf(attune.Invalid, "give the name of a rule or a pattern, one of them")
	case in.Name != "":
		r, err := d.Notify.Rule(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		text = r.Pattern
	}
	p, err := pattern.Parse(text)
	if err != nil {
		return nil, err
	}
	matches, err := p.Match(in.Event)
	if err != nil {
		return nil, err
	}
	return &TestRuleOutput{matches}, nil
}

// PutNoticeInput is an event from outside.
type PutNoticeInput struct {
	ID         string          `json:"id,omitempty"` // two with one are one, for two minutes
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Time       time.Time       `json:"time,omitzero"`
	Resources  []string        `json:"resources,omitempty"`
	Detail     json.RawMessage `json:"detail"`
}

// PutNoticeOutput is the event's id.
type PutNoticeOutput struct {
	ID string `json:"id"`
}

func (d *Door) putNotice(ctx context.Context, in *PutNoticeInput) (any, error) {
	id, err := d.Notify.Receive(ctx, notify.Event{ID: in.ID, Source: in.Source, DetailType: in.DetailType, Time: in.Time, Resources: in.Resources, Detail: in.Detail})
	if err != nil {
		return nil, err
	}
	return &PutNoticeOutput{id}, nil
}

// ReadNoticesInput asks for events behind a place of the bus.
type ReadNoticesInput struct {
	After       *uint64 `json:"after,omitempty"` // a next of before; 0: from the oldest; absent: what comes from now on
	Limit       int     `json:"limit,omitempty"` // default and most: 100
	WaitSeconds int     `json:"waitSeconds,omitempty"`
}

// ReadNoticesOutput is events in their order, and where the next begin.
type ReadNoticesOutput struct {
	Events []notify.Told `json:"events"`
	Next   uint64        `json:"next"`
}

func (d *Door) readNotices(ctx context.Context, in *ReadNoticesInput) (any, error) {
	if in.WaitSeconds < 0 || in.WaitSeconds > maxNoticeWait {
		return nil, attune.Errorf(attune.Invalid, "waitSeconds is %d: give 0 to %d", in.WaitSeconds, maxNoticeWait)
	}
	end, err := d.Notify.End(ctx)
	if err != nil {
		return nil, err
	}
	out := &ReadNoticesOutput{Events: []notify.Told{}, Next: end}
	if in.After != nil {
		out.Next = *in.After
	}
	if in.WaitSeconds == 0 && out.Next >= end {
		return out, nil
	}
	const most = 100
	limit := in.Limit
	if limit <= 0 || limit > most {
		limit = most
	}
	ctx, cancel := context.WithTimeout(ctx, max(time.Duration(in.WaitSeconds)*time.Second, time.Second))
	defer cancel()
	if out.Events, err = d.Notify.Page(ctx, out.Next, limit); err != nil {
		return nil, err
	}
	if n := len(out.Events); n > 0 {
		out.Next = out.Events[n-1].Seq
	}
	return out, nil
}

// DeadLettersInput names a rule, and one of its dead letters or all.
type DeadLettersInput struct {
	Rule string `json:"rule,omitempty"`
	ID   string `json:"id,omitempty"`
}

// ListDeadLettersInput names a rule, or none for all.
type ListDeadLettersInput struct {
	Rule string `json:"rule,omitempty"`
}

// ListDeadLettersOutput is the newest dead letters.
type ListDeadLettersOutput struct {
	DeadLetters []notify.DeadLetter `json:"deadLetters"`
}

// DeadLettersOutput counts the dead letters that were meant.
type DeadLettersOutput struct {
	Count int64 `json:"count"`
}

func (d *Door) listDeadLetters(ctx context.Context, in *ListDeadLettersInput) (any, error) {
	all, err := d.Notify.DeadLetters(ctx, in.Rule)
	if err != nil {
		return nil, err
	}
	return &ListDeadLettersOutput{all}, nil
}

func (d *Door) redriveDeadLetters(ctx context.Context, in *DeadLettersInput) (any, error) {
	n, err := d.Notify.Redrive(ctx, in.Rule, in.ID)
	return &DeadLettersOutput{n}, err
}

func (d *Door) dropDeadLetters(ctx context.Context, in *DeadLettersInput) (any, error) {
	n, err := d.Notify.Drop(ctx, in.Rule, in.ID)
	return &DeadLettersOutput{n}, err
}

// CreateHookInput is an incoming webhook as it shall be.
type CreateHookInput struct {
	Name   string          `json:"name"`
	Kind   notify.HookKind `json:"kind"`
	Secret string          `json:"secret"` // never shown
}

// HookName names an incoming webhook.
type HookName struct {
	Name string `json:"name"`
}

// HookOutput says where to post.
type HookOutput struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

// ListHooksInput asks for all incoming webhooks.
type ListHooksInput struct{}

// ListHooksOutput is all incoming webhooks by name.
type ListHooksOutput struct {
	Hooks []notify.Hook `json:"hooks"`
}

func (d *Door) createHook(ctx context.Context, in *CreateHookInput) (any, error) {
	if err := d.Notify.PutHook(ctx, in.Name, in.Kind, in.Secret); err != nil {
		return nil, err
	}
	return &HookOutput{in.Name, "/attune/hooks/" + in.Name}, nil
}

func (d *Door) listHooks(ctx context.Context, _ *ListHooksInput) (any, error) {
	all, err := d.Notify.Hooks(ctx)
	if err != nil {
		return nil, err
	}
	return &ListHooksOutput{all}, nil
}

func (d *Door) deleteHook(ctx context.Context, in *HookName) (any, error) {
	return &struct{}{}, d.Notify.DeleteHook(ctx, in.Name)
}

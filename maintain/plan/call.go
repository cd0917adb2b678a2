package plan

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"

	"github.com/attune-io/attune"
)

// client is the SDK's; its methods are the operations.
type client = personalize.Client

// operation is a method of the SDK's client, e.g. (*client).DescribeFilter.
type operation[I, O any] func(c *client, ctx context.Context, in *I, o ...func(*personalize.Options)) (*O, error) //nolint:revive // the order is Go's of method expressions

// do makes one call in the wire's words. doing names it in an error.
func do[I, O any](ctx context.Context, t *Target, doing string, call operation[I, O], in members, o ...func(*personalize.Options)) (members, error) {
	input := new(I)
	if err := fill(input, in); err != nil {
		return nil, explain(ctx, doing, err)
	}
	out, err := call(t.api, ctx, input, o...)
	if err != nil {
		return nil, explain(ctx, doing, err)
	}
	return shape(out), nil
}

// change makes a call that changes something, and tries it once: whether one
// without an answer had its effect is for the next look to say.
func change[I, O any](ctx context.Context, t *Target, doing string, call operation[I, O], in members) (members, error) {
	return do(ctx, t, doing, call, in, func(o *personalize.Options) { o.Retryer = aws.NopRetryer{} })
}

// list gives everything that a List call has under a member, over all its pages.
// What is listed under something that does not exist is nothing.
func list[I, O any](ctx context.Context, t *Target, doing string, call operation[I, O], in members, member string) ([]members, error) {
	var all []members
	ask := members{"maxResults": pageSize}
	for k, v := range in {
		ask[k] = v
	}
	for range maxPages {
		page, err := do(ctx, t, doing, call, ask)
		if missing(err) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		rows, _ := page[member].([]any)
		for _, row := range rows {
			if m, ok := row.(map[string]any); ok {
				all = append(all, m)
			}
		}
		next := page.text("nextToken")
		if next == "" {
			return all, nil
		}
		ask["nextToken"] = next
	}
	return nil, attune.Errorf(attune.LimitExceeded, "%s: the list has more than %d pages", doing, maxPages)
}

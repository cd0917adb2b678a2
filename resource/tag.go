package resource

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/attune-io/attune"
)

// maxTags bounds the tags of one resource where no quota does: the most that
// one published request can carry.
const maxTags = 200

// taggable says whether resources of a kind carry tags: those whose Create takes some.
func taggable(k Kind) bool { return k != Schema && k != MetricAttribution }

// Tags are the labels of a resource, in the order they were first given.
func (g *Registry) Tags(ctx context.Context, arn string) ([]Tag, error) {
	r, err := g.tagged(ctx, arn)
	if err != nil {
		return nil, err
	}
	b, err := Body[struct{ Tags []Tag }](r)
	return b.Tags, err
}

// Tag adds labels to a resource; one whose key it has already gets the new value.
func (g *Registry) Tag(ctx context.Context, arn string, add []Tag) error {
	if err := checkTags(add); err != nil {
		return err
	}
	if most := g.mostTags(); len(add) > most {
		return attune.Errorf(attune.TooManyTags, "%d tags were given: a resource can have %d", len(add), most)
	}
	return g.retag(ctx, arn, func(have []Tag) ([]Tag, error) {
		for _, t := range add {
			at := slices.IndexFunc(have, func(h Tag) bool { return h.Key == t.Key })
			if at < 0 {
				have = append(have, t)
			} else {
				have[at] = t
			}
		}
		if most := g.mostTags(); len(have) > most {
			return nil, attune.Errorf(attune.TooManyTags, "%s would have %d tags: a resource can have %d; remove some with UntagResource", arn, len(have), most)
		}
		return have, nil
	})
}

// Untag takes labels away by key; keys that a resource does not have are no error.
func (g *Registry) Untag(ctx context.Context, arn string, keys []string) error {
	if most := g.mostTags(); len(keys) > most {
		return attune.Errorf(attune.TooManyTagKeys, "%d tag keys were given: a resource can have %d tags", len(keys), most)
	}
	return g.retag(ctx, arn, func(have []Tag) ([]Tag, error) {
		return slices.DeleteFunc(have, func(t Tag) bool { return slices.Contains(keys, t.Key) }), nil
	})
}

func (g *Registry) mostTags() int {
	if g.limits.Tags > 0 {
		return g.limits.Tags
	}
	return maxTags
}

// tagged finds a resource that can have tags.
func (g *Registry) tagged(ctx context.Context, arn string) (*Resource, error) {
	k, ok := KindOfARN(attune.ARN(arn))
	if !ok || !taggable(k) {
		return nil, attune.Errorf(attune.Invalid, "%s is not the ARN of a resource that can have tags", arn)
	}
	r, err := g.Get(ctx, attune.ARN(arn))
	if err == nil && r.Status.deleting() {
		err = attune.Errorf(attune.InUse, "%s %s is being deleted", r.Kind.Words(), arn)
	}
	return r, err
}

// retag lets f change the tags of a resource, whatever else is in its body.
func (g *Registry) retag(ctx context.Context, arn string, f func([]Tag) ([]Tag, error)) error {
	return g.decide(ctx, func() (bool, error) {
		r, err := g.tagged(ctx, arn)
		if err != nil {
			return false, err
		}
		return g.write(ctx, r, func(r *Resource) error {
			b, err := Body[map[string]json.RawMessage](r)
			if err != nil {
				return err
			}
			var have []Tag
			if len(b["tags"]) > 0 {
				if err := json.Unmarshal(b["tags"], &have); err != nil {
					return err
				}
			}
			if have, err = f(have); err != nil {
				return err
			}
			delete(b, "tags")
			if len(have) > 0 {
				if b["tags"], err = json.Marshal(have); err != nil {
					return err
				}
			}
			return r.SetBody(b)
		})
	})
}

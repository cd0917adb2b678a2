package api

import (
	"context"

	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerTags(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "TagResource", p.tagResource)
	awsjson.Handle(s, wire.Personalize, "UntagResource", p.untagResource)
	awsjson.Handle(s, wire.Personalize, "ListTagsForResource", p.listTags)
}

func (p *Personalize) tagResource(ctx context.Context, in *wire.TagResourceRequest) (*wire.TagResourceResponse, error) {
	return &wire.TagResourceResponse{}, p.rows.Tag(ctx, in.ResourceArn, tags(in.Tags))
}

func (p *Personalize) untagResource(ctx context.Context, in *wire.UntagResourceRequest) (*wire.UntagResourceResponse, error) {
	return &wire.UntagResourceResponse{}, p.rows.Untag(ctx, in.ResourceArn, in.TagKeys)
}

func (p *Personalize) listTags(ctx context.Context, in *wire.ListTagsForResourceRequest) (*wire.ListTagsForResourceResponse, error) {
	have, err := p.rows.Tags(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := make([]wire.Tag, len(have))
	for i, t := range have {
		out[i] = wire.Tag{TagKey: t.Key, TagValue: t.Value}
	}
	return &wire.ListTagsForResourceResponse{Tags: out}, nil
}

package api

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerEventTrackers(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateEventTracker", p.createEventTracker)
	awsjson.Handle(s, wire.Personalize, "DescribeEventTracker", p.describeEventTracker)
	awsjson.Handle(s, wire.Personalize, "ListEventTrackers", p.listEventTrackers)
	awsjson.Handle(s, wire.Personalize, "DeleteEventTracker", p.deleteEventTracker)
}

func (p *Personalize) createEventTracker(ctx context.Context, in *wire.CreateEventTrackerRequest) (*wire.CreateEventTrackerResponse, error) {
	r, err := p.rows.CreateEventTracker(ctx, in.Name, resource.EventTrackerBody{DatasetGroupArn: in.DatasetGroupArn, Tags: tags(in.Tags)})
	if err != nil {
		return nil, err
	}
	b, err := resource.Body[resource.EventTrackerBody](r)
	if err != nil {
		return nil, err
	}
	return &wire.CreateEventTrackerResponse{EventTrackerArn: arnOf(r), TrackingId: &b.TrackingID}, nil
}

func (p *Personalize) describeEventTracker(ctx context.Context, in *wire.DescribeEventTrackerRequest) (*wire.DescribeEventTrackerResponse, error) {
	r, err := p.rows.Find(ctx, resource.EventTracker, attune.ARN(in.EventTrackerArn))
	if err != nil {
		return nil, err
	}
	t, err := shape[wire.EventTracker](r)
	if err != nil {
		return nil, err
	}
	t.Name, t.EventTrackerArn, t.Status, t.CreationDateTime, t.LastUpdatedDateTime = common(r)
	t.AccountId = filled(p.rows.Account())
	return &wire.DescribeEventTrackerResponse{EventTracker: t}, nil
}

func (p *Personalize) listEventTrackers(ctx context.Context, in *wire.ListEventTrackersRequest) (*wire.ListEventTrackersResponse, error) {
	l := listing{"ListEventTrackers", resource.EventTracker, resource.DatasetGroup, in.DatasetGroupArn, in.MaxResults, in.NextToken}
	trackers, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.EventTrackerSummary, error) {
		t := new(wire.EventTrackerSummary)
		t.Name, t.EventTrackerArn, t.Status, t.CreationDateTime, t.LastUpdatedDateTime = common(r)
		return t, nil
	})
	return &wire.ListEventTrackersResponse{EventTrackers: trackers, NextToken: next}, err
}

func (p *Personalize) deleteEventTracker(ctx context.Context, in *wire.DeleteEventTrackerRequest) (*wire.Empty, error) {
	return none(p.rows.DeleteEventTracker(ctx, in.EventTrackerArn))
}

package plan

import (
	"context"
	"strings"

	"github.com/attune-io/attune"
)

// Inventory is what a dataset group has, as it was described: nothing is in it
// twice, and what was being deleted is left out.
type Inventory struct {
	Group        members
	Datasets     []members // each with its schema's description under "schema"
	Trackers     []members
	Filters      []members
	Solutions    []members
	Campaigns    []members
	Recommenders []members
	Attributions []members
	Inference    []members // batch jobs, for an export
	Segments     []members
}

// Look walks over a dataset group. attune.NotFound when there is none of the name.
func (t *Target) Look(ctx context.Context, group string) (*Inventory, error) {
	arn := t.arn("dataset-group", group)
	g, err := describe(ctx, t, (*client).DescribeDatasetGroup, arn, "datasetGroup", "")
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, attune.Errorf(attune.NotFound, "there is no dataset group %s in account %s, region %s", group, t.Account, t.Region)
	}
	v := &Inventory{Group: g.Body}
	in := members{groupMember: arn}
	for _, x := range []struct {
		into *[]members
		read func() ([]members, error)
	}{
		{&v.Datasets, func() ([]members, error) {
			return each(ctx, t, in, (*client).ListDatasets, "datasets", (*client).DescribeDataset, "dataset")
		}},
		{&v.Trackers, func() ([]members, error) {
			return each(ctx, t, in, (*client).ListEventTrackers, "eventTrackers", (*client).DescribeEventTracker, "eventTracker")
		}},
		{&v.Filters, func() ([]members, error) {
			return each(ctx, t, in, (*client).ListFilters, "filters", (*client).DescribeFilter, "filter")
		}},
		{&v.Solutions, func() ([]members, error) { return t.solutions(ctx, in) }},
		{&v.Recommenders, func() ([]members, error) {
			return each(ctx, t, in, (*client).ListRecommenders, "recommenders", (*client).DescribeRecommender, "recommender")
		}},
		{&v.Attributions, func() ([]members, error) {
			return each(ctx, t, in, (*client).ListMetricAttributions, "metricAttributions", (*client).DescribeMetricAttribution, "metricAttribution")
		}},
	} {
		if *x.into, err = x.read(); err != nil {
			return nil, err
		}
	}
	return v, t.lookDeeper(ctx, v)
}

// lookDeeper finds what hangs on datasets and solutions.
func (t *Target) lookDeeper(ctx context.Context, v *Inventory) error {
	for _, d := range v.Datasets {
		s, err := describe(ctx, t, (*client).DescribeSchema, d.text(schemaMember), "schema", "")
		if err != nil {
			return err
		}
		if s != nil {
			d["schema"] = map[string]any(s.Body)
		}
	}
	for _, s := range v.Solutions {
		arn := s.text(solutionMember)
		campaigns, err := each(ctx, t, members{solutionMember: arn}, (*client).ListCampaigns, "campaigns", (*client).DescribeCampaign, "campaign")
		if err != nil {
			return err
		}
		v.Campaigns = append(v.Campaigns, campaigns...)
	}
	return nil
}

// lookJobs finds the batch jobs of all versions, which may be many.
func (t *Target) lookJobs(ctx context.Context, v *Inventory) error {
	for _, s := range v.Solutions {
		versions, err := t.versions(ctx, s.text(solutionMember))
		if err != nil {
			return err
		}
		for _, j := range versions {
			in := members{versionMember: j.ARN}
			inference, err := each(ctx, t, in, (*client).ListBatchInferenceJobs, "batchInferenceJobs", (*client).DescribeBatchInferenceJob, "batchInferenceJob")
			if err != nil {
				return err
			}
			segments, err := each(ctx, t, in, (*client).ListBatchSegmentJobs, "batchSegmentJobs", (*client).DescribeBatchSegmentJob, "batchSegmentJob")
			if err != nil {
				return err
			}
			v.Inference, v.Segments = append(v.Inference, inference...), append(v.Segments, segments...)
		}
	}
	return nil
}

// solutions of a group, as their last updates left them.
func (t *Target) solutions(ctx context.Context, in members) ([]members, error) {
	all, err := each(ctx, t, in, (*client).ListSolutions, "solutions", (*client).DescribeSolution, "solution")
	for i := range all {
		if s := see(all[i], solutionMember, "latestSolutionUpdate"); err == nil {
			afterUpdate(s)
		}
	}
	return all, err
}

// each describes everything that a list has.
func each[LI, LO, DI, DO any](ctx context.Context, t *Target, in members, lists operation[LI, LO], plural string, describes operation[DI, DO], member string) ([]members, error) {
	rows, err := list(ctx, t, "list "+plural, lists, in, plural)
	if err != nil {
		return nil, err
	}
	var all []members
	for _, row := range rows {
		if strings.HasPrefix(row.text("status"), "DELETE") {
			continue
		}
		s, err := describe(ctx, t, describes, row.text(member+"Arn"), member, "")
		if err != nil {
			return nil, err
		}
		if s != nil {
			all = append(all, s.Body)
		}
	}
	return all, nil
}

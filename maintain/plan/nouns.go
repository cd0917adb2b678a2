package plan

import (
	"context"
	"strings"
)

// renameWay is the way out where a second resource may stand beside the first.
const renameWay = "give it another name, or say --replace to have it made anew under its name with a number after it"

// nounOf is the table of named resources.
func nounOf(k Kind) (*noun, bool) {
	switch k {
	case DatasetGroup:
		return groupNoun(), true
	case Schema:
		return schemaNoun(), true
	case Dataset:
		return datasetNoun(), true
	case EventTracker:
		return trackerNoun(), true
	case Filter:
		return filterNoun(), true
	case Solution:
		return solutionNoun(), true
	case Campaign:
		return campaignNoun(), true
	case Recommender:
		return recommenderNoun(), true
	}
	return nil, false
}

type (
	finder  func(context.Context, *Target, Step, members) (*seen, error)
	maker   func(context.Context, *Target, members) (string, error)
	remover func(context.Context, *Target, string) error
)

// described finds a resource whose ARN follows from its name. kind is that of
// the ARN; member is what the answer has it under, and update its last update.
func described[I, O any](call operation[I, O], kind, member, update string) finder {
	return func(ctx context.Context, t *Target, _ Step, want members) (*seen, error) {
		return describe(ctx, t, call, t.arn(kind, want.text("name")), member, update)
	}
}

// describe looks at one resource; nil when there is none. member is what the
// answer has it under: datasetGroup, whose ARN is datasetGroupArn.
func describe[I, O any](ctx context.Context, t *Target, call operation[I, O], arn, member, update string) (*seen, error) {
	out, err := do(ctx, t, "look at "+arn, call, members{member + "Arn": arn})
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return see(out.object(member), member+"Arn", update), nil
}

// created makes a resource.
func created[I, O any](call operation[I, O], what Kind, arn string) maker {
	return func(ctx context.Context, t *Target, m members) (string, error) {
		out, err := change(ctx, t, "create the "+string(what)+" "+m.text("name"), call, m)
		return out.text(arn), err
	}
}

// removed deletes a resource; member is what the call takes its ARN in.
func removed[I, O any](call operation[I, O], member string) remover {
	return func(ctx context.Context, t *Target, arn string) error {
		_, err := change(ctx, t, "delete "+arn, call, members{member: arn})
		return err
	}
}

func groupNoun() *noun {
	return &noun{
		kind:   DatasetGroup,
		find:   described((*client).DescribeDatasetGroup, "dataset-group", "datasetGroup", ""),
		create: created((*client).CreateDatasetGroup, DatasetGroup, "datasetGroupArn"),
		remove: removed((*client).DeleteDatasetGroup, "datasetGroupArn"),
		prepare: func(t *Target, want members) {
			if t.o.KMSKey != "" {
				want["kmsKeyArn"], want["roleArn"] = t.o.KMSKey, t.o.KMSRole
			}
		},
		wayOut: "declare it as it is, or maintain a dataset group of another name",
	}
}

func schemaNoun() *noun {
	return &noun{
		kind:   Schema,
		find:   described((*client).DescribeSchema, "schema", "schema", ""),
		create: created((*client).CreateSchema, Schema, "schemaArn"),
		remove: removed((*client).DeleteSchema, "schemaArn"),
		judge: func(_ context.Context, _ *Target, _ Step, v *verdict) error { // the text is the same in any spacing and order
			if sameJSON(v.want.text("schema"), v.have.Body.text("schema")) {
				v.diffs = without(v.diffs, "schema")
			}
			return nil
		},
		renamed: true, untagged: true,
		wayOut: "a dataset is updated to a schema of another name: " + renameWay,
	}
}

func datasetNoun() *noun {
	return &noun{
		kind: Dataset,
		find: func(ctx context.Context, t *Target, s Step, want members) (*seen, error) {
			return underGroup(ctx, t, s, (*client).ListDatasets, (*client).DescribeDataset, "datasets", "dataset", "latestDatasetUpdate",
				func(m members) bool {
					return strings.EqualFold(m.text("datasetType"), want.text("datasetType")) && (!s.Delete || m.text("name") == s.Name)
				})
		},
		create: created((*client).CreateDataset, Dataset, "datasetArn"),
		update: func(ctx context.Context, t *Target, have *seen, want members) error {
			_, err := change(ctx, t, "update the dataset "+want.text("name"), (*client).UpdateDataset, members{"datasetArn": have.ARN, "schemaArn": want["schemaArn"]})
			return err
		},
		mutable: []string{"schemaArn"},
		judge: func(_ context.Context, _ *Target, _ Step, v *verdict) error {
			if strings.EqualFold(v.want.text("datasetType"), v.have.Body.text("datasetType")) {
				v.diffs = without(v.diffs, "datasetType")
			}
			return nil
		},
		remove: removed((*client).DeleteDataset, "datasetArn"),
		wayOut: "a dataset group has one dataset of a type: declare it as it is, or delete it first, and its data with it",
	}
}

func trackerNoun() *noun {
	return &noun{
		kind: EventTracker,
		find: func(ctx context.Context, t *Target, s Step, _ members) (*seen, error) {
			return underGroup(ctx, t, s, (*client).ListEventTrackers, (*client).DescribeEventTracker, "eventTrackers", "eventTracker", "",
				func(m members) bool {
					if s.Delete {
						return m.text("name") == s.Name
					}
					return m.text("status") == active || strings.HasPrefix(m.text("status"), "CREATE")
				})
		},
		create: created((*client).CreateEventTracker, EventTracker, "eventTrackerArn"),
		remove: removed((*client).DeleteEventTracker, "eventTrackerArn"),
		wayOut: "a dataset group has one event tracker: declare the name that is there, or delete it first",
	}
}

// underGroup finds the newest of what is listed in a group that fits.
func underGroup[LI, LO, DI, DO any](ctx context.Context, t *Target, s Step, lists operation[LI, LO], describes operation[DI, DO], plural, member, update string, fits func(members) bool) (*seen, error) {
	rows, err := list(ctx, t, "list the "+string(s.Kind)+"s of "+s.Group, lists, members{"datasetGroupArn": t.arn("dataset-group", s.Group)}, plural)
	if err != nil {
		return nil, err
	}
	var newest members
	for _, m := range rows {
		if fits(m) && (newest == nil || m.when("creationDateTime").After(newest.when("creationDateTime"))) {
			newest = m
		}
	}
	if newest == nil {
		return nil, nil
	}
	return describe(ctx, t, describes, newest.text(member+"Arn"), member, update)
}

func filterNoun() *noun {
	return &noun{
		kind:    Filter,
		find:    described((*client).DescribeFilter, "filter", "filter", ""),
		create:  created((*client).CreateFilter, Filter, "filterArn"),
		remove:  removed((*client).DeleteFilter, "filterArn"),
		renamed: true, wayOut: renameWay,
	}
}

func recommenderNoun() *noun {
	return &noun{
		kind:    Recommender,
		find:    described((*client).DescribeRecommender, "recommender", "recommender", "latestRecommenderUpdate"),
		create:  created((*client).CreateRecommender, Recommender, "recommenderArn"),
		remove:  removed((*client).DeleteRecommender, "recommenderArn"),
		mutable: []string{"recommenderConfig"},
		update: func(ctx context.Context, t *Target, have *seen, want members) error {
			_, err := change(ctx, t, "update the recommender "+want.text("name"), (*client).UpdateRecommender,
				members{"recommenderArn": have.ARN, "recommenderConfig": want["recommenderConfig"]})
			return err
		},
		renamed: true, wayOut: renameWay,
	}
}

// without leaves out the differences of one member.
func without(diffs []Diff, member string) []Diff {
	var kept []Diff
	for _, d := range diffs {
		if !within(d.Member, member) {
			kept = append(kept, d)
		}
	}
	return kept
}

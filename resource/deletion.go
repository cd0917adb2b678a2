package resource

import (
	"context"
	"strings"
	"time"

	"github.com/attune-io/attune"
)

// DataDeletionJobBody is the body of a DataDeletionJob. It never holds an id of a user.
type DataDeletionJobBody struct {
	DatasetGroupArn string     `json:"datasetGroupArn"`
	DataSource      DataSource `json:"dataSource"`
	RoleArn         string     `json:"roleArn"`
	NumDeleted      *int64     `json:"numDeleted,omitempty"` // records; once COMPLETED
	Receipt         string     `json:"receipt,omitempty"`    // artifact name; once COMPLETED
	FailureReason   string     `json:"failureReason,omitempty"`
	Tags            []Tag      `json:"tags,omitempty"`
}

// CreateDataDeletionJob asks for users to be deleted from an ACTIVE dataset group.
func (g *Registry) CreateDataDeletionJob(ctx context.Context, name string, b DataDeletionJobBody) (*Resource, error) {
	if err := checkTags(b.Tags); err != nil {
		return nil, err
	}
	path, ok := strings.CutPrefix(b.DataSource.DataLocation, "s3://")
	if bucket, _, _ := strings.Cut(path, "/"); !ok || bucket == "" {
		return nil, attune.Errorf(attune.Invalid, "Invalid Data location. dataLocation is %q: write s3://bucket/key, for one file or for a folder", b.DataSource.DataLocation)
	}
	b.NumDeleted, b.Receipt, b.FailureReason = nil, "", ""
	return g.created(ctx, func() (*Resource, error) {
		group, err := g.findReady(ctx, DatasetGroup, b.DatasetGroupArn)
		if err != nil {
			return nil, err
		}
		if err := g.free(ctx, DataDeletionJob, name); err != nil {
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: DataDeletionJob, ARN: g.names.Make("data-deletion-job", name), Parent: group.ARN, Name: name}, b, group)
	})
}

// notErasing refuses to take data away from under a deletion of users.
func (g *Registry) notErasing(ctx context.Context, r *Resource) error {
	busy, err := g.any(ctx, Query{Kind: DataDeletionJob, Group: r.Group, Busy: true})
	if err == nil && busy != nil {
		err = attune.Errorf(attune.InUse, "%s %s is in use: the data deletion job %s is %s", r.Kind.Words(), r.ARN, busy.ARN, busy.Status)
	}
	return err
}

// Erasing says whether users of the group of r are being deleted, or shall be.
func (g *Registry) Erasing(ctx context.Context, r *Resource) (bool, error) {
	busy, err := g.any(ctx, Query{Kind: DataDeletionJob, Group: r.Group, Busy: true})
	return busy != nil, err
}

// Waits says whether work on a row must wait because of a deletion of users in
// its group: a deletion waits for the imports, trainings, exports and batch jobs
// that were asked for before it, and those that are asked for later wait for it,
// so that nothing reads data half deleted or brings back what was read before.
func (g *Registry) Waits(ctx context.Context, r *Resource) (bool, error) {
	asked, begun := r.asked()
	if begun || r.Kind != DataDeletionJob && !readsData(r.Kind) {
		return false, nil
	}
	q := Query{Group: r.Group, Busy: true}
	if r.Kind != DataDeletionJob {
		q.Kind = DataDeletionJob // seldom any: this is asked of every row that begins
	}
	busy, err := g.every(ctx, q)
	if err != nil {
		return false, err
	}
	for i := range busy {
		other := &busy[i]
		when, begun := other.asked()
		earlier := when.Before(asked) || when.Equal(asked) && other.ID < r.ID
		switch {
		case other.ID == r.ID:
		case other.Kind == DataDeletionJob && earlier:
			return true, nil
		case r.Kind == DataDeletionJob && readsData(other.Kind) && (earlier || begun):
			return true, nil
		}
	}
	return false, nil
}

// asked is when the work that a row is waiting for was asked for, which may be
// an update, and whether it has begun.
func (r *Resource) asked() (when time.Time, begun bool) {
	if u, ok := r.LatestUpdate(); ok && u.Status.moving() {
		return u.Created, u.Status != CreatePending
	}
	return r.Created, r.Status != WordsOf(r.Kind).Pending
}

// readsData says whether work on a kind reads or writes what users did.
func readsData(k Kind) bool {
	switch k {
	case Dataset, ImportJob, ExportJob, SolutionVersion, Recommender, BatchInferenceJob, BatchSegmentJob:
		return true
	}
	return false
}

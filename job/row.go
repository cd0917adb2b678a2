package job

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/resource"
)

// Ref names a row for a workflow: its ARN, and its id, because another row may
// have taken the ARN since; and which update of a campaign it is about.
type Ref struct {
	ARN    attune.ARN `json:"arn"`
	ID     string     `json:"id"`
	Update string     `json:"update,omitempty"` // as updateOf says
}

// updateOf names the latest update of a resource by when it was asked for; ""
// when r was never updated.
func updateOf(r *resource.Resource) string {
	u, ok := r.LatestUpdate()
	if !ok {
		return ""
	}
	return strconv.FormatInt(u.Created.UnixMilli(), 10)
}

// group is the log of the dataset group that r belongs to (or is).
func group(r *resource.Resource) event.Group {
	if r.Kind == resource.DatasetGroup {
		return event.Group(r.ID)
	}
	return event.Group(r.Group)
}

// get reads the row a workflow works on. live is false when it is gone or no
// longer asks for creation: the step then has nothing to do.
func (m *Manager) get(ctx context.Context, ref Ref) (r *resource.Resource, live bool, err error) {
	r, err = m.Registry.Get(ctx, ref.ARN)
	if attune.KindOf(err) == attune.NotFound && err != nil {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return r, r.ID == ref.ID && r.Status.Creating(), nil
}

// claim shows that work on the row has begun.
func (m *Manager) claim(ctx context.Context, ref Ref) (*resource.Resource, bool, error) {
	r, live, err := m.get(ctx, ref)
	if err != nil || !live || r.Status == resource.WordsOf(r.Kind).InProgress {
		return r, live, err
	}
	r, err = m.Registry.Change(ctx, ref.ARN, func(r *resource.Resource) error {
		live = r.ID == ref.ID && r.Status.Creating()
		if live {
			r.Status = resource.WordsOf(r.Kind).InProgress
		}
		return nil
	})
	return r, live, err
}

// finish moves a claimed row to ACTIVE (or its kind's word for it) with what f
// writes into it; a row that has left CREATE IN_PROGRESS meanwhile (stopped, deleted) keeps its state. gone
// says that there is no such row any more.
func (m *Manager) finish(ctx context.Context, ref Ref, f func(*resource.Resource) error) (gone bool, err error) {
	_, err = m.Registry.Change(ctx, ref.ARN, func(r *resource.Resource) error {
		gone = r.ID != ref.ID
		words := resource.WordsOf(r.Kind)
		if gone || r.Status != words.InProgress {
			return nil
		}
		r.Status = words.Done
		return f(r)
	})
	if err != nil && attune.KindOf(err) == attune.NotFound {
		return true, nil
	}
	return gone, err
}

// Fail moves a row to CREATE FAILED with the reason that Describe shows.
func (a *activities) Fail(ctx context.Context, ref Ref, why string) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, _ func(Progress)) (struct{}, error) {
		a.m.Logger.Warn("job failed", "resource", ref.ARN, "id", ref.ID, "reason", why)
		a.m.sweep(ctx, checkpointFolder("model/"+ref.ID+"/")) // nobody goes on from there
		return struct{}{}, a.m.Registry.Fail(ctx, ref.ARN, ref.ID, why)
	})
	return err
}

// observe records how long the main step of a job took.
func (m *Manager) observe(kind string, start time.Time, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	m.took.WithLabelValues(kind, outcome).Observe(time.Since(start).Seconds())
}

// sweep removes what attempts that were killed left in a folder beside what
// is kept. Failing at it costs disk, not truth.
func (m *Manager) sweep(ctx context.Context, folder string, keep ...string) {
	kept := func(name string) bool {
		return slices.ContainsFunc(keep, func(k string) bool { return name == k || strings.HasPrefix(name, k+"/") })
	}
	for info, err := range m.Artifacts.List(ctx, folder) {
		if err == nil && !kept(info.Name) {
			err = m.Artifacts.Delete(ctx, info.Name)
		}
		if err != nil {
			m.Logger.Warn("what a killed attempt left stays behind", "folder", folder, "error", err)
			return
		}
	}
}

package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/resource"
)

const (
	// deletionUsers bounds the users of one deletion: each step holds their ids.
	deletionUsers = 1_000_000
	// deletionFile bounds what a step leaves for the next, in bytes: as many ids
	// of the longest kind, and the sessions they were seen in.
	deletionFile = 2 << 30
	// settleWait bounds the wait for impressions that are on their way to the log.
	settleWait = 10 * time.Second
)

// DataDeletionWorkflow takes users away from wherever they are. Its payloads
// hold names only: what the steps tell each other is in the bucket.
func DataDeletionWorkflow(ctx workflow.Context, ref Ref) error {
	ctx = step(ctx, queueLight)
	var a *activities
	var err error
	for _, do := range []any{a.DeletionPlan, a.DeletionTables, a.DeletionSnapshots, a.DeletionLog, a.DeletionProfile, a.DeletionOutputs, a.DeletionReceipt, a.DeletionCommit} {
		if err = workflow.ExecuteActivity(ctx, do, ref).Get(ctx, nil); err != nil {
			break
		}
	}
	if temporal.IsCanceledError(err) {
		return err // by an operator of Temporal: the row still asks, and is taken up again
	}
	if err != nil {
		return workflow.ExecuteActivity(ctx, a.DeletionFail, ref, reason(ctx, err)).Get(ctx, nil)
	}
	return nil
}

// deletion is a deletion job under way.
type deletion struct {
	*Manager
	row    *resource.Resource
	report func(Progress)
}

// folder is where a deletion keeps its receipt. What holds ids of users lies
// below work, and is removed before the end.
func (d *deletion) folder() string { return deletionFolder(d.row.Group) + d.row.ID + "/" }
func (d *deletion) work() string   { return d.folder() + "work/" }

func deletionFolder(group string) string { return "deletion/" + group + "/" }

// deleting runs one step of a deletion whose row still asks for it.
func (a *activities) deleting(ctx context.Context, ref Ref, stage string, f func(context.Context, *deletion) error) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (none struct{}, err error) {
		r, live, err := a.m.claim(ctx, ref)
		if err != nil || !live {
			return none, err
		}
		start := time.Now()
		defer func() { a.m.observe("delete-"+stage, start, err) }()
		report(Progress{Stage: stage})
		return none, f(ctx, &deletion{a.m, r, report})
	})
	return err
}

// done runs a part of a deletion once: what it found is kept in a file of the
// name, and read from there by whoever asks again.
func done[T any](ctx context.Context, d *deletion, name string, f func() (T, error)) (out T, err error) {
	text, err := d.Artifacts.Get(ctx, d.work()+name, deletionFile)
	if err == nil {
		return out, json.Unmarshal(text, &out)
	}
	if attune.KindOf(err) != attune.NotFound {
		return out, err
	}
	if f == nil {
		return out, fmt.Errorf("the step that makes %s was left out", name)
	}
	if out, err = f(); err != nil {
		return out, err
	}
	if text, err = json.Marshal(out); err == nil {
		_, err = d.Artifacts.Put(ctx, d.work()+name, text)
	}
	return out, err
}

// The files in which the steps keep what they found.
const (
	usersFile     = "plan.json"
	tablesFile    = "tables.json"
	snapshotsFile = "snapshots.json"
	logFile       = "log.json"
	outputsFile   = "outputs.json"
)

func (d *deletion) plan(ctx context.Context) (deletionPlan, error) {
	return done[deletionPlan](ctx, d, usersFile, nil)
}

// DeletionPlan reads whom to delete, and looks where they are.
func (a *activities) DeletionPlan(ctx context.Context, ref Ref) error {
	return a.deleting(ctx, ref, "plan", func(ctx context.Context, d *deletion) error {
		_, err := done(ctx, d, usersFile, func() (p deletionPlan, err error) {
			b, err := resource.Body[resource.DataDeletionJobBody](d.row)
			if err != nil {
				return p, err
			}
			location, err := objectLocation(b.DataSource.DataLocation)
			if err != nil {
				return p, err
			}
			if p.Users, err = dataset.ReadUsers(ctx, d.Objects, location, deletionUsers); err != nil {
				return p, err
			}
			// What was answered before the job was asked for counts, also where it
			// is on its way to the log.
			settle, cancel := context.WithTimeout(ctx, settleWait)
			defer cancel()
			if err := d.Log.Settle(settle); err != nil && ctx.Err() != nil {
				return p, err
			}
			g := group(d.row)
			if p.UpTo, err = d.Log.End(ctx, g); err != nil {
				return p, err
			}
			if p.Snapshots, err = dataset.Snapshots(ctx, d.Artifacts, d.row.Group); err != nil {
				return p, err
			}
			if p.Tables, err = d.tables(ctx); err != nil {
				return p, err
			}
			return p, d.scan(ctx, g, &p)
		})
		return err
	})
}

// tables names the folders of the group that hold parts of tables.
func (d *deletion) tables(ctx context.Context) ([]string, error) {
	sets, err := d.Registry.Children(ctx, d.row.Parent, resource.Dataset)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for i := range sets {
		for info, err := range d.Artifacts.List(ctx, "table/"+sets[i].ID+"/") {
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(path.Base(info.Name), "part-") {
				found[path.Dir(info.Name)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// Rewritten is something that was written again without the users, under
// another name, or in its own place where the name is not ours.
type Rewritten struct {
	Supersedes string `json:"supersedes,omitempty"`
	Name       string `json:"name"`
	Rows       int64  `json:"rows"`   // that are left, or lines
	Erased     int64  `json:"erased"` // that are not there any more
}

// DeletionTables writes every table that holds a user again. The log names the
// old ones until it is rewritten itself.
func (a *activities) DeletionTables(ctx context.Context, ref Ref) error {
	return a.deleting(ctx, ref, "tables", func(ctx context.Context, d *deletion) error {
		p, err := d.plan(ctx)
		if err != nil {
			return err
		}
		_, err = done(ctx, d, tablesFile, func() (out []Rewritten, err error) {
			e := p.erasure()
			for i, table := range p.Tables {
				d.report(Progress{Stage: "tables", Done: int64(i), Total: int64(len(p.Tables))})
				if !p.Named[table] { // left by an attempt that was killed: no row of it is true
					if err := d.dropTable(ctx, table); err != nil {
						return nil, err
					}
					continue
				}
				to := path.Dir(table) + "/" + d.row.ID
				note, err := dataset.EraseTable(ctx, d.Artifacts, table, to, e.user)
				if err != nil {
					return nil, fmt.Errorf("rewrite %s: %w", table, err)
				}
				if note != nil {
					out = append(out, Rewritten{note.Supersedes, to, note.Rows, note.Erased})
				}
			}
			return out, nil
		})
		return err
	})
}

// dropTable removes a table but for its file of rejected rows, which holds
// places and reasons, no values.
func (d *deletion) dropTable(ctx context.Context, table string) error {
	for info, err := range d.Artifacts.List(ctx, table+"/") {
		if err == nil && path.Base(info.Name) != "rejects.csv" {
			err = d.Artifacts.Delete(ctx, info.Name)
		}
		if err != nil && attune.KindOf(err) != attune.NotFound {
			return err
		}
	}
	return nil
}

// DeletionSnapshots writes every snapshot that holds a user again. The old names
// lead to the new ones, so that models still tell what they were trained on.
func (a *activities) DeletionSnapshots(ctx context.Context, ref Ref) error {
	return a.deleting(ctx, ref, "snapshots", func(ctx context.Context, d *deletion) error {
		p, err := d.plan(ctx)
		if err != nil {
			return err
		}
		tables, err := done[[]Rewritten](ctx, d, tablesFile, nil)
		if err != nil {
			return err
		}
		_, err = done(ctx, d, snapshotsFile, func() (out []Rewritten, err error) {
			e, moved := p.erasure(), map[string]string{}
			for _, t := range tables {
				moved[t.Supersedes] = t.Name
			}
			for i, name := range p.Snapshots {
				d.report(Progress{Stage: "snapshots", Done: int64(i), Total: int64(len(p.Snapshots))})
				info, erased, err := dataset.EraseSnapshot(ctx, d.Artifacts, name, e.person, moved)
				if err != nil {
					return nil, fmt.Errorf("rewrite %s: %w", name, err)
				}
				if info != nil {
					out = append(out, Rewritten{name, info.Name, info.Interactions, erased})
				}
			}
			return out, nil
		})
		return err
	})
}

// DeletionLog rewrites the log: from then on it names the new tables, and the
// old ones are removed.
func (a *activities) DeletionLog(ctx context.Context, ref Ref) error {
	return a.deleting(ctx, ref, "log", func(ctx context.Context, d *deletion) error {
		p, err := d.plan(ctx)
		if err != nil {
			return err
		}
		tables, err := done[[]Rewritten](ctx, d, tablesFile, nil)
		if err != nil {
			return err
		}
		_, err = done(ctx, d, logFile, func() (mark event.Seq, err error) {
			e := p.erasure()
			e.tables = map[string]Rewritten{}
			for _, t := range tables {
				e.tables[t.Supersedes] = t
			}
			err = d.Log.Rewrite(ctx, group(d.row), event.Rewriting{
				ID: d.row.ID, UpTo: p.UpTo, Change: e.change,
				Progress: func(done, total int64) { d.report(Progress{Stage: "log", Done: done, Total: total}) },
			})
			if err != nil {
				return mark, err
			}
			return d.Log.Append(ctx, group(d.row), &event.Erased{Job: d.row.ID})
		})
		for _, t := range tables {
			if err == nil {
				err = d.dropTable(ctx, t.Supersedes)
			}
		}
		return err
	})
}

// DeletionProfile waits until the profiles are those of the new log, and removes
// what was kept of the old ones.
func (a *activities) DeletionProfile(ctx context.Context, ref Ref) error {
	return a.deleting(ctx, ref, "profile", func(ctx context.Context, d *deletion) error {
		mark, err := done[event.Seq](ctx, d, logFile, nil)
		if err != nil {
			return err
		}
		d.Profiles.Watch(group(d.row))
		return d.Profiles.Clean(ctx, group(d.row), mark)
	})
}

// DeletionFail takes back what can be taken back, and shows why. A log that was
// rewritten already stays so.
func (a *activities) DeletionFail(ctx context.Context, ref Ref, why string) error {
	err := a.deleting(ctx, ref, "fail", func(ctx context.Context, d *deletion) error {
		g := group(d.row)
		through, err := d.Log.Rewritten(ctx, g, d.row.ID)
		if err != nil {
			return err
		}
		if through {
			_, err = d.Log.Append(ctx, g, &event.Erased{Job: d.row.ID})
		} else {
			err = errors.Join(d.Log.Abandon(ctx, g), d.dropNew(ctx))
		}
		return errors.Join(err, d.Artifacts.DeletePrefix(ctx, d.folder()))
	})
	if err != nil {
		return err
	}
	return a.Fail(ctx, ref, why)
}

// dropNew removes the tables that were written and that no log names.
func (d *deletion) dropNew(ctx context.Context) error {
	all, err := d.tables(ctx)
	if err != nil {
		return err
	}
	for _, table := range all {
		if path.Base(table) == d.row.ID {
			if err := d.Artifacts.DeletePrefix(ctx, table+"/"); err != nil {
				return err
			}
		}
	}
	return nil
}

package job

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/resource"
)

// maxReceipt bounds a receipt, in bytes: it has a line for every table, snapshot,
// file and model of a group.
const maxReceipt = 16 << 20

// receiptFile is the receipt in a deletion's folder.
const receiptFile = "receipt.json"

// DeletionReceipt writes down and signs what was done.
func (a *activities) DeletionReceipt(ctx context.Context, ref Ref) error {
	return a.deleting(ctx, ref, "receipt", func(ctx context.Context, d *deletion) error {
		name := d.folder() + receiptFile
		if there, err := d.Artifacts.Exists(ctx, name); err != nil || there {
			return err
		}
		r, err := d.receipt(ctx)
		if err != nil {
			return err
		}
		signed, err := Sign(r, d.ReceiptKey)
		if err != nil {
			return err
		}
		text, err := json.Marshal(signed)
		if err == nil {
			_, err = d.Artifacts.Put(ctx, name, text)
		}
		return err
	})
}

func (d *deletion) receipt(ctx context.Context) (r Receipt, err error) {
	p, err := d.plan(ctx)
	if err != nil {
		return r, err
	}
	r = Receipt{Format: 1, DataDeletionJob: d.row.ARN, JobID: d.row.ID, DatasetGroup: d.row.Parent, Requested: d.row.Created,
		Completed: d.Clock().UTC().Truncate(time.Millisecond), UpTo: p.UpTo, Users: sealUsers(p.Users), Deleted: p.Deleted}
	for name, into := range map[string]*[]Rewritten{tablesFile: &r.Tables, snapshotsFile: &r.Snapshots} {
		if *into, err = done[[]Rewritten](ctx, d, name, nil); err != nil {
			return r, err
		}
		if *into == nil {
			*into = []Rewritten{}
		}
	}
	looked, err := done[[]lookedAt](ctx, d, outputsFile, nil)
	if err != nil {
		return r, err
	}
	r.tell(looked)
	for _, t := range r.Tables {
		r.Deleted.TableRows += t.Erased
	}
	r.Models, err = d.models(ctx, r.Snapshots)
	return r, err
}

// tell divides the outputs into those written again and those left unread.
func (r *Receipt) tell(looked []lookedAt) {
	r.Outputs, r.Unread = []Rewritten{}, []UnreadFile{}
	for _, o := range looked {
		if o.Unread != "" {
			r.Unread = append(r.Unread, UnreadFile{o.Name, o.Unread})
		} else {
			r.Outputs = append(r.Outputs, o.Rewritten)
		}
	}
}

// models finds what was trained on a snapshot that held a user.
func (d *deletion) models(ctx context.Context, snapshots []Rewritten) ([]ReceiptModel, error) {
	held := map[string]bool{} // by the names before and after this deletion
	for _, s := range snapshots {
		held[s.Supersedes], held[s.Name] = true, true
	}
	out := []ReceiptModel{}
	for _, k := range []resource.Kind{resource.SolutionVersion, resource.Recommender} {
		rows, err := d.Registry.All(ctx, k)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			v := &rows[i]
			b, err := learnedOf(v)
			if err != nil {
				return nil, err
			}
			if v.Group != d.row.Group || b.Model == "" || !held[b.Snapshot] && !d.leadsTo(ctx, b.Snapshot, held) {
				continue
			}
			next, err := d.nextTraining(ctx, v)
			if err != nil {
				return nil, err
			}
			out = append(out, ReceiptModel{v.ARN, b.Model, b.Snapshot, next})
		}
	}
	return out, nil
}

// leadsTo says whether a snapshot was rewritten, some deletions ago, to one of those held.
func (d *deletion) leadsTo(ctx context.Context, name string, held map[string]bool) bool {
	info, err := dataset.ReadInfo(ctx, d.Artifacts, name)
	return err == nil && held[info.Name]
}

// noTraining is what a receipt says of a model that no schedule trains again.
const noTraining = "none scheduled"

// learnedOf reads what stands behind a solution version or a recommender; the
// zero value when nothing was learned yet.
func learnedOf(r *resource.Resource) (resource.Learned, error) {
	if r.Kind == resource.SolutionVersion {
		return resource.Body[resource.Learned](r)
	}
	b, err := resource.Body[resource.RecommenderBody](r)
	if err != nil || b.Learned == nil {
		return resource.Learned{}, err
	}
	return *b.Learned, nil
}

// nextTraining says when a model is replaced by a training that nobody has to ask for.
func (d *deletion) nextTraining(ctx context.Context, v *resource.Resource) (string, error) {
	at, ok, err := d.trainsNext(ctx, v)
	if err != nil || !ok {
		return noTraining, err
	}
	return at.UTC().Format(time.RFC3339), nil
}

func (d *deletion) trainsNext(ctx context.Context, v *resource.Resource) (at time.Time, ok bool, err error) {
	now := d.Clock()
	if v.Kind == resource.Recommender {
		learned, err := learnedOf(v)
		if at = learned.At.Add(trainAgainAfter); at.Before(now) {
			at = now
		}
		return at, v.Status == resource.Active, err
	}
	row, err := d.Registry.Get(ctx, v.Parent)
	if err != nil {
		return at, false, ignoreGone(err)
	}
	b, err := resource.Body[resource.SolutionBody](row)
	if err != nil {
		return at, false, err
	}
	return b.NextTraining(now)
}

// DeletionCommit removes the list of users and what engines keep of deleted
// files, and only then shows the job as COMPLETED.
func (a *activities) DeletionCommit(ctx context.Context, ref Ref) error {
	return a.deleting(ctx, ref, "commit", func(ctx context.Context, d *deletion) error {
		signed, err := d.ReadReceipt(ctx, d.folder()+receiptFile)
		if err != nil {
			return err
		}
		r, err := signed.Verify(d.ReceiptPublicKey(), nil)
		if err != nil {
			return err
		}
		if err := d.Artifacts.DeletePrefix(ctx, d.work()); err != nil {
			return err
		}
		if d.Settle != nil {
			if err := d.Settle(ctx); err != nil {
				return err
			}
		}
		_, err = d.finish(ctx, ref, func(row *resource.Resource) error {
			return resource.ChangeBody(row, func(b *resource.DataDeletionJobBody) {
				n := r.Deleted.Records()
				b.NumDeleted, b.Receipt = &n, d.folder()+receiptFile
			})
		})
		return err
	})
}

// ReadReceipt reads a receipt that a deletion left.
func (m *Manager) ReadReceipt(ctx context.Context, name string) (s SignedReceipt, err error) {
	text, err := m.Artifacts.Get(ctx, name, maxReceipt)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	return s, err
}

// ReceiptPublicKey is what receipts of this manager verify with, in base64.
func (m *Manager) ReceiptPublicKey() string {
	return base64.StdEncoding.EncodeToString(m.ReceiptKey.Public().(ed25519.PublicKey))
}

package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
)

// supersededFile is all that is left of a snapshot that was rewritten; maxHops
// bounds how often one may have been.
const (
	supersededFile = "superseded.json"
	maxHops        = 1000
)

// superseded says under which name a snapshot goes on.
type superseded struct {
	By     string `json:"by"`
	Erased int64  `json:"erased"` // events of the old one that are not in the new one
}

// EraseSnapshot rewrites a stored snapshot under a new name without the users
// that are gone, if it holds any, and leaves in the old folder only the new
// name: ReadInfo and Open of the old name give the new snapshot. Items and actions
// stay, also those that only such users had to do with. tables are the new names of
// tables that were rewritten. info is nil when nobody in it is gone. A killed
// attempt is completed by the next. Memory is that of opening the snapshot.
func EraseSnapshot(ctx context.Context, store *artifact.Store, name string, gone func(user string) bool, tables map[string]string) (info *Info, erased int64, err error) {
	name = strings.TrimSuffix(name, "/")
	next, err := supersededBy(ctx, store, name)
	if err != nil {
		return nil, 0, err
	}
	if next.By == "" {
		old, err := ReadInfo(ctx, store, name)
		if err != nil {
			return nil, 0, err
		}
		held, err := holds(ctx, store, name, gone)
		if err != nil || !held {
			return nil, 0, err
		}
		if next, err = eraseSnapshot(ctx, store, old, gone, tables); err != nil {
			return nil, 0, err
		}
	}
	if info, err = ReadInfo(ctx, store, next.By); err != nil {
		return nil, 0, err
	}
	// snapshot.json goes last: a folder that still has it is looked at again.
	for _, file := range []string{interactionsFile, contextFile, usersFile, itemsFile, actionInteractionsFile, actionsFile, infoFile} {
		if err := store.Delete(ctx, name+"/"+file); err != nil && attune.KindOf(err) != attune.NotFound {
			return nil, 0, err
		}
	}
	return info, next.Erased, nil
}

// holds says whether somebody of a snapshot is gone.
func holds(ctx context.Context, store *artifact.Store, name string, gone func(user string) bool) (found bool, err error) {
	_, err = readFile(ctx, store, name+"/"+usersFile, func(b *Batch) error {
		found = found || slices.ContainsFunc(b.Columns[0].Text[:b.Len], gone)
		return nil
	})
	return found, err
}

// eraseSnapshot writes the new snapshot and then its name into the old folder.
func eraseSnapshot(ctx context.Context, store *artifact.Store, old *Info, gone func(user string) bool, tables map[string]string) (next superseded, err error) {
	s, err := Open(ctx, store, old.Name)
	if err != nil {
		return next, err
	}
	s = s.without(gone)
	info := *old
	info.Supersedes, info.Tables = old.Name, slices.Clone(old.Tables)
	for i, table := range info.Tables {
		if now, ok := tables[table]; ok {
			info.Tables[i] = now
		}
	}
	info.Users, info.Interactions, info.ActionInteractions = s.Users.Len(), int64(s.Events.Len()), int64(s.ActionEvents.Len())
	info.Context, info.Format = len(s.Events.Context), s.format()
	info.Digest = s.Digest()
	info.Name = snapshotName(info.Group, info.AsOf, info.Digest)
	made, err := writeSnapshot(ctx, store, s, &info)
	if err != nil {
		return next, err
	}
	next = superseded{By: made.Name, Erased: old.Interactions - info.Interactions + old.ActionInteractions - info.ActionInteractions}
	text, err := json.Marshal(next)
	if err == nil {
		_, err = store.Put(ctx, old.Name+"/"+supersededFile, text)
	}
	return next, err
}

// supersededBy is the name that a snapshot was rewritten under, "" when it was not.
func supersededBy(ctx context.Context, store *artifact.Store, name string) (s superseded, err error) {
	text, err := store.Get(ctx, name+"/"+supersededFile, maxInfo)
	if err != nil && attune.KindOf(err) == attune.NotFound {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		err = fmt.Errorf("snapshot %s: %s: %w", name, supersededFile, err)
	}
	return s, err
}

// without is the snapshot without some users and their events.
func (s *Snapshot) without(gone func(user string) bool) *Snapshot {
	const nobody = -1
	rank := make([]int32, s.Users.Len())
	kept := make([]int32, 0, s.Users.Len()) // old rows, in order
	ids := make([]string, 0, s.Users.Len())
	for row, id := range s.Users.ids {
		if gone(id) {
			rank[row] = nobody
			continue
		}
		rank[row] = int32(len(kept))
		kept, ids = append(kept, int32(row)), append(ids, id)
	}
	out := &Snapshot{AsOf: s.AsOf, Users: sortedVocabulary(ids), Items: s.Items, ItemAttributes: s.ItemAttributes,
		Actions: s.Actions, ActionAttributes: s.ActionAttributes}
	left := func(e Events) Events {
		e = e.Where(func(i int) bool { return rank[e.User[i]] != nobody })
		for i, user := range e.User {
			e.User[i] = rank[user]
		}
		return e
	}
	out.Events, out.ActionEvents = left(s.Events), left(s.ActionEvents)
	out.Events.Context = trimmed(out.Events.Context)
	out.UserAttributes = &Attributes{Columns: slices.Clone(s.UserAttributes.Columns)}
	for i := range out.UserAttributes.Columns {
		c := &out.UserAttributes.Columns[i]
		if c.Text != nil {
			c.Text = pick(c.Text, kept)
		} else {
			c.Number = pick(c.Number, kept)
		}
	}
	return out
}

func pick[T any](all []T, rows []int32) []T {
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = all[row]
	}
	return out
}

// Snapshots names the snapshots of a group, but for those that were rewritten
// under another name. What killed attempts left half written is removed: call it
// only while nobody freezes.
func Snapshots(ctx context.Context, store *artifact.Store, group string) ([]string, error) {
	files := map[string]bool{}
	for info, err := range store.List(ctx, "snapshot/"+group+"/") {
		if err != nil {
			return nil, err
		}
		files[info.Name] = true
	}
	var names []string
	for _, file := range slices.Sorted(maps.Keys(files)) {
		folder := path.Dir(file)
		switch {
		case files[folder+"/"+infoFile]:
			if path.Base(file) == infoFile {
				names = append(names, folder)
			}
		case files[folder+"/"+supersededFile]:
		default:
			if err := store.Delete(ctx, file); err != nil {
				return nil, err
			}
		}
	}
	return names, nil
}

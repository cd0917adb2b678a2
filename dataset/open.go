package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
)

// ReadInfo says what a stored snapshot is; of one that was rewritten, what the
// newest of its names says. One that is not there, or was never finished, is
// attune.NotFound.
func ReadInfo(ctx context.Context, store *artifact.Store, name string) (*Info, error) {
	for range maxHops {
		info, err := readInfo(ctx, store, name)
		if err == nil || attune.KindOf(err) != attune.NotFound {
			return info, err
		}
		next, also := supersededBy(ctx, store, strings.TrimSuffix(name, "/"))
		if also != nil || next.By == "" {
			return nil, errors.Join(err, also)
		}
		name = next.By
	}
	return nil, fmt.Errorf("snapshot %s was rewritten more than %d times", name, maxHops)
}

// readInfo is ReadInfo of this very name.
func readInfo(ctx context.Context, store *artifact.Store, name string) (*Info, error) {
	text, err := store.Get(ctx, strings.TrimSuffix(name, "/")+"/"+infoFile, maxInfo)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", name, err)
	}
	info := new(Info)
	if err := json.Unmarshal(text, info); err != nil {
		return nil, fmt.Errorf("snapshot %s: %s: %w", name, infoFile, err)
	}
	if info.Format < formatPlain || info.Format > formatContext {
		return nil, fmt.Errorf("snapshot %s has format %d, this build reads %d to %d", name, info.Format, formatPlain, formatContext)
	}
	return info, nil
}

// Open loads a stored snapshot into memory and checks that it has the size and
// order it says. Of one that was rewritten it loads the newest.
func Open(ctx context.Context, store *artifact.Store, name string) (*Snapshot, error) {
	info, err := ReadInfo(ctx, store, name)
	if err != nil {
		return nil, err
	}
	name = info.Name
	s := &Snapshot{Name: name, AsOf: info.AsOf.UTC()}
	if s.Items, s.ItemAttributes, err = openAttributes(ctx, store, name+"/"+itemsFile, info.Items); err != nil {
		return nil, err
	}
	if s.Users, s.UserAttributes, err = openAttributes(ctx, store, name+"/"+usersFile, info.Users); err != nil {
		return nil, err
	}
	if s.Events, err = openEvents(ctx, store, name+"/"+interactionsFile, size{info.Users, info.Items, info.Interactions}); err != nil {
		return nil, err
	}
	if info.Context > 0 {
		if s.Events.Context, err = openContext(ctx, store, name+"/"+contextFile, s.Events.Len()); err != nil {
			return nil, err
		}
	}
	if info.Actions == 0 {
		s.Actions, s.ActionAttributes = NewVocabulary(nil), &Attributes{}
		return s, nil
	}
	if s.Actions, s.ActionAttributes, err = openAttributes(ctx, store, name+"/"+actionsFile, info.Actions); err != nil {
		return nil, err
	}
	s.ActionEvents, err = openEvents(ctx, store, name+"/"+actionInteractionsFile, size{info.Users, info.Actions, info.ActionInteractions})
	return s, err
}

// size is what a file of events must keep to.
type size struct {
	users, items int
	events       int64
}

var errDamaged = errors.New("it does not hold what snapshot.json says")

func openEvents(ctx context.Context, store *artifact.Store, name string, size size) (Events, error) {
	n := int(size.events)
	e := Events{User: make([]int32, 0, n), Item: make([]int32, 0, n), At: make([]int64, 0, n), Type: make([]uint16, 0, n), Value: make([]float32, 0, n)}
	meta, err := readFile(ctx, store, name, func(b *Batch) error {
		if len(b.Columns) != len(interactionFields(itemColumn)) || e.Len()+b.Len > n {
			return errDamaged
		}
		for i := range b.Len {
			user, item := b.Columns[colUser].Int[i], b.Columns[colItem].Int[i]
			if user < 0 || user >= int64(size.users) || item < 0 || item >= int64(size.items) {
				return errDamaged
			}
			value := NoValue()
			if !b.Columns[colValue].Absent(i) {
				value = float32(b.Columns[colValue].Number[i])
			}
			e.User, e.Item = append(e.User, int32(user)), append(e.Item, int32(item))
			e.At = append(e.At, b.Columns[colAt].Int[i])
			e.Type = append(e.Type, uint16(b.Columns[colType].Int[i]))
			e.Value = append(e.Value, value)
		}
		return nil
	})
	if err != nil {
		return Events{}, err
	}
	if err := json.Unmarshal([]byte(meta(typesKey)), &e.Types); err != nil || e.Len() != n {
		return Events{}, fmt.Errorf("read %s: %w", name, errDamaged)
	}
	for _, t := range e.Type {
		if int(t) >= len(e.Types) {
			return Events{}, fmt.Errorf("read %s: %w", name, errDamaged)
		}
	}
	return e, nil
}

// openContext reads the context of n events.
func openContext(ctx context.Context, store *artifact.Store, name string, n int) ([]Circumstance, error) {
	fold, begin := newContextFold(nil), 0
	_, err := readFile(ctx, store, name, func(b *Batch) error {
		if begin+b.Len > n {
			return errDamaged
		}
		columns := fold.into(b)
		for i := range b.Len {
			takeRow(begin+i, columns, b, i)
		}
		begin += b.Len
		return nil
	})
	if err == nil && begin != n {
		err = fmt.Errorf("read %s: %w", name, errDamaged)
	}
	if err != nil {
		return nil, err
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	return fold.finish(order), nil
}

func openAttributes(ctx context.Context, store *artifact.Store, name string, n int) (*Vocabulary, *Attributes, error) {
	ids := make([]string, 0, n)
	a := &Attributes{}
	_, err := readFile(ctx, store, name, func(b *Batch) error {
		if len(ids)+b.Len > n {
			return errDamaged
		}
		ids = append(ids, b.Columns[0].Text...)
		if len(a.Columns) == 0 {
			for _, c := range b.Columns[1:] {
				f := c.Field
				a.Columns = append(a.Columns, Column{Name: f.Name, Kind: f.Kind, Categorical: f.Categorical, Textual: f.Textual})
			}
		}
		for i := range a.Columns {
			a.Columns[i].take(&b.Columns[i+1], b.Len)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for i := 1; i < len(ids); i++ {
		if ids[i-1] >= ids[i] {
			return nil, nil, fmt.Errorf("read %s: ids are not in order", name)
		}
	}
	if len(ids) != n {
		return nil, nil, fmt.Errorf("read %s: %w", name, errDamaged)
	}
	return sortedVocabulary(ids), a, nil
}

// take appends the n cells of a batch.
func (c *Column) take(from *Cells, n int) {
	for i := range n {
		switch {
		case from.Text != nil:
			c.Text = append(c.Text, from.Text[i]) // "" where absent
		case from.Absent(i):
			c.Number = append(c.Number, math.NaN())
		case from.Int != nil:
			c.Number = append(c.Number, float64(from.Int[i]))
		default:
			c.Number = append(c.Number, from.Number[i])
		}
	}
}

// readFile gives the batches of one file to f, and after that its metadata.
func readFile(ctx context.Context, store *artifact.Store, name string, f func(*Batch) error) (meta func(key string) string, err error) {
	file, closeFile, err := openParquet(ctx, store, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	values := map[string]string{}
	for _, kv := range file.Metadata().KeyValueMetadata {
		values[kv.Key] = kv.Value
	}
	if err := closeFile(); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var inner error
	b := new(Batch)
	if _, err = readPart(ctx, store, name, b, func() bool { inner = f(b); return inner == nil }); err == nil {
		err = inner
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return func(key string) string { return values[key] }, nil
}

package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"math"

	"github.com/parquet-go/parquet-go"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
)

const (
	// The versions of the stored bytes: docs/format/snapshot.md. A snapshot
	// without actions, or without context, is written as it was before there were any.
	formatPlain   = 1
	formatActions = 2
	formatContext = 3 // with actions or without
	// maxInfo bounds snapshot.json, which names tables and little else.
	maxInfo = 1 << 20

	interactionsFile = "interactions.parquet"
	itemsFile        = "items.parquet"
	usersFile        = "users.parquet"
	infoFile         = "snapshot.json" // written last: a snapshot without it is not there

	contextFile = "context.parquet"

	actionsFile            = "actions.parquet"
	actionInteractionsFile = "action_interactions.parquet"

	// typesKey names the event types, a JSON list, in the metadata of interactionsFile.
	typesKey = "attune.types"
)

// Columns of interactionsFile and, with ACTION for ITEM, of
// actionInteractionsFile. USER, ITEM and ACTION are row numbers of the other files.
const (
	colUser = iota
	colItem
	colAt
	colType
	colValue
)

func interactionFields(thing string) []schema.Field {
	return []schema.Field{
		colUser:  {Name: "USER", Kind: schema.Int},
		colItem:  {Name: thing, Kind: schema.Int},
		colAt:    {Name: "AT", Kind: schema.Long}, // Unix milliseconds
		colType:  {Name: "TYPE", Kind: schema.Int},
		colValue: {Name: "VALUE", Kind: schema.Float, Nullable: true},
	}
}

const (
	itemColumn   = "ITEM"
	actionColumn = "ACTION"
)

// writeSnapshot stores a snapshot under info.Name, file by file, unless it is there.
func writeSnapshot(ctx context.Context, store *artifact.Store, s *Snapshot, info *Info) (*Info, error) {
	there, err := store.Exists(ctx, info.Name+"/"+infoFile)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", info.Name, err)
	}
	if there {
		return ReadInfo(ctx, store, info.Name)
	}
	type file struct {
		name  string
		write func(name string) error
	}
	files := []file{
		{interactionsFile, func(name string) error { return writeEvents(ctx, store, name, itemColumn, s.Events) }},
		{itemsFile, func(name string) error {
			return writeAttributes(ctx, store, name, schema.ItemID, s.Items, s.ItemAttributes)
		}},
		{usersFile, func(name string) error {
			return writeAttributes(ctx, store, name, schema.UserID, s.Users, s.UserAttributes)
		}},
	}
	if info.Actions > 0 {
		files = append(files,
			file{actionInteractionsFile, func(name string) error { return writeEvents(ctx, store, name, actionColumn, s.ActionEvents) }},
			file{actionsFile, func(name string) error {
				return writeAttributes(ctx, store, name, schema.ActionID, s.Actions, s.ActionAttributes)
			}})
	}
	if info.Context > 0 {
		files = append(files, file{contextFile, func(name string) error { return writeContext(ctx, store, name, s.Events) }})
	}
	files = append(files, file{infoFile, func(name string) error {
		text, err := json.MarshalIndent(info, "", "  ")
		if err != nil {
			return err
		}
		_, err = store.Put(ctx, name, text)
		return err
	}})
	for _, f := range files {
		name := info.Name + "/" + f.name
		err := f.write(name)
		if err != nil && attune.KindOf(err) != attune.Exists {
			return nil, err
		}
		if err == nil {
			continue
		}
		// A file that is there is whole and, by its name, has this content: an earlier
		// Freeze was killed, or another is doing the same. Where that one still has the
		// file in hand it may yet fail, and no snapshot may be called whole without it.
		if there, err := store.Exists(ctx, name); err != nil {
			return nil, fmt.Errorf("write %s: %w", info.Name, err)
		} else if !there {
			return nil, attune.Errorf(attune.Unavailable, "snapshot %s is being written by somebody else; try again", info.Name)
		}
	}
	return ReadInfo(ctx, store, info.Name)
}

// writeRowsOf writes n rows of a file, a batch at a time; value gives a cell and
// about how long its string is.
func writeRowsOf(ctx context.Context, store *artifact.Store, name string, fields []schema.Field, meta map[string]string,
	n int, value func(col, row int) (parquet.Value, int)) error {
	f, err := createParquet(ctx, store, name, fields, meta)
	if err != nil {
		return err
	}
	defer f.abort() // nothing after commit
	columns := make([][]parquet.Value, len(fields))
	for from := 0; from < n; {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, bytes := 0, 0
		for i := range columns {
			columns[i] = columns[i][:0]
		}
		for ; rows < batchRows && from+rows < n && bytes < batchBytes; rows++ {
			for i := range fields {
				v, size := value(i, from+rows)
				switch {
				case v.IsNull():
					v = v.Level(0, 0, i)
				case fields[i].Nullable:
					v = v.Level(0, 1, i)
				default:
					v = v.Level(0, 0, i)
				}
				columns[i] = append(columns[i], v)
				bytes += size
			}
		}
		if err := f.write(columns, rows, bytes); err != nil {
			return err
		}
		from += rows
	}
	return f.commit()
}

func writeEvents(ctx context.Context, store *artifact.Store, name, thing string, e Events) error {
	types, err := json.Marshal(e.Types)
	if err != nil {
		return err
	}
	return writeRowsOf(ctx, store, name, interactionFields(thing), map[string]string{typesKey: string(types)}, e.Len(),
		func(col, row int) (parquet.Value, int) {
			switch col {
			case colUser:
				return parquet.Int32Value(e.User[row]), 0
			case colItem:
				return parquet.Int32Value(e.Item[row]), 0
			case colAt:
				return parquet.Int64Value(e.At[row]), 0
			case colType:
				return parquet.Int32Value(int32(e.Type[row])), 0
			}
			if v := e.Value[row]; v == v {
				return parquet.FloatValue(v), 0
			}
			return parquet.NullValue(), 0
		})
}

// format is the version that a snapshot is stored in.
func (s *Snapshot) format() int {
	switch {
	case len(s.Events.Context) > 0:
		return formatContext
	case s.Actions.Len() > 0:
		return formatActions
	}
	return formatPlain
}

// writeContext writes a row for every event.
func writeContext(ctx context.Context, store *artifact.Store, name string, e Events) error {
	fields := make([]schema.Field, len(e.Context))
	for i, c := range e.Context {
		fields[i] = schema.Field{Name: c.Name, Kind: c.Kind, Nullable: true, Categorical: c.Code != nil}
	}
	return writeRowsOf(ctx, store, name, fields, nil, e.Len(), func(col, row int) (parquet.Value, int) {
		c := &e.Context[col]
		if c.Code == nil {
			return numberValue(c.Kind, float64(c.Number[row])), 0
		}
		if c.Code[row] < 0 {
			return parquet.NullValue(), 0
		}
		text := c.Texts[c.Code[row]]
		return parquet.ByteArrayValue([]byte(text)), len(text)
	})
}

func writeAttributes(ctx context.Context, store *artifact.Store, name, id string, v *Vocabulary, a *Attributes) error {
	fields := []schema.Field{{Name: id, Kind: schema.String}}
	for _, c := range a.Columns {
		fields = append(fields, schema.Field{Name: c.Name, Kind: c.Kind, Nullable: true, Categorical: c.Categorical, Textual: c.Textual})
	}
	return writeRowsOf(ctx, store, name, fields, nil, v.Len(), func(col, row int) (parquet.Value, int) {
		if col == 0 {
			return parquet.ByteArrayValue([]byte(v.ids[row])), len(v.ids[row])
		}
		c := &a.Columns[col-1]
		if c.Text != nil {
			if c.Text[row] == "" {
				return parquet.NullValue(), 0
			}
			return parquet.ByteArrayValue([]byte(c.Text[row])), len(c.Text[row])
		}
		return numberValue(c.Kind, c.Number[row]), 0
	})
}

func numberValue(k schema.Kind, x float64) parquet.Value {
	switch {
	case math.IsNaN(x):
		return parquet.NullValue()
	case k == schema.Boolean:
		return parquet.BooleanValue(x != 0)
	case k == schema.Int:
		return parquet.Int32Value(int32(x))
	case k == schema.Long:
		return parquet.Int64Value(int64(x))
	case k == schema.Float:
		return parquet.FloatValue(float32(x))
	}
	return parquet.DoubleValue(x)
}

// Digest is a SHA-256 over everything in the snapshot but its name and moment:
// equal content has an equal digest, on every machine.
func (s *Snapshot) Digest() string {
	d := digester{h: sha256.New()}
	d.texts(s.Users.ids)
	d.texts(s.Items.ids)
	d.events(s.Events)
	d.attributes(s.ItemAttributes)
	d.attributes(s.UserAttributes)
	if s.Actions != nil && s.Actions.Len() > 0 {
		d.texts(s.Actions.ids)
		d.events(s.ActionEvents)
		d.attributes(s.ActionAttributes)
	}
	d.context(s.Events.Context)
	d.flush()
	return hex.EncodeToString(d.h.Sum(nil))
}

// digester gathers small pieces before it hashes them.
type digester struct {
	h   hash.Hash
	buf []byte
}

func (d *digester) flush() {
	_, _ = d.h.Write(d.buf) // a hash does not fail
	d.buf = d.buf[:0]
}

func (d *digester) number(x uint64) {
	const chunk = 32 << 10
	if len(d.buf) >= chunk {
		d.flush()
	}
	d.buf = binary.LittleEndian.AppendUint64(d.buf, x)
}

func (d *digester) text(s string) {
	d.number(uint64(len(s)))
	d.buf = append(d.buf, s...)
}

func (d *digester) texts(list []string) {
	d.number(uint64(len(list)))
	for _, s := range list {
		d.text(s)
	}
}

func (d *digester) events(e Events) {
	d.texts(e.Types)
	d.number(uint64(e.Len()))
	for i := range e.User {
		d.number(uint64(uint32(e.User[i]))<<32 | uint64(uint32(e.Item[i])))
		d.number(uint64(e.At[i]))
		value := uint32(0xffc00000) // one NaN for all NaNs
		if v := e.Value[i]; v == v {
			value = math.Float32bits(v)
		}
		d.number(uint64(e.Type[i])<<32 | uint64(value))
	}
}

// context adds nothing where there is none.
func (d *digester) context(columns []Circumstance) {
	if len(columns) == 0 {
		return
	}
	d.text("context")
	d.number(uint64(len(columns)))
	for i := range columns {
		c := &columns[i]
		d.text(c.Name)
		d.text(c.Kind.String())
		d.texts(c.Texts)
		for _, code := range c.Code {
			d.number(uint64(uint32(code)))
		}
		for _, x := range c.Number {
			if x != x {
				x = NoValue()
			}
			d.number(uint64(math.Float32bits(x)))
		}
	}
}

func (d *digester) attributes(a *Attributes) {
	if a == nil {
		d.number(0)
		return
	}
	d.number(uint64(len(a.Columns)))
	for i := range a.Columns {
		c := &a.Columns[i]
		d.text(c.Name)
		d.text(fmt.Sprint(c.Kind, c.Categorical, c.Textual))
		d.texts(c.Text)
		for _, x := range c.Number {
			if math.IsNaN(x) {
				x = math.NaN()
			}
			d.number(math.Float64bits(x))
		}
	}
}

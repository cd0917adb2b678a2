package world

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// The Avro schemas of the three CSV files, fit for custom and ECOMMERCE dataset groups.
const (
	InteractionsSchema = `{
  "type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
  "fields": [
    {"name": "USER_ID", "type": "string"},
    {"name": "ITEM_ID", "type": "string"},
    {"name": "EVENT_TYPE", "type": "string"},
    {"name": "TIMESTAMP", "type": "long"}
  ]
}`
	ItemsSchema = `{
  "type": "record", "name": "Items", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
  "fields": [
    {"name": "ITEM_ID", "type": "string"},
    {"name": "NAME", "type": "string"},
    {"name": "CATEGORY_L1", "type": "string", "categorical": true},
    {"name": "GENRES", "type": "string", "categorical": true},
    {"name": "PRICE", "type": "float"},
    {"name": "CREATION_TIMESTAMP", "type": "long"}
  ]
}`
	UsersSchema = `{
  "type": "record", "name": "Users", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
  "fields": [
    {"name": "USER_ID", "type": "string"},
    {"name": "AGE", "type": "int"},
    {"name": "MEMBERSHIP", "type": "string", "categorical": true}
  ]
}`
)

// csvBuffer is large enough that a file or socket is written in few calls.
const csvBuffer = 64 << 10

// WriteInteractions writes the history as CSV with the columns of InteractionsSchema.
func (w *World) WriteInteractions(out io.Writer) error {
	users, items := idWriter{'u', width(w.spec.Users)}, idWriter{'i', width(w.spec.Items)}
	b := bufio.NewWriterSize(out, csvBuffer)
	line := []byte("USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n")
	for x := range w.Interactions() {
		if _, err := b.Write(line); err != nil {
			return err
		}
		line = append(users.append(line[:0], x.User), ',')
		line = append(items.append(line, x.Item), ',')
		line = append(append(line, x.Type...), ',')
		line = append(strconv.AppendInt(line, x.At, 10), '\n')
	}
	if _, err := b.Write(line); err != nil {
		return err
	}
	return b.Flush()
}

// WriteItems writes the catalogue as CSV with the columns of ItemsSchema.
func (w *World) WriteItems(out io.Writer) error {
	return writeLines(out, "ITEM_ID,NAME,CATEGORY_L1,GENRES,PRICE,CREATION_TIMESTAMP", w.spec.Items, func(i int) []string {
		it := w.Item(i)
		return []string{it.ID, it.Name, it.Category, strings.Join(it.Genres, "|"),
			strconv.FormatFloat(it.Price, 'f', 2, 64), strconv.FormatInt(it.Created.Unix(), 10)}
	})
}

// WriteUsers writes the customers as CSV with the columns of UsersSchema.
func (w *World) WriteUsers(out io.Writer) error {
	return writeLines(out, "USER_ID,AGE,MEMBERSHIP", w.spec.Users, func(u int) []string {
		user := w.User(u)
		return []string{user.ID, strconv.Itoa(user.Age), user.Membership}
	})
}

// writeLines writes a header and n lines. No value of ours needs quotes.
func writeLines(out io.Writer, header string, n int, line func(int) []string) error {
	b := bufio.NewWriterSize(out, csvBuffer)
	if _, err := b.WriteString(header + "\n"); err != nil {
		return err
	}
	for i := range n {
		if _, err := b.WriteString(strings.Join(line(i), ",") + "\n"); err != nil {
			return err
		}
	}
	return b.Flush()
}

// idWriter writes ids like UserID and ItemID without making strings.
type idWriter struct {
	letter byte
	digits int
}

func (w idWriter) append(dst []byte, n int) []byte {
	dst = append(dst, w.letter)
	for range w.digits - len(strconv.AppendInt(make([]byte, 0, 20), int64(n+1), 10)) {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, int64(n+1), 10)
}

package dataset

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
)

// progressRows is how many records lie between two calls of Progress and looks
// at the context: some tens of milliseconds of work.
const progressRows = 16 << 10

// parseObject reads one CSV object into batches.
func (im *importer) parseObject(ctx context.Context, o artifact.Info) (err error) {
	r, err := im.src.Open(ctx, o.Name)
	if err != nil {
		return fmt.Errorf("open %s: %w", o.Name, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	in := &counted{r: r}
	c := newCSVReader(in)
	at, err := im.readHeader(c, o.Name)
	if err != nil {
		return err
	}
	p := rowParser{cells: im.cells, at: at.columns, row: make([]parquet.Value, len(im.cells))}
	for n := 1; ; n++ {
		fields, line, problem, err := c.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read %s near line %d: %w", o.Name, c.line, err)
		}
		if n%progressRows == 0 {
			im.progress(in.n)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		column := ""
		if problem == "" && len(fields) != at.width {
			c.resync()
			if problem = problemMore; len(fields) < at.width {
				problem = problemFewer
			}
		}
		if problem == "" {
			column, problem = p.parse(fields)
		}
		if problem != "" {
			im.rejects.add(Rejection{File: o.Name, Line: line, Column: column, Reason: problem})
			continue
		}
		if err := im.room(ctx); err != nil {
			return err
		}
		im.batch.add(p.row)
		im.report.Rows++
		if im.batch.full() {
			if err := im.hand(ctx); err != nil {
				return err
			}
		}
	}
	im.read += in.n
	im.report.Files++
	im.progress(0)
	return nil
}

func (im *importer) progress(inObject int64) {
	if im.spec.Progress != nil {
		im.spec.Progress(im.read+inObject, im.total, im.report.Rows)
	}
}

// rowParser checks the fields of one record.
type rowParser struct {
	cells []cell
	at    []int           // for each cell, its place among the fields
	row   []parquet.Value // of the record last parsed
}

func (p *rowParser) parse(fields [][]byte) (column, problem string) {
	for i := range p.cells {
		c := &p.cells[i]
		raw := fields[p.at[i]]
		v, problem := c.read(raw)
		if problem == "" && !utf8.Valid(raw) {
			problem = problemEncoding
		}
		if problem != "" {
			return c.field.Name, problem
		}
		p.row[i] = v
	}
	return "", ""
}

// header says where the columns of the schema are in a file.
type header struct {
	columns []int // for each field of the schema
	width   int   // fields of a record
}

// readHeader reads the first record of a file. Every file of a folder has its own.
func (im *importer) readHeader(c *csvReader, name string) (header, error) {
	if err := c.skipMark(); err != nil {
		return header{}, fmt.Errorf("read %s: %w", name, err)
	}
	fields, _, problem, err := c.next()
	switch {
	case errors.Is(err, io.EOF):
		return header{}, attune.Errorf(attune.Invalid, "object %s is empty: it needs a header line and rows", name)
	case err != nil:
		return header{}, fmt.Errorf("read %s: %w", name, err)
	case problem != "":
		return header{}, attune.Errorf(attune.Invalid, "header of %s %s", name, problem)
	}
	if first := fields[0]; bytes.HasPrefix(first, []byte{0xff, 0xfe}) || bytes.HasPrefix(first, []byte{0xfe, 0xff}) {
		return header{}, attune.Errorf(attune.Invalid, "object %s is UTF-16: save it as UTF-8", name)
	}
	h := header{width: len(fields)}
	seen := make(map[string]int, len(fields))
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = strings.TrimSpace(string(f))
		if !utf8.ValidString(names[i]) {
			return header{}, attune.Errorf(attune.Invalid, "header of %s is not UTF-8: save the file as UTF-8", name)
		}
		if _, twice := seen[names[i]]; twice {
			return header{}, attune.Errorf(attune.Invalid, "header of %s has the column %q twice: remove one", name, brief(names[i]))
		}
		seen[names[i]] = i
	}
	var missing []string
	for _, cell := range im.cells {
		i, ok := seen[cell.field.Name]
		if !ok {
			missing = append(missing, cell.field.Name)
		}
		h.columns = append(h.columns, i)
		delete(seen, cell.field.Name)
	}
	if len(missing) > 0 {
		return header{}, missingColumns(name, missing, names)
	}
	for _, n := range names { // in the order of the file
		if _, extra := seen[n]; extra && !slices.Contains(im.report.Ignored, n) {
			im.report.Ignored = append(im.report.Ignored, n)
		}
	}
	return h, nil
}

// missingColumns begins with Personalize's own words, then helps with what is most likely wrong.
func missingColumns(file string, missing, names []string) error {
	hint := ""
	switch first := names[0]; {
	case len(names) == 1 && strings.Contains(first, ";"):
		hint = ": its fields are separated by semicolons, write commas"
	case len(names) == 1 && strings.Contains(first, "\t"):
		hint = ": its fields are separated by tabs, write commas"
	default:
		for _, n := range names {
			if slices.ContainsFunc(missing, func(m string) bool { return strings.EqualFold(m, n) }) {
				hint = fmt.Sprintf(": %q must be written as in the schema", brief(n))
				break
			}
		}
	}
	return attune.Errorf(attune.Invalid, "Input CSV is missing the following columns:[%s] (in %s)%s",
		strings.Join(missing, ", "), file, hint)
}

// brief shortens a client's text for a message.
func brief(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

const (
	// maxRejects is how many rejected rows are written down: enough to see what is wrong.
	maxRejects = 10_000
	// firstReasons is how many a Report carries, for an answer that a person reads.
	firstReasons = 10
	// topCauses is how many causes an error names.
	topCauses = 3
	// rejectedPercent is the share of rejected rows, in percent, above which an import fails.
	rejectedPercent = 1
)

// Rejection is one row that did not pass.
type Rejection struct {
	File   string
	Line   int64  // of the file, from 1; where the record begins
	Column string // "" when the record itself is broken
	Reason string // follows the column's name: "is not a number"
}

// String reads like a sentence.
func (r Rejection) String() string {
	what := r.Column
	if what == "" {
		what = "record"
	}
	return fmt.Sprintf("%s line %d: %s %s", r.File, r.Line, what, r.Reason)
}

// Cause is a reason with the number of rows it cost.
type Cause struct {
	Column string
	Reason string
	Rows   int64
}

// rejects collects rejected rows: the first of them, and counts of all.
type rejects struct {
	first  []Rejection
	causes map[Cause]int64 // keyed with Rows zero; there are few: columns × problems
	n      int64
}

func newRejects() *rejects { return &rejects{causes: make(map[Cause]int64)} }

func (r *rejects) add(x Rejection) {
	r.n++
	r.causes[Cause{Column: x.Column, Reason: x.Reason}]++
	if len(r.first) < maxRejects {
		r.first = append(r.first, x)
	}
}

// ranked is the causes, most frequent first.
func (r *rejects) ranked() []Cause {
	out := make([]Cause, 0, len(r.causes))
	for c, n := range r.causes {
		c.Rows = n
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

// file is the text of rejects.csv.
func (r *rejects) file() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	err := w.Write([]string{"file", "line", "column", "reason"})
	for _, x := range r.first {
		if err == nil {
			err = w.Write([]string{x.File, strconv.FormatInt(x.Line, 10), x.Column, x.Reason})
		}
	}
	w.Flush()
	return b.Bytes(), cmp.Or(err, w.Error())
}

// finish writes the rejects down and judges whether the import may stand.
func (im *importer) finish(ctx context.Context) (*Report, error) {
	r := im.report
	r.Bytes, r.Rejected, r.Causes = im.read, im.rejects.n, im.rejects.ranked()
	r.Reasons = im.rejects.first[:min(firstReasons, len(im.rejects.first))]
	if r.Rejected > 0 {
		text, err := im.rejects.file()
		if err != nil {
			return nil, fmt.Errorf("write rejects of %s: %w", r.Table, err)
		}
		r.RejectsFile = rejectsName(r.Table)
		if _, err := im.store.Put(ctx, r.RejectsFile, text); err != nil {
			return nil, fmt.Errorf("write %s: %w", r.RejectsFile, err)
		}
	}
	all := r.Rows + r.Rejected
	enough := r.Rows >= im.spec.LeastRows
	if r.Rows > 0 && r.Rejected*100 <= all*rejectedPercent && enough {
		return r, nil
	}
	for n := range im.parts {
		if err := im.store.Delete(ctx, partName(r.Table, n)); err != nil {
			return nil, fmt.Errorf("clear table %s: %w", r.Table, err)
		}
	}
	if all == 0 {
		return r, attune.Errorf(attune.Invalid, "the data has a header but no rows: nothing was imported")
	}
	if r.Rejected*100 <= all*rejectedPercent {
		return r, attune.Errorf(attune.Invalid, "the data has %s rows: an import of %s needs at least %s", thousands(r.Rows), im.spec.Type, thousands(im.spec.LeastRows))
	}
	return r, attune.Errorf(attune.Invalid,
		"%s of %s rows were rejected, more than %d %%, and nothing was imported: %s; see %s for line, column and reason",
		thousands(r.Rejected), thousands(all), rejectedPercent, describe(r.Causes), r.RejectsFile)
}

// describe names the most frequent causes.
func describe(causes []Cause) string {
	var parts []string
	for i, c := range causes {
		if i == topCauses {
			parts = append(parts, fmt.Sprintf("%d more reasons", len(causes)-i))
			break
		}
		what := c.Column
		if what == "" {
			what = "record"
		}
		parts = append(parts, fmt.Sprintf("%s × %s %s", thousands(c.Rows), what, c.Reason))
	}
	return strings.Join(parts, "; ")
}

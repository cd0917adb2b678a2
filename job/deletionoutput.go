package job

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/resource"
)

const (
	// maxOutputLine bounds a line of a batch job's output, in bytes: it is held in
	// memory. Only a full segment of the longest ids would be longer; its file is
	// left and named as unread.
	maxOutputLine = 1 << 30
	// maxOutputRow bounds a row of an export, in bytes, quotes and all: rows come
	// from imported records of at most 1 MiB, or from smaller requests.
	maxOutputRow = 16 << 20
)

// lookedAt is what became of one output.
type lookedAt struct {
	Rewritten
	Unread string `json:"unread,omitempty"` // why it was left as it is; "" when it was read
}

// DeletionOutputs writes the files of the group's export and batch jobs again
// without the users: lines about them go, and their places in segments. A file
// that its owner has removed or replaced since is looked at as it is; one that
// cannot be read as what a job wrote is left alone, and the receipt says so.
func (a *activities) DeletionOutputs(ctx context.Context, ref Ref) error {
	return a.deleting(ctx, ref, "outputs", func(ctx context.Context, d *deletion) error {
		p, err := d.plan(ctx)
		if err != nil {
			return err
		}
		_, err = done(ctx, d, outputsFile, func() (out []lookedAt, err error) {
			names, err := d.outputs(ctx)
			if err != nil {
				return nil, err
			}
			return d.eraseOutputs(ctx, names, p.erasure())
		})
		return err
	})
}

// eraseOutputs says which of the files it wrote again, and which it could not read.
func (d *deletion) eraseOutputs(ctx context.Context, names []string, e *erasure) (out []lookedAt, err error) {
	for i, name := range names {
		d.report(Progress{Stage: "outputs", Done: int64(i), Total: int64(len(names))})
		r, err := d.eraseOutput(ctx, name, e)
		why := unreadable(err)
		if err != nil && why == "" {
			return nil, fmt.Errorf("rewrite %s: %w", name, err)
		}
		switch {
		case why != "":
			out = append(out, lookedAt{Rewritten{Name: name}, why})
		case r.Erased > 0:
			out = append(out, lookedAt{Rewritten: r})
		}
	}
	return out, nil
}

// unreadable says why a file cannot be read as what a job wrote, and is left; ""
// for every other error, which trying again may cure. It quotes nothing of the file.
func unreadable(err error) string {
	var bad *csv.ParseError
	switch {
	case errors.As(err, &bad):
		return "not a CSV file that an export wrote: " + bad.Error()
	case errors.Is(err, bufio.ErrTooLong):
		return "a line is too long to be held in memory"
	}
	return ""
}

// outputs names the objects that the group's jobs wrote, as bucket/key.
func (d *deletion) outputs(ctx context.Context) (names []string, err error) {
	for _, k := range []resource.Kind{resource.BatchInferenceJob, resource.BatchSegmentJob, resource.ExportJob} {
		rows, err := d.Registry.All(ctx, k)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			b, err := resource.Body[struct{ Outputs []string }](&rows[i])
			if err != nil {
				return nil, err
			}
			if rows[i].Group == d.row.Group {
				names = append(names, b.Outputs...)
			}
		}
	}
	return names, nil
}

// eraseOutput rewrites one object in its place, if a user is in it.
func (d *deletion) eraseOutput(ctx context.Context, name string, e *erasure) (Rewritten, error) {
	r := Rewritten{Name: name}
	found, err := d.filterOutput(ctx, name, io.Discard, e)
	if attune.KindOf(err) == attune.NotFound {
		return r, nil
	}
	if err != nil || found.Erased == 0 {
		return r, err
	}
	w, err := d.Objects.Replace(ctx, name)
	if err != nil {
		return r, err
	}
	defer w.Abort() // nothing after Commit
	if r, err = d.filterOutput(ctx, name, w, e); err != nil {
		return r, err
	}
	_, err = w.Commit()
	return r, err
}

// filterOutput copies what stays of an object.
func (d *deletion) filterOutput(ctx context.Context, name string, w io.Writer, e *erasure) (out Rewritten, err error) {
	out.Name = name
	r, err := d.Objects.Open(ctx, name)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	buffered := bufio.NewWriter(w)
	if strings.HasSuffix(name, ".csv") {
		err = filterCSV(r, buffered, e, &out)
	} else {
		err = filterLines(r, buffered, e, &out)
	}
	return out, errors.Join(err, buffered.Flush())
}

// filterCSV copies a CSV file with a column USER_ID but for rows of users who
// go. Rows that stay are written as encoding/csv writes them.
func filterCSV(r io.Reader, w io.Writer, e *erasure, out *Rewritten) error {
	row := &rowReader{r: r}
	in, to := csv.NewReader(row), csv.NewWriter(w)
	in.ReuseRecord, in.FieldsPerRecord = true, -1
	column := -1
	for n := 0; ; n++ {
		row.read = 0
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			to.Flush()
			return to.Error()
		}
		if err != nil {
			return err
		}
		for i, name := range record {
			if n == 0 && name == schema.UserID {
				column = i
			}
		}
		if n > 0 && column >= 0 && column < len(record) && e.person(record[column]) {
			out.Erased++
			continue
		}
		out.Rows++
		if err := to.Write(record); err != nil {
			return err
		}
	}
}

// rowReader ends with bufio.ErrTooLong when one row, as after a stray quote, asks
// for more than maxOutputRow bytes.
type rowReader struct {
	r    io.Reader
	read int // since the row began
}

func (r *rowReader) Read(p []byte) (int, error) {
	if r.read > maxOutputRow {
		return 0, bufio.ErrTooLong
	}
	n, err := r.r.Read(p)
	r.read += n
	return n, err
}

// filterLines copies lines of JSON, as batch jobs write them.
func filterLines(r io.Reader, w io.Writer, e *erasure, out *Rewritten) error {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 64<<10), maxOutputLine)
	for in.Scan() {
		line, erased, err := filterLine(in.Bytes(), e)
		if err != nil {
			return err
		}
		out.Erased += erased
		if line == nil {
			continue
		}
		out.Rows++
		for _, part := range [][]byte{line, []byte("\n")} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
	}
	return in.Err()
}

// outputLine is a line of a batch job's output.
type outputLine struct {
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
	Error  json.RawMessage `json:"error"`
}

// filterLine gives what stays of a line: all of it, as it is; the line without
// some users of its segment; or nil when it is about a user.
func filterLine(line []byte, e *erasure) (left []byte, erased int64, err error) {
	var l outputLine
	if json.Unmarshal(line, &l) != nil {
		return line, 0, nil // no line of ours
	}
	if e.asked(l.Input) {
		return nil, 1, nil
	}
	var output struct {
		Users []string `json:"recommendedUsers"`
	}
	if json.Unmarshal(l.Output, &output) != nil || output.Users == nil {
		return line, 0, nil
	}
	kept := make([]string, 0, len(output.Users))
	for _, user := range output.Users {
		if !e.person(user) {
			kept = append(kept, user)
		}
	}
	if erased = int64(len(output.Users) - len(kept)); erased == 0 {
		return line, 0, nil
	}
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false)
	output.Users = kept
	if err = to.Encode(output); err != nil {
		return nil, 0, err
	}
	l.Output = bytes.TrimSpace(text.Bytes())
	left, err = json.Marshal(l)
	return left, erased, err
}

// asked says whether the input of a line is about a user who goes. Of one that
// was no JSON object the beginning was kept as a text.
func (e *erasure) asked(input json.RawMessage) bool {
	var in struct {
		User string `json:"userId"`
	}
	if json.Unmarshal(input, &in) == nil {
		return e.person(in.User)
	}
	var text string
	if json.Unmarshal(input, &text) != nil {
		return false
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("\"':,{}[] \t", r) })
	return slices.ContainsFunc(words, e.person)
}

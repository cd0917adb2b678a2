package dataset

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
)

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
	if r.Rows > 0 && r.Rejected*100 <= all*rejectedPercent {
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

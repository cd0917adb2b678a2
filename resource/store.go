package resource

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
)

// ErrStale says that a row is gone or has another version than the one a
// decision was made on: read again and decide again.
var ErrStale = errors.New("the row was changed by somebody else")

// Store keeps rows. Every method is one transaction and safe for concurrent
// use, also by several processes. The conformance suite is resourcetest.
//
// touch names rows that the change was decided on: each must still have the
// version it was read with, and gets the next one, or nothing happens and the
// error is ErrStale.
type Store interface {
	// Create adds the row with Version 1 and sets r.Version. The error is of
	// kind attune.Exists when the id, the ARN or, where names are unique among
	// the kind, the name is taken.
	Create(ctx context.Context, r *Resource, touch ...*Resource) error
	// Get finds the row of an ARN; attune.NotFound when there is none.
	Get(ctx context.Context, arn attune.ARN) (*Resource, error)
	// List finds rows in the order of Created, then ID.
	List(ctx context.Context, q Query) ([]Resource, error)
	// Update writes Status, Body and Updated if the row still has r.Version,
	// and sets r.Version to the next; ErrStale if not.
	Update(ctx context.Context, r *Resource, touch ...*Resource) error
	// Delete removes the row if it still has r.Version; ErrStale if not.
	Delete(ctx context.Context, r *Resource, touch ...*Resource) error
}

// Query says which rows to list; zero fields do not restrict.
type Query struct {
	ID       string
	Kind     Kind
	Parent   attune.ARN
	Group    string
	Name     string
	Statuses []Status
	Busy     bool   // only rows that ask for work
	After    Cursor // begin behind this row
	Newest   bool   // newest first; After then goes towards older rows
	Limit    int    // 0: MaxPage
}

// MaxPage bounds a page of List, in rows: the published maximum of maxResults.
const MaxPage = 100

// Cursor is a place in a list: behind the row with this creation time and id.
// The zero Cursor is before all rows.
type Cursor struct {
	Created time.Time
	ID      string
}

// At is the cursor behind r.
func At(r *Resource) Cursor { return Cursor{r.Created, r.ID} }

// String writes the cursor for a page token; "" for the zero Cursor.
func (c Cursor) String() string {
	if c.ID == "" {
		return ""
	}
	return strconv.FormatInt(c.Created.UnixMilli(), 10) + "." + c.ID
}

// ParseCursor reads what String wrote; the error is attune.InvalidNextToken.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	millis, id, ok := strings.Cut(s, ".")
	n, err := strconv.ParseInt(millis, 10, 64)
	if !ok || err != nil || id == "" {
		return Cursor{}, attune.Errorf(attune.InvalidNextToken, "nextToken is not one that this list gave")
	}
	return Cursor{time.UnixMilli(n).UTC(), id}, nil
}

// errTaken and errMissing are what stores answer.
func errTaken(r *Resource) error {
	return attune.Errorf(attune.Exists, "%s named %s exists already: choose another name, or delete that one first", r.Kind.One(), r.Name)
}

func errMissing(arn attune.ARN) error {
	if k, ok := KindOfARN(arn); ok {
		return attune.Errorf(attune.NotFound, "%s %s does not exist", k.Words(), arn)
	}
	return attune.Errorf(attune.NotFound, "resource %s does not exist", arn)
}

// page bounds a limit.
func (q Query) page() int {
	if q.Limit <= 0 || q.Limit > MaxPage {
		return MaxPage
	}
	return q.Limit
}

// wrap adds what was done to an error that is not a decision.
func wrap(what string, err error) error {
	if err == nil || errors.Is(err, ErrStale) || attune.KindOf(err) != attune.Internal {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
)

// ReadUsers reads CSV objects with the single column USER_ID and gives the
// distinct ids in byte order. Whatever is not exactly that is attune.Invalid,
// since a list of whom to delete that is read in part would leave people in; so
// are more than most ids. Messages name the file and the line, never an id.
func ReadUsers(ctx context.Context, src Source, location string, most int) ([]string, error) {
	objects, _, err := findObjects(ctx, src, location)
	if err != nil {
		return nil, err
	}
	users := newInterner()
	for _, o := range objects {
		if err := readUsersOf(ctx, src, o, users, most); err != nil {
			return nil, err
		}
	}
	if len(users.ids) == 0 {
		return nil, attune.Errorf(attune.Invalid, "the data at %s has a header but no rows: it names no user", location)
	}
	slices.Sort(users.ids)
	return users.ids, nil
}

func readUsersOf(ctx context.Context, src Source, o artifact.Info, users *interner, most int) (err error) {
	r, err := src.Open(ctx, o.Name)
	if err != nil {
		return fmt.Errorf("open %s: %w", o.Name, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	c := newCSVReader(r)
	if err := c.skipMark(); err != nil {
		return fmt.Errorf("read %s: %w", o.Name, err)
	}
	for n := 0; ; n++ {
		fields, line, problem, err := c.next()
		if errors.Is(err, io.EOF) && n > 0 {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return attune.Errorf(attune.Invalid, "object %s is empty: it needs a header line and rows", o.Name)
		}
		if err != nil {
			return fmt.Errorf("read %s near line %d: %w", o.Name, c.line, err)
		}
		if n == 0 && (problem != "" || len(fields) != 1 || string(fields[0]) != schema.UserID) {
			return attune.Errorf(attune.Invalid, "object %s must begin with a header line of the single column %s", o.Name, schema.UserID)
		}
		if n == 0 {
			continue
		}
		if problem == "" {
			problem = userProblem(fields)
		}
		if problem != "" {
			return attune.Errorf(attune.Invalid, "%s line %d: %s %s; nothing was deleted", o.Name, line, schema.UserID, problem)
		}
		users.number(string(fields[0]))
		if len(users.ids) > most {
			return attune.Errorf(attune.LimitExceeded, "more than %s users are listed: delete them in several jobs", thousands(int64(most)))
		}
		if n%progressRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// userProblem says what is wrong with a record of a list of users.
func userProblem(fields [][]byte) string {
	switch id := fields[0]; {
	case len(fields) > 1:
		return problemMore
	case len(id) == 0:
		return problemEmptyID
	case utf8.RuneCount(id) > schema.MaxID:
		return problemLongID
	case !utf8.Valid(id):
		return problemEncoding
	}
	return ""
}

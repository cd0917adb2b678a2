package job

import (
	"context"
	"strings"

	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// deletionPlan is whom a deletion is about and what it has to look at, made once
// and read by every step. It lies below the job's folder while the job runs, and
// is removed before the job is COMPLETED: it holds the users' ids.
type deletionPlan struct {
	UpTo     event.Seq `json:"upTo"` // the last record that is looked at; later ones are new data
	Users    []string  `json:"users"`
	Sessions []string  `json:"sessions"` // whose anonymous events belong to these users
	// Persons are those Sessions that nobody is called by: a snapshot of before a
	// session was joined to its user, and an impression, may have it for a user.
	Persons   []string        `json:"persons"`
	Named     map[string]bool `json:"named"`     // tables that the log names
	Tables    []string        `json:"tables"`    // tables there are, named or not
	Snapshots []string        `json:"snapshots"` // of the group
	Deleted   Deleted         `json:"deleted"`   // records of the log
}

// Deleted counts records that a deletion took away.
type Deleted struct {
	Interactions       int64 `json:"interactions"`
	ActionInteractions int64 `json:"actionInteractions"`
	Users              int64 `json:"users"`       // PutUsers
	Impressions        int64 `json:"impressions"` // this server's own notes of what it answered
	TableRows          int64 `json:"tableRows"`   // imported
}

// Records is what customers put in and imported.
func (d Deleted) Records() int64 {
	return d.Interactions + d.ActionInteractions + d.Users + d.TableRows
}

// erasure decides what of a plan's users is.
type erasure struct {
	users, sessions, persons map[string]bool
	tables                   map[string]Rewritten // by old name
}

func set(list []string) map[string]bool {
	all := make(map[string]bool, len(list))
	for _, s := range list {
		all[s] = true
	}
	return all
}

func (p *deletionPlan) erasure() *erasure {
	return &erasure{users: set(p.Users), sessions: set(p.Sessions), persons: set(p.Persons)}
}

// user says whether a user of a table is to go.
func (e *erasure) user(id string) bool { return e.users[id] }

// person says whether somebody of a snapshot or an impression is to go, who may
// be called by the id of a session.
func (e *erasure) person(id string) bool { return e.users[id] || e.persons[id] }

// event says whether an event is to go.
func (e *erasure) event(user, session string) bool {
	if user != "" {
		return e.users[user]
	}
	return e.sessions[session] || e.users[session]
}

// change is the rewriting of the log: what takes a record's place, nil for a
// record that stays.
func (e *erasure) change(r event.Record) (event.Body, error) {
	gone := false
	switch b := r.Body.(type) {
	case *event.Interaction:
		if gone = e.event(b.User, b.Session); !gone && e.users[b.Session] {
			kept := *b // somebody else's, in a session that is called like a user who goes
			kept.Session = ""
			return &kept, nil
		}
	case *event.ActionInteraction:
		if gone = e.event(b.User, b.Session); !gone && e.users[b.Session] {
			kept := *b
			kept.Session = ""
			return &kept, nil
		}
	case *event.User:
		gone = e.users[b.ID]
	case *event.Impression:
		gone = e.person(b.User)
	case *event.Imported:
		if now, ok := e.tables[b.Table]; ok {
			moved := *b
			moved.Table, moved.Rows = now.Name, now.Rows
			return &moved, nil
		}
	}
	if gone {
		return &event.Erased{}, nil
	}
	return nil, nil
}

// scan fills in what a plan has to know of the log, in up to three readings of
// it, each in bounded memory: which sessions the users were seen in, whose those
// are, and how much goes.
func (m *Manager) scan(ctx context.Context, g event.Group, p *deletionPlan) error {
	users, suspects := set(p.Users), map[string]bool{}
	p.Named = map[string]bool{}
	err := m.readLog(ctx, g, p.UpTo, func(r event.Record) {
		if b, ok := r.Body.(*event.Imported); ok {
			p.Named[strings.Clone(b.Table)] = true
		}
		if user, session, ok := seen(r.Body); ok && session != "" && users[user] {
			suspects[strings.Clone(session)] = true
		}
	})
	if err != nil {
		return err
	}
	if len(suspects) > 0 {
		if err := m.owners(ctx, g, p, users, suspects); err != nil {
			return err
		}
	}
	e := p.erasure()
	return m.readLog(ctx, g, p.UpTo, func(r event.Record) {
		if body, _ := e.change(r); body == nil {
			return
		} else if _, gone := body.(*event.Erased); !gone {
			return
		}
		switch r.Body.(type) {
		case *event.Interaction:
			p.Deleted.Interactions++
		case *event.ActionInteraction:
			p.Deleted.ActionInteractions++
		case *event.User:
			p.Deleted.Users++
		case *event.Impression:
			p.Deleted.Impressions++
		}
	})
}

// owners finds out which of the suspected sessions are the users': as in
// dataset.Freeze and in profiles the first user seen in a session owns it, and
// clearing the dataset begins anew.
func (m *Manager) owners(ctx context.Context, g event.Group, p *deletionPlan, users, suspects map[string]bool) error {
	owned, theirs, called := map[string]bool{}, map[string]bool{}, map[string]bool{}
	err := m.readLog(ctx, g, p.UpTo, func(r event.Record) {
		switch b := r.Body.(type) {
		case *event.Imported:
			if b.Mode == event.Cleared && b.Dataset == string(schema.Interactions) {
				clear(owned)
			}
		case *event.User:
			if suspects[b.ID] {
				called[strings.Clone(b.ID)] = true
			}
		default:
			user, session, _ := seen(r.Body)
			if suspects[user] {
				called[strings.Clone(user)] = true
			}
			if user != "" && suspects[session] && !owned[session] {
				session = strings.Clone(session)
				owned[session] = true
				if users[user] {
					theirs[session] = true
				}
			}
		}
	})
	for session := range theirs {
		p.Sessions = append(p.Sessions, session)
		if !called[session] {
			p.Persons = append(p.Persons, session)
		}
	}
	return err
}

// seen gives the user and the session of an event.
func seen(b event.Body) (user, session string, ok bool) {
	switch b := b.(type) {
	case *event.Interaction:
		return b.User, b.Session, true
	case *event.ActionInteraction:
		return b.User, b.Session, true
	}
	return "", "", false
}

func (m *Manager) readLog(ctx context.Context, g event.Group, upTo event.Seq, f func(event.Record)) error {
	for r, err := range m.Log.Read(ctx, g, event.Seq{}, upTo) {
		if err != nil {
			return err
		}
		f(r)
	}
	return ctx.Err()
}

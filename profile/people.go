package profile

import "strings"

// The writer's side of users and sessions. Only the writer changes the maps,
// so it reads them without a lock and takes one for changes only.

func (v *View) find(key string) *person { return v.shards[v.shard(key)].people[key] }

// user is the person of a user id, made if need be. A session of the same name
// that was joined with somebody else stays with them.
func (v *View) user(id string) *person {
	p := v.find(id)
	if p == nil || p.key != id {
		if p != nil && p.session == id {
			p.session = ""
		}
		p = v.create(id)
	}
	if !p.known {
		s := &v.shards[p.home]
		s.mu.Lock()
		p.known = true
		s.mu.Unlock()
	}
	return p
}

// anonymous is the person an event of a session alone belongs to.
func (v *View) anonymous(session string) *person {
	p := v.find(session)
	if p == nil {
		return v.create(session)
	}
	if p.session == session {
		p.session = "" // from now on this session is worth keeping
	}
	return p
}

func (v *View) create(key string) *person {
	key = strings.Clone(key)
	p := &person{key: key, row: -1, home: v.shard(key)}
	v.point(key, p)
	v.people.Add(1)
	return p
}

// point makes a key mean a person.
func (v *View) point(key string, p *person) {
	s := &v.shards[v.shard(key)]
	s.mu.Lock()
	s.people[key] = p
	s.mu.Unlock()
}

// join makes a session's id mean the user it was seen with, and moves what it
// did while it was anonymous. Of the sessions in which nothing happened
// anonymously only a user's last is remembered: they would otherwise outgrow
// the users.
func (v *View) join(session string, p *person) {
	if session == "" || session == p.key {
		return
	}
	s := v.find(session)
	switch {
	case s == nil:
		session = strings.Clone(session)
		if old := p.session; old != "" {
			sh := &v.shards[v.shard(old)]
			sh.mu.Lock()
			delete(sh.people, old)
			sh.mu.Unlock()
		}
		p.session = session
		v.point(session, p)
	case s != p && s.key == session && !s.known:
		for of := range sides {
			v.set(p, of, merge(p.touches[of], append([]Touch(nil), s.touches[of]...), v.limit))
		}
		v.point(s.key, p)
		v.people.Add(-1)
	}
}

// set publishes a person's history of one side.
func (v *View) set(p *person, of side, h []Touch) {
	s := &v.shards[p.home]
	s.mu.Lock()
	p.touches[of] = h
	s.mu.Unlock()
}

// touch adds to a person's history. What is there already counts once.
func (v *View) touch(p *person, of side, t Touch) {
	if h, added := insert(p.touches[of], t, v.limit); added {
		v.set(p, of, h)
		if of == ofItems {
			v.tally.touch(t.Item, t.At)
		}
	}
}

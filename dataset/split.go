package dataset

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	"github.com/attune-io/attune"
)

// The named protocols of NewSplit. A protocol never changes: a better one gets
// another name. docs/evaluation.md says what each is for.
const (
	// Tail10 is for choosing between recipes and for Attune's own numbers. Every
	// user with at least two events is a case: the newest 10 % of their events,
	// rounded up, are truth; the rest are the case's input and also train, as do
	// all events of users with a single one. No time of one user is compared
	// with that of another, so a model may have seen others' later events.
	Tail10 = "tail-10-v1"
	// Tail20 is Tail10 with the newest 20 %: what Amazon Personalize says of its
	// recipes for segments of users.
	Tail20 = "tail-20-v1"
	// AWSDoc is the rule in the developer guide of Amazon Personalize ("Evaluating
	// a solution version with metrics"): a seeded 90 % of users train with all
	// their events; of each other user with at least two events the oldest 90 %
	// are input and the newest 10 %, rounded up, are truth. Nothing of a test
	// user trains. At least one user is tested.
	AWSDoc = "aws-doc-v1"
	// AWS2019 is AWSDoc with one event, the newest, as truth: what the numbers
	// that the service published in 2018 and 2019 were measured by. Its gain has a
	// discount of its own; see evaluate.Measure2019.
	AWS2019 = "aws-2019-v1"
	// LeaveOneOut is the protocol of the sequence literature: every user with at
	// least two events is a case with their newest event as truth and the rest as
	// input and training.
	LeaveOneOut = "loo-v1"
	// Temporal cuts at one moment for everybody: the newest 10 % of all events, with
	// what has the time of the oldest of them, are held out, and the rest train.
	// Users with events on both sides are cases. Nothing that a model learns from
	// is newer than what it is asked.
	Temporal = "temporal-v1"
	// SessionPrefix is the protocol of the session literature. Events of one user
	// with at most 30 minutes between neighbours are a session. Of the sessions
	// with two events or more the newest 10 %, rounded up, by their first event are
	// held out whole; all else trains. Every prefix of a held-out session is a case,
	// with the item after it as truth: a user has many cases, and what they did in
	// sessions before is not told. Items of the input are right answers too.
	SessionPrefix = "session-prefix-v1"
	// CFHoldout is for data without order, as in collaborative filtering: of each
	// user with at least two distinct items a seeded 10 % of those, rounded up, are
	// truth, and all events of the others are input and train.
	CFHoldout = "cf-holdout-v1"
)

// Protocols are the names that NewSplit takes.
func Protocols() []string {
	return []string{Tail10, Tail20, AWSDoc, AWS2019, LeaveOneOut, Temporal, SessionPrefix, CFHoldout}
}

// sessionGapMillis is how long a session may pause: the half hour that web
// analytics and the session literature use.
const sessionGapMillis = 30 * 60 * 1000

// Split is events cut in two: what a model may learn from, and what it is then asked.
type Split struct {
	Protocol string
	Train    Events // sorted as Events are
	Cases    []Case // by user; by time where a user has several
}

// Case is one user to predict for. Its events may share memory with those split,
// and have no Context of their own: headers of columns for everybody would be
// gigabytes.
type Case struct {
	User  int32
	Input Events  // what is told of the user, oldest first; never empty
	Held  Events  // what they went on to, oldest first; never empty
	Truth []int32 // the distinct items of Held, ascending

	all   *Events // that were split
	first int     // of those: the first that is held out
}

// newCase is a case with the items of what was held out as truth. first is the
// place of the first of these among all events.
func newCase(user int32, input, held Events, first int) Case {
	return Case{User: user, Input: input, Held: held, Truth: distinct(held.Item), first: first}
}

// Context is what is the case as the user asks: what was when the first event
// that is held out happened. nil when nothing is known of it.
func (c Case) Context() map[string]any {
	if c.all == nil {
		return nil
	}
	return c.all.ContextOf(c.first)
}

// Unmasked says whether items of the input are right answers by the protocol, so
// that they must not be left out of what is ranked.
func (s *Split) Unmasked() bool { return s.Protocol == SessionPrefix }

// String introduces the split.
func (s *Split) String() string {
	return fmt.Sprintf("split %s: %s events train, %s cases", s.Protocol,
		thousands(int64(s.Train.Len())), thousands(int64(len(s.Cases))))
}

// NewSplit splits events by a named protocol. The events are those of the
// snapshot that count (see Events.Weigh). "Newest" follows the order of Events,
// where ties in time are broken by item and then by type; items are numbered in
// byte order of their ids, so the order does not depend on how rows arrived.
// The seed chooses in protocols that draw; the others ignore it.
// An unknown protocol, or events in which nobody can be a case, are attune.Invalid.
func NewSplit(all Events, protocol string, seed uint64) (*Split, error) {
	s := &Split{Protocol: protocol}
	e := all
	e.Context = nil // of cases: see Case
	train := make([]bool, e.Len())
	wants := "no user has two events"
	switch protocol {
	case Tail10:
		s.tails(e, train, share(10), nil)
	case Tail20:
		s.tails(e, train, share(5), nil)
	case LeaveOneOut:
		s.tails(e, train, one, nil)
	case AWSDoc:
		s.tails(e, train, share(10), drawUsers(e, seed))
	case AWS2019:
		s.tails(e, train, one, drawUsers(e, seed))
	case Temporal:
		s.temporal(e, train)
		wants = "no user has events both before and after the newest tenth"
	case SessionPrefix:
		s.sessions(e, train)
		wants = "no user has two events within half an hour"
	case CFHoldout:
		s.holdout(e, train, seed)
		wants = "no user has two items"
	default:
		return nil, attune.Errorf(attune.Invalid, "split protocol %q is unknown: use one of %s", protocol, strings.Join(Protocols(), ", "))
	}
	if len(s.Cases) == 0 {
		return nil, attune.Errorf(attune.Invalid, "nobody can be tested with %s: %s", protocol, wants)
	}
	if len(all.Context) > 0 {
		for i := range s.Cases {
			s.Cases[i].all = &all
		}
	}
	s.Train = all.Where(func(i int) bool { return train[i] })
	return s, nil
}

// share is the n-th part, rounded up.
func share(n int) func(int) int { return func(events int) int { return (events + n - 1) / n } }

func one(int) int { return 1 }

// tails holds out the newest truth(n) of n events of each user with two or more.
// With drawn users only those are cases, and none of their events train.
func (s *Split) tails(e Events, train []bool, truth func(int) int, drawn map[int32]bool) {
	several := 0
	e.ByUser(func(_ int32, from, to int) {
		if to-from >= 2 {
			several++
		}
	})
	if drawn != nil {
		several = len(drawn)
	}
	s.Cases = make([]Case, 0, several)
	e.ByUser(func(user int32, from, to int) {
		cut := to
		if to-from >= 2 && (drawn == nil || drawn[user]) {
			cut = to - truth(to-from)
			s.Cases = append(s.Cases, newCase(user, e.Slice(from, cut), e.Slice(cut, to), cut))
			if drawn != nil {
				return
			}
		}
		for i := from; i < cut; i++ {
			train[i] = true
		}
	})
}

// temporal holds out what happened from the moment on at which the newest tenth begins.
func (s *Split) temporal(e Events, train []bool) {
	if e.Len() == 0 {
		return
	}
	times := slices.Clone(e.At)
	slices.Sort(times)
	at := times[len(times)-share(10)(len(times))]
	if at == times[0] { // else nothing would train: the next moment, if there is one
		next := sort.Search(len(times), func(i int) bool { return times[i] > at })
		if next == len(times) {
			return
		}
		at = times[next]
	}
	e.ByUser(func(user int32, from, to int) {
		cut := from + sort.Search(to-from, func(i int) bool { return e.At[from+i] >= at })
		for i := from; i < cut; i++ {
			train[i] = true
		}
		if from < cut && cut < to {
			s.Cases = append(s.Cases, newCase(user, e.Slice(from, cut), e.Slice(cut, to), cut))
		}
	})
}

// session is events [from, to) of one user.
type session struct{ from, to int }

// sessions cuts events into those of one user with at most half an hour between
// neighbours, in order of users and time.
func (e Events) sessions() []session {
	var out []session
	e.ByUser(func(_ int32, from, to int) {
		begin := from
		for i := from + 1; i <= to; i++ {
			if i == to || e.At[i]-e.At[i-1] > sessionGapMillis {
				out = append(out, session{begin, i})
				begin = i
			}
		}
	})
	return out
}

// sessions holds out the newest tenth of the sessions that can be asked about.
func (s *Split) sessions(e Events, train []bool) {
	var long []session
	for i := range train {
		train[i] = true
	}
	for _, v := range e.sessions() {
		if v.to-v.from >= 2 {
			long = append(long, v)
		}
	}
	// The newest first; of those that begin together the last in order of users.
	slices.SortStableFunc(long, func(a, b session) int {
		if e.At[a.from] != e.At[b.from] {
			if e.At[a.from] > e.At[b.from] {
				return -1
			}
			return 1
		}
		return b.from - a.from
	})
	long = long[:share(10)(len(long))]
	slices.SortFunc(long, func(a, b session) int { return a.from - b.from })
	for _, v := range long {
		for i := v.from; i < v.to; i++ {
			train[i] = false
			if i > v.from {
				s.Cases = append(s.Cases, newCase(e.User[i], e.Slice(v.from, i), e.Slice(i, i+1), i))
			}
		}
	}
}

// holdout holds out a tenth of each user's distinct items, drawn user by user.
func (s *Split) holdout(e Events, train []bool, seed uint64) {
	e.ByUser(func(user int32, from, to int) {
		items := distinct(e.Item[from:to])
		out := map[int32]bool{}
		if len(items) >= 2 {
			// One stream a user: who else is in the data does not matter. The second word keeps the streams apart from those of other draws.
			r := rand.New(rand.NewPCG(seed, 0x4346<<32|uint64(uint32(user))))
			for _, k := range r.Perm(len(items))[:share(10)(len(items))] {
				out[items[k]] = true
			}
		}
		for i := from; i < to; i++ {
			train[i] = !out[e.Item[i]]
		}
		if len(out) > 0 {
			all := e.Slice(from, to)
			first := from + slices.IndexFunc(all.Item, func(item int32) bool { return out[item] })
			s.Cases = append(s.Cases, newCase(user, all.Where(func(i int) bool { return !out[all.Item[i]] }),
				all.Where(func(i int) bool { return out[all.Item[i]] }), first))
		}
	})
}

// drawUsers chooses a tenth, rounded, at least one, of the users with two
// events or more, so that every chosen user can be asked about.
func drawUsers(e Events, seed uint64) map[int32]bool {
	var users []int32
	e.ByUser(func(user int32, from, to int) {
		if to-from >= 2 {
			users = append(users, user)
		}
	})
	n := max(1, (len(users)+5)/10)
	r := rand.New(rand.NewPCG(seed, 0x5350_4c49_5400)) // the second word keeps this stream apart from others of the same seed
	r.Shuffle(len(users), func(i, j int) { users[i], users[j] = users[j], users[i] })
	chosen := make(map[int32]bool, n)
	for _, u := range users[:min(n, len(users))] {
		chosen[u] = true
	}
	return chosen
}

// distinct is the set of the given items, ascending.
func distinct(items []int32) []int32 {
	out := append([]int32(nil), items...)
	slices.Sort(out)
	return slices.Compact(out)
}

// Sample takes at most n of a list, evenly from all; it shares their memory.
func Sample[T any](all []T, n int) []T {
	if len(all) <= n {
		return all
	}
	out := make([]T, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return out
}

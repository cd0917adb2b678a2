package dataset

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"

	"github.com/attune-io/attune"
)

// The named protocols of NewSplit. A protocol never changes: a better one gets another name.
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
	// LeaveOneOut is the protocol of the sequence literature: every user with at
	// least two events is a case with their newest event as truth and the rest as
	// input and training.
	LeaveOneOut = "loo-v1"
)

// Protocols are the names that NewSplit takes.
func Protocols() []string { return []string{Tail10, Tail20, AWSDoc, LeaveOneOut} }

// Split is events cut in two: what a model may learn from, and what it is then asked.
type Split struct {
	Protocol string
	Train    Events // sorted as Events are
	Cases    []Case // by user
}

// Case is one user to predict for.
type Case struct {
	User  int32
	Input Events  // what is told of the user, oldest first; never empty; shares memory with the events given
	Truth []int32 // the distinct items they went on to, ascending; never empty
}

// String introduces the split.
func (s *Split) String() string {
	return fmt.Sprintf("split %s: %s events train, %s users tested", s.Protocol,
		thousands(int64(s.Train.Len())), thousands(int64(len(s.Cases))))
}

// NewSplit splits events by a named protocol. The events are those of the
// snapshot that count (see Events.Weigh). "Newest" follows the order of Events,
// where ties in time are broken by item and then by type; items are numbered in
// byte order of their ids, so the order does not depend on how rows arrived.
// The seed chooses users in protocols that draw; the others ignore it.
// An unknown protocol, or events in which nobody can be a case, are attune.Invalid.
func NewSplit(e Events, protocol string, seed uint64) (*Split, error) {
	truth := func(n int) int { return (n + 9) / 10 }
	tested := func(int32) bool { return true }
	trains := true // the input of a case trains too
	switch protocol {
	case Tail10:
	case Tail20:
		truth = func(n int) int { return (n + 4) / 5 }
	case LeaveOneOut:
		truth = func(int) int { return 1 }
	case AWSDoc:
		chosen := drawUsers(e, seed)
		tested = func(u int32) bool { return chosen[u] }
		trains = false
	default:
		return nil, attune.Errorf(attune.Invalid, "split protocol %q is unknown: use one of %s", protocol, strings.Join(Protocols(), ", "))
	}
	s := &Split{Protocol: protocol}
	train := make([]bool, e.Len())
	e.ByUser(func(user int32, from, to int) {
		cut := to
		if to-from >= 2 && tested(user) {
			cut = to - truth(to-from)
			s.Cases = append(s.Cases, Case{User: user, Input: e.Slice(from, cut), Truth: distinct(e.Item[cut:to])})
			if !trains {
				return
			}
		}
		for i := from; i < cut; i++ {
			train[i] = true
		}
	})
	if len(s.Cases) == 0 {
		return nil, attune.Errorf(attune.Invalid, "nobody can be tested with %s: no user has two events", protocol)
	}
	s.Train = e.Where(func(i int) bool { return train[i] })
	return s, nil
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
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	n := 0
	for i, it := range out {
		if i == 0 || it != out[n-1] {
			out[n] = it
			n++
		}
	}
	return out[:n]
}

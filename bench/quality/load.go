package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
)

// beginMillis is when made-up times begin, 2020-01-01: positions have no date, and
// the beginning of time would look like one that was not set.
const (
	beginMillis = 1_577_836_800_000
	stepMillis  = 1000   // between items of a line
	pauseMillis = 60_000 // between a session and the one after
)

// corpus is what can be learned from a set, and what is needed to ask about it.
type corpus struct {
	items   []string // the catalogue: items of the training data, in order of number
	users   int
	train   dataset.Events
	ordered bool

	item map[string]int32 // row of an item
	user map[string]int32 // row of a user; nil for sessions
	end  int64            // after the newest event
}

// load numbers and orders the training lines. Times are places in the line;
// those of sessions, one user each, go on from line to line.
func load(k kind, lines [][]string) (*corpus, error) {
	c := &corpus{item: map[string]int32{}, ordered: k == kindLOO || k == kindSession, users: len(lines)}
	if k != kindSession {
		c.user = make(map[string]int32, len(lines))
		for i, line := range lines {
			if _, twice := c.user[line[0]]; twice {
				return nil, attune.Errorf(attune.Invalid, "training line %d: user %s has a line already", i+1, line[0])
			}
			c.user[line[0]] = int32(i)
		}
		bare := make([][]string, len(lines))
		for i, line := range lines {
			bare[i] = line[1:]
		}
		lines = bare
	}
	c.number(lines)
	if len(c.items) == 0 {
		return nil, attune.Errorf(attune.Invalid, "there is nothing to learn from: no training line names an item")
	}
	rows := make([][]int32, len(lines))
	for u, line := range lines {
		for _, id := range line {
			rows[u] = append(rows[u], c.item[id])
		}
	}
	if k == kindNCF {
		c.ordered = tellsOrder(rows)
	}
	c.date(rows, k == kindSession)
	return c, nil
}

// number gives items their rows, by number where all ids are numbers, else by bytes.
func (c *corpus) number(lines [][]string) {
	numbers := true
	value := map[string]int{}
	for _, line := range lines {
		for _, id := range line {
			if _, known := c.item[id]; !known {
				c.item[id] = 0
				c.items = append(c.items, id)
				n, err := strconv.Atoi(id)
				value[id], numbers = n, numbers && err == nil
			}
		}
	}
	slices.SortFunc(c.items, func(a, b string) int {
		if numbers && value[a] != value[b] {
			return cmp.Compare(value[a], value[b])
		}
		return cmp.Compare(a, b)
	})
	for row, id := range c.items {
		c.item[id] = int32(row)
	}
}

// date makes events of the lines.
func (c *corpus) date(rows [][]int32, sessions bool) {
	e := dataset.Events{Types: []string{""}}
	at := int64(0)
	for u, row := range rows {
		if !c.ordered {
			row = slices.Compact(slices.Sorted(slices.Values(row)))
		} else if !sessions || u == 0 {
			at = beginMillis
		}
		for _, item := range row {
			e.User, e.Item, e.At = append(e.User, int32(u)), append(e.Item, item), append(e.At, at)
			e.Type, e.Value = append(e.Type, 0), append(e.Value, dataset.NoValue())
			if c.ordered {
				at += stepMillis
				c.end = max(c.end, at)
			}
		}
		if sessions {
			at += pauseMillis
		}
	}
	c.train = e
}

// The rule by which lines whose order is not told are taken to be in order of
// time, from the training data alone. Where an order means something, what
// follows what in some users' lines follows in others' as well. So pairs of
// neighbours are gathered from one half of the users, and the other half is asked
// how many of its neighbours are among them, beside how many of as many pairs of
// random places of the same lines. Lines that are sorted by number look like
// that too, and tell nothing: with those the answer is no.
const (
	// orderedTimes is how many times more often neighbours must be found than
	// random pairs; in order of time it is 3 to 10, without order 1.
	orderedTimes = 1.5
	// sureBy standard deviations the difference must be away from chance.
	sureBy = 5
	// sortedShare of lines in order of number is where sorting explains the rest.
	sortedShare = 0.5
)

func tellsOrder(rows [][]int32) bool {
	r := rand.New(rand.NewPCG(1, 0x4f52_4445_52)) // the rule is one rule: its draw is always the same
	sorted, long := 0, 0
	pairs, asked := map[[2]int32]bool{}, [][]int32{}
	for _, row := range rows {
		if len(row) < 3 {
			continue
		}
		long++
		if slices.IsSorted(row) {
			sorted++
		}
		if r.IntN(2) == 0 {
			asked = append(asked, row)
			continue
		}
		for i := 1; i < len(row); i++ {
			pairs[[2]int32{row[i-1], row[i]}] = true
		}
	}
	if float64(sorted) > sortedShare*float64(long) {
		return false
	}
	near, far := 0, 0
	for _, row := range asked {
		for i := 1; i < len(row); i++ {
			a := r.IntN(len(row))
			b := (a + 1 + r.IntN(len(row)-1)) % len(row)
			if pairs[[2]int32{row[i-1], row[i]}] {
				near++
			}
			if pairs[[2]int32{row[a], row[b]}] {
				far++
			}
		}
	}
	more := float64(near - far)
	return float64(near) >= orderedTimes*float64(far) && more > sureBy*math.Sqrt(float64(near+far))
}

// question is one thing that a model is asked.
type question struct {
	history []model.Touch
	truth   []int32 // ascending; an item that is not in the catalogue has a row beyond it
	others  []int32 // of ncf: the items that the true one is ranked among
	user    int32   // row, where users are known
	unit    int     // what is resampled: user or session
}

// questions reads the test lines.
func (c *corpus) questions(k kind, lines [][]string) ([]question, error) {
	var out []question
	strange := int32(len(c.items))
	row := func(id string) int32 {
		if r, ok := c.item[id]; ok {
			return r
		}
		strange++
		return strange - 1
	}
	before := ""
	for n, line := range lines {
		bad := func(want string) error {
			return attune.Errorf(attune.Invalid, "test line %d has %d fields: %s", n+1, len(line), want)
		}
		var q question
		if k == kindSession {
			if len(line) != 2 {
				return nil, bad("a prefix, a tab and a target are wanted")
			}
			// Lines of one session stand together, the longest prefix first.
			if q.unit = n; n > 0 && before == line[0]+" "+line[1] {
				q.unit = out[len(out)-1].unit
			}
			before = line[0]
			q.history, q.truth = c.touches(line[0]), []int32{row(line[1])}
			out = append(out, q)
			continue
		}
		user, known := c.user[line[0]]
		if len(line) < 2 || !known {
			continue // nothing to find, or nothing known of who asks
		}
		q.user, q.unit, q.history = user, n, c.history(user)
		switch k {
		case kindNCF:
			if len(line) < 3 {
				return nil, bad("a user, an item and others are wanted")
			}
			q.truth = []int32{row(line[1])}
			for _, id := range line[2:] {
				q.others = append(q.others, row(id))
			}
		default:
			for _, id := range line[1:] {
				q.truth = append(q.truth, row(id))
			}
			slices.Sort(q.truth)
			q.truth = slices.Compact(q.truth)
		}
		out = append(out, q)
	}
	if len(out) == 0 {
		return nil, attune.Errorf(attune.Invalid, "nobody is asked: no line of the test file is about somebody who is known")
	}
	return out, nil
}

// history is what a user has done in the training data.
func (c *corpus) history(user int32) []model.Touch {
	e := c.train.Of(user)
	out := make([]model.Touch, e.Len())
	for i, item := range e.Item {
		out[i] = model.Touch{Item: item, Weight: 1, At: e.At[i]}
	}
	return out
}

// touches are the known items of a prefix, as if they happened after everything.
func (c *corpus) touches(prefix string) []model.Touch {
	var out []model.Touch
	at := c.end + pauseMillis
	for _, id := range strings.Fields(prefix) {
		if row, ok := c.item[id]; ok {
			out = append(out, model.Touch{Item: row, Weight: 1, At: at})
		}
		at += stepMillis
	}
	return out
}

// String introduces the corpus.
func (c *corpus) String() string {
	order := "without order"
	if c.ordered {
		order = "in order"
	}
	return fmt.Sprintf("%d users × %d items × %d events %s", c.users, len(c.items), c.train.Len(), order)
}

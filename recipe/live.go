package recipe

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
)

// comparedUsers is how many users a live model is asked about, evenly from all:
// enough to tell a difference of a hundredth of NDCG, and the time does not grow with the data.
const comparedUsers = 5000

// Live is a model in service that a new one is measured beside.
//
// Both are asked about the users of the new one's holdout, with the same
// history, for what of it happened after the newest interaction that the live
// model's data had. Neither has learned from that: the live model could not, and
// of the new one the model that is measured was trained without the holdout. The
// new one does know what others did meanwhile, and the live one does not, which
// is what training again is for. What a user went on to that the live model has
// never heard of it did not find.
type Live struct {
	Version  string // ARN
	Manifest model.Manifest
	// Open reads the model and decodes it, when there is something to ask it.
	Open func(ctx context.Context) (*model.Model, model.Scorer, error)
}

// measureLive measures the live models. Those that were asked the same as the
// new one have their own numbers already, user by user, and are passed over.
func (f *fit) measureLive(ctx context.Context, split *dataset.Split, mine *answers, asked string) error {
	for _, live := range f.Live {
		if len(f.against) == model.MaxAgainst {
			break
		}
		if e := live.Manifest.Evaluation; e != nil && e.Holdout == asked {
			continue
		}
		against, duel, err := f.duel(ctx, live, split, mine)
		if err != nil {
			return fmt.Errorf("measure beside %s: %w", live.Version, err)
		}
		f.against, f.measured.Against = append(f.against, against), append(f.measured.Against, duel)
	}
	return nil
}

// duel asks one live model about what it cannot have seen.
func (f *fit) duel(ctx context.Context, live Live, split *dataset.Split, mine *answers) (out model.Against, duel model.Duel, err error) {
	out.Version = live.Version
	if live.Manifest.Newest == 0 {
		out.Words = "not comparable: the live model was trained by an older build, which did not say what its data held"
		return out, duel, nil
	}
	at, truth := f.later(split.Cases, live.Manifest.Newest)
	out.Users = len(at)
	if len(at) < evaluate.LeastUsers {
		out.Words = fmt.Sprintf("not comparable: too few users with later interactions: %d of those held out have some after the live model's data, and at least %d are needed", len(at), evaluate.LeastUsers)
		return out, duel, nil
	}
	m, scorer, err := live.Open(ctx)
	if err != nil {
		out.Words = "not comparable: the live model could not be read: " + err.Error() // deleted meanwhile, say: no reason not to have a new one
		return out, duel, ctx.Err()
	}
	theirs, err := f.askLive(ctx, m, scorer, split.Cases, at)
	if err != nil {
		out.Words = "not comparable: the live model could not be asked: " + err.Error() // likewise
		return out, duel, ctx.Err()
	}
	values, err := f.rewards()
	if err != nil {
		return out, duel, err
	}
	newUsers, liveUsers := make([]evaluate.User, len(at)), make([]evaluate.User, len(at))
	for i, place := range at {
		newUsers[i], liveUsers[i] = f.measureList(mine.lists[place], truth[i], values), f.measureList(theirs[i], truth[i], values)
	}
	a, b := evaluate.PerUser(newUsers), evaluate.PerUser(liveUsers)
	duel = model.Duel{New: kept(a), Live: kept(b)}
	out.Metrics = map[string]model.Compared{}
	for metric := range a {
		c := evaluate.Paired(f.Seed, a[metric], b[metric], 0)
		out.Metrics[metric] = model.Compared{New: c.A, Live: c.B, Difference: model.Interval(c.Difference), P: c.P}
	}
	return out, duel, nil
}

// later are the places of the cases with something held out after a moment, at
// most comparedUsers evenly from all, and the distinct items of that, ascending.
func (f *fit) later(cases []dataset.Case, moment int64) (at []int, truth [][]int32) {
	var all []int
	for i, c := range cases {
		if c.Held.At[c.Held.Len()-1] > moment {
			all = append(all, i)
		}
	}
	at = all
	if len(all) > comparedUsers {
		at = make([]int, comparedUsers)
		for i := range at {
			at[i] = all[i*len(all)/comparedUsers]
		}
	}
	for _, place := range at {
		var items []int32
		h := cases[place].Held
		for i, item := range h.Item {
			if h.At[i] > moment {
				items = append(items, item)
			}
		}
		slices.Sort(items)
		truth = append(truth, slices.Compact(items))
	}
	return at, truth
}

// askLive gives a live model's lists for some cases, in the snapshot's rows;
// items that are not in the snapshot keep their places, as -1.
func (f *fit) askLive(ctx context.Context, m *model.Model, s model.Scorer, cases []dataset.Case, at []int) ([][]int32, error) {
	theirs, ours := make(map[string]int32, len(m.Items)), make([]int32, len(m.Items))
	for row, id := range m.Items {
		theirs[id] = int32(row)
		ours[row] = -1
		if our, ok := f.Snapshot.Items.Row(id); ok {
			ours[row] = our
		}
	}
	asked := make([]dataset.Case, len(at))
	for i, place := range at {
		c := cases[place]
		in := dataset.Events{}
		for k, item := range c.Input.Item {
			row, ok := theirs[f.Snapshot.Items.ID(item)]
			if !ok {
				continue // as in serving, which knows only the model's items
			}
			in.Item, in.At = append(in.Item, row), append(in.At, c.Input.At[k])
			if c.Input.Weight != nil {
				in.Weight = append(in.Weight, c.Input.Weight[k])
			}
		}
		c.Input = in // who asks, and what is the case, stays
		asked[i] = c
	}
	as := *f
	as.leaveOut = m.Manifest.Seen == model.SeenLeftOut
	as.negative = dataset.Events{}
	if len(m.Manifest.Negative) > 0 {
		as.negative = f.refusedIn(theirs)
	}
	lists, err := as.rank(ctx, s, len(m.Items), asked, nil)
	for _, list := range lists {
		for i, row := range list {
			list[i] = ours[row]
		}
	}
	return lists, err
}

// holdout is the SHA-256, in hexadecimal, of who is asked and what they went on
// to. Ids and not rows, so that other data never looks the same.
func holdout(s *dataset.Snapshot, split *dataset.Split) string {
	return holdoutOf(split.Protocol, len(split.Cases), func(i int) (string, int, []int32) {
		c := split.Cases[i]
		return s.Users.ID(c.User), c.Input.Len(), c.Truth
	}, s.Items)
}

// holdoutOf hashes n askers, each with the number of events that are told of
// them and the items they went on to.
func holdoutOf(protocol string, n int, of func(i int) (user string, told int, truth []int32), items *dataset.Vocabulary) string {
	sum := sha256.New()
	var buf []byte
	text := func(s string) {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	text(protocol)
	for i := range n {
		user, told, truth := of(i)
		text(user)
		buf = binary.AppendUvarint(buf, uint64(told))
		buf = binary.AppendUvarint(buf, uint64(len(truth)))
		for _, item := range truth {
			text(items.ID(item))
		}
		_, _ = sum.Write(buf) // a hash takes everything
		buf = buf[:0]
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// newest is the time of the newest event, Unix milliseconds; 0 without events.
func newest(e dataset.Events) int64 {
	if e.Len() == 0 {
		return 0
	}
	return slices.Max(e.At)
}

// kept is what a Measured holds of series: at most model.MaxMeasured users,
// evenly from all, so that the same users are kept of every model that was asked the same.
func kept(series map[string][]float64) map[string][]float32 {
	out := make(map[string][]float32, len(series))
	for metric, values := range series {
		n := min(len(values), model.MaxMeasured)
		short := make([]float32, n)
		for i := range short {
			short[i] = float32(values[i*len(values)/max(1, n)])
		}
		out[metric] = short
	}
	return out
}

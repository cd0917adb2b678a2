package dataset

import "slices"

// InspectSplit looks at what a model would be measured on: whether the right
// answers were told, in the input or in training, and whether they can be known.
// It takes one pass over the events of the split.
func InspectSplit(s *Split) []Finding {
	var out []Finding
	repeats, targets := s.Repeats()
	if float64(repeats) >= repeatsAreMost*float64(targets) && repeats > 0 {
		out = append(out, *found(TargetsRepeatInput, repeats, targets, "items that users went on to were in what was told of them: giving back what they had is hard to beat. If that is not the aim, filter repeats before import"))
	}
	if n := s.told(); n > 0 {
		out = append(out, *found(TestRowsInTrain, n, len(s.Cases), "users are asked about an interaction of which a copy was told: duplicate rows lie on both sides of the cut, and the measurement is too good. Leave duplicates out"))
	}
	seen, fresh := rowsOf(s.Train), 0
	for _, c := range s.Cases {
		for _, item := range c.Truth {
			if !has(seen, item) {
				fresh++
			}
		}
	}
	return appendNewItems(out, fresh, targets)
}

// InspectPair looks at two sets that were given apart, one to learn from and one
// to be asked about, in one pass over both. Both are sorted as Events are, with
// the same rows for users and items.
func InspectPair(train, test Events) []Finding {
	var out []Finding
	if n := common(train, test); n > 0 {
		out = append(out, *found(TestRowsInTrain, n, test.Len(), "test rows, by user, item and time, are among those to learn from: the measurement is too good. Take them out of one of the sets"))
	}
	items, users := rowsOf(train), map[int32]bool{}
	train.ByUser(func(user int32, _, _ int) { users[user] = true })
	fresh, all, strangers := 0, 0, 0
	for _, item := range test.Item {
		if !has(items, item) {
			fresh++
		}
	}
	test.ByUser(func(user int32, _, _ int) {
		all++
		if !users[user] {
			strangers++
		}
	})
	out = appendNewItems(out, fresh, test.Len())
	if float64(strangers) >= newUsersAreMany*float64(all) && strangers > 0 {
		out = append(out, *found(NewUsersInTest, strangers, all, "test users have nothing to learn from: the measurement is mostly of what everybody likes"))
	}
	return out
}

func appendNewItems(out []Finding, fresh, targets int) []Finding {
	if fresh == 0 || float64(fresh) < newItemsAreMany*float64(targets) {
		return out
	}
	return append(out, *found(NewItemsInTest, fresh, targets, "items that users went on to have their whole history after the cut: no model of behaviour can know them, and the measurement is too bad. Import item metadata, and measure cold items apart"))
}

// Repeats counts the true items that stand in their case's input, and all true
// items. Prefixes of one session share their input, which is looked at once.
func (s *Split) Repeats() (repeats, targets int) {
	most := int32(-1)
	for _, c := range s.Cases {
		most = max(most, slices.Max(c.Input.Item), c.Truth[len(c.Truth)-1])
	}
	seen := make([]int32, most+1) // by item: the last input with it, from 1
	var begin *int32
	input, looked := int32(0), 0
	for _, c := range s.Cases {
		if &c.Input.Item[0] != begin || c.Input.Len() < looked {
			begin, looked = &c.Input.Item[0], 0
			input++
		}
		for _, item := range c.Input.Item[looked:] {
			seen[item] = input
		}
		looked = c.Input.Len()
		for _, item := range c.Truth {
			targets++
			if seen[item] == input {
				repeats++
			}
		}
	}
	return repeats, targets
}

// told counts the cases in which a row held out is the same, by item and time, as
// one of the input. Events with the same are neighbours, so that the cut lies
// between them.
func (s *Split) told() int {
	n := 0
	for _, c := range s.Cases {
		last := c.Input.Len() - 1
		if c.Input.Item[last] == c.Held.Item[0] && c.Input.At[last] == c.Held.At[0] {
			n++
		}
	}
	return n
}

// common counts the rows of b that are in a by user, item and time: a merge of
// two sorted sets.
func common(a, b Events) int {
	n, i := 0, 0
	for j := range b.User {
		for i < a.Len() && less(a, i, b, j) {
			i++
		}
		if i < a.Len() && a.User[i] == b.User[j] && a.At[i] == b.At[j] && a.Item[i] == b.Item[j] {
			n++
		}
	}
	return n
}

func less(a Events, i int, b Events, j int) bool {
	if a.User[i] != b.User[j] {
		return a.User[i] < b.User[j]
	}
	if a.At[i] != b.At[j] {
		return a.At[i] < b.At[j]
	}
	return a.Item[i] < b.Item[j]
}

// rowsOf says which items have events.
func rowsOf(e Events) []bool {
	if e.Len() == 0 {
		return nil
	}
	seen := make([]bool, 1+slices.Max(e.Item))
	for _, item := range e.Item {
		seen[item] = true
	}
	return seen
}

func has(seen []bool, item int32) bool { return int(item) < len(seen) && seen[item] }

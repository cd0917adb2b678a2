package profile

import (
	"math"
	"strings"
	"sync"
)

// maxTypes bounds the event types told apart; those after share the last
// number. Personalize knows ten per schema; a client that makes up types must
// not break anything.
const maxTypes = math.MaxUint16

// vocabulary numbers items, actions and event types. Numbers are given once and never
// change: a View and the one that replaces it share a vocabulary, so that a
// reader may keep numbers for as long as the process lives.
type vocabulary struct {
	items, actions ids

	mu       sync.RWMutex
	typeNo   map[string]uint16 // exact spellings and lower case
	typeName []string          // as first seen
}

func newVocabulary() *vocabulary {
	return &vocabulary{items: ids{no: map[string]int32{}}, actions: ids{no: map[string]int32{}}, typeNo: map[string]uint16{}}
}

// of are the ids of a side.
func (v *vocabulary) of(s side) *ids {
	if s == ofActions {
		return &v.actions
	}
	return &v.items
}

// ids numbers the ids of items or of actions.
type ids struct {
	mu   sync.RWMutex
	no   map[string]int32
	list []string
}

// number is that of an id, a new one if need be. ok is false when numbers have run out.
func (v *ids) number(id string) (n int32, ok bool) {
	if n, ok = v.find(id); ok {
		return n, true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if n, ok = v.no[id]; ok {
		return n, true
	}
	if len(v.list) == math.MaxInt32 {
		return 0, false
	}
	id = strings.Clone(id)
	n = int32(len(v.list))
	v.list = append(v.list, id)
	v.no[id] = n
	return n, true
}

// find is the number of an id; ok is false when it has none.
func (v *ids) find(id string) (n int32, ok bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	n, ok = v.no[id]
	return n, ok
}

// id is that of a number, "" for a number never given.
func (v *ids) id(n int32) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if n < 0 || int(n) >= len(v.list) {
		return ""
	}
	return v.list[n]
}

func (v *ids) len() int { return len(v.all()) }

// all are the ids so far in the order of their numbers. What is returned is not written again.
func (v *ids) all() []string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.list[:len(v.list):len(v.list)]
}

// eventType is the number of an event type, a new one if need be. Case does not matter.
func (v *vocabulary) eventType(name string) uint16 {
	v.mu.RLock()
	n, ok := v.typeNo[name]
	v.mu.RUnlock()
	if ok {
		return n
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	lower := strings.ToLower(name)
	n, ok = v.typeNo[lower]
	if !ok {
		if len(v.typeName) == maxTypes {
			return maxTypes - 1
		}
		n = uint16(len(v.typeName))
		v.typeName = append(v.typeName, strings.Clone(name))
		v.typeNo[strings.Clone(lower)] = n
	}
	if len(v.typeNo) < 4*maxTypes { // spellings of one type are a cache, no need
		v.typeNo[strings.Clone(name)] = n
	}
	return n
}

func (v *vocabulary) typeOf(n uint16) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if int(n) >= len(v.typeName) {
		return ""
	}
	return v.typeName[n]
}

// types are the event types so far in the order of their numbers. What is
// returned is not written again.
func (v *vocabulary) types() []string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.typeName[:len(v.typeName):len(v.typeName)]
}

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

// vocabulary numbers items and event types. Numbers are given once and never
// change: a View and the one that replaces it share a vocabulary, so that a
// reader may keep numbers for as long as the process lives.
type vocabulary struct {
	mu       sync.RWMutex
	itemNo   map[string]int32
	items    []string
	typeNo   map[string]uint16 // exact spellings and lower case
	typeName []string          // as first seen
}

func newVocabulary() *vocabulary {
	return &vocabulary{itemNo: map[string]int32{}, typeNo: map[string]uint16{}}
}

// item is the number of an item, a new one if need be. ok is false when numbers have run out.
func (v *vocabulary) item(id string) (n int32, ok bool) {
	v.mu.RLock()
	n, ok = v.itemNo[id]
	v.mu.RUnlock()
	if ok {
		return n, true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if n, ok = v.itemNo[id]; ok {
		return n, true
	}
	if len(v.items) == math.MaxInt32 {
		return 0, false
	}
	id = strings.Clone(id)
	n = int32(len(v.items))
	v.items = append(v.items, id)
	v.itemNo[id] = n
	return n, true
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

func (v *vocabulary) itemID(n int32) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if n < 0 || int(n) >= len(v.items) {
		return ""
	}
	return v.items[n]
}

func (v *vocabulary) itemNumber(id string) (int32, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	n, ok := v.itemNo[id]
	return n, ok
}

func (v *vocabulary) numItems() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.items)
}

func (v *vocabulary) typeOf(n uint16) string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if int(n) >= len(v.typeName) {
		return ""
	}
	return v.typeName[n]
}

// lists are the items and types so far, in the order of their numbers. What is
// returned is not written again.
func (v *vocabulary) lists() (items, types []string) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.items[:len(v.items):len(v.items)], v.typeName[:len(v.typeName):len(v.typeName)]
}

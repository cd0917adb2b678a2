package wire

import (
	"regexp"
	"slices"
	"sync"
)

// The names of the three services, as the AWS clients and command line spell them.
const (
	Personalize        = "personalize"
	PersonalizeRuntime = "personalize-runtime"
	PersonalizeEvents  = "personalize-events"
)

// Type is the sort of JSON value that a shape describes.
type Type uint8

// The types that the three descriptions use.
const (
	Structure Type = iota
	List
	Map
	String
	Integer // 32 bits, signed
	Double  // also the published type float: both are a JSON number
	Boolean
	Timestamp // seconds since 1970-01-01 UTC as a JSON number; fractions allowed
)

// Bound is one end of a range: of characters for a String, of elements for a
// List or Map, of the value for an Integer or Double.
type Bound struct {
	Set bool
	N   float64
}

// Shape describes one published value and its constraints. Shapes are shared
// and read only; none contains itself.
type Shape struct {
	Name      string
	Type      Type
	Members   []Member // of a Structure, in the published order
	Element   *Shape   // of a List
	Key       *Shape   // of a Map
	Value     *Shape   // of a Map
	Min, Max  Bound
	Pattern   *Pattern // of a String; nil when anything goes
	Enum      []string // of a String; nil when anything goes
	Sensitive bool     // the value must not appear in messages and logs
}

// Member is a named value inside a Structure.
type Member struct {
	Name      string // exactly as on the wire
	Shape     *Shape
	Required  bool
	JSONValue bool // a JSON document inside a JSON string
}

// Pattern is a regular expression that a whole string must match.
type Pattern struct {
	Published string // as the description has it, for messages
	Anchored  string // in Go's syntax, tied down at both ends

	once sync.Once
	re   *regexp.Regexp
}

// Match says whether all of s matches. The expression is compiled on first use.
func (p *Pattern) Match(s string) bool {
	p.once.Do(func() { p.re = regexp.MustCompile(p.Anchored) })
	return p.re.MatchString(s)
}

// Operation is one published call.
type Operation struct {
	Service    string // one of Personalize, PersonalizeRuntime, PersonalizeEvents
	Name       string
	Method     string // HTTP method
	Path       string // HTTP path
	Target     string // value of the X-Amz-Target header; empty for the REST services
	Input      *Shape
	Output     *Shape     // nil when the operation answers nothing
	NewInput   func() any // makes the struct of Input, as a pointer
	NewOutput  func() any // makes the struct of Output, as a pointer; of Empty when that is nil
	Errors     []string   // exception names it may answer with
	Idempotent bool
	Page       *Page // nil when botocore has no paginator for it
}

// Page says how an operation's answer is split into pages, as member names.
type Page struct {
	InputToken, OutputToken, Limit, Result string
}

// Error is a published exception of a service and the HTTP status it comes with.
// The control plane publishes no status; clients expect 400 there.
type Error struct {
	Service string
	Name    string
	Status  int
}

// Empty is the output of an operation that answers nothing.
type Empty struct{}

// REST says whether the operation speaks rest-json (its own path, plain JSON)
// and not json 1.1 (one path, operation named by a header).
func (o *Operation) REST() bool { return o.Target == "" }

// Models says whether the operation publishes this exception name.
func (o *Operation) Models(exception string) bool { return slices.Contains(o.Errors, exception) }

// All returns every operation: the control plane first, then runtime, then
// events, each in alphabetical order. The operations are shared and read only.
func All() []*Operation {
	var all []*Operation
	for _, table := range [][]Operation{personalizeOperations, runtimeOperations, eventsOperations} {
		for i := range table {
			all = append(all, &table[i])
		}
	}
	return all
}

// Lookup finds an operation by service and name; ok is false when neither
// published nor spelled exactly so.
func Lookup(service, name string) (op *Operation, ok bool) {
	for _, op := range All() {
		if op.Service == service && op.Name == name {
			return op, true
		}
	}
	return nil, false
}

// LookupError finds a published exception of a service.
func LookupError(service, name string) (e Error, ok bool) {
	for _, table := range [][]Error{personalizeErrors, runtimeErrors, eventsErrors} {
		for _, e := range table {
			if e.Service == service && e.Name == name {
				return e, true
			}
		}
	}
	return Error{}, false
}

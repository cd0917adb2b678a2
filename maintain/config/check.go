package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune/maintain/cron"
	"github.com/attune-io/attune/wire/check"
)

const (
	// maxProblems bounds what is told of one file; nobody reads more.
	maxProblems = 500
	// maxEcho is how many characters of a value come back in a message.
	maxEcho = 60
	// maxWords bounds each half of a message, in characters: the longest of ours names 20 metrics.
	maxWords = 500
)

// checker gathers the problems of one file.
type checker struct {
	file     string
	problems Problems
	more     int // problems beyond maxProblems
	warnings []Problem
}

// fail records a problem.
func (c *checker) fail(at place, path, what, instead string) {
	if len(c.problems) >= maxProblems {
		c.more++
		return
	}
	c.problems = append(c.problems, c.problem(at, path, what, instead))
}

// warn records what the writer of the file should know.
func (c *checker) warn(at place, path, what, instead string) {
	if len(c.warnings) < maxProblems {
		c.warnings = append(c.warnings, c.problem(at, path, what, instead))
	}
}

func (c *checker) problem(at place, path, what, instead string) Problem {
	return Problem{File: c.file, Path: path, Line: at.line, Column: at.column, What: cut(what, maxWords), Instead: cut(instead, maxWords)}
}

// join is the path of a member.
func join(path, name string) string {
	if path == "" {
		return shorten(name)
	}
	return path + "." + shorten(name)
}

// at is the path of an item of a list.
func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// value holds a node against a form, with everything below.
func (c *checker) value(f *form, n *node, path string) {
	if f.short != nil && n.sort == f.short.sort {
		f = f.short
	}
	if f.sort != n.sort {
		c.wrongSort(f, n, path)
		return
	}
	switch {
	case f.special == avro:
		c.free(n, path) // the rest needs to know which dataset it is of: see avro.go
	case f.sort == object && f.element != nil:
		c.mapping(f, n, path)
	case f.sort == object:
		c.object(f, n, path)
	case f.sort == list:
		c.items(f, n, path)
	case f.sort == text:
		c.text(f, n, path)
	case f.sort == number && f.shape != nil:
		for _, broken := range check.Number(f.shape, json.Number(n.text)) {
			c.broken(f, n, path, broken)
		}
	}
}

// wrongSort is said of a value that is not of the sort of its form.
func (c *checker) wrongSort(f *form, n *node, path string) {
	want := f.sort.String()
	if f.short != nil {
		want = f.short.sort.String() + " or " + want
	}
	instead := ""
	switch {
	case f.special == avro && n.sort == text:
		instead = "write the schema itself, not its text in quotes"
	case f.sort == text && (n.sort == number || n.sort == boolean):
		instead = fmt.Sprintf("put it in quotes: %q", shorten(n.text))
	case n.sort == text && (f.sort == number || f.sort == boolean):
		instead = "take the quotes away"
	case f.sort == list && n.sort == object:
		instead = "write a list with the object in it"
	case f.sort == object && f.element == nil && f.allowed() != "":
		instead = "its members are: " + f.allowed()
	}
	c.fail(n.place, path, fmt.Sprintf("must be %s, not %s", want, n.sort), instead)
}

func (c *checker) object(f *form, n *node, path string) {
	c.repeated(n, path)
	given := map[string]bool{}
	for _, m := range n.members {
		below := join(path, m.name)
		known := f.find(m.name)
		switch {
		case known == nil:
			c.fail(m.at, below, "not allowed here", "allowed are: "+f.allowed())
		case known.supplied:
			c.fail(m.at, below, "must not be given", known.instead)
		case m.node.sort == nothing: // as if it were not there
		default:
			given[m.name] = true
			if !known.required && known.form.shape != nil && m.node.sort == known.form.sort && m.node.sort != number && m.node.empty() {
				continue // never sent, so no constraint of the service is broken
			}
			c.value(known.form, m.node, below)
		}
	}
	for _, m := range f.fields {
		if m.required && !given[m.name] {
			instead := m.instead
			if instead == "" {
				instead = "write " + m.name + ": …"
			}
			c.fail(n.place, join(path, m.name), "missing", instead)
		}
	}
}

// free looks at an object without a form.
func (c *checker) free(n *node, path string) {
	c.repeated(n, path)
	for _, m := range n.members {
		c.free(m.node, join(path, m.name))
	}
	for i, item := range n.items {
		c.free(item, at(path, i))
	}
}

// repeated tells of names that stand twice in an object.
func (c *checker) repeated(n *node, path string) {
	for _, m := range n.twice {
		c.fail(m.at, join(path, m.name), "given twice in one object", "keep one of the two")
	}
}

func (c *checker) mapping(f *form, n *node, path string) {
	c.repeated(n, path)
	for _, broken := range check.Size(f.shape, len(n.members)) {
		c.broken(f, n, path, broken)
	}
	for _, m := range n.members {
		for _, broken := range check.Text(f.shape.Key, m.name) {
			c.broken(&form{sort: text, shape: f.shape.Key}, &node{place: m.at, sort: text, text: m.name}, join(path, m.name), broken)
		}
		c.value(f.element, m.node, join(path, m.name))
	}
}

func (c *checker) items(f *form, n *node, path string) {
	if f.shape != nil {
		for _, broken := range check.Size(f.shape, len(n.items)) {
			c.broken(f, n, path, broken)
		}
	}
	for i, item := range n.items {
		c.value(f.element, item, at(path, i))
	}
}

func (c *checker) text(f *form, n *node, path string) {
	switch {
	case f.special == schedule:
		c.schedule(n, path)
		return
	case f.special == age:
		if _, err := cron.ParseAge(n.text); err != nil {
			c.refused(n, path, err, "")
		}
		return
	case f.enum != nil:
		if !slices.Contains(f.enum, n.text) {
			c.fail(n.place, path, fmt.Sprintf("%q is not known", shorten(n.text)), "write one of: "+strings.Join(f.enum, ", "))
		}
		return
	}
	if f.shape != nil {
		for _, broken := range check.Text(f.shape, n.text) {
			c.broken(f, n, path, broken)
		}
	}
}

// drop is the word that ends a schedule.
const drop = "delete"

func (c *checker) schedule(n *node, path string) {
	if n.text == drop {
		return
	}
	if _, err := cron.Parse(n.text); err != nil {
		c.refused(n, path, err, ", or delete for none")
	}
}

// refused words the error of a language: «schedule "…": what; what to write».
func (c *checker) refused(n *node, path string, err error, more string) {
	what := err.Error()
	if _, after, ok := strings.Cut(what, fmt.Sprintf("%q: ", n.text)); ok {
		what = fmt.Sprintf("%q: %s", shorten(n.text), after)
	}
	instead := "write it anew"
	for _, mark := range []string{"; ", ": "} {
		if i := strings.LastIndex(what, mark); i >= 0 {
			what, instead = what[:i], what[i+2:]
			break
		}
	}
	c.fail(n.place, path, what, instead+more)
}

// broken words a rule of a shape that a value breaks.
func (c *checker) broken(f *form, n *node, path string, rule check.Rule) {
	s := f.shape
	what, instead := "", ""
	shown := fmt.Sprintf("%q", shorten(n.text))
	if s.Sensitive {
		shown = "the value"
	}
	count, of := len(n.items)+len(n.members), "elements"
	if n.sort == text {
		count, of = len([]rune(n.text)), "characters"
	}
	switch rule {
	case check.TooLong:
		what, instead = fmt.Sprintf("has %d %s", count, of), fmt.Sprintf("at most %.0f are allowed", s.Max.N)
	case check.TooShort:
		what, instead = fmt.Sprintf("has %d %s", count, of), fmt.Sprintf("at least %.0f are needed", s.Min.N)
	case check.Unlike:
		what, instead = shown+" is not of the right form", "it must match "+s.Pattern.Published
	case check.Unlisted:
		what, instead = shown+" is not known", "write one of: "+strings.Join(s.Enum, ", ")
	case check.TooSmall:
		what, instead = shorten(n.text)+" is too small", "write at least "+bound(s.Min.N)
	case check.TooLarge:
		what, instead = shorten(n.text)+" is too large", "write at most "+bound(s.Max.N)
	case check.NotWhole:
		what, instead = shorten(n.text)+" is no whole number of 32 bits", "write one without a fraction"
	default:
		what, instead = shorten(n.text)+" does not fit in 64 bits", "write a smaller one"
	}
	c.fail(n.place, path, what, instead)
}

// bound writes a bound without an exponent.
func bound(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// shorten cuts a value for a message.
func shorten(s string) string { return cut(s, maxEcho) }

// cut keeps the first characters of a text.
func cut(s string, most int) string {
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}

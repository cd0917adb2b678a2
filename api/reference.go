package api

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune/wire"
)

//go:generate go run ./_gen

// Entry is one published operation, whether this build answers it, and its note.
type Entry struct {
	Service string `json:"service"`
	Built   bool   `json:"built"`
	Note
}

// Reference lists all 79 published operations with what is to be known of each.
// It needs no running node: what is registered is a fact of the binary.
func Reference() []Entry {
	byName := map[string]Note{}
	for _, n := range notes() {
		byName[n.Operation] = n.and(byName[n.Operation])
	}
	var all []Entry
	for _, c := range Coverage() {
		n := byName[c.Operation]
		n.Operation = c.Operation
		all = append(all, Entry{Service: c.Service, Built: c.Built, Note: n})
	}
	return all
}

// and joins two notes of one operation, which areas of the code wrote apart.
func (n Note) and(o Note) Note {
	join := func(a, b string) string { return strings.TrimSpace(a + " " + b) }
	return Note{n.Operation, join(o.Honoured, n.Honoured), join(o.Differs, n.Differs), join(o.Why, n.Why)}
}

// WriteReference writes the page of one service in Markdown: for every
// operation its request with all published constraints, its answer, its errors,
// and what this server does otherwise and why.
func WriteReference(w io.Writer, service string) error {
	p := &page{w: w}
	p.line("# %s\n", service)
	p.line("Written by `make generate` from the published service description and the notes in `api/`. Do not edit.\n")
	p.line("Every constraint below is checked, and refused by the name of the member. [All operations](README.md)")
	for _, e := range Reference() {
		if e.Service == service {
			op, _ := wire.Lookup(e.Service, e.Operation)
			p.operation(op, e)
		}
	}
	return p.err
}

// WriteIndex writes the table of all operations in Markdown.
func WriteIndex(w io.Writer) error {
	p := &page{w: w}
	all := Reference()
	built := len(slices.DeleteFunc(slices.Clone(all), func(e Entry) bool { return !e.Built }))
	p.line("# The Personalize API, operation by operation\n")
	p.line("Written by `make generate` from the published service descriptions and the notes in `api/`. Do not edit.\n")
	p.line("%d of %d operations are answered. What holds for all of them: [compatibility](../compatibility.md).\n", built, len(all))
	p.line("| operation | answered | differs from Amazon Personalize | why |\n|---|---|---|---|")
	for _, e := range all {
		p.line("| [%s](%s.md#%s) | %s | %s | %s |", e.Operation, e.Service, strings.ToLower(e.Operation), yes(e.Built), cell(e.Differs), cell(e.Why))
	}
	return p.err
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// cell keeps a text inside its cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// page writes lines until one fails.
type page struct {
	w   io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *page) operation(op *wire.Operation, e Entry) {
	p.line("\n## %s\n", op.Name)
	if !e.Built {
		p.line("Not answered by this build.\n")
	}
	honoured := e.Honoured
	if honoured == "" {
		honoured = "every published member."
	}
	p.line("* **Honoured**: %s", honoured)
	if e.Differs != "" {
		p.line("* **Differs**: %s", e.Differs)
	}
	if e.Why != "" {
		p.line("* **Why**: %s", e.Why)
	}
	if len(op.Errors) > 0 {
		p.line("* **Errors**: %s", strings.Join(op.Errors, ", "))
	}
	if op.Input != nil && len(op.Input.Members) > 0 {
		p.line("\n| request member | | constraints |\n|---|---|---|")
		p.members(op.Input, "")
	}
	if op.Output != nil && len(op.Output.Members) > 0 {
		names := make([]string, len(op.Output.Members))
		for i, m := range op.Output.Members {
			names[i] = "`" + m.Name + "`"
		}
		p.line("\nAnswers %s.", strings.Join(names, ", "))
	}
}

// members writes a row for each member of a structure, down to the last.
func (p *page) members(s *wire.Shape, above string) {
	for i := range s.Members {
		m := &s.Members[i]
		need := ""
		if m.Required {
			need = "required"
		}
		p.line("| `%s` | %s | %s |", above+m.Name, need, cell(constraints(m.Shape)))
		switch m.Shape.Type {
		case wire.Structure:
			p.members(m.Shape, above+m.Name+".")
		case wire.List:
			if m.Shape.Element.Type == wire.Structure {
				p.members(m.Shape.Element, above+m.Name+"[].")
			}
		}
	}
}

// constraints says in words what a value must be.
func constraints(s *wire.Shape) string {
	var parts []string
	switch s.Type {
	case wire.List:
		parts = append(parts, "list"+ranged(s, "elements"))
		if s.Element.Type != wire.Structure {
			parts = append(parts, "each: "+constraints(s.Element))
		}
	case wire.Map:
		parts = append(parts, "map"+ranged(s, "entries"), "keys: "+constraints(s.Key), "values: "+constraints(s.Value))
	case wire.Structure:
		parts = append(parts, "object")
	case wire.String:
		parts = append(parts, "text"+ranged(s, "characters"))
		if len(s.Enum) > 0 {
			parts = append(parts, "one of "+strings.Join(s.Enum, ", "))
		}
		if s.Pattern != nil {
			parts = append(parts, "pattern `"+s.Pattern.Published+"`")
		}
	case wire.Boolean:
		parts = append(parts, "true or false")
	case wire.Timestamp:
		parts = append(parts, "seconds since 1970, fractions allowed")
	case wire.Integer:
		parts = append(parts, "whole number"+ranged(s, ""))
	default:
		parts = append(parts, "number"+ranged(s, ""))
	}
	return strings.Join(parts, "; ")
}

// ranged writes a range: ", 1 to 63 characters".
func ranged(s *wire.Shape, of string) string {
	number := func(b wire.Bound) string { return strconv.FormatFloat(b.N, 'f', -1, 64) }
	text := ""
	switch {
	case s.Min.Set && s.Max.Set:
		text = number(s.Min) + " to " + number(s.Max)
	case s.Max.Set:
		text = "at most " + number(s.Max)
	case s.Min.Set:
		text = "at least " + number(s.Min)
	default:
		return ""
	}
	return strings.TrimSuffix(", "+text+" "+of, " ")
}

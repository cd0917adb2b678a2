package main

import (
	"bytes"
	"fmt"
	"go/format"
	"regexp"
	"strconv"
	"strings"
)

// shapeTypes maps published types to constants of package wire.
var shapeTypes = map[string]string{"structure": "Structure", "list": "List", "map": "Map", "string": "String",
	"integer": "Integer", "double": "Double", "float": "Double", "boolean": "Boolean", "timestamp": "Timestamp"}

// writeShapes writes one variable per shape. They are separate variables
// because they point at one another, which the elements of one table may not.
func writeShapes(s *service) ([]byte, error) {
	if err := s.refuseRecursion(); err != nil {
		return nil, err
	}
	b := header()
	b.WriteString("\nvar (\n")
	for _, name := range s.reachable() {
		if err := s.writeShape(b, name); err != nil {
			return nil, err
		}
	}
	b.WriteString(")\n")
	return format.Source(b.Bytes())
}

func (s *service) writeShape(b *bytes.Buffer, name string) error {
	sh := s.Shapes[name]
	if shapeTypes[sh.Type] == "" {
		return fmt.Errorf("shape %s has the unknown type %q", name, sh.Type)
	}
	fmt.Fprintf(b, "\t%s = Shape{Name: %q, Type: %s", s.variable(name), name, shapeTypes[sh.Type])
	for _, part := range []struct {
		field string
		r     *ref
	}{{"Element", sh.Member}, {"Key", sh.Key}, {"Value", sh.Value}} {
		if part.r != nil {
			fmt.Fprintf(b, ", %s: &%s", part.field, s.variable(part.r.Shape))
		}
	}
	for _, bound := range []struct {
		field string
		n     *float64
	}{{"Min", sh.Min}, {"Max", sh.Max}} {
		if bound.n != nil {
			fmt.Fprintf(b, ", %s: Bound{true, %s}", bound.field, strconv.FormatFloat(*bound.n, 'f', -1, 64))
		}
	}
	if sh.Pattern != "" {
		anchored, err := anchor(sh)
		if err != nil {
			return fmt.Errorf("shape %s: %w", name, err)
		}
		fmt.Fprintf(b, ", Pattern: &Pattern{Published: %s, Anchored: %s}", quote(sh.Pattern), quote(anchored))
	}
	if len(sh.Enum) > 0 {
		fmt.Fprintf(b, ", Enum: %#v", sh.Enum)
	}
	if sh.Sensitive {
		b.WriteString(", Sensitive: true")
	}
	if len(sh.Members) > 0 {
		b.WriteString(", Members: []Member{\n")
		for _, m := range sh.Members {
			fmt.Fprintf(b, "\t\t{Name: %q, Shape: &%s", m.name, s.variable(m.Shape))
			if sh.requires(m.name) {
				b.WriteString(", Required: true")
			}
			if m.JSONValue {
				b.WriteString(", JSONValue: true")
			}
			b.WriteString("},\n")
		}
		b.WriteString("\t}")
	}
	b.WriteString("}\n")
	return nil
}

// anchor rewrites a published pattern in Go's syntax, for the whole string.
// Published ends are sometimes open although the service means the whole.
func anchor(sh shape) (string, error) {
	pattern := sh.Pattern
	// Go has no \p{ASCII} and repeats at most 1000 times; the length is held by Max.
	if sh.Max != nil {
		pattern = strings.ReplaceAll(pattern, fmt.Sprintf(`\p{ASCII}{0,%.0f}`, *sh.Max), `[\x00-\x7F]*`)
	}
	pattern = `\A(?:` + pattern + `)\z`
	_, err := regexp.Compile(pattern)
	return pattern, err
}

// refuseRecursion: Go's initialisation cannot express shapes that hold themselves,
// and the decoder's depth would have no end.
func (s *service) refuseRecursion() error {
	var walk func(name string, above []string) error
	walk = func(name string, above []string) error {
		for _, a := range above {
			if a == name {
				return fmt.Errorf("shape %s contains itself: package wire cannot hold it", name)
			}
		}
		for _, part := range s.parts(name) {
			if err := walk(part.Shape, append(above[:len(above):len(above)], name)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range s.reachable() {
		if err := walk(name, nil); err != nil {
			return err
		}
	}
	return nil
}

// writeOperations writes the tables of operations and of exceptions.
func writeOperations(s *service) ([]byte, error) {
	b := header()
	fmt.Fprintf(b, "\nvar %sOperations = []Operation{\n", s.prefix)
	for _, name := range sortedKeys(s.Operations) {
		op := s.Operations[name]
		if op.Input == nil {
			return nil, fmt.Errorf("operation %s has no input: package wire has no word for that yet", name)
		}
		fmt.Fprintf(b, "\t{Service: %s, Name: %q, Method: %q, Path: %q,\n", s.constant, name, op.HTTP.Method, op.HTTP.Path)
		if s.Metadata.Protocol == "json" {
			fmt.Fprintf(b, "\t\tTarget: %q,\n", s.Metadata.TargetPrefix+"."+name)
		}
		output := "Empty"
		fmt.Fprintf(b, "\t\tInput: &%s,\n", s.variable(op.Input.Shape))
		if op.Output != nil {
			fmt.Fprintf(b, "\t\tOutput: &%s,\n", s.variable(op.Output.Shape))
			output = s.goNames[op.Output.Shape]
		}
		fmt.Fprintf(b, "\t\tNewInput: func() any { return new(%s) },\n", s.goNames[op.Input.Shape])
		fmt.Fprintf(b, "\t\tNewOutput: func() any { return new(%s) },\n\t\tErrors: []string{", output)
		for _, e := range op.Errors {
			fmt.Fprintf(b, "%q, ", e.Shape)
		}
		b.WriteString("},\n")
		if op.Idempotent {
			b.WriteString("\t\tIdempotent: true,\n")
		}
		if p, ok := s.pages[name]; ok {
			fmt.Fprintf(b, "\t\tPage: &Page{InputToken: %q, OutputToken: %q, Limit: %q, Result: %q},\n",
				p.InputToken, p.OutputToken, p.Limit, p.Result)
		}
		b.WriteString("\t},\n")
	}
	fmt.Fprintf(b, "}\n\nvar %sErrors = []Error{\n", s.prefix)
	for _, name := range sortedKeys(s.Shapes) {
		sh := s.Shapes[name]
		if !sh.Exception {
			continue
		}
		status := sh.Error.Status
		if status == 0 {
			status = 400
		}
		fmt.Fprintf(b, "\t{%s, %q, %d},\n", s.constant, name, status)
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

// variable names the Go variable of a shape.
func (s *service) variable(shape string) string { return s.prefix + export(shape) }

// quote prefers backquotes, which leave backslashes readable.
func quote(s string) string {
	if strconv.CanBackquote(s) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

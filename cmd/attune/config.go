package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/attune-io/attune/maintain/config"
)

// configCmd groups what needs no node: the file that says what is to be maintained.
type configCmd struct {
	Check  configCheckCmd  `cmd:"" help:"Tell everything that is wrong with configurations."`
	Schema configSchemaCmd `cmd:"" help:"Print the JSON Schema of configurations, for editors."`
}

// configCheckCmd reads files.
type configCheckCmd struct {
	outputFlags
	Files []string `arg:"" name:"file" help:"Configurations, JSON or YAML; - is standard input."`
}

// checked is what is told of the files.
type checked struct {
	Problems []config.Problem `json:"problems"`
	Warnings []config.Problem `json:"warnings"`
}

// Run prints a line for every problem and every warning, in the form that
// editors jump to, and ok for a file without a problem.
func (c *configCheckCmd) Run(s streams) error {
	all := checked{Problems: []config.Problem{}, Warnings: []config.Problem{}}
	bad := 0
	for _, name := range c.Files {
		found, err := checkConfig(name)
		if err != nil {
			return err
		}
		if c.Output == "table" {
			found.print(s.out, name)
		}
		if len(found.Problems) > 0 {
			bad++
		}
		all.Problems, all.Warnings = append(all.Problems, found.Problems...), append(all.Warnings, found.Warnings...)
	}
	if c.Output == "json" {
		enc := json.NewEncoder(s.out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(all); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d configurations cannot be applied as they are; each line says what to write instead", bad, len(c.Files))
	}
	return nil
}

// checkConfig reads one file.
func checkConfig(name string) (checked, error) {
	read, err := readConfig(name)
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		return checked{Problems: problems}, nil
	case err != nil:
		return checked{}, err
	}
	return checked{Warnings: append(read.Warnings, read.Lapsed(time.Now())...)}, nil
}

// print writes a line each.
func (c checked) print(w io.Writer, name string) {
	for _, p := range c.Problems {
		fmt.Fprintln(w, p)
	}
	for _, p := range c.Warnings {
		p.What = "warning: " + p.What
		fmt.Fprintln(w, p)
	}
	if len(c.Problems) == 0 {
		fmt.Fprintf(w, "%s: ok\n", name)
	}
}

// configSchemaCmd needs nothing.
type configSchemaCmd struct{}

// Run prints the schema.
func (configSchemaCmd) Run(s streams) error {
	_, err := s.out.Write(config.JSONSchema())
	return err
}

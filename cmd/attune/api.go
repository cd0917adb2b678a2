package main

import (
	"fmt"

	"github.com/attune-io/attune/api"
)

// apiCmd groups what is told about the Personalize API.
type apiCmd struct {
	Coverage coverageCmd `cmd:"" help:"List the 79 published operations, whether this build answers them, and what differs."`
}

// coverageCmd needs no node: what is built is a fact of the binary.
type coverageCmd struct{ outputFlags }

// Run lists every operation; as JSON with its whole note.
func (c *coverageCmd) Run(s streams) error {
	operations := api.Reference()
	built := 0
	for _, o := range operations {
		if o.Built {
			built++
		}
	}
	err := c.show(s.out, operations, []string{"SERVICE", "OPERATION", "BUILT", "DIFFERS"}, func(add func(...any)) {
		for _, o := range operations {
			add(o.Service, o.Operation, o.Built, clipped(o.Differs))
		}
	})
	if err == nil && c.Output == "table" {
		fmt.Fprintf(s.err, "%d of %d operations are built; -o json and docs/reference have all words\n", built, len(operations))
	}
	return err
}

// clipped is the beginning of a text, for a line of a table.
func clipped(text string) string {
	const most = 72
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

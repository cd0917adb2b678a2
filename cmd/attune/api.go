package main

import (
	"fmt"

	"github.com/attune-io/attune/api"
)

// apiCmd groups what is told about the Personalize API.
type apiCmd struct {
	Coverage coverageCmd `cmd:"" help:"List the 79 published operations and whether this build answers them."`
}

// coverageCmd needs no node: what is built is a fact of the binary.
type coverageCmd struct{ outputFlags }

// Run lists every operation.
func (c *coverageCmd) Run(s streams) error {
	operations := api.Coverage()
	built := 0
	for _, o := range operations {
		if o.Built {
			built++
		}
	}
	err := c.show(s.out, operations, []string{"SERVICE", "OPERATION", "BUILT"}, func(add func(...any)) {
		for _, o := range operations {
			add(o.Service, o.Operation, o.Built)
		}
	})
	if err == nil && c.Output == "table" {
		fmt.Fprintf(s.err, "%d of %d operations are built\n", built, len(operations))
	}
	return err
}

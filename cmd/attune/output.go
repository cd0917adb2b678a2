package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// outputFlags say in which form a verb answers.
type outputFlags struct {
	Output string `default:"table" enum:"table,json" short:"o" help:"Form of the answer: ${enum}."`
}

// show writes v as JSON, or the table that rows gives.
func (o *outputFlags) show(w io.Writer, v any, head []string, rows func(add func(cells ...any))) error {
	if o.Output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	return table(w, head, rows)
}

// table writes rows in aligned columns.
func table(w io.Writer, head []string, rows func(add func(cells ...any))) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(head, "\t"))
	rows(func(cells ...any) {
		text := make([]string, len(cells))
		for i, c := range cells {
			text[i] = fmt.Sprint(c)
		}
		fmt.Fprintln(t, strings.Join(text, "\t"))
	})
	return t.Flush()
}

package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a file, or that its writer should
// know: where, what, and what to write instead.
type Problem struct {
	File    string `json:"file"`
	Path    string `json:"path"` // e.g. solutions[0].workflowConfig.maxAge; "" for the file as a whole
	Line    int    `json:"line"` // from 1
	Column  int    `json:"column"`
	What    string `json:"what"`
	Instead string `json:"instead"`
}

// String is the problem as one line, in the form that editors jump to.
func (p Problem) String() string {
	text := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Path != "" {
		text += p.Path + ": "
	}
	text += p.What
	if p.Instead != "" {
		text += "; " + p.Instead
	}
	return text
}

// Problems are all that is wrong with a file, in the order of its lines. It is
// the cause of the error that Read gives; errors.As finds it.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

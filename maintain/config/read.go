package config

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/attune-io/attune"
)

// MaxBytes bounds the text of a configuration. One with a hundred solutions has
// 100 KB.
const MaxBytes = 1 << 20

// Read reads a configuration, JSON or YAML, of at most MaxBytes. The name is
// that of the file, for messages; its ending says which of the two it is, and
// without one a text that begins with a brace is JSON.
//
// The error is attune.Invalid, and Problems are in its chain: everything that is
// wrong at once, but for a text that cannot be parsed, which has one. What a
// service alone can know, such as whether a recipe exists, is not looked at.
func Read(text []byte, name string) (*Config, error) {
	c := &checker{file: cmp.Or(name, "configuration")}
	if len(text) > MaxBytes {
		c.fail(place{1, 1}, "", fmt.Sprintf("the file is larger than %d bytes", MaxBytes), "write a file for each dataset group")
		return nil, c.err()
	}
	root, bad := parse(text, name)
	switch {
	case bad != nil:
		c.fail(bad.place, "", bad.what, bad.instead)
		return nil, c.err()
	case root.empty():
		c.fail(root.place, "", "the file is empty", "write at least datasetGroup: {serviceConfig: {name: …}}")
		return nil, c.err()
	}
	c.repair(root)
	c.value(file(), root, "")
	b := &builder{checker: c, root: root}
	config := b.config()
	if err := c.err(); err != nil {
		return nil, err
	}
	config.Warnings = inOrder(c.warnings)
	return config, nil
}

// parse makes the tree of a text.
func parse(data []byte, name string) (*node, *misread) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // a byte order mark, as some editors leave
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n <= 1 {
			line := data[bytes.LastIndexByte(data[:i], '\n')+1 : i]
			at := place{1 + bytes.Count(data[:i], []byte("\n")), 1 + utf8.RuneCount(line)}
			return nil, &misread{at, "the text is not UTF-8", "save the file as UTF-8"}
		}
		i += n
	}
	start := bytes.TrimLeft(data, " \t\r\n")
	if len(start) == 0 {
		return &node{place: place{1, 1}}, nil
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".json":
		return readJSON(data)
	case ".yaml", ".yml":
		return readYAML(data)
	}
	if start[0] == '{' || start[0] == '[' {
		return readJSON(data)
	}
	return readYAML(data)
}

// err is all problems as one error; nil when there are none.
func (c *checker) err() error {
	if len(c.problems) == 0 {
		return nil
	}
	all := inOrder(c.problems)
	if c.more > 0 {
		last := all[len(all)-1]
		all = append(all, Problem{File: c.file, Line: last.Line, Column: last.Column,
			What: fmt.Sprintf("and %d more problems", c.more), Instead: "repair these first"})
	}
	return attune.Errorf(attune.Invalid, "%w", Problems(all))
}

// inOrder sorts problems by their place in the file.
func inOrder(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Path, b.Path))
	})
	return ps
}

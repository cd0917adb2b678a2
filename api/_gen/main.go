// Command _gen writes docs/reference: a page for each service and the table of
// all operations.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/attune-io/attune/api"
	"github.com/attune-io/attune/wire"
)

func main() {
	if err := run("../docs/reference"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder string) error {
	pages := map[string]func(io.Writer) error{"README.md": api.WriteIndex}
	for _, service := range []string{wire.Personalize, wire.PersonalizeRuntime, wire.PersonalizeEvents} {
		pages[service+".md"] = func(w io.Writer) error { return api.WriteReference(w, service) }
	}
	for name, write := range pages {
		f, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		if err := write(f); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

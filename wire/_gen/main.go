// Command _gen writes the generated half of package wire from the service
// descriptions that botocore publishes. Only names and constraints are taken;
// the documentation text is not.
//
//	go run ./wire/_gen                     fetch the pinned botocore with pip, once, into .tools
//	go run ./wire/_gen -botocore DIR       use an installed botocore package of that version
//
// The inputs are pinned by version and by digest, and the output depends on
// nothing else, so running it twice changes nothing.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("wire/_gen: ")
	from := flag.String("botocore", "", "directory of an installed botocore package (default: fetch with pip)")
	out := flag.String("out", "", "directory to write to (default: wire/ of this module)")
	flag.Parse()
	if err := run(*from, *out); err != nil {
		log.Fatal(err)
	}
}

func run(from, out string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	if out == "" {
		out = filepath.Join(root, "wire")
	}
	open := fromDirectory(from)
	if from == "" {
		if open, err = fromWheel(filepath.Join(root, ".tools")); err != nil {
			return err
		}
	}
	services, err := load(open)
	if err != nil {
		return err
	}
	for _, s := range services {
		for _, part := range []struct {
			name  string
			write func(*service) ([]byte, error)
		}{{"types", writeTypes}, {"shapes", writeShapes}, {"operations", writeOperations}} {
			source, err := part.write(s)
			if err != nil {
				return fmt.Errorf("%s %s: %w", s.name, part.name, err)
			}
			file := filepath.Join(out, s.prefix+"_"+part.name+".gen.go")
			if err := os.WriteFile(file, source, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// moduleRoot walks up from the working directory to the one with go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod above the working directory: run this inside the repository")
		}
		dir = parent
	}
}

package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/model"
)

// maxLine bounds a line of a data file: the longest history of the public sets
// has 30 KiB, and a file that is not one of lines is refused early.
const maxLine = 64 << 20

// vault holds the files of one set. What is learned from can be read at any
// time, what is asked only after the model is sealed: written, with its digest.
type vault struct {
	kind  kind
	train string // path
	test  string // path; that of train where the last item of each line is the test
	model *model.Model
	seal  string // digest; "" until Seal
}

// open looks for a set's files without reading them.
func openVault(s set, root string) (*vault, error) {
	dir := filepath.Join(root, filepath.FromSlash(s.dir))
	v := &vault{kind: s.kind, train: filepath.Join(dir, s.train), test: filepath.Join(dir, s.test)}
	for _, path := range []string{v.train, v.test} {
		if _, err := os.Stat(path); err != nil {
			return nil, attune.Errorf(attune.NotFound, "set %s: %v: is --data (or --dir) the folder that holds it?", s.name, err)
		}
	}
	return v, nil
}

// learn reads what may be learned from, as fields by line.
func (v *vault) learn() ([][]string, error) {
	lines, err := fields(v.train, " \t")
	if v.train != v.test {
		return lines, err
	}
	for i, line := range lines { // the last item is the test
		if len(line) >= 2 {
			lines[i] = line[:len(line)-1]
		}
	}
	return lines, err
}

// Seal writes the model and remembers its digest. After that the model must not change.
func (v *vault) Seal(ctx context.Context, store *artifact.Store, name string, m *model.Model) error {
	if v.seal != "" {
		return attune.Errorf(attune.Internal, "the vault was sealed before, with %s", v.seal)
	}
	digest, err := model.Save(ctx, store, name, m)
	if err != nil {
		return err
	}
	kept, err := model.OpenManifest(ctx, store, name)
	if err != nil {
		return err
	}
	if kept.Digest != digest {
		return attune.Errorf(attune.Internal, "model %s has the digest %s and was written with %s", name, digest, kept.Digest)
	}
	v.model, v.seal = m, digest
	return nil
}

// ask opens what the sealed model is asked: whole test lines, each as fields, for
// leave-one-out the user and the last item. Before Seal, and with a model that
// changed since, it is an error of kind Internal.
func (v *vault) ask() ([][]string, error) {
	if err := v.unbroken(); err != nil {
		return nil, err
	}
	separators := " \t"
	if v.kind == kindSession {
		separators = "\t" // prefix and target
	}
	lines, err := fields(v.test, separators)
	if v.train != v.test {
		return lines, err
	}
	var out [][]string
	for _, line := range lines {
		if len(line) >= 3 { // else there is nothing before the item
			out = append(out, []string{line[0], line[len(line)-1]})
		}
	}
	return out, err
}

// unbroken says that the model is sealed and is still what was sealed.
func (v *vault) unbroken() error {
	if v.seal == "" {
		return attune.Errorf(attune.Internal, "%s is not to be opened before the model is sealed", filepath.Base(v.test))
	}
	digest, err := model.Digest(v.model)
	if err == nil && digest != v.seal {
		err = attune.Errorf(attune.Internal, "the model was sealed as %s and is %s now", v.seal, digest)
	}
	return err
}

// fields reads a file of lines, each cut at any of the separators. Empty lines are left out.
func fields(path, separators string) ([][]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readFields(f, separators)
}

func readFields(r io.Reader, separators string) ([][]string, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<16), maxLine)
	cut := func(c rune) bool { return strings.ContainsRune(separators, c) || c == '\r' }
	var out [][]string
	for lines.Scan() {
		if f := strings.FieldsFunc(lines.Text(), cut); len(f) > 0 {
			out = append(out, f)
		}
	}
	return out, lines.Err()
}

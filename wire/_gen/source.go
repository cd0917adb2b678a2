package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// The pin. To move to another botocore, change the version, run, and copy the
// digest that the error message gives after looking at the difference.
const (
	botocoreVersion = "1.43.11"
	inputDigest     = "2673c929edab7f43154cf1d83da1fc0fdf11dd7c72edb0b6abf50d4e5e2627da"
)

// opener gives the files of the botocore package, by path below it.
type opener fs.FS

// fromDirectory reads an installed package, e.g. …/site-packages/botocore.
func fromDirectory(dir string) opener { return os.DirFS(dir) }

// fromWheel downloads the pinned wheel once and reads inside it.
func fromWheel(tools string) (opener, error) {
	dir := filepath.Join(tools, "botocore-"+botocoreVersion)
	wheels, err := filepath.Glob(filepath.Join(dir, "botocore-*.whl"))
	if err != nil {
		return nil, err
	}
	if len(wheels) == 0 {
		cmd := exec.Command("python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
			"--no-deps", "--only-binary=:all:", "--dest", dir, "botocore=="+botocoreVersion)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("download botocore %s with pip (or pass -botocore DIR): %w", botocoreVersion, err)
		}
		if wheels, err = filepath.Glob(filepath.Join(dir, "botocore-*.whl")); err != nil || len(wheels) == 0 {
			return nil, fmt.Errorf("pip left no wheel in %s", dir)
		}
	}
	archive, err := zip.OpenReader(wheels[0])
	if err != nil {
		return nil, err
	}
	return fs.Sub(archive, "botocore") // left open: the process ends soon
}

// readVersion refuses a botocore other than the pinned one.
func readVersion(files opener) error {
	text, err := fs.ReadFile(files, "__init__.py")
	if err != nil {
		return fmt.Errorf("this is not a botocore package: %w", err)
	}
	if !strings.Contains(string(text), "__version__ = '"+botocoreVersion+"'") {
		return fmt.Errorf("botocore is not version %s", botocoreVersion)
	}
	return nil
}

// readModel reads data/<service>/<version>/<name>, which newer releases gzip.
func readModel(files opener, service, version, name string) ([]byte, error) {
	file := path.Join("data", service, version, name)
	if text, err := fs.ReadFile(files, file); err == nil {
		return text, nil
	}
	packed, err := fs.ReadFile(files, file+".gz")
	if err != nil {
		return nil, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unpacked)
}

// checkDigest refuses inputs other than the ones that were reviewed.
func checkDigest(inputs [][]byte) error {
	h := sha256.New()
	for _, in := range inputs {
		fmt.Fprintf(h, "%d\n", len(in))
		h.Write(in)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != inputDigest {
		return fmt.Errorf("the service descriptions have digest %s, not the pinned %s", got, inputDigest)
	}
	return nil
}

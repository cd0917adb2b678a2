package s3

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// This file knows how gocloud.dev's fileblob lays keys out as files: the path
// is needed to fsync, and its own listing is not used, because over several
// pages it loses keys where a folder and a file have a common beginning.

// sidecar is the ending of fileblob's own files.
const sidecar = ".attrs"

// unfinished is how fileblob names a file that is being written.
var unfinished = regexp.MustCompile(`\.[0-9a-f]{16}\.tmp$`)

// escape is how fileblob writes a character that a path cannot have.
var escape = regexp.MustCompile(`__0x([0-9a-fA-F]+)__`)

// escapeKey is fileblob's: control characters, and slashes that a path would
// swallow, become __0x2f__.
func escapeKey(key string) string {
	plain := !strings.Contains(key, "//") && !strings.Contains(key, "../") && !strings.HasSuffix(key, "/") && !strings.Contains(key, "__0x")
	for i := 0; plain && i < len(key); i++ {
		plain = key[i] >= ' '
	}
	if plain {
		return key
	}
	r := []rune(key)
	var b strings.Builder
	for i, c := range r {
		slash := c == '/' && (i == len(r)-1 || i > 0 && r[i-1] == '/' || i > 1 && r[i-1] == '.' && r[i-2] == '.')
		if c < ' ' || slash || c == '_' && beginsEscape(string(r[i:])) {
			fmt.Fprintf(&b, "__%#x__", c)
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

func beginsEscape(s string) bool {
	at := escape.FindStringIndex(s)
	return at != nil && at[0] == 0
}

// unescapeKey is the reverse.
func unescapeKey(name string) string {
	if !strings.Contains(name, "__0x") {
		return name
	}
	return escape.ReplaceAllStringFunc(name, func(s string) string {
		n, err := strconv.ParseInt(s[4:len(s)-2], 16, 32)
		if err != nil {
			return s
		}
		return string(rune(n))
	})
}

// path is the file of a blob key.
func (b *blobs) path(key string) string {
	return filepath.Join(b.dir, filepath.FromSlash(escapeKey(key)))
}

// syncParents makes a new name durable: the folder it is in and, because those
// may be new as well, the ones above it.
func (b *blobs) syncParents(key string) error {
	if b.dir == "" {
		return nil
	}
	for dir := filepath.Dir(b.path(key)); strings.HasPrefix(dir, b.dir); dir = filepath.Dir(dir) {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

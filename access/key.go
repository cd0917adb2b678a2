package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/attune-io/attune"
)

// Key is a pair that signs requests.
type Key struct {
	ID     string `json:"accessKeyId"`     // 20 characters, e.g. AKIA…
	Secret string `json:"secretAccessKey"` // 40 characters; never logged
}

// String shows the id only, so that a key printed by accident keeps its secret.
func (k Key) String() string { return k.ID }

// GoString is String: %#v must not show the secret either.
func (k Key) GoString() string { return k.ID }

// Keys finds the key of an id. ok is false when nobody has that id; err is
// kept for a store that could not be asked.
type Keys interface {
	Lookup(ctx context.Context, id string) (key Key, ok bool, err error)
}

// Ring is a fixed set of keys by id.
type Ring map[string]Key

// NewRing makes a Ring of keys.
func NewRing(keys ...Key) Ring {
	r := make(Ring, len(keys))
	for _, k := range keys {
		r[k.ID] = k
	}
	return r
}

// Lookup finds a key of the ring; it never fails.
func (r Ring) Lookup(_ context.Context, id string) (Key, bool, error) {
	k, ok := r[id]
	return k, ok, nil
}

const (
	rootFile    = "root.key"
	rootFileMax = 4096 // bytes; two short strings in JSON
	idPrefix    = "AKIA"
	idChars     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" // as AWS: base32, so that ids survive being typed
	secretChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	idLen       = 20
	secretLen   = 40
)

// NewKey makes a key pair from the system's random source.
func NewKey() Key {
	return Key{ID: idPrefix + random(idChars, idLen-len(idPrefix)), Secret: random(secretChars, secretLen)}
}

// random draws n characters of an alphabet whose length divides 256, so that
// the remainder is not biased.
func random(alphabet string, n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, as crypto/rand documents
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

// OpenRoot reads the root key pair of dir/root.key, or makes it when there is
// none; fresh says which. The file is durable before OpenRoot returns. A file
// that others than its owner may read is refused: its secret is no secret.
func OpenRoot(dir string) (key Key, fresh bool, err error) {
	path := filepath.Join(dir, rootFile)
	key, err = readRoot(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, false, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Key{}, false, fmt.Errorf("make root key: %w", err)
	}
	key = NewKey()
	err = writeRoot(dir, path, key)
	if errors.Is(err, fs.ErrExist) { // another process was first: its key counts
		key, err = readRoot(path)
		return key, false, err
	}
	if err != nil {
		return Key{}, false, fmt.Errorf("make root key: %w", err)
	}
	return key, true, nil
}

// ReadRoot reads the root key pair of dir/root.key. Errors: attune.NotFound
// when no node has made one there, attune.Invalid for a file that is no key.
func ReadRoot(dir string) (Key, error) {
	key, err := readRoot(filepath.Join(dir, rootFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, attune.Errorf(attune.NotFound, "no %s in %s: name the --data folder of a node that was started once", rootFile, dir)
	}
	return key, err
}

func readRoot(path string) (Key, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Key{}, fmt.Errorf("read root key: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return Key{}, attune.Errorf(attune.Invalid, "root key %s is not a regular file; move it away and start again for a new key", path)
	case info.Mode().Perm()&0o077 != 0:
		return Key{}, attune.Errorf(attune.Invalid,
			"root key %s may be read by others (mode %04o); run chmod 600 on it, and make a new key if someone did read it", path, info.Mode().Perm())
	case info.Size() > rootFileMax:
		return Key{}, attune.Errorf(attune.Invalid, "root key %s is %d bytes, more than a key has; restore it or move it away for a new key", path, info.Size())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("read root key: %w", err)
	}
	var k Key
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&k); err != nil || k.ID == "" || k.Secret == "" {
		return Key{}, attune.Errorf(attune.Invalid, "root key %s is damaged; restore it or move it away for a new key", path)
	}
	return k, nil
}

// writeRoot makes path appear complete or not at all, and never over another's:
// a hard link fails where a rename would replace.
func writeRoot(dir, path string, k Key) (err error) {
	b, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, rootFile+".*") // CreateTemp makes mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

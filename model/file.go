package model

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
)

// The file, whole: docs/format/model.md describes it byte by byte.
const (
	format  = 1 // Manifest.Format of files written here; the only one read
	magic   = "attune\x00m"
	prelude = len(magic) + 8 // and the length of the header

	typeFloat32 = "f32"
	typeInt32   = "i32"

	// Bounds on what is believed of a file before its checksum is known.
	maxHeader  = 16 << 20 // a manifest is a few KiB
	maxTensors = 256      // recipes have a handful to some dozens, and a blend those of all its members
	maxRank    = 4
	maxItem    = math.MaxUint16 // bytes of an item id; the service allows 256 characters

	chunk = 64 << 10 // read and written at once
)

type header struct {
	Manifest Manifest       `json:"manifest"`
	Items    itemsHeader    `json:"items"`
	Tensors  []tensorHeader `json:"tensors"`
}

type itemsHeader struct {
	Count int   `json:"count"`
	Bytes int64 `json:"bytes"`
}

type tensorHeader struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Shape []int  `json:"shape"`
}

// Save writes a model under a name and returns its digest, which it also puts
// into m's manifest, as it does the format. What m was measured by goes into a
// file of its own before, named by MeasuredName, which may be all that is left
// when it fails.
func Save(ctx context.Context, store *artifact.Store, name string, m *Model) (digest string, err error) {
	if m.Measured != nil {
		if _, err := Save(ctx, store, MeasuredName(name), m.measured()); err != nil {
			return "", err
		}
	}
	if digest, err = Digest(m); err != nil {
		return "", err
	}
	m.Manifest.Format, m.Manifest.Digest = format, digest
	w, err := store.Create(ctx, name)
	if err != nil {
		return "", err
	}
	if err := write(w, m); err != nil {
		w.Abort()
		return "", fmt.Errorf("write model %s: %w", name, err)
	}
	if _, err := w.Commit(); err != nil {
		return "", err
	}
	return digest, nil
}

func write(out io.Writer, m *Model) error {
	head, err := json.Marshal(header{Manifest: m.Manifest, Items: m.itemsHeader(), Tensors: m.tensorHeaders()})
	if err != nil {
		return err
	}
	if len(head) > maxHeader {
		return attune.Errorf(attune.Internal, "model header has %d bytes, at most %d can be stored", len(head), maxHeader)
	}
	sum := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(out, sum), chunk)
	start := binary.LittleEndian.AppendUint64([]byte(magic), uint64(len(head)))
	if _, err := w.Write(append(start, head...)); err != nil {
		return err
	}
	if err := m.writeData(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = out.Write(sum.Sum(nil))
	return err
}

// ErrUnreadable is in the chain of errors about a file that no other attempt will
// read: it is damaged, no model, or of another format. Trouble on the way to it,
// of the bucket or of the context, is not: the same file may be read later.
var ErrUnreadable = errors.New("not a model that this build can read")

// Open reads a model back and checks every byte of it. A damaged or foreign
// file is attune.Internal and ErrUnreadable, with words that say so; one that is
// not there is attune.NotFound.
func Open(ctx context.Context, store *artifact.Store, name string) (*Model, error) {
	r, err := store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	m, err := read(r, r.Size())
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return m, nil
}

// OpenManifest reads only the manifest, without checking the rest of the file.
func OpenManifest(ctx context.Context, store *artifact.Store, name string) (*Manifest, error) {
	r, err := store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	h, err := readHeader(r, r.Size())
	if closeErr := r.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return &h.Manifest, nil
}

func damaged(format string, args ...any) error {
	return unreadable(fmt.Sprintf("damaged or not a model: "+format+"; train or restore it again", args...))
}

func unreadable(message string) error {
	return &attune.Error{Kind: attune.Internal, Message: message, Err: ErrUnreadable}
}

// cut tells a file that ends too early, which is damage, from trouble in reading
// it: the store says of a stream that ends before its file does what it read.
func cut(err error, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // as io.ReadFull gives them; the store's own are wrapped
		return damaged("%s: %v", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// read takes a whole file of size bytes. Nothing is allocated that the file is
// too small to fill.
func read(from io.Reader, size int64) (*Model, error) {
	sum := sha256.New()
	r := bufio.NewReaderSize(io.TeeReader(io.LimitReader(from, size-sha256.Size), sum), chunk)
	h, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	m := &Model{Manifest: h.Manifest, Tensors: make(map[string]Tensor, len(h.Tensors))}
	if m.Items, err = readItems(r, h.Items); err != nil {
		return nil, err
	}
	for _, t := range h.Tensors {
		if m.Tensors[t.Name], err = readTensor(r, t); err != nil {
			return nil, cut(err, "reading tensor %q", t.Name)
		}
	}
	if err := checkSum(from, sum); err != nil {
		return nil, err
	}
	digest, err := Digest(m)
	if err != nil {
		return nil, damaged("%v", err)
	}
	if digest != m.Manifest.Digest {
		return nil, damaged("its digest is %s, its manifest says %s", digest, m.Manifest.Digest)
	}
	return m, nil
}

func checkSum(from io.Reader, sum hash.Hash) error {
	var want [sha256.Size]byte
	if _, err := io.ReadFull(from, want[:]); err != nil {
		return cut(err, "reading the checksum")
	}
	if !bytes.Equal(sum.Sum(nil), want[:]) {
		return damaged("the checksum does not match")
	}
	return nil
}

// readHeader reads the prelude and the header and checks that together they
// promise exactly size bytes.
func readHeader(r io.Reader, size int64) (*header, error) {
	var start [prelude]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return nil, cut(err, "reading the start")
	}
	if string(start[:len(magic)]) != magic {
		return nil, damaged("it does not start like one")
	}
	n := binary.LittleEndian.Uint64(start[len(magic):])
	if n > maxHeader || int64(n) > size {
		return nil, damaged("a header of %d bytes in a file of %d", n, size)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, cut(err, "reading the header")
	}
	h := new(header)
	if err := json.Unmarshal(raw, h); err != nil {
		return nil, damaged("its header: %v", err)
	}
	if h.Manifest.Format != format {
		return nil, unreadable(fmt.Sprintf("format %d cannot be read by this build, which reads format %d: train it again", h.Manifest.Format, format))
	}
	rest := size - int64(prelude) - int64(n) - sha256.Size
	if err := h.check(rest); err != nil {
		return nil, err
	}
	return h, nil
}

// check adds up what the header promises, so that no size in it can ask for
// more memory than the file has bytes.
func (h *header) check(rest int64) error {
	if h.Items.Count < 0 || h.Items.Bytes < 0 || h.Items.Bytes > rest || int64(h.Items.Count) > h.Items.Bytes/2 {
		return damaged("%d items in %d bytes of %d", h.Items.Count, h.Items.Bytes, rest)
	}
	rest -= h.Items.Bytes
	if len(h.Tensors) > maxTensors {
		return damaged("%d tensors", len(h.Tensors))
	}
	last := ""
	for i, t := range h.Tensors {
		n := int64(1)
		for _, s := range t.Shape {
			if s < 0 || s > 0 && n > rest/4/int64(s) {
				return damaged("tensor %q has shape %v with %d bytes left", t.Name, t.Shape, rest)
			}
			n *= int64(s)
		}
		if len(t.Shape) > maxRank || n > rest/4 || i > 0 && t.Name <= last || t.Type != typeFloat32 && t.Type != typeInt32 {
			return damaged("tensor %q has type %q and shape %v with %d bytes left", t.Name, t.Type, t.Shape, rest)
		}
		rest -= 4 * n
		last = t.Name
	}
	if rest != 0 {
		return damaged("%d bytes too many", rest)
	}
	return nil
}

func readItems(r io.Reader, h itemsHeader) ([]string, error) {
	raw := make([]byte, h.Bytes)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, cut(err, "reading items")
	}
	items := make([]string, 0, h.Count)
	for len(raw) >= 2 && len(items) < h.Count {
		n := int(binary.LittleEndian.Uint16(raw))
		if n > len(raw)-2 {
			break
		}
		items = append(items, string(raw[2:2+n]))
		raw = raw[2+n:]
	}
	if len(items) != h.Count || len(raw) != 0 {
		return nil, damaged("%d items read of %d, %d bytes left", len(items), h.Count, len(raw))
	}
	return items, nil
}

func readTensor(r io.Reader, h tensorHeader) (Tensor, error) {
	n := 1
	for _, s := range h.Shape {
		n *= s
	}
	t := Tensor{Shape: h.Shape}
	if h.Type == typeInt32 {
		t.I32 = make([]int32, n)
	} else {
		t.F32 = make([]float32, n)
	}
	buf := make([]byte, min(chunk, 4*n))
	for at := 0; at < n; {
		part := buf[:min(len(buf), 4*(n-at))]
		if _, err := io.ReadFull(r, part); err != nil {
			return t, err
		}
		for ; len(part) > 0; part = part[4:] {
			bits := binary.LittleEndian.Uint32(part)
			if t.I32 != nil {
				t.I32[at] = int32(bits)
			} else {
				t.F32[at] = math.Float32frombits(bits)
			}
			at++
		}
	}
	return t, nil
}

package model

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/attune-io/attune"
)

// Digest is the SHA-256, in hexadecimal, of what was learned: tensors, items
// and the manifest without Against, Created, TrainingSeconds and Digest. Two
// trainings that learned the same have the same digest, whenever they ran and
// whatever was live then.
func Digest(m *Model) (string, error) {
	if err := m.check(); err != nil {
		return "", err
	}
	manifest := m.Manifest
	manifest.Against, manifest.Created, manifest.TrainingSeconds, manifest.Digest = nil, "", 0, ""
	manifest.Format = format
	head, err := json.Marshal(header{Manifest: manifest, Items: m.itemsHeader(), Tensors: m.tensorHeaders()})
	if err != nil {
		return "", fmt.Errorf("digest of model: %w", err)
	}
	hash := sha256.New()
	w := bufio.NewWriterSize(hash, chunk)
	if _, err := w.Write(head); err != nil {
		return "", err
	}
	if err := m.writeData(w); err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// check refuses a model that cannot be written: a mistake of its recipe.
func (m *Model) check() error {
	if len(m.Tensors) > maxTensors {
		return attune.Errorf(attune.Internal, "model has %d tensors, at most %d can be stored", len(m.Tensors), maxTensors)
	}
	for name, t := range m.Tensors {
		n := 1
		for _, s := range t.Shape {
			n *= s
		}
		if t.F32 != nil && t.I32 != nil || n != len(t.F32)+len(t.I32) || len(t.Shape) > maxRank {
			return attune.Errorf(attune.Internal, "tensor %q: shape %v does not fit %d float32 and %d int32 elements", name, t.Shape, len(t.F32), len(t.I32))
		}
	}
	for row, id := range m.Items {
		if len(id) > maxItem {
			return attune.Errorf(attune.Internal, "item %d has an id of %d bytes, at most %d can be stored", row, len(id), maxItem)
		}
	}
	return nil
}

func (m *Model) itemsHeader() itemsHeader {
	h := itemsHeader{Count: len(m.Items)}
	for _, id := range m.Items {
		h.Bytes += int64(2 + len(id))
	}
	return h
}

// tensorHeaders are in order of name.
func (m *Model) tensorHeaders() []tensorHeader {
	out := make([]tensorHeader, 0, len(m.Tensors))
	for name, t := range m.Tensors {
		h := tensorHeader{Name: name, Type: typeFloat32, Shape: slices.Clone(t.Shape)}
		if t.I32 != nil {
			h.Type = typeInt32
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b tensorHeader) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// writeData writes items, then the tensors in order of name.
func (m *Model) writeData(w io.Writer) error {
	var buf []byte
	flush := func(limit int) error {
		if len(buf) < limit {
			return nil
		}
		_, err := w.Write(buf)
		buf = buf[:0]
		return err
	}
	for _, id := range m.Items {
		buf = binary.LittleEndian.AppendUint16(buf, uint16(len(id)))
		buf = append(buf, id...)
		if err := flush(chunk); err != nil {
			return err
		}
	}
	for _, h := range m.tensorHeaders() {
		t := m.Tensors[h.Name]
		for _, v := range t.F32 {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			if err := flush(chunk); err != nil {
				return err
			}
		}
		for _, v := range t.I32 {
			buf = binary.LittleEndian.AppendUint32(buf, uint32(v))
			if err := flush(chunk); err != nil {
				return err
			}
		}
	}
	return flush(1)
}

package embed

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"log/slog"
	"math"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
)

// folder is where vectors are kept, below a folder for each model; see
// docs/format/embedding.md.
const folder = "embedding/"

const (
	// packMost is how many vectors one file holds at most.
	packMost = 2048
	// keptMost bounds what is kept of all models, in bytes. The oldest files go
	// first: what is needed after all is asked for again.
	keptMost = 4 << 30
	// smallMost is how many files that are not full there may be, before they
	// are written again as one.
	smallMost = 32

	packMagic  = "ATTUNEV1"
	packHeader = len(packMagic) + 4 + 4
	maxPack    = int64(packHeader) + packMost*(sha256.Size+4*maxDimension)
)

// sum is the SHA-256 of a text.
type sum [sha256.Size]byte

// shelf keeps vectors of one model of one endpoint.
type shelf struct {
	store  *artifact.Store
	log    *slog.Logger
	folder string // ends in a slash
	most   int64  // keptMost, but for tests
}

func newShelf(store *artifact.Store, log *slog.Logger, endpoint, model string) *shelf {
	of := sha256.Sum256([]byte(endpoint + "\x00" + model))
	return &shelf{store: store, log: log, folder: folder + hex.EncodeToString(of[:16]) + "/", most: keptMost}
}

// pack is one file.
type pack struct {
	sums      []sum
	dimension int
	numbers   []byte // little-endian float32, a vector after the other
}

// vector is a copy of one.
func (p pack) vector(i int) []float32 {
	v := make([]float32, p.dimension)
	for k := range v {
		v[k] = math.Float32frombits(binary.LittleEndian.Uint32(p.numbers[4*(i*p.dimension+k):]))
	}
	return v
}

// take adds the kept vectors of wanted texts to a map. A file that cannot be
// read costs another request, not the training.
func (s *shelf) take(ctx context.Context, wanted map[sum]int, into map[sum][]float32) error {
	for info, err := range s.store.List(ctx, s.folder) {
		if err != nil {
			return err
		}
		p, ok, err := s.open(ctx, info.Name)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		for i, t := range p.sums {
			if _, have := into[t]; wanted[t] > 0 && !have {
				into[t] = p.vector(i)
			}
		}
	}
	return ctx.Err()
}

// open reads one file; false for one that is gone, that the store cannot read
// now, or that is no good, which is removed.
func (s *shelf) open(ctx context.Context, name string) (pack, bool, error) {
	raw, err := s.store.Get(ctx, name, maxPack)
	if err == nil {
		if p, ok := parsePack(raw); ok {
			return p, true, nil
		}
	}
	if ctx.Err() != nil {
		return pack{}, false, ctx.Err()
	}
	if attune.KindOf(err) == attune.NotFound {
		return pack{}, false, nil // another process wrote it into a larger one
	}
	s.log.Warn("kept embeddings cannot be read, so their texts are asked for again", "file", name, "error", err)
	if known := new(attune.Error); err != nil && !errors.As(err, &known) {
		return pack{}, false, nil // the trouble is the bucket's, and may pass: vectors were paid for
	}
	return pack{}, false, s.remove(ctx, name)
}

func (s *shelf) remove(ctx context.Context, name string) error {
	if err := s.store.Delete(ctx, name); err != nil && attune.KindOf(err) != attune.NotFound {
		return err
	}
	return nil
}

// put keeps vectors, at most packMost, and makes room for them.
func (s *shelf) put(ctx context.Context, sums []sum, vectors map[sum][]float32, dimension int) error {
	p := pack{sums: sums, dimension: dimension}
	for _, t := range sums {
		for _, x := range vectors[t] {
			p.numbers = binary.LittleEndian.AppendUint32(p.numbers, math.Float32bits(x))
		}
	}
	if err := s.write(ctx, p); err != nil {
		return err
	}
	return s.tidy(ctx, int64(packHeader+packMost*(sha256.Size+4*dimension))/2)
}

// write makes a file, named by what it holds.
func (s *shelf) write(ctx context.Context, p pack) error {
	raw := p.bytes()
	of := sha256.Sum256(raw)
	_, err := s.store.Put(ctx, s.folder+hex.EncodeToString(of[:16]), raw)
	if attune.KindOf(err) == attune.Exists {
		return nil
	}
	return err
}

// tidy joins small files when there are many, and removes the oldest of all
// models while they take too much.
func (s *shelf) tidy(ctx context.Context, half int64) error {
	var all []artifact.Info
	var small []string
	total := int64(0)
	for info, err := range s.store.List(ctx, folder) {
		if err != nil {
			return err
		}
		all, total = append(all, info), total+info.Size
		if len(info.Name) > len(s.folder) && info.Name[:len(s.folder)] == s.folder && info.Size < half {
			small = append(small, info.Name)
		}
	}
	if total > s.most {
		slices.SortStableFunc(all, func(a, b artifact.Info) int { return cmp.Or(a.ModTime.Compare(b.ModTime), cmp.Compare(a.Name, b.Name)) })
		for _, info := range all {
			if total <= s.most {
				break
			}
			if err := s.remove(ctx, info.Name); err != nil {
				return err
			}
			total -= info.Size
		}
		return nil
	}
	if len(small) > smallMost {
		return s.join(ctx, small)
	}
	return nil
}

// join writes small files again as larger ones, and then removes those that it read.
func (s *shelf) join(ctx context.Context, names []string) error {
	var big pack
	var old []string
	seen := map[sum]bool{}
	flush := func() error {
		if len(big.sums) == 0 {
			return nil
		}
		err := s.write(ctx, big)
		big = pack{}
		return err
	}
	for _, name := range names {
		p, ok, err := s.open(ctx, name)
		if err != nil {
			return err
		}
		if ok {
			old = append(old, name)
		}
		for i := range p.sums {
			if seen[p.sums[i]] {
				continue
			}
			if len(big.sums) == packMost || len(big.sums) > 0 && big.dimension != p.dimension {
				if err := flush(); err != nil {
					return err
				}
			}
			seen[p.sums[i]] = true
			big.dimension, big.sums = p.dimension, append(big.sums, p.sums[i])
			big.numbers = append(big.numbers, p.numbers[4*i*p.dimension:4*(i+1)*p.dimension]...)
		}
	}
	if err := flush(); err != nil {
		return err
	}
	for _, name := range old {
		if err := s.remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// clear forgets the model.
func (s *shelf) clear(ctx context.Context) error { return s.store.DeletePrefix(ctx, s.folder) }

// bytes writes a pack: magic, numbers per vector, vectors, their texts' sums, their numbers.
func (p pack) bytes() []byte {
	raw := make([]byte, 0, packHeader+len(p.sums)*sha256.Size+len(p.numbers))
	raw = append(raw, packMagic...)
	raw = binary.LittleEndian.AppendUint32(raw, uint32(p.dimension))
	raw = binary.LittleEndian.AppendUint32(raw, uint32(len(p.sums)))
	for _, s := range p.sums {
		raw = append(raw, s[:]...)
	}
	return append(raw, p.numbers...)
}

// parsePack reads what bytes wrote; false for anything else.
func parsePack(raw []byte) (p pack, ok bool) {
	rest, ok := bytes.CutPrefix(raw, []byte(packMagic))
	if !ok || len(rest) < 8 {
		return p, false
	}
	p.dimension = int(binary.LittleEndian.Uint32(rest))
	n := int(binary.LittleEndian.Uint32(rest[4:]))
	rest = rest[8:]
	if p.dimension < 1 || p.dimension > maxDimension || n < 0 || n > packMost || len(rest) != n*(sha256.Size+4*p.dimension) {
		return p, false
	}
	for i := range n {
		p.sums = append(p.sums, sum(rest[i*sha256.Size:(i+1)*sha256.Size]))
	}
	p.numbers = rest[n*sha256.Size:]
	for i := range n * p.dimension {
		if x := math.Float32frombits(binary.LittleEndian.Uint32(p.numbers[4*i:])); x-x != 0 {
			return p, false // NaN or infinite: nothing of ours
		}
	}
	return p, true
}

package artifact

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/attune-io/attune"
)

const (
	// maxName is the longest name, in bytes: S3's limit for a key is 1024,
	// and the prefix and the checksum's folder have to fit.
	maxName = 900

	// maxElement is the longest piece of a name between slashes, in bytes:
	// file systems take 255, and a file's temporary and sidecar names are longer.
	maxElement = 200

	// sums is where the checksums are, under the store's prefix.
	sums = ".sum/"

	// sumBytes is the length of a checksum object.
	sumBytes = 2*32 + 1

	// attributesSuffix is how fileblob calls the file beside a file that holds
	// its attributes. Names may not end with it.
	attributesSuffix = ".attrs"
)

// Info says what a file is.
type Info struct {
	Name    string    // without the store's prefix
	Size    int64     // bytes
	SHA256  string    // 64 hexadecimal digits; "" when the store did not write the file, and in List
	ModTime time.Time // when it was made, by the bucket's clock
}

// String introduces the file: name, size and the start of its checksum.
func (i Info) String() string {
	sum := "no checksum"
	if len(i.SHA256) >= 12 {
		sum = "sha256 " + i.SHA256[:12]
	}
	return fmt.Sprintf("%s, %d bytes, %s", i.Name, i.Size, sum)
}

// Store keeps immutable named files under a prefix of a bucket. Its methods may
// be called from many goroutines. Their errors are attune.Invalid for a name
// that cannot be, attune.NotFound for a file that is not there, attune.Exists
// for a name that is taken; anything else is the bucket's trouble.
type Store struct {
	bucket *blob.Bucket
	dir    string
	prefix string

	// making holds the names between the last look whether they are taken and
	// their becoming visible: fileblob looks and renames in two steps.
	mu     sync.Mutex
	making map[string]bool

	// sync makes a file or a folder durable; tests watch it and make it fail.
	sync func(*os.File) error
}

// New makes a store of what is under prefix, which is "" or ends with a slash.
// dir is the folder behind a file bucket, whose files and folders are then
// fsynced, and "" for an object store, whose answer is durability enough.
func New(b *blob.Bucket, dir, prefix string) *Store {
	return &Store{bucket: b, dir: dir, prefix: prefix, making: map[string]bool{}, sync: (*os.File).Sync}
}

// Put writes a small file in one go.
func (s *Store) Put(ctx context.Context, name string, data []byte) (Info, error) {
	w, err := s.Create(ctx, name)
	if err != nil {
		return Info{}, err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return Info{}, err
	}
	return w.Commit()
}

// Get reads a small file whole, and checks it when its checksum is known. A
// file of more than limit bytes is attune.LimitExceeded.
func (s *Store) Get(ctx context.Context, name string, limit int64) ([]byte, error) {
	r, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // it was only read
	if r.Size() > limit {
		return nil, attune.Errorf(attune.LimitExceeded, "file %s has %d bytes, more than the %d that are read at once", name, r.Size(), limit)
	}
	data := make([]byte, r.Size())
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	want, err := s.sum(ctx, name)
	if err != nil {
		return nil, err
	}
	if got := sumOf(data); want != "" && got != want {
		return nil, damaged(name, got, want)
	}
	return data, nil
}

// Stat describes a file, with its checksum when that is known.
func (s *Store) Stat(ctx context.Context, name string) (Info, error) {
	if err := checkReadable(name); err != nil {
		return Info{}, err
	}
	attrs, err := s.bucket.Attributes(ctx, s.prefix+name)
	if err != nil {
		return Info{}, s.explain(err, "look at", name)
	}
	sum, err := s.sum(ctx, name)
	if err != nil {
		return Info{}, err
	}
	return Info{Name: name, Size: attrs.Size, SHA256: sum, ModTime: attrs.ModTime.UTC()}, nil
}

// Exists reports whether a file is there.
func (s *Store) Exists(ctx context.Context, name string) (bool, error) {
	if err := checkReadable(name); err != nil {
		return false, err
	}
	ok, err := s.bucket.Exists(ctx, s.prefix+name)
	if err != nil {
		return false, s.explain(err, "look for", name)
	}
	return ok, nil
}

// relistsAtMost bounds how often one List begins again; each time somebody has
// deleted a file or folder under it.
const relistsAtMost = 100

// List walks over the files whose names begin with prefix, in the order of
// their names; after an error it ends. Files that are deleted meanwhile may or
// may not be there; all others are. The checksums would be one more read each
// and are left out: ask Stat.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if strings.Contains("/"+prefix, "/../") || strings.HasPrefix(prefix, "/") {
			yield(Info{}, attune.Errorf(attune.Invalid, "file names cannot begin with %q", prefix))
			return
		}
		last := ""
		for again := 0; ; again++ {
			more, err := s.listAfter(ctx, prefix, &last, yield)
			// A bucket of files walks folders, and fails where one goes away
			// under it; a real bucket never does.
			if err != nil && gcerrors.Code(err) == gcerrors.NotFound && again < relistsAtMost {
				continue
			}
			if err != nil && more {
				yield(Info{}, s.explain(err, "list", prefix))
			}
			return
		}
	}
}

// listAfter walks over the files behind last, which it moves on; more is false
// when yield wants no more. An error comes instead of a whole page, so what was
// told before it are all files up to last.
func (s *Store) listAfter(ctx context.Context, prefix string, last *string, yield func(Info, error) bool) (more bool, err error) {
	it, after := s.bucket.List(&blob.ListOptions{Prefix: s.prefix + prefix}), *last
	for {
		obj, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return true, err
		}
		name := strings.TrimPrefix(obj.Key, s.prefix)
		if obj.IsDir || strings.HasPrefix(name, sums) || s.unfinished(obj) || after != "" && name <= after {
			continue
		}
		*last = max(*last, name)
		if !yield(Info{Name: name, Size: obj.Size, ModTime: obj.ModTime.UTC()}, nil) {
			return false, nil
		}
	}
}

// temporary is how fileblob names a file while it is being written: the final
// name and a nanosecond in hexadecimal.
var temporary = regexp.MustCompile(`\.[0-9a-f]{16}\.tmp$`)

// unfinished reports whether obj is a file that somebody is writing, or was
// when the process was killed. A whole file of such a name has its MD5 known.
func (s *Store) unfinished(obj *blob.ListObject) bool {
	return s.dir != "" && len(obj.MD5) == 0 && temporary.MatchString(obj.Key)
}

// Delete removes a file; the checksum goes after it. It is not synced: after a
// power failure a file may be back, so what must be gone is deleted again by
// whoever keeps the list of it.
func (s *Store) Delete(ctx context.Context, name string) error {
	// The look before it is for fileblob, which would remove an empty folder.
	if ok, err := s.Exists(ctx, name); err != nil {
		return err
	} else if !ok {
		return notFound(name)
	}
	if err := s.bucket.Delete(ctx, s.prefix+name); err != nil {
		return s.explain(err, "delete", name)
	}
	return s.deleteSum(ctx, name)
}

func (s *Store) deleteSum(ctx context.Context, name string) error {
	err := s.bucket.Delete(ctx, s.prefix+sums+name)
	if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return s.explain(err, "delete the checksum of", name)
	}
	return nil
}

// DeletePrefix removes the files under a folder, which ends with a slash: else
// model/1 would take model/10 with it. Nothing there is not an error. It can be
// repeated after a failure.
func (s *Store) DeletePrefix(ctx context.Context, prefix string) error {
	folder, ok := strings.CutSuffix(prefix, "/")
	if !ok {
		return attune.Errorf(attune.Invalid, "folder %q must end with a slash to be deleted", prefix)
	}
	if err := checkReadable(folder); err != nil {
		return err
	}
	for info, err := range s.List(ctx, prefix) {
		if err != nil {
			return err
		}
		if err := s.Delete(ctx, info.Name); err != nil && attune.KindOf(err) != attune.NotFound {
			return err
		}
	}
	// What a killed writer left: checksums whose file never came.
	it := s.bucket.List(&blob.ListOptions{Prefix: s.prefix + sums + prefix})
	for {
		obj, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return s.explain(err, "list the checksums of", prefix)
		}
		if err := s.deleteSum(ctx, strings.TrimPrefix(obj.Key, s.prefix+sums)); err != nil {
			return err
		}
	}
}

// Verify reads a file again and compares its checksum. The error is
// attune.Invalid when none is known, and attune.Internal when it differs.
func (s *Store) Verify(ctx context.Context, name string) error {
	r, err := s.Open(ctx, name)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // it was only read
	want, err := s.sum(ctx, name)
	if err != nil {
		return err
	}
	if want == "" {
		return attune.Errorf(attune.Invalid, "file %s has no checksum to compare with", name)
	}
	h := newHash()
	if _, err := io.Copy(h, r); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return damaged(name, got, want)
	}
	return nil
}

// sum reads the checksum of a file, "" when there is none.
func (s *Store) sum(ctx context.Context, name string) (string, error) {
	r, err := s.bucket.NewReader(ctx, s.prefix+sums+name, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return "", nil
	}
	if err != nil {
		return "", s.explain(err, "read the checksum of", name)
	}
	defer r.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(r, sumBytes+1))
	if err != nil {
		return "", s.explain(err, "read the checksum of", name)
	}
	sum, ok := strings.CutSuffix(string(data), "\n")
	if _, err := hex.DecodeString(sum); err != nil || !ok || len(data) != sumBytes {
		return "", attune.Errorf(attune.Internal, "the checksum of file %s is damaged", name)
	}
	return sum, nil
}

func damaged(name, got, want string) error {
	return attune.Errorf(attune.Internal, "file %s is damaged: its sha256 is %s and was %s when it was written", name, got, want)
}

// explain gives an error of the bucket its kind.
func (s *Store) explain(err error, doing, name string) error {
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return notFound(name)
	case gcerrors.FailedPrecondition, gcerrors.AlreadyExists:
		return exists(name)
	case gcerrors.InvalidArgument:
		return attune.Errorf(attune.Invalid, "%s %s: %w", doing, name, err)
	default:
		return fmt.Errorf("%s %s: %w", doing, name, err)
	}
}

func notFound(name string) error {
	return attune.Errorf(attune.NotFound, "file %s does not exist", name)
}

func exists(name string) error {
	return attune.Errorf(attune.Exists, "file %s exists and is never changed; choose another name", name)
}

// checkReadable refuses names that could leave the prefix. It is no stricter,
// because files that others wrote have names of their own taste.
func checkReadable(name string) error {
	switch {
	case name == "" || len(name) > 1024 || !utf8.ValidString(name):
		return attune.Errorf(attune.Invalid, "file name %q is empty, too long or not utf-8", name)
	case strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../"):
		return attune.Errorf(attune.Invalid, "file name %q leaves its folder", name)
	case strings.HasPrefix(name, sums):
		return attune.Errorf(attune.Invalid, "file name %q is in the folder of the checksums", name)
	}
	return nil
}

// checkWritable refuses names that some bucket or file system cannot hold.
func checkWritable(name string) error {
	if err := checkReadable(name); err != nil {
		return err
	}
	if len(name) > maxName {
		return attune.Errorf(attune.Invalid, "file name %q has more than %d bytes", name, maxName)
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return r < ' ' || strings.ContainsRune(`:\*?"<>|`, r) }); i >= 0 {
		return attune.Errorf(attune.Invalid, "file name %q holds the character %q, which some file systems refuse", name, name[i:i+1])
	}
	for elem := range strings.SplitSeq(name, "/") {
		if elem == "" || elem == "." || len(elem) > maxElement {
			return attune.Errorf(attune.Invalid, "file name %q has a piece that is empty, a dot or longer than %d bytes", name, maxElement)
		}
	}
	if strings.HasSuffix(name, attributesSuffix) || temporary.MatchString(name) {
		return attune.Errorf(attune.Invalid, "file name %q has an ending that the bucket keeps for itself", name)
	}
	return nil
}

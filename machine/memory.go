package machine

import (
	"bufio"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// within is the memory of a Linux machine, or what its control groups let this
// process have of it if that is less; 0 where that cannot be told. root is /.
func within(root fs.FS) int64 {
	memory := total(root)
	if limit := limit(root); limit > 0 && (memory == 0 || limit < memory) {
		return limit
	}
	return memory
}

// total is MemTotal of /proc/meminfo, which is in KiB.
func total(root fs.FS) int64 {
	for line := range lines(root, "proc/meminfo") {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			if kib := whole(strings.TrimSuffix(strings.TrimSpace(rest), " kB")); kib < math.MaxInt64>>10 {
				return kib << 10
			}
		}
	}
	return 0
}

// limit is the least of the limits of the control groups that this process is
// in; 0 for none. Groups bear the limits of those they lie in, so all are looked
// at up to the root. In a container the path may be the host's, of which the
// container sees the end alone, as its root: that is looked at last.
func limit(root fs.FS) int64 {
	least := int64(0)
	for line := range lines(root, "proc/self/cgroup") { // hierarchy:controllers:path
		parts := strings.SplitN(line, ":", 3)
		if len(parts) < 3 {
			continue
		}
		folder, file := "sys/fs/cgroup", "memory.max" // version 2, which has one hierarchy of all controllers
		if parts[1] != "" {
			if !strings.Contains(","+parts[1]+",", ",memory,") {
				continue
			}
			folder, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes" // version 1
		}
		for at := path.Join("/", parts[2]); ; at = path.Dir(at) {
			for text := range lines(root, path.Join(folder, at, file)) {
				if n := whole(text); n > 0 && (least == 0 || n < least) {
					least = n
				}
			}
			if at == "/" {
				break
			}
		}
	}
	return least
}

// whole reads a number; 0 for what is none, such as "max". Version 1 says of no
// limit a number that is larger than any machine.
func whole(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// lines are those of a file; none of one that cannot be read.
func lines(root fs.FS, name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		f, err := root.Open(name)
		if err != nil {
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		for s := bufio.NewScanner(f); s.Scan(); {
			if !yield(s.Text()) {
				return
			}
		}
	}
}

package machine

import (
	"runtime"
	"testing"
	"testing/fstest"
)

// TestWithin holds what is read of machines and control groups of both versions.
func TestWithin(t *testing.T) {
	const gib = 1 << 30
	meminfo := "MemTotal:       16777216 kB\nMemFree:        1024 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no limit":          {map[string]string{"proc/meminfo": meminfo}, 16 * gib},
		"nothing known":     {map[string]string{}, 0},
		"nonsense":          {map[string]string{"proc/meminfo": "MemTotal: much\n", "proc/self/cgroup": "much\n0::\n"}, 0},
		"more than numbers": {map[string]string{"proc/meminfo": "MemTotal: 9223372036854775807 kB\n"}, 0},
		"version 2": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a.slice/b.service\n",
			"sys/fs/cgroup/a.slice/b.service/memory.max": "4294967296\n", "sys/fs/cgroup/a.slice/memory.max": "max\n"}, 4 * gib},
		"version 2, the outer group": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "2147483648\n"}, 2 * gib},
		"version 2 in a container": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "1073741824\n"}, gib},
		"version 2 without a limit": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "max\n"}, 16 * gib},
		"version 1": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpuset:/x\n4:cpu,memory:/x\n0::/\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes": "3221225472\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 3 * gib},
		"version 1 in a container": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/docker/1234\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n"}, gib / 2},
		"version 1 without a limit": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 16 * gib},
		"a limit above the machine": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "1099511627776\n"}, 16 * gib},
		"a path that leads out": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/../../x\n",
			"sys/fs/cgroup/x/memory.max": "1073741824\n"}, gib},
	} {
		root := fstest.MapFS{}
		for file, text := range c.files {
			root[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := within(root); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, got, c.want)
		}
	}
}

// TestMemory looks at the machine of the test.
func TestMemory(t *testing.T) {
	got := Memory()
	if known := runtime.GOOS == "linux" || runtime.GOOS == "darwin"; known && got < 16<<20 || !known && got != 0 {
		t.Errorf("this machine has %d bytes", got)
	}
}

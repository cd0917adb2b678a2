package temporal

import (
	"runtime/debug"
	"testing"
)

// TestBuildName: a build is told from others by its version and its commit, and has
// a name in any case.
func TestBuildName(t *testing.T) {
	t.Parallel()
	info := &debug.BuildInfo{Main: debug.Module{Path: "example.org/a", Version: "v1.2.3"}}
	if got := buildName(info, true); got != "example.org/a@v1.2.3" {
		t.Errorf("%q", got)
	}
	info.Settings = []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "vcs.revision", Value: "0123"}}
	if got := buildName(info, true); got != "example.org/a@v1.2.3-0123" {
		t.Errorf("%q", got)
	}
	if buildName(nil, false) == "" || buildName(&debug.BuildInfo{}, true) == "" {
		t.Error("a build without a name")
	}
}

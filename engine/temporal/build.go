package temporal

import (
	"runtime/debug"

	"go.temporal.io/sdk/worker"
)

// nameBuild tells the SDK what this binary is called: by the version of the
// module, and the commit where it was built from a checkout. Every worker says it
// with each task, the server's own included. An unnamed binary is read to its end
// for a checksum, which is a third of what a start costs.
func nameBuild() { worker.SetBinaryChecksum(buildName(debug.ReadBuildInfo())) }

// buildName is never empty, which would be no name.
func buildName(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return Namespace
	}
	name := info.Main.Path + "@" + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			name += "-" + s.Value
		}
	}
	return name
}

package binary

import (
	"fmt"
	"os"
)

// Main is what TestMain of a package that drives the binary does: it builds the
// binary once for all tests, writes where it is into path, runs them, and gives
// the code to exit with. tests is the package's *testing.M.
func Main(tests interface{ Run() int }, path *string) (code int) {
	dir, err := os.MkdirTemp("", "attune-test-")
	if err == nil {
		defer os.RemoveAll(dir)
		*path, err = Build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return tests.Run()
}

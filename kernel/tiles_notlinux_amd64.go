//go:build amd64 && !linux

package kernel

// allowTiles would ask the operating system to save tiles; how is known for Linux only.
func allowTiles() bool { return false }

//go:build !amd64

package kernel

// has tells whether this machine can run a tier: plain Go only.
func has(t Tier) bool { return t == Generic }

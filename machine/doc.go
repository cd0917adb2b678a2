// Package machine tells what this process may use of the machine it runs on.
//
// Takes:  what the operating system says: /proc and control groups on Linux, sysctl on macOS.
// Makes:  bytes of memory.
// Never:  decides what they are for.
// Start:  memory.go.
package machine

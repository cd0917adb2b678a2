// Package node builds one running Attune process from a Config: it starts or
// dials the engines, hands their clients to the rooms, and opens the doors.
//
// Takes:  a Config.
// Makes:  a Node that serves until it is closed, ready when it says so.
// Never:  knows what a request means.
// Start:  config.go, then node.go.
package node

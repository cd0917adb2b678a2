// Command attune is the one binary: a server that speaks the Amazon Personalize
// API, and the client of its own verbs.
//
// Takes:  a verb and its flags, from the command line and the environment.
// Makes:  a running node, or one answer as a table or JSON.
// Never:  computes anything itself: every verb but serve and demo is a client.
// Start:  main.go, then serve.go.
package main

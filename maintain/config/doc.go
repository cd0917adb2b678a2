// Package config reads the file that declares what is to be maintained.
//
// Takes:  the text of a configuration, JSON or YAML.
// Makes:  a Config with its defaults filled in, or the list of all its Problems.
// Never:  asks a service whether anything is there.
// Start:  config.go, then read.go and file.go (what may stand where).
package config

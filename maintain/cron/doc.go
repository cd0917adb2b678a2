// Package cron reads schedule expressions, cron(…) and rate(…), and says when
// they fall due.
//
// Takes:  the text of an expression.
// Makes:  an Expression: its next times, and the calendars that mean the same.
// Never:  waits, or asks what time it is.
// Start:  cron.go.
package cron

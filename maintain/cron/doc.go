// Package cron reads schedule expressions, cron(…) and rate(…), and says when
// they fall due. The words are those of EventBridge, the meaning is Quartz's,
// all in UTC and to the minute.
//
// Takes:  the text of an expression, or of an age.
// Makes:  an Expression: its next times, and the calendars that mean the same.
// Never:  waits, or asks what time it is.
// Start:  cron.go, then day.go.
package cron

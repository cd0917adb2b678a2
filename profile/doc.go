// Package profile is what we know now of users and items: a fold of the log and the tables it names.
//
// Takes:  the records of a group's log, in order, and the tables of its imports.
// Makes:  View: each user's newest touches, attributes of users and items, event types, at a Seq; checkpoints of it.
// Never:  writes to the log, recommends, or waits on the reading path for anything but a short lock.
// Start:  view.go, then fold.go; keeper.go keeps Views up to date.
package profile

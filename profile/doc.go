// Package profile is what we know now of users and items: a fold of the log and the tables it names.
//
// Takes:  the records of a group's log, in order, and the tables of its imports.
// Makes:  View: each user's newest touches, attributes of users and items, event types, at a Seq; checkpoints of it.
// Never:  writes to the log, recommends, or waits on the reading path for anything but a short lock.
// Start:  view.go, then fold.go; keeper.go keeps Views up to date.
//
// A View and dataset.Freeze fold the same log to the same histories and
// attributes (TestAgreesWithFreeze), but for what memory does not allow here:
//
//   - Histories are the newest Options.History touches and the newest of each
//     event type (see trim), and an event id is known for as long as its touch
//     is, to one user.
//   - Of a user's sessions in which nothing happened anonymously only the last
//     is known as theirs. Users and sessions had better not share ids: a View
//     has one history under an id.
//   - Two touches that agree in user, item, type and time are told apart by 12
//     bits of what else they say.
//   - Properties of a dataset of which no table was ever imported are read
//     without its schema: names and kinds are guessed.
//   - Freeze stops at a moment; a View also knows events of the future.
package profile

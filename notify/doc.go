// Package notify tells: that a resource changed its state, that a run is done,
// that something happened outside. Rules say who is told.
//
// Takes:  the outbox of resource, and events that others put.
// Makes:  EventBridge-shaped events on one bus, and of them signed webhooks, e-mails and started work.
// Never:  forgets what was to be delivered, or knows what the work does that a rule starts.
// Start:  event.go, then desk.go.
//
// # At least once
//
// A change of state is a row of the outbox, written with what it tells. The relay
// puts rows on the bus and then marks them: a crash between repeats one, with its
// id. Every rule keeps its place on the bus in the database, and moves it in the
// statement that settles an event: delivered, or written down to be tried again.
// Who is told may hear twice, with the same id, and never not at all.
package notify

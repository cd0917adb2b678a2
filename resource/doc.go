// Package resource is what customers create: dataset groups, schemas,
// datasets, import jobs, event trackers, solutions, their versions, campaigns
// and filters; the rules between them, and the states they go through.
//
// Takes:  what a request asks for, already checked against the published shapes.
// Makes:  rows: a kind, an ARN, a status and a JSON body whose members carry the wire's names.
// Never:  does the work a state asks for (job does), or sees a wire shape.
// Start:  resource.go, then registry.go.
//
// # How races are decided
//
// Always by the store, never by luck. Names are unique by index. A rule that
// looks at other rows ("no campaign uses this solution") is guarded by a touch:
// whoever adds to a dataset group or takes from it raises the version of the
// group's row in the same transaction, so of two such decisions made on the
// same picture one is refused as stale and decides again. A schema's row guards
// the datasets that use it in the same way. The row that guards must therefore
// be read before what it guards.
package resource

// Package verb is the door of Attune's own verbs: POST /attune/v1/<Verb> with a
// JSON body, signed for the service attune. The command line is a client of it.
//
// Takes:  a verb and its JSON input.
// Makes:  a JSON answer, or an error in the form that the other doors use.
// Never:  does what a published operation does.
// Start:  verb.go, then look.go.
package verb

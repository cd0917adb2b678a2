// Package call sends Attune's own verbs to a node: POST /attune/v1/<Verb> with a
// JSON body, signed for the service attune. It is a leaf, so that every client of
// a node, the maintenance of another one among them, can be one.
//
// Takes:  where the node is and as whom, a verb, and its input.
// Makes:  the verb's answer, or what the node says is wrong.
// Never:  knows a verb, or repeats a call.
// Start:  call.go.
package call

// Package check holds single values against the constraints of the published
// shapes. Who walks a request or a file, and in which words it complains, is
// the caller's business.
//
// Takes:  a wire.Shape and one value: a text, a number or a count of elements.
// Makes:  the Rules that the value breaks, in a fixed order.
// Never:  walks into members, or writes a message.
// Start:  check.go.
package check

// Package embed asks a language model for vectors of texts, over HTTP, in the
// form that nearly every server of such models speaks: POST /v1/embeddings with
// {"model","input":[…]}, answered by {"data":[{"index","embedding":[…]}]}.
//
// Takes:  the URL of an endpoint, the name of a model, a key; a store to keep vectors in.
// Makes:  a vector for each text, checked; asked for once, and then kept.
// Never:  is asked while serving, or shows the key to anybody but the endpoint.
// Start:  embed.go, then call.go, then kept.go.
package embed

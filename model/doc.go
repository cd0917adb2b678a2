// Package model is what was learned: the Manifest, the tensors, and the Scorer
// that serving asks. Recipes and serving meet only here.
//
// Takes:  what a recipe learned.
// Makes:  one checksummed file in an artifact store, and the same Model back.
// Never:  trains, decodes tensors into scorers (recipes do), or holds user ids.
// Start:  model.go and manifest.go, then file.go.
package model

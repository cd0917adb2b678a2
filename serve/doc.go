// Package serve answers: history → model rows → scores → what may be shown → the best.
//
// Takes:  Releases (campaign → model), live profiles, requests.
// Makes:  Answers: items in order, with scores and metadata.
// Never:  reads disk or SQL, trains, fills up what a filter left out, or writes impressions (api does).
// Start:  server.go, then recommend.go.
package serve

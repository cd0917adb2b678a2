// Package serve answers: history → model rows → scores → what may be shown → the
// best, mixed with what is promoted and what is explored.
//
// Takes:  Releases (campaign → model), live profiles, requests.
// Makes:  Answers: items in order, with scores, metadata, reasons and propensities.
// Never:  reads disk or SQL, trains, or writes impressions (api does).
// Start:  server.go, then recommend.go; explore.go has the formula of exploration.
package serve

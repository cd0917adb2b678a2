// Package enginetest holds the suites that make "replaceable" a fact: one for
// each engine, run against what starts in this process always, and against the
// real thing when its URL is in the environment.
//
// Takes:  an engine's Open; ATTUNE_TEST_NATS_URL, ATTUNE_TEST_TEMPORAL_URL,
// ATTUNE_TEST_SQL_URL, ATTUNE_TEST_BUCKET_URL.
// Makes:  test failures.
// Never:  imports an engine: it knows them by their public clients only.
// Start:  suite.go, then nats.go.
package enginetest

// Package ledger keeps tables of a room in the database that all rooms share:
// numbered migrations, transactions, and one way to write statements for both
// dialects.
//
// Takes:  a pool, its dialect, and the migrations of one room.
// Makes:  a DB on which ? is a placeholder everywhere.
// Never:  knows a table, or opens a database.
// Start:  ledger.go.
package ledger

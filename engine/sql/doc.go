// Package sql is the engine of rows: a SQLite file in this process, or a
// connection pool to a PostgreSQL server.
//
// Takes:  a URL (postgres://user@host/database) or, when that is empty, a
// folder for the SQLite file.
// Makes:  the ordinary *sql.DB, and the name of its dialect.
// Never:  knows a table; who owns one makes and migrates it.
// Start:  engine.go, then sqlite.go.
package sql

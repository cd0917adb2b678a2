package main

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/attune-io/attune/engine/sql"
)

// putTask is 'task NAME EXPRESSION': a scheduled task is in the rows of the
// script's node, which are the truth: its verbs go by them.
func putTask(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: task NAME EXPRESSION")
	}
	ctx := context.Background()
	e, err := sql.Open(ctx, "", filepath.Join(ts.Getenv("ATTUNE_DATA"), "sql"), slog.New(slog.NewTextHandler(io.Discard, nil)), nil)
	ts.Check(err)
	defer func() { ts.Check(e.Close()) }()
	_, err = e.Client().ExecContext(ctx, `INSERT INTO schedule_version (name, version, text, workflow, input, created) VALUES (?, 1, ?, 'TaskWorkflow', '{"purpose":"full"}', 0)`, args[0], args[1])
	ts.Check(err)
	_, err = e.Client().ExecContext(ctx, `INSERT INTO schedule_task (name, latest, active, mark, due) VALUES (?, 1, 1, 'x', 0)`, args[0])
	ts.Check(err)
}

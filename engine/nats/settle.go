package nats

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// metaFile is what the server removes first of a stream that it deletes. A
	// folder without it is of no stream any more, or of none yet.
	metaFile = "meta.inf"

	// settlePoll is how often Settle looks.
	settlePoll = 20 * time.Millisecond
)

// streamFolders are the folders of the streams below dir, those that are being
// deleted included: their names begin with a dot.
func streamFolders(dir string) ([]string, error) {
	return filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "*"))
}

// sweep removes what a server that was killed left of streams it was deleting.
// The server itself would leave a folder that it had not renamed yet. Call it
// before the server starts.
func sweep(dir string, log *slog.Logger) error {
	folders, err := streamFolders(dir)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, metaFile)); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("remove what is left of a deleted stream: %w", err)
		}
		log.Info("removed what was left of a deleted stream", "folder", folder)
	}
	return nil
}

// Settle waits until the files of deleted streams are gone, which the embedded
// server removes beside other work, and makes that durable. A dialled server
// settles by itself.
func (e *Engine) Settle(ctx context.Context) error {
	if e.server == nil {
		return nil
	}
	for {
		folders, err := streamFolders(e.server.dir)
		if err != nil {
			return err
		}
		parents, busy := map[string]bool{}, false
		for _, folder := range folders {
			parents[filepath.Dir(folder)] = true
			busy = busy || strings.HasPrefix(filepath.Base(folder), ".")
		}
		if !busy {
			return syncFolders(parents)
		}
		select {
		case <-time.After(settlePoll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func syncFolders(folders map[string]bool) error {
	for folder := range folders {
		f, err := os.Open(folder)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("sync %s: %w", folder, err)
		}
	}
	return nil
}

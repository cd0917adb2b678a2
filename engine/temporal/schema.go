package temporal

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	// databaseFile holds everything that the embedded server remembers.
	databaseFile = "temporal.db"

	// retention is how long the history of a finished workflow is kept. It is
	// for people who ask what went wrong over the weekend; what is shown for
	// longer is a row in SQL, not a history here.
	retention = 72 * time.Hour

	// clusterName is Temporal's own default. It is stored in the database.
	clusterName = "active"

	// busyTimeoutMillis is how long a statement waits for a lock that another
	// connection holds, such as a backup that reads the file.
	busyTimeoutMillis = "10000"
)

// database describes the SQLite file to the server. The plugin sets no pragma
// of its own: it would journal with a rollback file and fail at once on a lock.
func database(path string) *config.SQL {
	return &config.SQL{
		PluginName:   sqliteplugin.PluginName,
		DatabaseName: escapePath(path),
		ConnectAttributes: map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			"synchronous":  "full", // a step that was reported done stays done
			"busy_timeout": busyTimeoutMillis,
		},
	}
}

// escapePath keeps a question mark or a percent sign in a folder's name from
// ending the file name, because the plugin pastes the name into a URI.
func escapePath(path string) string {
	return strings.ReplaceAll((&url.URL{Path: path}).EscapedPath(), "+", "%2B")
}

// prepare makes the database of dir if there is none, and its namespace. The
// schema is written to a file beside it that is renamed when it is complete:
// the server cannot tell half a schema from a whole one.
func prepare(dir string) (*config.SQL, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the embedded temporal: %w", err)
	}
	path, err := filepath.Abs(filepath.Join(dir, databaseFile))
	if err != nil {
		return nil, fmt.Errorf("find the folder of the embedded temporal: %w", err)
	}
	_, err = os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = create(path)
	}
	if err != nil {
		return nil, fmt.Errorf("make the database of the embedded temporal: %w", err)
	}
	db := database(path)
	ns, err := sqliteschema.NewNamespaceConfig(clusterName, Namespace, false, nil)
	if err != nil {
		return nil, fmt.Errorf("describe the namespace of the embedded temporal: %w", err)
	}
	ns.Detail.Config.Retention = durationpb.New(retention)
	if err := sqliteschema.CreateNamespaces(db, ns); err != nil {
		return nil, fmt.Errorf("make the namespace of the embedded temporal: %w", err)
	}
	return db, nil
}

func create(path string) error {
	// The plugin never closes a connection it opened, so this one has a name
	// of its own; a rollback journal leaves nothing beside the file.
	fresh, err := os.CreateTemp(filepath.Dir(path), databaseFile+".new-*")
	if err != nil {
		return err
	}
	if err := fresh.Close(); err != nil {
		return err
	}
	defer os.Remove(fresh.Name()) //nolint:errcheck // gone after the rename; litter otherwise
	db := database(fresh.Name())
	db.ConnectAttributes = map[string]string{"mode": "rwc", "journal_mode": "memory", "synchronous": "off"}
	if err := sqliteschema.SetupSchema(db); err != nil {
		return err
	}
	if err := syncFile(fresh.Name()); err != nil {
		return err
	}
	if err := os.Rename(fresh.Name(), path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

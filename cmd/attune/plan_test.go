package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestMisuseOfMaintenance: a misuse that only the verb can see is one like the parser's.
func TestMisuseOfMaintenance(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("datasetGroup: {serviceConfig: {name: new, colour: red}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"schedule", "import-dataset-group", "-d", "shop", "-p", "shop.json"}, 2},
		{[]string{"schedule", "import-dataset-group", "-d", "shop"}, 2},
		{[]string{"export", "shop", "-u", "cron(0 5 ? * SUN *)"}, 2},
		{[]string{"export", "shop", "-u", "taste@cron(0 5 * * * *)"}, 2},
		{[]string{"export", "shop", "-f", "taste@cron(0 5 ? * SUN *)", "-f", "taste@cron(0 6 ? * SUN *)"}, 2},
		{[]string{"export", "shop", "-i", "daily"}, 2},
		{[]string{"plan", file}, 1},
		{[]string{"plan"}, 2},
	} {
		var out, errs bytes.Buffer
		if got := run(t.Context(), c.args, streams{&out, &errs}); got != c.want || errs.Len() == 0 {
			t.Errorf("%v ended with %d (%s), want %d and a reason", c.args, got, errs.String(), c.want)
		}
	}
}

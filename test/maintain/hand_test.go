package maintain_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestByHand starts what schedules and events start otherwise: the data of a day,
// from its files to the campaign and once for each day, and the way back.
func TestByHand(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.bring()
	h.write(toKill(0))
	h.done("apply", h.file, "--source", source, "--yes")
	first := aws.ToString(h.campaign("shop-for-you").SolutionVersionArn)

	h.renew(0)
	for range 2 { // the second is the same run
		h.done("runs", "start", "shop", "refresh", "-s", "shop-for-you", "--date", "20260301")
	}
	second := aws.ToString(h.campaign("shop-for-you").SolutionVersionArn)
	if n := len(h.versions("shop-for-you")); second == first || n != 2 || len(h.imports()) != 4 {
		t.Errorf("the day made %d versions and %d imports, and the campaign has %s", n, len(h.imports()), second)
	}
	var day struct {
		Refreshes []struct {
			BaseDate       int
			ImportArn      string    `json:"datasetImportJobArn"`
			ImportStatus   string    `json:"datasetImportJobStatus"`
			ImportAt       time.Time `json:"datasetImportJobDatetime"`
			VersionArn     string    `json:"solutionVersionArn"`
			VersionStatus  string    `json:"solutionVersionStatus"`
			VersionAt      time.Time `json:"solutionVersionDatetime"`
			CampaignStatus string
			CampaignAt     time.Time `json:"campaignDatetime"`
		}
	}
	h.json(&day, "runs", "status", "--campaign", "shop-for-you")
	if len(day.Refreshes) != 1 {
		t.Fatalf("days: %+v", day)
	}
	d := day.Refreshes[0]
	if d.BaseDate != 20260301 || d.ImportStatus != "ACTIVE" || d.VersionStatus != "ACTIVE" || d.CampaignStatus != "ACTIVE" || d.VersionArn != second ||
		!strings.HasSuffix(d.ImportArn, "/dataset_import_interactions_20260301") || d.ImportAt.After(d.VersionAt) || d.VersionAt.After(d.CampaignAt) {
		t.Errorf("%+v", d)
	}

	h.done("campaign", "rollback", "shop-for-you")
	h.done("apply", h.file, "--yes")
	if got := aws.ToString(h.campaign("shop-for-you").SolutionVersionArn); got != first {
		t.Errorf("rolled back and applied, the campaign has %s, want %s", got, first)
	}
	if out, code := h.attune("campaign", "rollback", "shop-for-you"); code != 1 || !strings.Contains(out, "no version before") {
		t.Errorf("rolled back once more: %d: %s", code, out)
	}
	time.Sleep(1100 * time.Millisecond) // a version of this second is new enough
	h.done("runs", "start", "shop", "full", "-s", "shop-for-you")
	if got := aws.ToString(h.campaign("shop-for-you").SolutionVersionArn); got == first || got == second {
		t.Errorf("trained after a rollback, the campaign has %s", got)
	}
	if out := h.done("solutions", "metrics", "shop-for-you"); strings.Count(out, "\n") < 3 {
		t.Errorf("the quality of three versions:\n%s", out)
	}
}

// TestRefused: what cannot be a configuration is refused with all that is wrong,
// and leaves nothing.
func TestRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	const good = `{"datasetGroup": {"serviceConfig": {"name": "shop"}}}`
	for what, x := range map[string]struct {
		text string
		says []string
	}{
		"not JSON":       {"{", []string{"config.json:1"}},
		"two mistakes":   {`{"datasetGroup": {"serviceConfig": {"name": "shop", "colour": "red"}}, "filter": []}`, []string{"colour", "filter"}},
		"more than 1 MB": {good + strings.Repeat(" ", 1<<20), []string{"1048576"}},
		"never":          {strings.Replace(good, `}}}`, `}, "workflowConfig": {"schedules": {"import": "cron(0 0 31 2 ? *)"}}}}`, 1), []string{"never"}},
	} {
		h.write(x.text)
		for _, verb := range []string{"plan", "apply"} {
			out, code := h.attune(verb, h.file)
			if code != 1 {
				t.Errorf("%s of %s ended with %d:\n%s", verb, what, code, out)
			}
			for _, word := range x.says {
				if !strings.Contains(out, word) {
					t.Errorf("%s of %s does not say %q:\n%s", verb, what, word, out)
				}
			}
		}
	}
	if out, code := h.attune("apply", filepath.Join(h.dir, "none.json")); code != 1 || !strings.Contains(out, "none.json") {
		t.Errorf("a file that is not there: %d: %s", code, out)
	}
	var runs struct{ Runs []any }
	if h.json(&runs, "runs", "list"); len(runs.Runs) != 0 {
		t.Errorf("runs: %+v", runs.Runs)
	}
	var kept struct{ Configurations []any }
	if h.json(&kept, "configurations", "list"); len(kept.Configurations) != 0 {
		t.Errorf("configurations: %+v", kept.Configurations)
	}
}

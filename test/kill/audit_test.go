package kill_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/engine/bucket"
	"github.com/attune-io/attune/model"
)

// checkProfiles looks whether each user's profile holds every acknowledged
// event, each once. An unacknowledged event may be there, once.
func (r *run) checkProfiles(users []string) {
	r.Helper()
	for _, user := range users {
		var known verb.DescribeUserOutput
		deadline := time.Now().Add(10 * time.Second)
		for {
			err := verb.Call(r.Context(), r.node.AWS(), "DescribeUser", verb.DescribeUserInput{DatasetGroupArn: r.group, UserID: user}, &known)
			if err == nil && len(known.History) >= r.acked[user] || time.Now().After(deadline) {
				r.check(err)
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		times := map[string]int{}
		for _, h := range known.History {
			times[h.ItemID]++
		}
		r.compare("profile", user, times)
	}
}

// compare checks one user's items: acknowledged ones exactly once, the rest at most once.
func (r *run) compare(where, user string, times map[string]int) {
	r.Helper()
	for i := range r.acked[user] {
		if n := times[fmt.Sprintf("e%d", i)]; n != 1 {
			r.Errorf("%s of %s: acknowledged event %d is there %d times", where, user, i, n)
		}
	}
	for item, n := range times {
		if n > 1 {
			r.Errorf("%s of %s: %s is there %d times", where, user, item, n)
		}
	}
	if extra := len(times) - r.acked[user]; extra > 1 {
		r.Errorf("%s of %s: %d events more than were acknowledged; one may be under way", where, user, extra)
	}
}

// audit trains once more and reads the snapshot of that training from disk:
// every acknowledged event and every imported row is in it exactly once.
func (r *run) audit() {
	version, status := r.training()
	r.until("last training", status)
	var out verb.DescribeModelOutput
	r.check(verb.Call(r.Context(), r.node.AWS(), "DescribeModel", verb.DescribeModelInput{SolutionVersionArn: version}, &out))
	r.checkStates()
	if err := r.node.Stop(); err != nil {
		r.Fatal(err)
	}
	ctx := context.Background()
	files, err := bucket.Open(ctx, "", filepath.Join(r.data, "bucket"), slog.Default(), nil)
	if err != nil {
		r.Fatal(err)
	}
	defer files.Close()
	artifacts := artifact.New(files.Client(), files.Dir(), "attune/")
	r.checkLeftovers(ctx, artifacts)
	snapshot, err := dataset.Open(ctx, artifacts, out.Manifest.Snapshot)
	if err != nil {
		r.Fatal(err)
	}
	r.Log(snapshot)
	found := map[string]map[string]int{}
	for i := range snapshot.Events.User {
		user := snapshot.Users.ID(snapshot.Events.User[i])
		if found[user] == nil {
			found[user] = map[string]int{}
		}
		found[user][snapshot.Items.ID(snapshot.Events.Item[i])]++
	}
	events := 0
	for user, n := range r.acked {
		r.compare("snapshot", user, found[user])
		events += n
	}
	for user := range r.imported {
		for i := range importRows {
			if n := found[user][fmt.Sprintf("b%d", i)]; n != 1 {
				r.Errorf("snapshot: imported row %d of %s is there %d times", i, user, n)
			}
		}
	}
	r.Logf("audited %d acknowledged events of %d users and %d imports", events, len(r.acked), len(r.imported))
}

// checkLeftovers looks whether killed attempts left tables or models behind: each
// import job has one table, and each solution version one model.
func (r *run) checkLeftovers(ctx context.Context, artifacts *artifact.Store) {
	attempts := map[string]map[string]bool{} // folder of a job → its attempts
	for _, kind := range []string{"table/", "model/"} {
		for info, err := range artifacts.List(ctx, kind) {
			if err != nil {
				r.Fatal(err)
			}
			parts := strings.Split(info.Name, "/")
			owner := len(parts) - 2 // model/<version>/<attempt>, table/<dataset>/<job>/<attempt>/<part>
			if kind == "table/" {
				owner--
			}
			folder := strings.Join(parts[:owner+1], "/")
			if attempts[folder] == nil {
				attempts[folder] = map[string]bool{}
			}
			attempts[folder][strings.TrimSuffix(parts[owner+1], model.MeasuredName(""))] = true // a model and what it was measured by
		}
	}
	for folder, those := range attempts {
		if len(those) != 1 {
			r.Errorf("%s holds what %d attempts made", folder, len(those))
		}
	}
}

// checkStates looks whether every job and resource ended ACTIVE.
func (r *run) checkStates() {
	c, ctx := r.control(), r.Context()
	for pages := personalize.NewListDatasetImportJobsPaginator(c, &personalize.ListDatasetImportJobsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		r.check(err)
		for _, j := range page.DatasetImportJobs {
			r.active(aws.ToString(j.DatasetImportJobArn), j.Status)
		}
	}
	for pages := personalize.NewListSolutionVersionsPaginator(c, &personalize.ListSolutionVersionsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		r.check(err)
		for _, v := range page.SolutionVersions {
			r.active(aws.ToString(v.SolutionVersionArn), v.Status)
		}
	}
	for pages := personalize.NewListCampaignsPaginator(c, &personalize.ListCampaignsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		r.check(err)
		for _, v := range page.Campaigns {
			r.active(aws.ToString(v.CampaignArn), v.Status)
		}
	}
}

func (r *run) active(arn string, status *string) {
	if aws.ToString(status) != "ACTIVE" {
		r.Errorf("%s is %s", arn, aws.ToString(status))
	}
}

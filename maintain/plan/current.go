package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// job is a version, an import or a batch job as it was listed.
type job struct {
	ARN, Name, Status, Reason string
	Made, Changed             time.Time
}

// jobOf reads a row of a list; arn names the member that has the ARN.
func jobOf(m members, arn string) job {
	return job{ARN: m.text(arn), Name: m.text("jobName"), Status: m.text("status"), Reason: m.text("failureReason"),
		Made: m.when("creationDateTime"), Changed: m.when("lastUpdatedDateTime")}
}

// seen is the job as any resource.
func (j *job) seen() *seen {
	return &seen{ARN: j.ARN, Status: j.Status, Reason: j.Reason, Made: j.Made, Changed: j.Changed}
}

// current finds the job that makes another needless: the newest of those that
// this run made, that are under way, or that are ACTIVE and no older than
// maxAge (0: at any age). own says of which job it is known that this run made it.
// nil when there is none.
func current(jobs []job, own func(job) bool, maxAge time.Duration, now time.Time) *job {
	newestFirst(jobs)
	for i, j := range jobs {
		if own(j) || underWay(j.Status) || j.Status == active && fresh(j, maxAge, now) {
			return &jobs[i]
		}
	}
	return nil
}

// underWay says whether a job will be ACTIVE by itself.
func underWay(status string) bool {
	return busy(status) && status != "CREATE STOPPING" && !strings.HasPrefix(status, "DELETE")
}

func fresh(j job, maxAge time.Duration, now time.Time) bool {
	return maxAge == 0 || now.Sub(j.Changed) <= maxAge
}

func newestFirst(jobs []job) {
	slices.SortStableFunc(jobs, func(a, b job) int { return cmp.Compare(b.Made.UnixNano(), a.Made.UnixNano()) })
}

// newest is the newest ACTIVE job; nil when there is none.
func newest(jobs []job) *job {
	newestFirst(jobs)
	for i := range jobs {
		if jobs[i].Status == active {
			return &jobs[i]
		}
	}
	return nil
}

// settled is what a step about a job comes to when that job is there.
func settled(what string, j *job) decision {
	d := decision{Result: Result{Action: Keep, ARN: j.ARN, Status: j.Status}, made: j.Made}
	switch {
	case j.Status == active:
		d.Done, d.Took = true, took(j.Made, j.Changed)
	case busy(j.Status):
		d.Action, d.Note = Wait, "is "+j.Status
	default:
		d.Action, d.Note = Blocked, ended(what, j.seen())
	}
	return d
}

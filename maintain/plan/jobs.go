package plan

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/attune-io/attune"
)

// maxAsked is how many of the newest versions are asked for their names, which
// no list shows: those that a run may have made before it died.
const maxAsked = 20

// decideImport finds the file first: without one there is nothing to ask about.
func (t *Target) decideImport(ctx context.Context, s Step, have map[string]Result) (decision, error) {
	location, written, err := t.input(ctx, s)
	if err != nil {
		return decision{}, err
	}
	if location == "" {
		note := fmt.Sprintf("there is no CSV file in %s/%s/ and no %s/%s.csv", s.Source, s.Type, s.Source, s.Type)
		if s.Source == "" {
			note = "no place to import from was given"
		}
		return decision{Result: Result{Action: Skip, Done: true, Note: note}}, nil
	}
	want := t.use(s, have)
	var jobs []job
	if arn, known := want["datasetArn"].(string); known {
		rows, err := list(ctx, t, "list the imports of "+arn, (*client).ListDatasetImportJobs, members{"datasetArn": arn}, "datasetImportJobs")
		if err != nil {
			return decision{}, err
		}
		for _, m := range rows {
			jobs = append(jobs, jobOf(m, "datasetImportJobArn"))
		}
	}
	names := t.names(s)
	own := func(j job) bool { return j.ARN == have[s.Path].ARN || j.Name == names[0] || j.Name == names[1] }
	if j := current(jobs, own, s.MaxAge, t.now()); j != nil {
		return settled("import "+j.Name, j), nil
	}
	note := "nothing was imported yet"
	if j := newest(jobs); j != nil {
		// What was written while the job ran may not be in it: so it counts from its beginning.
		if !written.After(j.Made) {
			d := settled("import "+j.Name, j)
			d.Note = "no file is newer than the last import"
			return d, nil
		}
		note = fmt.Sprintf("a file of %s is newer than the last import", written.UTC().Format(time.DateTime))
	}
	return t.jobCreation(s, want, names, note, func(ctx context.Context, call members) (string, error) {
		call["dataSource"] = map[string]any{"dataLocation": location}
		out, err := change(ctx, t, "import "+location, (*client).CreateDatasetImportJob, call)
		return out.text("datasetImportJobArn"), err
	}), nil
}

// input finds what an import reads: <folder>/<type>/ with CSV files in it, else
// <folder>/<type>.csv, and when the newest of it was written. "" when there is neither.
func (t *Target) input(ctx context.Context, s Step) (location string, written time.Time, err error) {
	if s.Source == "" {
		return "", written, nil
	}
	bucket, folder, err := splitLocation(s.Source)
	if err != nil {
		return "", written, err
	}
	key := path.Join(folder, s.Type)
	written, n, err := t.objects.Newest(ctx, bucket, key)
	if err != nil && !missing(err) {
		return "", written, err
	}
	if n > 0 {
		return "s3://" + bucket + "/" + key, written, nil
	}
	written, ok, err := t.objects.Stat(ctx, bucket, key+".csv")
	if missing(err) || err == nil && !ok {
		return "", written, nil
	}
	return "s3://" + bucket + "/" + key + ".csv", written, err
}

// names are the two that a job of this step may have: its own, and the one it
// takes when a job of another dataset group has that, in the same second.
func (t *Target) names(s Step) [2]string {
	end := "_" + digest(s.Group)
	return [2]string{s.Name, s.Name[:min(len(s.Name), maxName-len(end))] + end}
}

// jobCreation makes a job under the first of its names that is free.
func (t *Target) jobCreation(s Step, want members, names [2]string, why string, create func(ctx context.Context, call members) (string, error)) decision {
	d := decision{Result: Result{Action: Create, Note: why}, soft: s.Kind == Import}
	d.act = func(ctx context.Context) (string, error) {
		call, err := readMembers(s.Call)
		if err != nil {
			return "", err
		}
		for member, value := range want {
			if l, ok := value.(later); ok {
				return "", attune.Errorf(attune.Invalid, "%s needs %s of %s, which is not there: take that step first", s.Path, member, string(l))
			}
			call[member] = value
		}
		if call["roleArn"], err = t.role(); err != nil {
			return "", err
		}
		if tags, ok := call["tags"].([]any); ok && len(tags) == 0 {
			delete(call, "tags")
		}
		for _, name := range names {
			call["jobName"] = name
			arn, err := create(ctx, call)
			if attune.KindOf(err) != attune.Exists {
				return arn, err
			}
			if mine, err := t.jobNamed(ctx, s.Kind, name, want); mine != "" || err != nil {
				return mine, err
			}
		}
		return "", attune.Errorf(attune.Exists, "jobs named %s and %s exist already", names[0], names[1])
	}
	return d
}

// jobNamed finds a job by its name, if it is one of what it is wanted for: its
// answer may have been lost, and a list may be behind. "" if it is not.
func (t *Target) jobNamed(ctx context.Context, k Kind, name string, want members) (arn string, err error) {
	var j *seen
	switch k {
	case BatchInference:
		j, err = describe(ctx, t, (*client).DescribeBatchInferenceJob, t.arn("batch-inference-job", name), "batchInferenceJob", "")
	case BatchSegment:
		j, err = describe(ctx, t, (*client).DescribeBatchSegmentJob, t.arn("batch-segment-job", name), "batchSegmentJob", "")
	default:
		j, err = describe(ctx, t, (*client).DescribeDatasetImportJob, t.arn("dataset-import-job", name), "datasetImportJob", "")
	}
	if j == nil || err != nil || len(compare(want, j.Body)) > 0 {
		return "", err
	}
	return j.ARN, nil
}

// decideVersion looks for a version that makes a training needless.
func (t *Target) decideVersion(ctx context.Context, s Step, have map[string]Result) (decision, error) {
	want := t.use(s, have)
	solution, known := want["solutionArn"].(string)
	if !known {
		return decision{Result: Result{Action: Create, Note: "its solution is not there"}}, nil
	}
	jobs, err := t.versions(ctx, solution)
	if err != nil {
		return decision{}, err
	}
	own := func(j job) bool { return j.ARN == have[s.Path].ARN }
	if j := current(jobs, own, s.MaxAge, t.now()); j != nil {
		return settled("solution version "+j.ARN, j), nil
	}
	mine, err := t.versionNamed(ctx, jobs, s.Name)
	if err != nil {
		return decision{}, err
	}
	if mine != nil {
		return settled("solution version "+mine.ARN, mine), nil
	}
	call, err := readMembers(s.Call)
	if err != nil {
		return decision{}, err
	}
	last, note := newest(jobs), "there is no version yet"
	if last != nil {
		note = fmt.Sprintf("the newest version is of %s", last.Changed.UTC().Format(time.DateTime))
	} else if s.MaxAge > scheduled && call.text("trainingMode") == "UPDATE" {
		call["trainingMode"] = "FULL" // the first has nothing to go on from
	}
	return decision{Result: Result{Action: Create, Note: note}, soft: true, act: func(ctx context.Context) (string, error) {
		call["solutionArn"] = solution
		if s.Name != "" {
			call["name"] = s.Name
		}
		if tags, ok := call["tags"].([]any); ok && len(tags) == 0 {
			delete(call, "tags")
		}
		out, err := change(ctx, t, "train "+solution, (*client).CreateSolutionVersion, call)
		return out.text("solutionVersionArn"), err
	}}, nil
}

// versions lists the versions of a solution.
func (t *Target) versions(ctx context.Context, solution string) ([]job, error) {
	rows, err := list(ctx, t, "list the versions of "+solution, (*client).ListSolutionVersions, members{"solutionArn": solution}, "solutionVersions")
	if err != nil {
		return nil, err
	}
	jobs := make([]job, len(rows))
	for i, m := range rows {
		jobs[i] = jobOf(m, "solutionVersionArn")
	}
	return jobs, nil
}

// versionNamed finds the version that a run made under a name before it died.
func (t *Target) versionNamed(ctx context.Context, jobs []job, name string) (*job, error) {
	if name == "" {
		return nil, nil
	}
	newestFirst(jobs)
	for i := range jobs[:min(len(jobs), maxAsked)] {
		v, err := describe(ctx, t, (*client).DescribeSolutionVersion, jobs[i].ARN, "solutionVersion", "")
		if err != nil {
			return nil, err
		}
		if v != nil && v.Body.text("name") == name {
			return &jobs[i], nil
		}
	}
	return nil, nil
}

// decideBatch looks for a job of the version with the same declaration.
func (t *Target) decideBatch(ctx context.Context, s Step, have map[string]Result) (decision, error) {
	want := t.use(s, have)
	bucket, folder, err := splitLocation(s.Source)
	if err != nil {
		return decision{Result: Result{Action: Skip, Done: true, Note: "no bucket to read from and write to was given"}}, nil
	}
	var jobs []job
	names := t.names(s)
	own := func(j job) bool { return j.ARN == have[s.Path].ARN || j.Name == names[0] || j.Name == names[1] }
	if version, known := want["solutionVersionArn"].(string); known {
		if jobs, err = t.batchJobs(ctx, s, version, own); err != nil {
			return decision{}, err
		}
	}
	if j := current(jobs, own, s.MaxAge, t.now()); j != nil {
		return settled(string(s.Kind)+" "+j.Name, j), nil
	}
	input := path.Join(folder, "job_config.json")
	if _, ok, err := t.objects.Stat(ctx, bucket, input); err != nil && !missing(err) {
		return decision{}, err
	} else if !ok {
		return decision{Result: Result{Action: Skip, Done: true, Note: "there is no input s3://" + bucket + "/" + input}}, nil
	}
	note := "this version has no such job yet"
	if newest(jobs) != nil {
		note = "the last job is out of date"
	}
	return t.jobCreation(s, want, names, note, func(ctx context.Context, call members) (string, error) {
		call["jobInput"] = map[string]any{"s3DataSource": map[string]any{"path": "s3://" + bucket + "/" + input}}
		call["jobOutput"] = map[string]any{"s3DataDestination": map[string]any{"path": "s3://" + bucket + "/" + folder + "/" + call.text("jobName") + "/"}}
		doing := "make the " + string(s.Kind) + " " + call.text("jobName")
		if s.Kind == BatchSegment {
			out, err := change(ctx, t, doing, (*client).CreateBatchSegmentJob, call)
			return out.text("batchSegmentJobArn"), err
		}
		out, err := change(ctx, t, doing, (*client).CreateBatchInferenceJob, call)
		return out.text("batchInferenceJobArn"), err
	}), nil
}

// batchJobs lists the jobs of a version that are as declared, and those of this run.
func (t *Target) batchJobs(ctx context.Context, s Step, version string, own func(job) bool) ([]job, error) {
	want, err := readMembers(s.Call)
	if err != nil {
		return nil, err
	}
	delete(want, "tags")
	var (
		rows   []members
		doing  = "list the " + string(s.Kind) + "s of " + version
		in     = members{"solutionVersionArn": version}
		member = "batchInferenceJob"
	)
	if s.Kind == BatchSegment {
		member = "batchSegmentJob"
		rows, err = list(ctx, t, doing, (*client).ListBatchSegmentJobs, in, member+"s")
	} else {
		rows, err = list(ctx, t, doing, (*client).ListBatchInferenceJobs, in, member+"s")
	}
	if err != nil {
		return nil, err
	}
	var jobs []job
	for _, m := range rows {
		j := jobOf(m, member+"Arn")
		if own(j) {
			jobs = append(jobs, j)
			continue
		}
		if j.Status != active && !busy(j.Status) {
			continue
		}
		var full *seen
		if s.Kind == BatchSegment {
			full, err = describe(ctx, t, (*client).DescribeBatchSegmentJob, j.ARN, member, "")
		} else {
			full, err = describe(ctx, t, (*client).DescribeBatchInferenceJob, j.ARN, member, "")
		}
		if err != nil {
			return nil, err
		}
		if full != nil && len(compare(want, full.Body)) == 0 {
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}

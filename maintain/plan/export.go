package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/attune-io/attune"
)

// Schedules are what an exported configuration is to have, which nothing that
// exists shows. Full and Update go by the names of solutions.
type Schedules struct {
	Import       string
	Full, Update map[string]string
}

// The parts of a configuration's file, in its order.
type (
	fileOf struct {
		Group        groupFile      `json:"datasetGroup"`
		Datasets     *datasetsFile  `json:"datasets,omitempty"`
		Tracker      *serviceFile   `json:"eventTracker,omitempty"`
		Filters      []serviceFile  `json:"filters,omitempty"`
		Recommenders []serviceFile  `json:"recommenders,omitempty"`
		Solutions    []solutionFile `json:"solutions,omitempty"`
	}
	serviceFile struct {
		Config service `json:"serviceConfig"`
	}
	groupFile struct {
		serviceFile
		Workflow *groupWork `json:"workflowConfig,omitempty"`
	}
	groupWork struct {
		Schedules importSchedule `json:"schedules"`
	}
	importSchedule struct {
		Import string `json:"import"`
	}
	datasetsFile struct {
		Config             service      `json:"serviceConfig,omitempty"`
		Interactions       *datasetFile `json:"interactions,omitempty"`
		Users              *datasetFile `json:"users,omitempty"`
		Items              *datasetFile `json:"items,omitempty"`
		Actions            *datasetFile `json:"actions,omitempty"`
		ActionInteractions *datasetFile `json:"actionInteractions,omitempty"`
	}
	datasetFile struct {
		Dataset serviceFile `json:"dataset"`
		Schema  serviceFile `json:"schema"`
	}
	solutionFile struct {
		serviceFile
		Workflow  *solutionWork `json:"workflowConfig,omitempty"`
		Campaigns []serviceFile `json:"campaigns,omitempty"`
		Inference []serviceFile `json:"batchInferenceJobs,omitempty"`
		Segments  []serviceFile `json:"batchSegmentJobs,omitempty"`
	}
	solutionWork struct {
		Schedules solutionSchedules `json:"schedules"`
	}
	solutionSchedules struct {
		Full   string `json:"full,omitempty"`
		Update string `json:"update,omitempty"`
	}
)

// service is a serviceConfig: name first, the rest by name, tags last.
type service map[string]any

// MarshalJSON writes the members in that order.
func (s service) MarshalJSON() ([]byte, error) {
	names := slices.Sorted(maps.Keys(s))
	place := func(name string) int {
		switch name {
		case "name":
			return 0
		case "tags":
			return 2
		}
		return 1
	}
	slices.SortStableFunc(names, func(a, b string) int { return place(a) - place(b) })
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(s[name]); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// exporter makes the file of what was found.
type exporter struct {
	t         *Target
	v         *Inventory
	schedules Schedules
}

// Export writes the configuration of a dataset group that exists: what an apply
// of it would find done. What the service made up itself is left out, and so is
// what the file cannot declare: metric attributions, single trainings, imports.
// attune.NotFound when there is no such group; attune.Invalid when a schedule is
// for a solution that it does not have.
func (t *Target) Export(ctx context.Context, group string, s Schedules) ([]byte, error) {
	v, err := t.Look(ctx, group)
	if err != nil {
		return nil, err
	}
	for _, names := range []map[string]string{s.Full, s.Update} {
		for name := range names {
			if !slices.ContainsFunc(v.Solutions, func(m members) bool { return m.text("name") == name }) {
				return nil, attune.Errorf(attune.Invalid, "dataset group %s has no solution %q to be trained by a schedule", group, name)
			}
		}
	}
	if err := t.lookJobs(ctx, v); err != nil {
		return nil, err
	}
	f, err := (&exporter{t, v, s}).file(ctx)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err = enc.Encode(f)
	return b.Bytes(), err
}

func (e *exporter) file(ctx context.Context) (*fileOf, error) {
	f := &fileOf{}
	var err error
	if f.Group.serviceFile, err = e.service(ctx, e.v.Group, groupMember, "name", "domain"); err != nil {
		return nil, err
	}
	if e.schedules.Import != "" {
		f.Group.Workflow = &groupWork{importSchedule{e.schedules.Import}}
	}
	if f.Datasets, err = e.datasets(ctx); err != nil {
		return nil, err
	}
	if len(e.v.Trackers) > 0 { // a group has one
		tracker, err := e.service(ctx, e.v.Trackers[0], "eventTrackerArn", "name")
		if err != nil {
			return nil, err
		}
		f.Tracker = &tracker
	}
	if f.Filters, err = e.services(ctx, e.v.Filters, "filterArn", "name", "filterExpression"); err != nil {
		return nil, err
	}
	if f.Recommenders, err = e.services(ctx, e.v.Recommenders, "recommenderArn", "name", "recipeArn", "recommenderConfig"); err != nil {
		return nil, err
	}
	for _, m := range e.v.Solutions {
		s, err := e.solution(ctx, m)
		if err != nil {
			return nil, err
		}
		f.Solutions = append(f.Solutions, *s)
	}
	return f, nil
}

// service keeps the members of a description that a file may have, and adds the tags.
func (e *exporter) service(ctx context.Context, m members, arn string, keep ...string) (serviceFile, error) {
	s := service{}
	for _, name := range keep {
		if x, ok := m[name]; ok && !empty(x) {
			s[name] = x
		}
	}
	if arn == schemaMember { // schemas have no tags
		return serviceFile{s}, nil
	}
	out, err := do(ctx, e.t, "list the tags of "+m.text(arn), (*client).ListTagsForResource, members{"resourceArn": m.text(arn)})
	if err != nil {
		return serviceFile{}, err
	}
	if tags := out["tags"]; !empty(tags) {
		s["tags"] = tags
	}
	return serviceFile{s}, nil
}

func (e *exporter) services(ctx context.Context, list []members, arn string, keep ...string) ([]serviceFile, error) {
	var all []serviceFile
	for _, m := range list {
		s, err := e.service(ctx, m, arn, keep...)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (e *exporter) datasets(ctx context.Context) (*datasetsFile, error) {
	if len(e.v.Datasets) == 0 {
		return nil, nil
	}
	f := &datasetsFile{}
	slots := map[string]**datasetFile{"INTERACTIONS": &f.Interactions, "USERS": &f.Users, "ITEMS": &f.Items, "ACTIONS": &f.Actions, "ACTION_INTERACTIONS": &f.ActionInteractions}
	for _, m := range e.v.Datasets {
		kind := strings.ToUpper(m.text("datasetType"))
		slot := slots[kind]
		if slot == nil {
			return nil, attune.Errorf(attune.Invalid, "dataset %s is of the type %q, which a configuration cannot declare", m.text(datasetMember), kind)
		}
		d, err := e.service(ctx, m, datasetMember, "name")
		if err != nil {
			return nil, err
		}
		s, err := e.service(ctx, m.object("schema"), schemaMember, "name", "domain", "schema")
		if err != nil {
			return nil, err
		}
		if text, ok := s.Config["schema"].(string); ok {
			s.Config["schema"] = json.RawMessage(text) // keeps the order of the fields' members
		}
		*slot = &datasetFile{d, s}
		if kind == "INTERACTIONS" {
			if f.Config, err = e.imports(ctx, m.text(datasetMember)); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// imports is what the newest import of the interactions was given beyond the
// defaults. Its mode is not taken over: one that added by hand is no rule.
func (e *exporter) imports(ctx context.Context, dataset string) (service, error) {
	rows, err := list(ctx, e.t, "list the imports of "+dataset, (*client).ListDatasetImportJobs, members{datasetMember: dataset}, "datasetImportJobs")
	if err != nil {
		return nil, err
	}
	var jobs []job
	for _, m := range rows {
		jobs = append(jobs, jobOf(m, "datasetImportJobArn"))
	}
	j := newest(jobs)
	if j == nil {
		return nil, nil
	}
	d, err := describe(ctx, e.t, (*client).DescribeDatasetImportJob, j.ARN, "datasetImportJob", "")
	if err != nil || d == nil {
		return nil, err
	}
	s, err := e.service(ctx, d.Body, "datasetImportJobArn", "publishAttributionMetricsToS3")
	return s.Config, err
}

func (e *exporter) solution(ctx context.Context, m members) (*solutionFile, error) {
	arn, name := m.text(solutionMember), m.text("name")
	f := &solutionFile{}
	var err error
	if f.serviceFile, err = e.service(ctx, m, solutionMember, "name", "recipeArn", "performHPO", "eventType", "solutionConfig"); err != nil {
		return nil, err
	}
	full, update := e.schedules.Full[name], e.schedules.Update[name]
	if full != "" || update != "" {
		f.Workflow = &solutionWork{solutionSchedules{full, update}}
	}
	// A solution with a schedule is made without automatic training, any other, and one with a plan for that, with it.
	without := f.Workflow != nil && m.object("solutionConfig")["autoTrainingConfig"] == nil
	if on, ok := m["performAutoTraining"].(bool); ok && on == without {
		f.Config["performAutoTraining"] = on
	}
	if f.Config["solutionVersion"], err = e.version(ctx, arn); err != nil {
		return nil, err
	} else if empty(f.Config["solutionVersion"]) {
		delete(f.Config, "solutionVersion")
	}
	of := func(list []members, what func(members) bool) (some []members) {
		for _, m := range list {
			if what(m) {
				some = append(some, m)
			}
		}
		return some
	}
	mine := func(m members) bool { return solutionOf(m.text(versionMember)) == arn }
	if f.Campaigns, err = e.services(ctx, of(e.v.Campaigns, mine), "campaignArn", "name", "minProvisionedTPS", "campaignConfig"); err != nil {
		return nil, err
	}
	if f.Inference, err = e.batch(ctx, of(e.v.Inference, mine), "batchInferenceJobArn", "filterArn", "numResults", "batchInferenceJobConfig", "batchInferenceJobMode", "themeGenerationConfig"); err != nil {
		return nil, err
	}
	f.Segments, err = e.batch(ctx, of(e.v.Segments, mine), "batchSegmentJobArn", "filterArn", "numResults")
	return f, err
}

// version is what the newest training that somebody asked for was tagged with.
func (e *exporter) version(ctx context.Context, solution string) (map[string]any, error) {
	jobs, err := e.t.versions(ctx, solution)
	if err != nil {
		return nil, err
	}
	j := newest(jobs)
	if j == nil {
		return nil, nil
	}
	s, err := e.service(ctx, members{versionMember: j.ARN}, versionMember)
	return s.Config, err
}

// batch are the different declarations among jobs, the newest first.
func (e *exporter) batch(ctx context.Context, jobs []members, arn string, keep ...string) ([]serviceFile, error) {
	slices.SortStableFunc(jobs, func(a, b members) int { return b.when("creationDateTime").Compare(a.when("creationDateTime")) })
	var all []serviceFile
	seen := map[string]bool{}
	for _, m := range jobs {
		if m.text("status") != active && !busy(m.text("status")) {
			continue
		}
		declared := members{arn: m[arn]}
		for _, name := range keep {
			if x, ok := m[name]; ok && x != "BATCH_INFERENCE" { // the mode that goes without saying
				declared[name] = x
			}
		}
		id := jsonText(declared.with(arn, nil))
		if seen[id] {
			continue
		}
		seen[id] = true
		s, err := e.service(ctx, declared, arn, keep...)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

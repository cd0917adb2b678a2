package verb

import (
	"context"

	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/maintain/plan"
)

// ApplyConfigurationInput is a configuration that shall be so.
type ApplyConfigurationInput struct {
	Text    string `json:"text"`              // JSON or YAML
	File    string `json:"file,omitempty"`    // its name, for its form and for messages
	Source  string `json:"source,omitempty"`  // folder of its data, s3://bucket/folder; "" for that of the version before
	Replace bool   `json:"replace,omitempty"` // what differs in what cannot be changed is made anew under another name
	Expect  int    `json:"expect,omitempty"`  // version that it was made from; 0 for any
}

// RunOutput is a run; of the verbs that start one, without its steps.
type RunOutput struct {
	Run *maintain.Run `json:"run"`
}

func runOutput(r *maintain.Run, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return &RunOutput{r}, nil
}

func (d *Door) applyConfiguration(ctx context.Context, in *ApplyConfigurationInput) (any, error) {
	return runOutput(d.Maintain.Apply(ctx, maintain.ApplyInput{Text: in.Text, File: in.File, Source: in.Source, Replace: in.Replace,
		Expect: in.Expect, Cause: maintain.Cause{Kind: maintain.ByHand}}))
}

// PlanConfigurationOutput is what an apply would do.
type PlanConfigurationOutput struct {
	Report *plan.Report `json:"report"`
}

func (d *Door) planConfiguration(ctx context.Context, in *ApplyConfigurationInput) (any, error) {
	report, err := d.Maintain.Plan(ctx, maintain.ApplyInput{Text: in.Text, File: in.File, Source: in.Source, Replace: in.Replace})
	if err != nil {
		return nil, err
	}
	return &PlanConfigurationOutput{report}, nil
}

// DestroyConfigurationInput names a configuration, or gives one that was never
// applied.
type DestroyConfigurationInput struct {
	Configuration string `json:"configuration,omitempty"`
	Text          string `json:"text,omitempty"`
	File          string `json:"file,omitempty"`
	Everything    bool   `json:"everything,omitempty"` // what is in the dataset group but not in the configuration too
}

func (d *Door) destroyConfiguration(ctx context.Context, in *DestroyConfigurationInput) (any, error) {
	return runOutput(d.Maintain.Destroy(ctx, maintain.DestroyInput{Configuration: in.Configuration, Text: in.Text, File: in.File,
		Everything: in.Everything, Cause: maintain.Cause{Kind: maintain.ByHand}}))
}

// StartRunInput asks for a run of a configuration that was applied.
type StartRunInput struct {
	Configuration string       `json:"configuration"`
	Purpose       plan.Purpose `json:"purpose"` // import, full, update, batch-inference, batch-segment or refresh
	Solution      string       `json:"solution,omitempty"`
	Job           string       `json:"job,omitempty"`      // path of one of the solution's batch jobs; "" for all
	BaseDate      string       `json:"baseDate,omitempty"` // yyyymmdd; one run for each
}

func (d *Door) startRun(ctx context.Context, in *StartRunInput) (any, error) {
	return runOutput(d.Maintain.Start(ctx, maintain.StartInput{Configuration: in.Configuration, Purpose: in.Purpose, Solution: in.Solution,
		Job: in.Job, BaseDate: in.BaseDate, Cause: maintain.Cause{Kind: maintain.ByHand}}))
}

// RunInput names a run.
type RunInput struct {
	Run string `json:"run"`
}

func (d *Door) describeRun(ctx context.Context, in *RunInput) (any, error) {
	return runOutput(d.Maintain.Store.Run(ctx, in.Run))
}

func (d *Door) cancelRun(ctx context.Context, in *RunInput) (any, error) {
	if err := d.Maintain.Cancel(ctx, in.Run); err != nil {
		return nil, err
	}
	return runOutput(d.Maintain.Store.Run(ctx, in.Run))
}

// ListRunsOutput is a page of runs, newest first, without their steps.
type ListRunsOutput struct {
	Runs []maintain.Run `json:"runs"`
}

func (d *Door) listRuns(ctx context.Context, in *maintain.RunsQuery) (any, error) {
	runs, err := d.Maintain.Store.Runs(ctx, *in)
	if err != nil {
		return nil, err
	}
	return &ListRunsOutput{runs}, nil
}

// ListConfigurationsInput asks for all configurations, or the versions of one.
type ListConfigurationsInput struct {
	Configuration string `json:"configuration,omitempty"`
	After         string `json:"after,omitempty"`  // the last name of the page before
	Before        int    `json:"before,omitempty"` // the last version of the page before
}

// ListConfigurationsOutput is a page of them, without their texts.
type ListConfigurationsOutput struct {
	Configurations []maintain.Configuration `json:"configurations"`
}

func (d *Door) listConfigurations(ctx context.Context, in *ListConfigurationsInput) (any, error) {
	list, err := d.Maintain.Store.Configurations(ctx, in.Configuration, in.After, in.Before)
	if err != nil {
		return nil, err
	}
	return &ListConfigurationsOutput{list}, nil
}

// DescribeConfigurationInput names a version of a configuration.
type DescribeConfigurationInput struct {
	Configuration string `json:"configuration"`
	Version       int    `json:"version,omitempty"` // 0 for the newest
}

// DescribeConfigurationOutput has its text.
type DescribeConfigurationOutput struct {
	Configuration *maintain.Configuration `json:"configuration"`
}

func (d *Door) describeConfiguration(ctx context.Context, in *DescribeConfigurationInput) (any, error) {
	c, err := d.Maintain.Store.Configuration(ctx, in.Configuration, in.Version)
	if err != nil {
		return nil, err
	}
	return &DescribeConfigurationOutput{c}, nil
}

// DescribeMaintainedInput asks what the node maintains.
type DescribeMaintainedInput struct{}

// DescribeMaintainedOutput says where what it maintains lives.
type DescribeMaintainedOutput struct{ maintain.Place }

func (d *Door) describeMaintained(context.Context, *DescribeMaintainedInput) (any, error) {
	return &DescribeMaintainedOutput{d.Maintain.Place}, nil
}

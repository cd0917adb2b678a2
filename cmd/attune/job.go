package main

import (
	"context"
	"io"

	"github.com/attune-io/attune/api/verb"
)

// jobCmd groups what is told about work under way.
type jobCmd struct {
	Progress progressCmd `cmd:"" help:"Tell how far an import job, a solution version or a campaign is."`
	Rejects  rejectsCmd  `cmd:"" help:"Print the rows that an import job rejected: file, line, column and reason."`
}

// progressCmd asks a node once.
type progressCmd struct {
	clientFlags
	outputFlags
	ARN string `arg:"" help:"ARN of an import job, a solution version or a campaign."`
}

// Run prints one line.
func (c *progressCmd) Run(ctx context.Context, s streams) error {
	var out verb.DescribeProgressOutput
	if err := c.call(ctx, "DescribeProgress", verb.DescribeProgressInput{Arn: c.ARN}, &out); err != nil {
		return err
	}
	return c.show(s.out, out, []string{"STATUS", "STAGE", "DONE", "TOTAL"}, func(add func(...any)) {
		add(out.Status, out.Stage, out.Done, out.Total)
	})
}

// rejectsCmd fetches the rejects file of an import.
type rejectsCmd struct {
	clientFlags
	ARN string `arg:"" help:"ARN of an import job."`
}

// Run prints the file, which is CSV.
func (c *rejectsCmd) Run(ctx context.Context, s streams) error {
	var out verb.GetRejectsOutput
	if err := c.call(ctx, "GetRejects", verb.GetRejectsInput{DatasetImportJobArn: c.ARN}, &out); err != nil {
		return err
	}
	_, err := io.WriteString(s.out, out.CSV)
	return err
}

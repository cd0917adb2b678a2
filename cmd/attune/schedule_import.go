package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/attune-io/attune/maintain/plan"
)

// scheduleImportCmd exports a dataset group and drops the configuration where a
// node finds it.
type scheduleImportCmd struct {
	targetFlags
	whenFlags
	Group  string `name:"dataset-group" short:"d" required:"" placeholder:"NAME" help:"Name of the dataset group."`
	Path   string `short:"p" required:"" placeholder:"train/FOLDER/config.json" help:"Key of the configuration in the bucket; its folder is where the data of later imports goes."`
	Bucket string `default:"attune" help:"The bucket that the node watches."`
}

// Run exports and writes; it says nothing when all is well.
func (c *scheduleImportCmd) Run(ctx context.Context) error {
	if !strings.HasPrefix(c.Path, "train/") || !strings.HasSuffix(c.Path, ".json") {
		return misused{fmt.Errorf("--path %q is nothing that a node watches: it begins with train/ and ends with .json", c.Path)}
	}
	text, err := exported(ctx, &c.targetFlags, &c.whenFlags, c.Group)
	if err != nil {
		return err
	}
	t, err := c.target(ctx, plan.Options{})
	if err != nil {
		return c.unanswered(err)
	}
	return t.Put(ctx, "s3://"+c.Bucket+"/"+c.Path, text)
}

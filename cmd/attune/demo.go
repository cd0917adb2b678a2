package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/attune-io/attune/node"
)

// demoCmd runs the guided tour.
type demoCmd struct {
	nodeFlags
	Data      string `placeholder:"DIR" help:"Keep the node's data here; a fresh temporary folder, removed at the end, when left out."`
	MovieLens string `name:"movielens" placeholder:"DIR" help:"Run the tour on MovieLens data that you have: ml-100k, or ml-latest-small of 2016."`
	Exit      bool   `help:"End after the tour instead of serving until Ctrl-C."`
	Seed      uint64 `default:"1" help:"Seed of the synthetic shop."`
}

// Help is shown by 'attune demo --help'.
func (demoCmd) Help() string {
	return `Starts a node, makes a synthetic shop, and drives the whole life through the AWS
SDK as any client would: upload, import, train, measure, deploy, recommend. Then
it prints the aws CLI commands to go on with, and serves until Ctrl-C.`
}

// Run shows the tour and then serves.
func (c *demoCmd) Run(ctx context.Context, s streams) (err error) {
	began := time.Now()
	shop, err := c.shop()
	if err != nil {
		return err
	}
	dir := c.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "attune-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	} else if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty: the demo wants a folder of its own; name a new one, or remove it", dir)
	}
	debug.SetGCPercent(gcPercent)
	if c.LogLevel == "info" {
		c.LogLevel = "warn" // the tour speaks for itself
	}
	logFile, err := c.logFile(dir)
	if err != nil {
		return err
	}
	defer logFile.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	n, err := node.Open(ctx, node.Config{Data: dir, Listen: c.Listen, Account: c.Account, Region: c.Region}, c.logger(logFile))
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	if err := waitReady(ctx, n, done); err != nil {
		return closeAfter(n, err)
	}
	flags := clientFlags{Endpoint: n.URL(), Region: c.Region, Data: n.Data()}
	cfg, err := flags.aws(ctx)
	if err != nil {
		stop()
		<-done
		return closeAfter(n, err)
	}
	t := newTour(ctx, s, cfg, shop, flags)
	t.say("Attune is ready at %s after %s; its data is in %s.", n.URL(), time.Since(began).Round(time.Millisecond), dir)
	if err = t.walk(); err == nil {
		t.say("The tour took %s.", time.Since(began).Round(100*time.Millisecond))
		if !c.Exit && ctx.Err() == nil {
			t.say("Serving until Ctrl-C.")
			return closeAfter(n, <-done)
		}
	}
	stop()
	if runErr := <-done; err == nil {
		err = runErr
	}
	return closeAfter(n, err)
}

// logFile takes the node's log lines out of the tour's way.
func (c *demoCmd) logFile(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(dir, "attune.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

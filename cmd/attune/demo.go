package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/attune-io/attune/node"
)

// demoCmd runs the guided tour.
type demoCmd struct {
	nodeFlags
	Data      string `placeholder:"DIR" help:"Keep the node's data here; a fresh temporary folder, removed at the end, when left out."`
	MovieLens string `name:"movielens" placeholder:"DIR" help:"Run the tour on MovieLens data that you have: ml-100k, or ml-latest-small of 2016."`
	Exit      bool   `help:"End after the tour instead of serving until Ctrl-C."`
	Users     int    `default:"2000" help:"Customers of the synthetic shop, which has an item for every two and fifty events of each."`
	Seed      uint64 `default:"1" help:"Seed of the synthetic shop."`
}

// Help is shown by 'attune demo --help'.
func (demoCmd) Help() string {
	return `Starts a node, makes a synthetic shop, and drives the whole life through the AWS
SDK as any client would: upload, import, train, measure, deploy, recommend. Then
it prints the aws CLI commands to go on with, waits for a schedule that trains and
deploys anew at the next full minute, and serves until Ctrl-C.`
}

// Run shows the tour and then serves.
func (c *demoCmd) Run(ctx context.Context, s streams) error {
	began := time.Now()
	shop, err := c.shop()
	if err != nil {
		return err
	}
	dir, clean, err := c.folder()
	if err != nil {
		return err
	}
	defer clean()
	collect()
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
	err = waitReady(ctx, n, done)
	if err == nil {
		err = c.tour(ctx, s, n, shop, began)
	}
	if err == nil && !c.Exit {
		fmt.Fprintln(s.out, "Serving until Ctrl-C.")
		return closeAfter(n, <-done)
	}
	stop()
	return closeAfter(n, cmp.Or(err, <-done))
}

// folder gives the data folder, and what to do with it at the end.
func (c *demoCmd) folder() (dir string, clean func(), err error) {
	if c.Data == "" {
		dir, err = os.MkdirTemp("", "attune-demo-")
		return dir, func() { _ = os.RemoveAll(dir) }, err
	}
	if entries, err := os.ReadDir(c.Data); err == nil && len(entries) > 0 {
		return "", nil, fmt.Errorf("%s is not empty: the demo wants a folder of its own; name a new one, or remove it", c.Data)
	}
	return c.Data, func() {}, nil
}

// tour walks through everything as a client of n.
func (c *demoCmd) tour(ctx context.Context, s streams, n *node.Node, shop *shop, began time.Time) error {
	flags := clientFlags{Endpoint: n.URL(), Region: c.Region, Data: n.Data()}
	cfg, err := flags.aws(ctx)
	if err != nil {
		return err
	}
	t := newTour(ctx, s, cfg, shop, flags)
	t.say("Attune is ready at %s after %s; its data is in %s.", n.URL(), time.Since(began).Round(time.Millisecond), n.Data())
	if err := t.walk(); err != nil {
		return err
	}
	t.say("The tour took %s.", time.Since(began).Round(100*time.Millisecond))
	return nil
}

// logFile takes the node's log lines out of the tour's way.
func (c *demoCmd) logFile(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(dir, "attune.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

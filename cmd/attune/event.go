package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/notify"
	"github.com/attune-io/attune/notify/pattern"
)

// noticeVerbs are the verbs of what happens and who is told.
type noticeVerbs struct {
	Event      eventCmd      `cmd:"" help:"Put events on the bus, and see what comes."`
	Rule       ruleCmd       `cmd:"" help:"Who is told of which events: webhooks, mail, and runs that events start."`
	Deadletter deadletterCmd `cmd:"" help:"Events that could not be delivered."`
	Hook       hookCmd       `cmd:"" help:"Incoming webhooks, which put events on the bus."`
}

// eventCmd groups the verbs of the bus.
type eventCmd struct {
	Put  eventPutCmd  `cmd:"" help:"Put an event on the bus, as 'aws events put-events' does."`
	Tail eventTailCmd `cmd:"" help:"Show events as they come."`
}

type eventPutCmd struct {
	clientFlags
	Source     string   `required:"" help:"Who tells, e.g. etl."`
	DetailType string   `required:"" help:"What is told, e.g. 'Job State Change'."`
	Detail     string   `default:"{}" help:"A JSON object, or a file with it, or - for standard input."`
	Resource   []string `help:"What it is about, e.g. an ARN."`
	ID         string   `help:"Two events with one id within two minutes are one."`
}

// Run puts the event and prints its id.
func (c *eventPutCmd) Run(ctx context.Context, s streams) error {
	detail, err := jsonArgument("--detail", c.Detail)
	if err != nil {
		return err
	}
	var out verb.PutNoticeOutput
	err = c.call(ctx, "PutNotice", verb.PutNoticeInput{ID: c.ID, Source: c.Source, DetailType: c.DetailType, Resources: c.Resource, Detail: detail}, &out)
	if err == nil {
		fmt.Fprintln(s.out, out.ID)
	}
	return err
}

type eventTailCmd struct {
	clientFlags
	outputFlags
	All     bool   `help:"Begin with the oldest event that the bus has, not with the next."`
	Pattern string `help:"Only events that match: JSON, or a file with it."`
	Count   int    `short:"n" help:"End after so many events. Default: never." placeholder:"N"`
}

// tailWait is how long one look at the bus waits, in seconds.
const tailWait = 20

// Run shows events until it is told to stop, or has shown enough.
func (c *eventTailCmd) Run(ctx context.Context, s streams) error {
	var wants *pattern.Pattern
	if c.Pattern != "" {
		text, err := jsonArgument("--pattern", c.Pattern)
		if err != nil {
			return err
		}
		if wants, err = pattern.Parse(text); err != nil {
			return err
		}
	}
	var in verb.ReadNoticesInput
	if c.All {
		in.After = new(uint64)
	}
	for shown := 0; ; {
		var out verb.ReadNoticesOutput
		if err := c.call(ctx, "ReadNotices", in, &out); err != nil {
			if ctx.Err() != nil { // it was told to stop
				return nil
			}
			return err
		}
		for _, t := range out.Events {
			data, err := json.Marshal(t.Event)
			if err != nil {
				return err
			}
			if wants != nil {
				if ok, err := wants.Match(data); err != nil || !ok {
					continue
				}
			}
			c.line(s, t.Event, data)
			if shown++; shown == c.Count {
				return nil
			}
		}
		in.After, in.WaitSeconds = &out.Next, tailWait
	}
}

// line writes one event on one line: all of it, or what people look for.
func (c *eventTailCmd) line(s streams, e notify.Event, data []byte) {
	if c.Output == "json" {
		fmt.Fprintf(s.out, "%s\n", data)
		return
	}
	fmt.Fprintf(s.out, "%s  %s  %s  %s\n", e.Time.Format(time.RFC3339), e.Source, e.DetailType, e.Detail)
}

package config

import (
	"iter"
	"time"

	"github.com/attune-io/attune/maintain/cron"
)

// Lapsed tells of the schedules whose last time is before now, such as one of a
// year that is over. They are no mistake of the file, which was right once.
func (c *Config) Lapsed(now time.Time) []Problem {
	var lapsed []Problem
	for s := range c.schedules() {
		e, err := cron.Parse(s.Text)
		if err != nil { // delete, or none
			continue
		}
		if _, ok := e.Next(now); !ok {
			lapsed = append(lapsed, Problem{File: c.file, Path: s.Path, Line: s.at.line, Column: s.at.column,
				What: "no time of " + s.Text + " is left", Instead: "write a schedule that goes on, or delete"})
		}
	}
	return lapsed
}

// schedules gives every schedule of the file.
func (c *Config) schedules() iter.Seq[Schedule] {
	return func(yield func(Schedule) bool) {
		all := []Schedule{c.Group.Import}
		for _, s := range c.Solutions {
			all = append(all, s.Full, s.Update)
			for _, jobs := range [][]Batch{s.Inference, s.Segments} {
				for _, j := range jobs {
					all = append(all, j.Schedule)
				}
			}
		}
		for _, s := range all {
			if !yield(s) {
				return
			}
		}
	}
}

package maintain

import (
	"context"
	"fmt"
	"strings"

	"go.temporal.io/sdk/activity"

	"github.com/attune-io/attune"
)

// End closes a run and announces it. It may be tried again: the row closes
// once, and an announcement that comes twice has the same id.
func (a *activities) End(ctx context.Context, run string, e Ending) error {
	m := a.m
	r, err := m.Store.Run(ctx, run)
	if err != nil {
		return final(err)
	}
	if r.Status == Running {
		if err := m.close(ctx, r, e); err != nil {
			return err
		}
		if r, err = m.Store.Run(ctx, run); err != nil {
			return err
		}
		m.ended.WithLabelValues(string(r.Purpose), string(r.Status)).Inc()
		m.Logger.Info("maintenance run ended", "run", r.ID, "configuration", r.Configuration, "purpose", r.Purpose, "status", r.Status,
			"took", r.Ended.Sub(r.Started), "error", r.Error)
	}
	if r.told {
		return nil
	}
	if m.Notify != nil {
		event, detail := runNotice(r)
		if err := m.tell(ctx, event, detail); err != nil {
			if attune.KindOf(err) != attune.Invalid && activity.GetInfo(ctx).Attempt < noticeTries {
				return err
			}
			m.Logger.Error("the end of a run is not announced", "run", r.ID, "error", err)
		}
	}
	m.known.Delete(r.ID)
	return m.Store.tell(ctx, r)
}

// noticeTries bounds how often the end of a run is put on the bus: with the
// pauses of Temporal half an hour.
const noticeTries = 60

// close decides what became of a run, and writes it.
func (m *Manager) close(ctx context.Context, r *Run, e Ending) error {
	reasons := []string{}
	if why := e.Failed[""]; why != "" {
		reasons = append(reasons, why)
	}
	open := 0
	for i := range r.Steps {
		t := &r.Steps[i]
		if why := e.Failed[t.Path]; why != "" && t.State != StepFailed && t.State != StepDone {
			// It failed in a way that Take could not write down.
			t.fail(why)
			t.Ended = m.Clock()
			if err := m.Store.saveStep(ctx, r.ID, t); err != nil {
				return err
			}
		}
		switch t.State {
		case StepFailed:
			reasons = append(reasons, fmt.Sprintf("%s: %s", t.Path, t.Error))
		case StepDone:
		default:
			open++
		}
	}
	status := Succeeded
	switch {
	case len(reasons) > 0:
		status = Failed
	case e.Cancelled:
		status = Cancelled
	case open > 0:
		status, reasons = Failed, []string{fmt.Sprintf("%d steps were never taken", open)}
	}
	_, err := m.Store.end(ctx, r.ID, status, listed(reasons, maxReasons), m.Clock())
	return err
}

// listed joins lines, as many as go into most bytes, and counts the rest.
func listed(lines []string, most int) string {
	var b strings.Builder
	for i, line := range lines {
		if i > 0 && b.Len()+len(line) > most {
			fmt.Fprintf(&b, "\nand %d more", len(lines)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(line)
	}
	return b.String()
}

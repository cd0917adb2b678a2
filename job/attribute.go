package job

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/profile"
	"github.com/attune-io/attune/resource"
)

const (
	// attributionWindow is what one report covers, as published.
	attributionWindow = 15 * time.Minute

	// attributeEvery is how soon a window that has ended is reported.
	attributeEvery = time.Second

	// lookBack is how old an answer may be that an event comes back for, when
	// this process did not read it when it was given.
	lookBack = 24 * time.Hour

	// maxEarly bounds the events of a window that wait for the answer they name.
	maxEarly = 1 << 16

	// maxPosition bounds a stored position, in bytes: a hundred marks or so.
	maxPosition = 64 << 10
)

// attributed is how far the log of a metric attribution is reported: every
// record up to Seq is in a file, and Window is the one that what follows is
// counted into. It is stored after the file, so a window whose file is there
// without it is counted again, into the same file.
type attributed struct {
	Seq    event.Seq `json:"seq"`
	Window time.Time `json:"window"`
	Back   []mark    `json:"back"` // places in the log at the ends of windows, up to lookBack ago
}

type mark struct {
	Seq event.Seq `json:"seq"`
	At  time.Time `json:"at"`
}

// attribution is one metric attribution at work in this process.
type attribution struct {
	at     attributed
	recent *recent
	met    [2]map[uint64]struct{} // events of this window and of the one before
	early  []*event.Interaction   // events of this window that came before the answer they name
}

// attributeLoop reports what is due until ctx ends. Trouble with one is logged
// and tried again at the next look; the log keeps what is not reported.
func (m *Manager) attributeLoop(ctx context.Context) error {
	tick := time.NewTicker(attributeEvery)
	defer tick.Stop()
	all := map[string]*attribution{}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		rows, err := m.Registry.All(ctx, resource.MetricAttribution)
		if err != nil && ctx.Err() == nil {
			m.Logger.Error("metric attributions cannot be listed", "error", err)
		}
		for i := range rows {
			if rows[i].Status != resource.Active {
				continue
			}
			if err := m.attribute(ctx, &rows[i], all); err != nil && ctx.Err() == nil {
				delete(all, rows[i].ID) // what was counted is counted again
				m.Logger.Warn("metrics are not reported yet", "resource", rows[i].ARN, "error", err)
			}
		}
		forget(all, rows)
	}
}

// forget lets go of attributions whose rows are gone.
func forget(all map[string]*attribution, rows []resource.Resource) {
	live := map[string]bool{}
	for i := range rows {
		live[rows[i].ID] = true
	}
	for id := range all {
		if !live[id] {
			delete(all, id)
		}
	}
}

// positionName is where a metric attribution's position is kept.
func positionName(r *resource.Resource) string { return "attribution/" + r.Group + "/" + r.ID }

// beginAttribution makes a new one start at the end of the log, before it is
// ACTIVE: from then on nothing is missed. Its files must have a bucket.
func (m *Manager) beginAttribution(ctx context.Context, r *resource.Resource) error {
	b, err := resource.Body[resource.AttributionBody](r)
	if err != nil {
		return err
	}
	if _, err := m.Artifacts.Stat(ctx, positionName(r)); attune.KindOf(err) != attune.NotFound {
		return err // begun before
	}
	if place := b.MetricsOutputConfig.S3DataDestination; place != nil {
		err := m.checkOutput(ctx, reportName(place.Path, "check", r.Created))
		if attune.KindOf(err) == attune.Invalid {
			return m.Registry.Fail(ctx, r.ARN, r.ID, err.Error())
		}
		if err != nil {
			return err
		}
	}
	end, err := m.Log.End(ctx, group(r))
	if err != nil {
		return err
	}
	return m.keepPosition(ctx, r, attributed{Seq: end, Window: m.Clock().Truncate(attributionWindow)})
}

func (m *Manager) keepPosition(ctx context.Context, r *resource.Resource, at attributed) error {
	text, err := json.Marshal(at)
	if err != nil {
		return err
	}
	w, err := m.Artifacts.Replace(ctx, positionName(r))
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(text); err != nil {
		return err
	}
	_, err = w.Commit()
	return err
}

// resumeAttribution reads the position, and the answers that were given of late.
func (m *Manager) resumeAttribution(ctx context.Context, r *resource.Resource) (*attribution, error) {
	text, err := m.Artifacts.Get(ctx, positionName(r), maxPosition)
	if err != nil {
		return nil, err
	}
	a := &attribution{recent: newRecent()}
	if err := json.Unmarshal(text, &a.at); err != nil {
		return nil, fmt.Errorf("read the position of %s: %w", r.ARN, err)
	}
	if len(a.at.Back) == 0 {
		return a, nil
	}
	for record, err := range m.Log.Read(ctx, group(r), a.at.Back[0].Seq, a.at.Seq) {
		if err != nil {
			return nil, err
		}
		if shown, ok := record.Body.(*event.Impression); ok {
			a.recent.add(shown)
		}
	}
	return a, nil
}

// attribute reports the windows of one metric attribution that have ended. A
// record belongs to the window in which the log took it, or to the one under way
// should that be later: clocks may be put back, the log's order is not.
func (m *Manager) attribute(ctx context.Context, r *resource.Resource, all map[string]*attribution) error {
	now := m.Clock().Truncate(attributionWindow)
	a := all[r.ID]
	if a == nil {
		var err error
		if a, err = m.resumeAttribution(ctx, r); err != nil {
			return err
		}
		all[r.ID] = a
	}
	if !now.After(a.at.Window) {
		return nil
	}
	view, ok := m.Profiles.View(group(r))
	if !ok || !m.Profiles.Ready(group(r)) {
		return nil // prices of items come from it
	}
	b, err := resource.Body[resource.AttributionBody](r)
	if err != nil {
		return err
	}
	t, err := newTally(b.Metrics, goods{view})
	if err != nil {
		return err
	}
	end, err := m.Log.End(ctx, group(r))
	if err != nil {
		return err
	}
	last := a.at.Seq
	for record, err := range m.Log.Read(ctx, group(r), a.at.Seq, end) {
		if err != nil {
			return err
		}
		window := record.Received.Truncate(attributionWindow)
		if !window.Before(now) {
			break
		}
		if window.After(a.at.Window) {
			if err := m.report(ctx, r, a, b, t, last, window); err != nil {
				return err
			}
		}
		switch body := record.Body.(type) {
		case *event.Impression:
			a.recent.add(body)
		case *event.Interaction:
			if a.isNew(body) && !a.wait(body) {
				t.event(a.at.Window, body, a.recent)
			}
		}
		last = record.Seq
	}
	return m.report(ctx, r, a, b, t, last, now)
}

// wait keeps an event until the end of the window when the answer that it names
// is not known yet: answers come into the log a moment after they are given.
func (a *attribution) wait(b *event.Interaction) bool {
	if b.Source != "" || b.RecommendationID == "" || a.recent.campaign(b.RecommendationID) != "" || len(a.early) == maxEarly {
		return false
	}
	a.early = append(a.early, b)
	return true
}

// report ends a window: its file, then the position, then the series.
func (m *Manager) report(ctx context.Context, r *resource.Resource, a *attribution, b resource.AttributionBody, t *tally, last event.Seq, next time.Time) error {
	for _, b := range a.early {
		t.event(a.at.Window, b, a.recent)
	}
	a.early = nil
	if place := b.MetricsOutputConfig.S3DataDestination; place != nil && !t.empty() {
		if err := m.writeReport(ctx, reportName(place.Path, "PutEvents", a.at.Window), t); err != nil {
			return err
		}
	}
	at := attributed{Seq: last, Window: next, Back: append(a.at.Back, mark{a.at.Seq, a.at.Window})}
	for len(at.Back) > 0 && next.Sub(at.Back[0].At) > lookBack {
		at.Back = at.Back[1:]
	}
	if err := m.keepPosition(ctx, r, at); err != nil {
		return err
	}
	a.at = at
	a.met = [2]map[uint64]struct{}{nil, a.met[0]}
	m.observeMetrics(r, t)
	t.reset()
	return nil
}

// reportName is the object of one report. Names are deterministic, so a report
// that is written again takes its own place.
func reportName(folder, method string, at time.Time) string {
	return strings.TrimRight(strings.TrimPrefix(folder, "s3://"), "/") +
		fmt.Sprintf("/AggregatedAttributionMetrics - %s - %s.csv", method, at.UTC().Format("20060102T150405.000Z"))
}

// writeReport puts a report where the customer finds it.
func (m *Manager) writeReport(ctx context.Context, name string, t *tally) error {
	w, err := m.Objects.Replace(ctx, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	out := bufio.NewWriter(w)
	if err := t.write(out); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err = w.Commit()
	return err
}

// observeMetrics adds a report to the series.
func (m *Manager) observeMetrics(r *resource.Resource, t *tally) {
	for key, value := range t.cells {
		metric := t.metrics[key.metric]
		m.attributed.WithLabelValues(string(r.ARN), metric.Name, metric.EventType, metric.function.String(), key.source).Add(value)
	}
}

// itemNumbers is what sums of items ask of a profile.
type itemNumbers interface {
	ItemNumber(id string) (int32, bool)
	ItemValue(n int32, column string) any
}

// goods are the items of a live profile.
type goods struct{ *profile.View }

// ItemValue is an attribute of an item; nil for none.
func (g goods) ItemValue(n int32, column string) any { return g.Items().Get(n, column) }

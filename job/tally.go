package job

import (
	"cmp"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/resource"
)

const (
	// sourceUndefined labels events that say nothing of where they come from, as published.
	sourceUndefined = "SOURCE_NAME_UNDEFINED"

	// maxSources bounds the event attribution sources of a report, as published:
	// those after are counted as undefined.
	maxSources = 100

	// maxShown bounds the answers that events may come back for, by 40 bytes each.
	maxShown = 1 << 18

	// maxMet bounds the events of a window that are told from repeated ones, by
	// some 20 bytes each; those after count however often they come.
	maxMet = 1 << 20

	// maxCells bounds the lines of one report, by some 100 bytes each.
	maxCells = 1 << 20
)

// tally sums the metrics of a metric attribution.
type tally struct {
	metrics []metric
	items   itemNumbers
	cells   map[cell]float64
	sources map[string]bool
}

type metric struct {
	resource.Metric
	function resource.Function
}

// cell is one line of a report.
type cell struct {
	window int64 // its beginning, Unix seconds
	metric int   // in tally.metrics
	source string
}

func newTally(metrics []resource.Metric, items itemNumbers) (*tally, error) {
	t := &tally{items: items}
	for _, m := range metrics {
		f, err := resource.ParseFunction(m.Expression)
		if err != nil {
			return nil, err
		}
		t.metrics = append(t.metrics, metric{m, f})
	}
	t.reset()
	return t, nil
}

func (t *tally) reset() { t.cells, t.sources = map[cell]float64{}, map[string]bool{} }

func (t *tally) empty() bool { return len(t.cells) == 0 }

// event adds one event to a window.
func (t *tally) event(window time.Time, b *event.Interaction, answers *recent) {
	var properties map[string]any // read when a metric asks
	t.add(window.Unix(), b.Type, b.Item, t.source(b.Source, b.RecommendationID, answers), func(column string) float64 {
		if column == schema.EventValue && !math.IsNaN(b.Value) {
			return b.Value
		}
		if properties == nil && json.Unmarshal([]byte(b.Properties), &properties) != nil {
			properties = map[string]any{}
		}
		return number(properties[schema.WireName(column)])
	})
}

// source is what an event is attributed to: what it says itself, else the
// campaign or recommender of the answer that it names.
func (t *tally) source(said, recommendation string, answers *recent) string {
	if said == "" && recommendation != "" {
		said = answers.campaign(recommendation)
	}
	if said == "" || !t.sources[said] && len(t.sources) >= maxSources {
		return sourceUndefined
	}
	t.sources[strings.Clone(said)] = true
	return strings.Clone(said)
}

// add counts an event in every metric of its type. column gives a number of the
// event's own, NaN for none.
func (t *tally) add(window int64, eventType, item, source string, column func(string) float64) {
	for i := range t.metrics {
		m := &t.metrics[i]
		if !strings.EqualFold(m.EventType, eventType) {
			continue
		}
		x := 1.0
		switch m.function.Of {
		case schema.Interactions:
			x = column(m.function.Column)
		case schema.Items:
			x = math.NaN()
			if n, ok := t.items.ItemNumber(item); ok {
				x = number(t.items.ItemValue(n, m.function.Column))
			}
		}
		if !math.IsNaN(x) {
			t.cells[cell{window, i, source}] += x
		}
	}
}

// number reads what properties and columns hold; NaN for what is no number.
func number(x any) float64 {
	switch x := x.(type) {
	case float64:
		if f := float32(x); float64(f) == x { // of a column of floats: 23.56 is meant, not 23.559999465942383
			x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', -1, 32), 64)
		}
		return x
	case int64:
		return float64(x)
	case string:
		if n, err := strconv.ParseFloat(x, 64); err == nil {
			return n
		}
	}
	return math.NaN()
}

// table adds the rows of an imported table, each to the window of its own time.
func (t *tally) table(b *dataset.Batch, answers *recent) error {
	text := func(name string, row int) string {
		if c, ok := b.Column(name); ok && c.Text != nil && !c.Absent(row) {
			return c.Text[row]
		}
		return ""
	}
	at, ok := b.Column(schema.Timestamp)
	if !ok || at.Int == nil {
		return attune.Errorf(attune.Invalid, "metrics are of tables with a column %s", schema.Timestamp)
	}
	seconds := int64(attributionWindow / time.Second)
	for row := range b.Len {
		if at.Absent(row) {
			continue
		}
		window := at.Int[row] - (at.Int[row]%seconds+seconds)%seconds
		source := t.source(text("EVENT_ATTRIBUTION_SOURCE", row), text("RECOMMENDATION_ID", row), answers)
		t.add(window, text(schema.EventType, row), text(schema.ItemID, row), source, func(column string) float64 {
			if c, ok := b.Column(column); ok {
				return number(c.Value(row))
			}
			return math.NaN()
		})
		if len(t.cells) > maxCells {
			return attune.Errorf(attune.Invalid, "the report on this import would have more than %d lines: import it in parts, or leave publishAttributionMetricsToS3 out", maxCells)
		}
	}
	return nil
}

// write writes the report, in the order of windows, metrics and sources.
func (t *tally) write(w io.Writer) error {
	keys := make([]cell, 0, len(t.cells))
	for key := range t.cells {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.window, b.window), cmp.Compare(a.metric, b.metric), cmp.Compare(a.source, b.source))
	})
	out := csv.NewWriter(w)
	_ = out.Write([]string{"METRIC_NAME", "EVENT_TYPE", "VALUE", "MATH_FUNCTION", "EVENT_ATTRIBUTION_SOURCE", "TIMESTAMP"}) // Error tells
	for _, key := range keys {
		m := t.metrics[key.metric]
		_ = out.Write([]string{m.Name, m.EventType, decimal(t.cells[key]), m.function.String(), key.source, strconv.FormatInt(key.window, 10)})
	}
	out.Flush()
	return out.Error()
}

// decimal writes a number with a point, as the service does: 12.0.
func decimal(x float64) string {
	x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', 15, 64), 64) // 0.1 + 0.2 is 0.3
	text := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// isNew says whether an event counts: its id, or its user, item, type, time and
// properties, have not come in this window or the one before.
func (a *attribution) isNew(b *event.Interaction) bool {
	if a.met[0] == nil {
		a.met[0] = map[uint64]struct{}{}
	}
	who := b.User
	if who == "" {
		who = b.Session
	}
	marks := []uint64{mark64(who, b.Item, strings.ToLower(b.Type), strconv.FormatInt(b.At.UnixMilli(), 36), strconv.FormatUint(dataset.PutIdentity(b.Properties), 36))}
	if b.EventID != "" {
		marks = append(marks, mark64(who, b.EventID))
	}
	fresh := true
	for _, m := range marks {
		for _, window := range a.met {
			if _, ok := window[m]; ok {
				fresh = false
			}
		}
		if len(a.met[0]) < maxMet {
			a.met[0][m] = struct{}{}
		}
	}
	return fresh
}

func mark64(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = io.WriteString(h, p) // a hash takes everything
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// recent knows the campaigns of the newest answers, the oldest forgotten first.
type recent struct {
	of        map[[16]byte]uint16
	order     [][16]byte // a ring once it is full
	next      int
	campaigns []string
	number    map[string]uint16
}

func newRecent() *recent {
	return &recent{of: map[[16]byte]uint16{}, number: map[string]uint16{}}
}

func (r *recent) add(i *event.Impression) {
	id, ok := uuid(i.RecommendationID)
	if !ok {
		return
	}
	if _, known := r.of[id]; known {
		return
	}
	n, ok := r.number[i.Campaign]
	if !ok {
		if len(r.campaigns) > math.MaxUint16 {
			return
		}
		n = uint16(len(r.campaigns))
		r.campaigns = append(r.campaigns, strings.Clone(i.Campaign))
		r.number[r.campaigns[n]] = n
	}
	if len(r.order) < maxShown {
		r.order = append(r.order, id)
	} else {
		delete(r.of, r.order[r.next])
		r.order[r.next] = id
		r.next = (r.next + 1) % maxShown
	}
	r.of[id] = n
}

// campaign is what gave an answer; "" when it is not known.
func (r *recent) campaign(recommendation string) string {
	if id, ok := uuid(recommendation); ok {
		if n, ok := r.of[id]; ok {
			return r.campaigns[n]
		}
	}
	return ""
}

// uuid reads the form that recommendation ids have.
func uuid(text string) (id [16]byte, ok bool) {
	text = strings.ReplaceAll(text, "-", "")
	if len(text) != 32 {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(text))
	return id, err == nil
}

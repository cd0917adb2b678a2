package resource

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/filter"
)

// Limits are the quotas that Amazon Personalize sets to its customers. The zero
// value has none: then only what protects this server bounds anything (sizes of
// bodies, pages and queues, each where it is). Strict is the service's own.
//
// Quotas of rows are held here, where rows are made; the others are handed by
// node to whoever can see the breach.
type Limits struct {
	Rows    []Quota
	Tags    int           // of one resource
	TPS     int           // minProvisionedTPS of a campaign, and its like of a recommender
	Columns schema.Limits // of the customer's own, in a schema
	Import  ImportLimits
	Train   TrainLimits
	Batch   BatchLimits
	Filter  filter.Limits
	Serve   ServeLimits
	Rates   Rates
}

// Quota bounds the living rows of a kind.
type Quota struct {
	Kind     Kind
	Most     int
	InGroup  bool // counted in each dataset group, not in the whole account
	UnderWay bool // only rows that ask for work count
}

// ImportLimits bound one import job.
type ImportLimits struct {
	FullBytes, IncrementalBytes int64 // of all its files
	Interactions                int64 // the least rows of a FULL import into an Interactions dataset
}

// Of gives the bounds of an import into a dataset of type t: bytes at most and
// rows at least; 0 for no bound.
func (l ImportLimits) Of(t schema.Type, mode string) (bytes, rows int64) {
	if mode == ImportIncremental {
		return l.IncrementalBytes, 0
	}
	if t == schema.Interactions {
		rows = l.Interactions
	}
	return l.FullBytes, rows
}

// TrainLimits are the least data that is trained on, and what it may be made of.
type TrainLimits struct {
	Interactions int     // that count, at least
	Users        int     // with two interactions or more, at least
	UserShare    float64 // of all users, who must have two interactions or more
	TypesColumns int     // event types plus optional columns of Interactions, at most
}

// BatchLimits bound one batch job.
type BatchLimits struct {
	Files          int
	Bytes, Records int64 // of all its input
	SegmentItems   int   // input lines of an item-affinity job
	SegmentQueries int   // input lines of an item-attribute-affinity job
}

// ServeLimits are what answers have only when it was asked for, and what they
// have unless it was refused.
type ServeLimits struct {
	MetadataEnabled bool // metadata is for campaigns and recommenders made with enableMetadataWithRecommendations
	Explore         bool // campaigns and recommenders that can explore do without an itemExplorationConfig, too
}

// Rates are requests per second; 0 for no limit. Bursts of one second's worth pass.
type Rates struct {
	Control         float64 // of the control plane, in the account
	Events          float64 // PutEvents to a dataset group, and PutActionInteractions
	Items           float64 // PutItems to a dataset
	Users           float64 // PutUsers
	Actions         float64 // PutActions
	Runtime         float64 // of the runtime, in the account
	RuntimeResource float64 // of the runtime, to one campaign or recommender
}

// Set changes the rates that are named control, events, items, users, actions,
// runtime and resource. Another name or a negative rate is attune.Invalid, and
// nothing is changed.
func (r *Rates) Set(rates map[string]float64) error {
	places := map[string]*float64{"control": &r.Control, "events": &r.Events, "items": &r.Items, "users": &r.Users,
		"actions": &r.Actions, "runtime": &r.Runtime, "resource": &r.RuntimeResource}
	for name, rate := range rates {
		if places[name] == nil || !(rate >= 0) || math.IsInf(rate, 0) {
			return attune.Errorf(attune.Invalid, "rate %s=%g: give one of %s and requests per second, 0 for no limit", name, rate,
				strings.Join(slices.Sorted(maps.Keys(places)), ", "))
		}
	}
	for name, rate := range rates {
		*places[name] = rate
	}
	return nil
}

// Strict gives the quotas of Amazon Personalize ("Personalize endpoints and
// quotas" of the AWS General Reference and the developer guide, as gathered in
// November 2026), in their default, not raised, values.
func Strict() Limits {
	return Limits{
		Rows: []Quota{
			{Kind: Schema, Most: 500},
			{Kind: DatasetGroup, Most: 5},
			{Kind: Solution, Most: 10, InGroup: true},
			{Kind: Campaign, Most: 5, InGroup: true},
			{Kind: Recommender, Most: 5, InGroup: true},
			{Kind: Filter, Most: 10, InGroup: true},
			{Kind: MetricAttribution, Most: 1, InGroup: true},
			{Kind: ImportJob, Most: 5, UnderWay: true},
			{Kind: ExportJob, Most: 5, UnderWay: true},
			{Kind: BatchInferenceJob, Most: 5, UnderWay: true},
			{Kind: BatchSegmentJob, Most: 5, UnderWay: true},
			{Kind: DataDeletionJob, Most: 5, UnderWay: true},
			{Kind: SolutionVersion, Most: 20, UnderWay: true},
		},
		Tags:    50,
		TPS:     500,
		Columns: schema.Limits{Interactions: 5, Users: 25, Items: 100, Actions: 10, Textual: 1},
		Import:  ImportLimits{FullBytes: 100 << 30, IncrementalBytes: 1 << 30, Interactions: 1000},
		Train:   TrainLimits{Interactions: 1000, Users: 25, UserShare: 0.01, TypesColumns: 10},
		Batch:   BatchLimits{Files: 1000, Bytes: 1 << 30, Records: 50_000_000, SegmentItems: 500, SegmentQueries: 10},
		Filter:  filter.Personalize(),
		Serve:   ServeLimits{MetadataEnabled: true, Explore: true},
		Rates: Rates{
			Control: 50, // the service publishes no figure; this one is ours, above what a polite poller does
			Events:  1000, Items: 10, Users: 10, Actions: 10, Runtime: 2500, RuntimeResource: 500,
		},
	}
}

// maxUnderWay bounds the rows of a kind that ask for work when there is no
// quota: the reconciler looks at each of them after every change.
const maxUnderWay = 1000

// Limits gives the quotas that this registry holds its rows to.
func (g *Registry) Limits() Limits { return g.limits }

// quota refuses a new row when there are as many of its kind as may be, or it
// has too many tags. What is being deleted or has failed does not count.
func (g *Registry) quota(ctx context.Context, r *Resource) error {
	if err := g.tagRoom(r); err != nil {
		return err
	}
	quotas := []Quota{{Kind: r.Kind, Most: maxUnderWay, UnderWay: true}}
	for _, q := range append(quotas, g.limits.Rows...) {
		if q.Kind != r.Kind {
			continue
		}
		query := Query{Kind: q.Kind, Busy: q.UnderWay}
		if q.InGroup {
			query.Group = r.Group
		}
		rows, err := g.every(ctx, query)
		if err != nil {
			return err
		}
		n := 0
		for i := range rows {
			if s := rows[i].Status; q.UnderWay || s != CreateFailed && s != CreateStopped && !s.deleting() {
				n++
			}
		}
		if n >= q.Most {
			return attune.Errorf(attune.LimitExceeded, "%s", q.words())
		}
	}
	return nil
}

// words are the service's own.
func (q Quota) words() string {
	if q.UnderWay {
		return fmt.Sprintf("More than %d resources with PENDING or IN_PROGRESS status.", q.Most)
	}
	return fmt.Sprintf("Cannot create %s. More than %d resources in ACTIVE state. Please delete some and try again.", q.Kind.One(), q.Most)
}

// tagRoom refuses a row with more tags than a resource can have.
func (g *Registry) tagRoom(r *Resource) error {
	b, err := Body[struct{ Tags []Tag }](r)
	if most := g.limits.Tags; err == nil && most > 0 && len(b.Tags) > most {
		err = attune.Errorf(attune.TooManyTags, "%d tags were given: a resource can have %d", len(b.Tags), most)
	}
	return err
}

// columnRoom refuses a schema with too many columns for a dataset of type t.
func (g *Registry) columnRoom(sr *Resource, t schema.Type) error {
	parsed, err := parseRow(sr)
	if err != nil {
		return err
	}
	return parsed.CheckColumns(t, g.limits.Columns)
}

// tpsRoom refuses more provisioned requests per second than there may be.
func (g *Registry) tpsRoom(member string, tps int) error {
	if most := g.limits.TPS; most > 0 && tps > most {
		return attune.Errorf(attune.LimitExceeded, "%s is %d: it can be at most %d", member, tps, most)
	}
	return nil
}

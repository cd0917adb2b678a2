package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

// Personalize answers the operations of the control plane and of event intake.
type Personalize struct {
	rows   *resource.Registry
	log    appender
	tokens *awsjson.Server // seals page tokens
}

// appender is what intake needs of the log: it returns when the bodies are on disk.
type appender interface {
	Append(ctx context.Context, g event.Group, bodies ...event.Body) (event.Seq, error)
}

// NewPersonalize makes the handlers; Register puts them to work.
func NewPersonalize(rows *resource.Registry, log *event.Log) *Personalize {
	return &Personalize{rows: rows, log: log}
}

// Register makes s answer every operation that is built. Call it once.
func (p *Personalize) Register(s *awsjson.Server) {
	p.tokens = s
	for _, register := range []func(*awsjson.Server){
		p.registerDatasetGroups,
		p.registerSchemas,
		p.registerDatasets,
		p.registerImportJobs,
		p.registerEventTrackers,
		p.registerSolutions,
		p.registerSolutionVersions,
		p.registerCampaigns,
		p.registerFilters,
		p.registerTags,
		p.registerAttributions,
		p.registerRecipes,
		p.registerRecommenders,
		p.registerEvents,
		p.registerBatchJobs,
		p.registerExportJobs,
		p.registerDataDeletionJobs,
	} {
		register(s)
	}
}

// none is the answer of operations that answer nothing.
func none(err error) (*wire.Empty, error) { return &wire.Empty{}, err }

// shape makes a wire struct of a row's body, whose members carry the wire's
// names; what the row itself holds is put in by the caller.
func shape[T any](r *resource.Resource) (*T, error) {
	out := new(T)
	if err := json.Unmarshal(r.Body, out); err != nil {
		return nil, fmt.Errorf("show the body of %s: %w", r.ARN, err)
	}
	return out, nil
}

// common gives the members that nearly every shape has, in their usual order.
func common(r *resource.Resource) (name, arn, status *string, created, updated wire.Time) {
	return &r.Name, (*string)(&r.ARN), (*string)(&r.Status), wire.At(r.Created), wire.At(r.Updated)
}

// arnOf gives the ARN of a row that was made, for the answer of a Create.
func arnOf(r *resource.Resource) *string { return (*string)(&r.ARN) }

// raw writes a configuration down as it was given; nil when there was none.
func raw[T any](v *T) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	return json.Marshal(v)
}

// tags are the tags of a Create.
func tags(in []wire.Tag) []resource.Tag {
	var out []resource.Tag
	for _, t := range in {
		out = append(out, resource.Tag{Key: t.TagKey, Value: t.TagValue})
	}
	return out
}

// value gives what p points to, or the zero value.
func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// filled gives a pointer for an optional member: nil when v is zero.
func filled[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// listing is one List request: whose rows, and which page.
type listing struct {
	operation string
	kind      resource.Kind
	of        resource.Kind // what the rows hang on; "" when on nothing
	parent    *string       // only rows that hang on this ARN; nil for all
	max       *int          // rows on a page; nil for as many as there may be
	next      *string       // token of the previous page
}

// list gives one page of summaries, oldest first, and the token of the next page.
func list[S any](ctx context.Context, p *Personalize, l listing, summary func(*resource.Resource) (*S, error)) ([]S, *string, error) {
	return listFrom(ctx, p, l, false, summary)
}

// listNewest is list with the newest first.
func listNewest[S any](ctx context.Context, p *Personalize, l listing, summary func(*resource.Resource) (*S, error)) ([]S, *string, error) {
	return listFrom(ctx, p, l, true, summary)
}

func listFrom[S any](ctx context.Context, p *Personalize, l listing, newest bool, summary func(*resource.Resource) (*S, error)) ([]S, *string, error) {
	if l.parent != nil {
		if err := resource.CheckARN(l.of, attune.ARN(*l.parent)); err != nil {
			return nil, nil, err
		}
	}
	scope := l.operation + "\x00" + value(l.parent)
	position, err := p.tokens.DecodeToken(scope, value(l.next))
	if err != nil {
		return nil, nil, err
	}
	after, err := resource.ParseCursor(position)
	if err != nil {
		return nil, nil, err
	}
	rows, end, err := p.rows.List(ctx, resource.Query{Kind: l.kind, Parent: attune.ARN(value(l.parent)), After: after, Newest: newest, Limit: value(l.max)})
	if err != nil {
		return nil, nil, err
	}
	out := make([]S, len(rows))
	for i := range rows {
		s, err := summary(&rows[i])
		if err != nil {
			return nil, nil, err
		}
		out[i] = *s
	}
	token, err := p.tokens.EncodeToken(scope, end.String())
	return out, filled(token), err
}

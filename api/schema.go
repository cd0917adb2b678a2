package api

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerSchemas(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateSchema", p.createSchema)
	awsjson.Handle(s, wire.Personalize, "DescribeSchema", p.describeSchema)
	awsjson.Handle(s, wire.Personalize, "ListSchemas", p.listSchemas)
	awsjson.Handle(s, wire.Personalize, "DeleteSchema", p.deleteSchema)
}

func (p *Personalize) createSchema(ctx context.Context, in *wire.CreateSchemaRequest) (*wire.CreateSchemaResponse, error) {
	r, err := p.rows.CreateSchema(ctx, in.Name, resource.SchemaBody{Schema: in.Schema, Domain: value(in.Domain)})
	if err != nil {
		return nil, err
	}
	return &wire.CreateSchemaResponse{SchemaArn: arnOf(r)}, nil
}

func (p *Personalize) describeSchema(ctx context.Context, in *wire.DescribeSchemaRequest) (*wire.DescribeSchemaResponse, error) {
	r, err := p.rows.Find(ctx, resource.Schema, attune.ARN(in.SchemaArn))
	if err != nil {
		return nil, err
	}
	s, err := shape[wire.DatasetSchema](r)
	if err != nil {
		return nil, err
	}
	s.Name, s.SchemaArn, _, s.CreationDateTime, s.LastUpdatedDateTime = common(r)
	return &wire.DescribeSchemaResponse{Schema: s}, nil
}

func (p *Personalize) listSchemas(ctx context.Context, in *wire.ListSchemasRequest) (*wire.ListSchemasResponse, error) {
	l := listing{"ListSchemas", resource.Schema, "", nil, in.MaxResults, in.NextToken}
	schemas, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.DatasetSchemaSummary, error) {
		s, err := shape[wire.DatasetSchemaSummary](r)
		if err == nil {
			s.Name, s.SchemaArn, _, s.CreationDateTime, s.LastUpdatedDateTime = common(r)
		}
		return s, err
	})
	return &wire.ListSchemasResponse{Schemas: schemas, NextToken: next}, err
}

func (p *Personalize) deleteSchema(ctx context.Context, in *wire.DeleteSchemaRequest) (*wire.Empty, error) {
	return none(p.rows.DeleteSchema(ctx, in.SchemaArn))
}

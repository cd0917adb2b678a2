package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/api/verb"
)

// clientFlags say which node a verb speaks to, and as whom.
type clientFlags struct {
	Endpoint string `default:"http://127.0.0.1:8787" env:"ATTUNE_ENDPOINT,AWS_ENDPOINT_URL" help:"The node to speak to."`
	Region   string `default:"us-east-1" env:"AWS_REGION,AWS_DEFAULT_REGION" help:"The node's region."`
	Data     string `env:"ATTUNE_DATA" placeholder:"DIR" help:"Take the root key of this node's data folder instead of the usual AWS credentials."`
}

// aws loads the credentials that every AWS tool would use, or the root key.
func (c *clientFlags) aws(ctx context.Context) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{config.WithRegion(c.Region), config.WithBaseEndpoint(c.Endpoint)}
	if c.Data != "" {
		key, err := access.ReadRoot(c.Data)
		if err != nil {
			return aws.Config{}, err
		}
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(key.ID, key.Secret, "")))
	}
	return config.LoadDefaultConfig(ctx, options...)
}

// call sends one of Attune's own verbs and reads its answer into out.
func (c *clientFlags) call(ctx context.Context, name string, in, out any) error {
	cfg, err := c.aws(ctx)
	if err != nil {
		return err
	}
	return verb.Call(ctx, cfg, name, in, out)
}

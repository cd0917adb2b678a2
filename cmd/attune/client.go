package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/api/verb"
)

// clientFlags say which node a verb speaks to, and as whom.
type clientFlags struct {
	Endpoint string `default:"http://127.0.0.1:8787" env:"ATTUNE_ENDPOINT,AWS_ENDPOINT_URL" help:"The node to speak to; 'aws' for the real service, which knows no verbs of Attune's own."`
	Region   string `default:"us-east-1" env:"AWS_REGION,AWS_DEFAULT_REGION" help:"The node's region."`
	Data     string `env:"ATTUNE_DATA" placeholder:"DIR" help:"Take the root key of this node's data folder instead of the usual AWS credentials."`
}

// realService is the endpoint that stands for Amazon's own, of every service.
const realService = "aws"

// aws loads the credentials that every AWS tool would use, or the root key.
// Those of a cloud machine's role are not asked for: no node knows them.
func (c *clientFlags) aws(ctx context.Context) (aws.Config, error) {
	if c.Endpoint == realService {
		cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(c.Region), config.WithLogger(logging.Nop{}))
		cfg.BaseEndpoint = nil
		return cfg, err
	}
	if u, err := url.Parse(c.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return aws.Config{}, fmt.Errorf("endpoint %q is not a URL: write it like http://127.0.0.1:8787", c.Endpoint)
	}
	options := []func(*config.LoadOptions) error{config.WithRegion(c.Region), config.WithBaseEndpoint(c.Endpoint),
		config.WithEC2IMDSClientEnableState(imds.ClientDisabled), config.WithLogger(logging.Nop{})}
	if c.Data != "" {
		key, err := access.ReadRoot(c.Data)
		if err != nil {
			return aws.Config{}, err
		}
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(key.ID, key.Secret, "")))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, errors.New("no credentials: say --data DIR to take the root key from the node's data folder, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	return cfg, nil
}

// plain puts an error of the SDK in words: what the node answered, or what to
// do when none did. Others stay as they are.
func (c *clientFlags) plain(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		text := answer.ErrorMessage()
		if text == "" {
			text = "the node gave no reason"
		}
		return fmt.Errorf("%s (%s)", text, answer.ErrorCode())
	}
	var dial *net.OpError
	if errors.As(err, &dial) {
		return fmt.Errorf("no node answers at %s: start one with 'attune serve', or say --endpoint (%w)", c.Endpoint, dial)
	}
	return err
}

// call sends one of Attune's own verbs and reads its answer into out.
func (c *clientFlags) call(ctx context.Context, name string, in, out any) error {
	if c.Endpoint == realService {
		return fmt.Errorf("%s is a verb of Attune's own, which the real service does not know: say --endpoint with a node's URL", name)
	}
	cfg, err := c.aws(ctx)
	if err != nil {
		return err
	}
	return verb.Call(ctx, cfg, name, in, out)
}

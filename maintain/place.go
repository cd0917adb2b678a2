package maintain

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/plan"
	"github.com/attune-io/attune/notify"
)

// Place is where what is maintained lives, and as whom it is reached.
type Place struct {
	Endpoint string `json:"endpoint"` // URL of a node of Attune; "" for Amazon's own
	Region   string `json:"region"`
	Itself   bool   `json:"itself"`            // it is the node that maintains
	Profile  string `json:"profile,omitempty"` // of the AWS configuration, for its credentials
	Role     string `json:"role,omitempty"`    // ARN that imports and batch jobs run under
	KMSKey   string `json:"kmsKey,omitempty"`  // ARN of the key of new dataset groups
	KMSRole  string `json:"kmsRole,omitempty"` // ARN of the role that may use it
	KeyID    string `json:"-"`                 // "": what AWS tools would find

	Secret string `json:"-"`
}

// Config loads the configuration of an ordinary SDK client of the place.
func (p *Place) Config(ctx context.Context) (aws.Config, error) {
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithRegion(p.Region)}
	if p.Endpoint != "" {
		options = append(options, awsconfig.WithBaseEndpoint(p.Endpoint))
	}
	if p.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(p.Profile))
	}
	if p.KeyID != "" {
		options = append(options, awsconfig.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(p.KeyID, p.Secret, "")))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, attune.Errorf(attune.Invalid, "read the AWS configuration of what is maintained: %w", err)
	}
	if !plan.Real(p.Endpoint) {
		cfg.APIOptions = append(cfg.APIOptions, withCause)
	}
	return cfg, nil
}

// chainKey is where a context has the chain of runs that its requests come of.
type chainKey struct{}

// withCause says in each request which run makes it, so that an event about
// what it changed can be followed back.
func withCause(stack *middleware.Stack) error {
	return stack.Build.Add(middleware.BuildMiddlewareFunc("AttuneCause", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
		if chain, _ := ctx.Value(chainKey{}).(string); chain != "" {
			if r, ok := in.Request.(*smithyhttp.Request); ok {
				r.Header.Set(notify.CauseHeader, chain)
			}
		}
		return next.HandleBuild(ctx, in)
	}), middleware.After)
}

// places keeps what was opened of a Place: it is opened when it is needed
// first, since it may be this node, which listens later.
type places struct {
	mu      sync.Mutex
	targets [2]*plan.Target // as ApplyInput.Replace says: no, yes
	files   *s3.Client
}

// target opens the place, or gives what was opened before.
func (m *Manager) target(ctx context.Context, replace bool) (*plan.Target, error) {
	m.places.mu.Lock()
	defer m.places.mu.Unlock()
	if t := m.places.targets[bit(replace)]; t != nil {
		return t, nil
	}
	cfg, err := m.Place.Config(ctx)
	if err != nil {
		return nil, err
	}
	t, err := plan.Open(ctx, cfg, plan.Options{Role: m.Place.Role, KMSKey: m.Place.KMSKey, KMSRole: m.Place.KMSRole, Replace: replace,
		Version: m.Build, Clock: m.Clock, Judge: m.Judge, Metrics: m.keepMetrics})
	if err != nil {
		return nil, err
	}
	m.places.targets[bit(replace)] = t
	return t, nil
}

// DefaultBucket is where data is looked for that no source was named for.
const DefaultBucket = "attune"

// source is the folder of a configuration's data: the one that was named, else
// train/<name> of the default bucket, if a file is there; "" if none is.
func (m *Manager) source(ctx context.Context, named, name string) (string, error) {
	if named != "" || plan.Real(m.Place.Endpoint) {
		return named, nil
	}
	files, err := m.files(ctx)
	if err != nil {
		return "", err
	}
	folder := "train/" + name
	page, err := files.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(DefaultBucket), Prefix: aws.String(folder + "/"), MaxKeys: aws.Int32(1)})
	var gone *s3types.NoSuchBucket
	switch {
	case errors.As(err, &gone), err == nil && len(page.Contents) == 0:
		return "", nil
	case err != nil:
		return "", attune.Errorf(attune.Unavailable, "look for data in s3://%s/%s: %w", DefaultBucket, folder, err)
	}
	return "s3://" + DefaultBucket + "/" + folder, nil
}

// files is a client of the buckets of the place.
func (m *Manager) files(ctx context.Context) (*s3.Client, error) {
	m.places.mu.Lock()
	defer m.places.mu.Unlock()
	if m.places.files == nil {
		cfg, err := m.Place.Config(ctx)
		if err != nil {
			return nil, err
		}
		m.places.files = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = m.Place.Endpoint != "" })
	}
	return m.places.files, nil
}

// object reads a small object where the data lies. attune.NotFound when there
// is none, attune.Invalid when it is larger than most bytes.
func (m *Manager) object(ctx context.Context, bucket, key string, most int64) (text []byte, err error) {
	files, err := m.files(ctx)
	if err != nil {
		return nil, err
	}
	out, err := files.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	var none *s3types.NoSuchKey
	var gone *s3types.NoSuchBucket
	switch {
	case errors.As(err, &none), errors.As(err, &gone):
		return nil, attune.Errorf(attune.NotFound, "s3://%s/%s is not there any more", bucket, key)
	case err != nil:
		return nil, attune.Errorf(attune.Unavailable, "read s3://%s/%s: %w", bucket, key, err)
	}
	defer out.Body.Close()
	text, err = io.ReadAll(io.LimitReader(out.Body, most+1))
	switch {
	case err != nil:
		return nil, attune.Errorf(attune.Unavailable, "read s3://%s/%s: %w", bucket, key, err)
	case int64(len(text)) > most:
		return nil, attune.Errorf(attune.Invalid, "s3://%s/%s is larger than the %d bytes that a configuration may have", bucket, key, most)
	}
	return text, nil
}

package plan

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/attune-io/attune"
)

const (
	// callTimeout bounds one try of one call; a long answer is a page of a list.
	callTimeout = 30 * time.Second
	// callTries and maxBackoff bound what is tried again within one call: enough
	// for a hiccup. Whoever takes the step waits longer.
	callTries  = 4
	maxBackoff = 4 * time.Second
	// pageSize is the most that the service lists at once.
	pageSize = 100
	// maxPages bounds a list that never ends; no quota lets one be so long.
	maxPages = 1000
)

// Options say how a Target behaves; the zero value will do on Attune.
type Options struct {
	Role    string // ARN of the role that imports and batch jobs run under; "" on Attune for one of the right form
	KMSKey  string // ARN of the key of new dataset groups; "" for none. It cannot be added, changed or removed later
	KMSRole string // ARN of the role that may use KMSKey; required with it
	Replace bool   // what differs in what cannot be changed is made anew under another name
	Version string // of this build, for the user agent
	Clock   attune.Clock
	Judge   Judge   // who lets a version go live; nil for Tested, and Means at the real service
	Objects Objects // nil for the S3 API of the same configuration
	// Metrics is handed the offline metrics of a solution version whenever a step
	// about it finds it ACTIVE; nil for nobody.
	Metrics func(ctx context.Context, m VersionMetrics) error
}

// VersionMetrics are the offline metrics of one ACTIVE solution version.
type VersionMetrics struct {
	Group    string // name of the dataset group
	Solution string // ARN
	Version  string // ARN
	Made     time.Time
	Metrics  map[string]float64
}

// Target is where maintained resources live: one account in one region, of a
// node of Attune or of the real service. It is safe for concurrent use.
type Target struct {
	Region    string
	Account   string // twelve digits
	Partition string // aws, aws-cn or aws-us-gov
	Endpoint  string // "" for the real service's own

	o       Options
	api     *personalize.Client
	objects Objects
	judge   Judge
	puts    *s3.Client
}

var roleForm = regexp.MustCompile(`^arn:[a-z\d-]+:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$`)

// Open asks who the caller is, and so whether the service answers and knows
// him. attune.Unavailable when it does not answer, attune.Denied when it does
// not know him, attune.Invalid for options that cannot be.
func Open(ctx context.Context, cfg aws.Config, o Options) (*Target, error) {
	for name, arn := range map[string]string{"role": o.Role, "KMS role": o.KMSRole} {
		if arn != "" && !roleForm.MatchString(arn) {
			return nil, attune.Errorf(attune.Invalid, "the %s %q is not the ARN of a role: write it like arn:aws:iam::123456789012:role/personalize", name, arn)
		}
	}
	if (o.KMSKey == "") != (o.KMSRole == "") {
		return nil, attune.Errorf(attune.Invalid, "a KMS key needs a role that may use it, and such a role a key: give both or none")
	}
	if o.Clock == nil {
		o.Clock = attune.WallClock
	}
	cfg = cfg.Copy()
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTimeout(callTimeout)
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(r *retry.StandardOptions) { r.MaxAttempts, r.MaxBackoff = callTries, maxBackoff })
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	cfg.APIOptions = append(cfg.APIOptions[:len(cfg.APIOptions):len(cfg.APIOptions)], middleware.AddUserAgentKeyValue("attune", o.Version))
	t := &Target{Region: cfg.Region, Partition: partition(cfg.Region), Endpoint: aws.ToString(cfg.BaseEndpoint), o: o, api: personalize.NewFromConfig(cfg)}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, explain(ctx, "ask who the caller is", err)
	}
	t.Account = aws.ToString(who.Account)
	t.puts = s3.NewFromConfig(cfg, func(s *s3.Options) { s.UsePathStyle = t.Endpoint != "" })
	if t.objects = o.Objects; t.objects == nil {
		t.objects = bucket{t.puts}
	}
	if t.judge = o.Judge; t.judge == nil {
		t.judge = Means{t}
		if t.Endpoint != "" {
			t.judge = Tested{Means{t}, cfg}
		}
	}
	return t, nil
}

// partition is the first part of every ARN of a region.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov"):
		return "aws-us-gov"
	}
	return "aws"
}

// arn is that of a named resource: kind in the words of ARNs, e.g. dataset-group.
func (t *Target) arn(kind, name string) string {
	return "arn:" + t.Partition + ":" + attune.Service + ":" + t.Region + ":" + t.Account + ":" + kind + "/" + name
}

// Real says whether an endpoint is the real service's, which checks roles and
// knows no verbs of Attune's own; "" is.
func Real(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return endpoint == "" || err == nil && (strings.HasSuffix(u.Hostname(), ".amazonaws.com") || strings.HasSuffix(u.Hostname(), ".amazonaws.com.cn"))
}

// role is what imports and batch jobs run under.
func (t *Target) role() (string, error) {
	switch {
	case t.o.Role != "":
		return t.o.Role, nil
	case Real(t.Endpoint):
		return "", attune.Errorf(attune.Invalid, "imports and batch jobs of Amazon Personalize run under a role that may read and write the bucket: give its ARN (--role)")
	}
	return "arn:" + t.Partition + ":iam::" + t.Account + ":role/attune", nil
}

// now is what ages are counted to.
func (t *Target) now() time.Time { return t.o.Clock() }

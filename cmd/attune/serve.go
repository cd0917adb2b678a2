package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/attune-io/attune/embed"
	"github.com/attune-io/attune/machine"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/node"
)

// gcPercent trades memory for fewer collections: the live heap of a serving
// node is small, and collections are what its slowest answers wait for.
const gcPercent = 200

// softMemory is the share of the machine's memory from which on the collector works
// harder: with gcPercent alone the heap would grow to three times what lives in it,
// and a training that fits in its share would take more than there is.
const softMemory = 0.9

// collect sets the collector; GOMEMLIMIT and GOGC come before, as in any Go program.
func collect() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if has := machine.Memory(); has > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(softMemory * float64(has)))
	}
}

// nodeFlags are what serve and demo share.
type nodeFlags struct {
	Listen    string `default:"127.0.0.1:8787" env:"ATTUNE_LISTEN" help:"Address of the one listener; port 0 takes a free one."`
	Account   string `default:"000000000000" env:"ATTUNE_ACCOUNT" help:"Twelve-digit account in every ARN."`
	Region    string `default:"us-east-1" env:"ATTUNE_REGION" help:"Region in every ARN, and what clients sign for."`
	LogLevel  string `default:"info" enum:"debug,info,warn,error" env:"ATTUNE_LOG_LEVEL" help:"What is worth logging: ${enum}."`
	LogFormat string `default:"text" enum:"text,json" env:"ATTUNE_LOG_FORMAT" help:"Form of log lines: ${enum}."`
}

// serveCmd runs a node until it is told to stop.
type serveCmd struct {
	nodeFlags
	Data     string             `default:"attune-data" env:"ATTUNE_DATA" help:"Folder for everything this node keeps. One process at a time."`
	Auth     string             `default:"on" enum:"on,off" env:"ATTUNE_AUTH" help:"Whether requests must be signed (SigV4): ${enum}. Off only on a loopback listener."`
	Mode     string             `default:"default" enum:"default,strict" env:"ATTUNE_MODE" help:"Whose limits hold: those of this machine, or (strict) those of Amazon Personalize: ${enum}."`
	Rate     map[string]float64 `env:"ATTUNE_RATE" placeholder:"NAME=N;…" help:"Requests per second before ThrottlingException, instead of the mode's (strict: Personalize's; default: none): control, events, items, users, actions, runtime, resource. 0 is no limit."`
	NATS     string             `name:"nats-url" env:"ATTUNE_NATS_URL" placeholder:"nats://HOST:4222" help:"A NATS server with JetStream instead of the embedded one."`
	Temporal string             `name:"temporal-url" env:"ATTUNE_TEMPORAL_URL" placeholder:"temporal://HOST:7233/NS" help:"A Temporal server instead of the embedded one."`
	SQL      string             `name:"sql-url" env:"ATTUNE_SQL_URL" placeholder:"postgres://…" help:"PostgreSQL instead of the embedded SQLite."`
	SMTP     string             `name:"smtp" env:"ATTUNE_SMTP" placeholder:"smtp://USER:PASSWORD@HOST:587?from=…" help:"A mail server for rules that send mail (smtps:// for TLS from the start, &starttls=off for none). Set it by the environment: command lines can be read by others."`
	Memory   memorySize         `name:"train-memory" env:"ATTUNE_TRAIN_MEMORY" placeholder:"4GiB" help:"Memory that a training may take; one that wants more is refused before it begins. Three quarters of what this machine, or its container, has unless given."`
	maintainFlags
	embeddingsFlags
	Bucket string `name:"bucket-url" env:"ATTUNE_BUCKET_URL" placeholder:"s3://BUCKET" help:"Object storage instead of files below the data folder."`
}

// embeddingsFlags name a language model.
type embeddingsFlags struct {
	EmbeddingsURL   string `name:"embeddings-url" env:"ATTUNE_EMBEDDINGS_URL" placeholder:"https://HOST/v1" help:"An API with POST /embeddings, as OpenAI's, whose vectors aws-semantic-similarity compares instead of words. It is asked while models are trained, about the texts of items. A key comes by the environment, as ATTUNE_EMBEDDINGS_KEY."`
	EmbeddingsModel string `name:"embeddings-model" env:"ATTUNE_EMBEDDINGS_MODEL" placeholder:"NAME" help:"Which of its models."`
}

// config is what a node is told; the key comes in no flag, since everybody on a
// machine sees those.
func (f *embeddingsFlags) config() embed.Config {
	c := embed.Config{URL: f.EmbeddingsURL, Model: f.EmbeddingsModel}
	if c.URL != "" {
		c.Key = os.Getenv("ATTUNE_EMBEDDINGS_KEY")
	}
	return c
}

// maintainFlags say what the node maintains.
type maintainFlags struct {
	Endpoint string `name:"maintain-endpoint" env:"ATTUNE_MAINTAIN_ENDPOINT" placeholder:"URL" help:"Another node, or aws, that configurations are applied to instead of this node."`
	At       string `name:"maintain-region" env:"ATTUNE_MAINTAIN_REGION" placeholder:"REGION" help:"Its region; that of this node without it."`
	Profile  string `name:"maintain-profile" env:"ATTUNE_MAINTAIN_PROFILE" help:"Profile of the AWS configuration with its credentials; ATTUNE_MAINTAIN_ACCESS_KEY_ID and ATTUNE_MAINTAIN_SECRET_ACCESS_KEY come before."`
	Role     string `name:"maintain-role" env:"ATTUNE_MAINTAIN_ROLE" placeholder:"ARN" help:"Role that imports and batch jobs run under; the real service needs one."`
	KMSKey   string `name:"maintain-kms-key" env:"ATTUNE_MAINTAIN_KMS_KEY" placeholder:"ARN" help:"Key of new dataset groups, with --maintain-kms-role; it cannot be changed later."`
	KMSRole  string `name:"maintain-kms-role" env:"ATTUNE_MAINTAIN_KMS_ROLE" placeholder:"ARN" help:"Role that may use the key."`
}

// place is what is maintained instead of the node itself; nil for the node.
func (f *maintainFlags) place(region string) (*maintain.Place, error) {
	if f.Endpoint == "" {
		if *f != (maintainFlags{}) {
			return nil, errors.New("--maintain-… flags are about another endpoint: say --maintain-endpoint URL, or aws")
		}
		return nil, nil
	}
	p := &maintain.Place{Endpoint: f.Endpoint, Region: f.At, Profile: f.Profile, Role: f.Role, KMSKey: f.KMSKey, KMSRole: f.KMSRole}
	p.KeyID, p.Secret = maintainKeys()
	if f.Endpoint == "aws" {
		p.Endpoint = ""
	}
	if p.Region == "" {
		p.Region = region
	}
	return p, nil
}

// maintainKeys are the keys of another node that is maintained; they come in no
// flag, since everybody on a machine sees those.
func maintainKeys() (id, secret string) {
	return os.Getenv("ATTUNE_MAINTAIN_ACCESS_KEY_ID"), os.Getenv("ATTUNE_MAINTAIN_SECRET_ACCESS_KEY")
}

// Help is shown by 'attune serve --help'.
func (serveCmd) Help() string {
	return `Everything the node keeps lies below --data; the next start finds it there. The
first start makes a root key, prints it once and stores it in DIR/root.key. Then
any AWS client can speak to the node:

  export AWS_ENDPOINT_URL=http://127.0.0.1:8787 AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…
  aws s3 cp interactions.csv s3://data/interactions.csv
  aws personalize list-recipes

--mode=strict makes the node a double of Amazon Personalize for tests of your own
code: its quotas, minimum data, request rates and messages hold (5 dataset groups,
5 imports at once, 1000 interactions to train …), and 'attune clock' and 'attune
fault' put its clock forward and script its failures. The default has none of it.

A training whose estimate is above --train-memory is refused: it ends CREATE FAILED
with the memory that it wants and what it may take. Members of a blend that do not
fit in it together are left out.

/healthz, /readyz and /metrics answer without a signature. Ctrl-C or SIGTERM
stops the node; what was under way goes on at the next start.`
}

// Run starts the node, says where it is, and serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, s streams) error {
	began := time.Now()
	collect()
	place, err := c.place(c.Region)
	if err != nil {
		return err
	}
	n, err := node.Open(ctx, node.Config{
		Data: c.Data, Listen: c.Listen, Account: c.Account, Region: c.Region, AuthOff: c.Auth == "off", Strict: c.Mode == "strict", Rates: c.Rate,
		NATS: c.NATS, Temporal: c.Temporal, SQL: c.SQL, Bucket: c.Bucket, SMTP: c.SMTP, Maintain: place, Build: version(),
		Embeddings: c.config(), TrainMemory: int64(c.Memory),
	}, c.logger(s.err))
	if err != nil {
		return err
	}
	if key, fresh := n.RootKey(); fresh {
		fmt.Fprintf(s.out, "made a root key, shown this once; it is stored in %s/root.key\n\n  export AWS_ACCESS_KEY_ID=%s\n  export AWS_SECRET_ACCESS_KEY=%s\n\n", c.Data, key.ID, key.Secret)
	}
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	if err := waitReady(ctx, n, done); err == nil && ctx.Err() == nil {
		fmt.Fprintf(s.out, "attune is ready at %s (region %s, account %s) after %s\n", n.URL(), c.Region, c.Account, time.Since(began).Round(time.Millisecond))
	} else if err != nil {
		return closeAfter(n, err)
	}
	return closeAfter(n, <-done)
}

// logger writes structured lines to w.
func (f *nodeFlags) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(f.LogLevel)) // kong has checked it
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// readyPoll is how often a starting node is asked whether it is ready.
const readyPoll = 5 * time.Millisecond

// waitReady waits until n is ready, has failed, or ctx ends.
func waitReady(ctx context.Context, n *node.Node, done chan error) error {
	for len(n.Ready(ctx)) > 0 {
		select {
		case err := <-done:
			done <- err
			return err
		case <-ctx.Done():
			return nil
		case <-time.After(readyPoll):
		}
	}
	return nil
}

// closeAfter closes n and reports the first thing that went wrong.
func closeAfter(n *node.Node, err error) error {
	if cerr := n.Close(); err == nil {
		err = cerr
	}
	return err
}

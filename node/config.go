package node

import (
	"net"
	"regexp"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/embed"
	"github.com/attune-io/attune/machine"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/notify"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/resource"
)

// Config says what a process is made of. An empty URL starts that engine in
// the process, under Data; a URL dials it.
type Config struct {
	Data    string // folder for everything this process keeps
	Listen  string // host:port of the one listener; port 0 takes a free one
	Account string // twelve digits, in every ARN
	Region  string // in every ARN, and what clients must sign for
	AuthOff bool   // accept unsigned requests; only on a loopback listener
	Strict  bool   // be a double of Amazon Personalize: its quotas, a clock that can be put forward, a script of faults

	Rates map[string]float64 // requests per second instead of the mode's, by the names of resource.Rates; 0 is no limit

	NATS     string // nats://host:4222
	Temporal string // temporal://host:7233/namespace
	SQL      string // postgres://user@host/database
	Bucket   string // s3://bucket, gs://bucket, azblob://container

	TrainMemory int64 // bytes that a training may take; 0 for recipe.DefaultMemory of this machine

	Embeddings embed.Config // a language model for aws-semantic-similarity; the zero value for none

	Maintain *maintain.Place // what configurations are applied to; nil: this node
	Build    string          // version of this build, for what it maintains
	SMTP     string          // smtp://user:password@host:587?from=…; rules can send mail through it

	Clock attune.Clock // nil: the wall clock
}

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
)

// check refuses what cannot work, before anything is started.
func (c *Config) check() error {
	if c.Data == "" {
		return attune.Errorf(attune.Invalid, "no data folder: say --data DIR")
	}
	if !accountPattern.MatchString(c.Account) {
		return attune.Errorf(attune.Invalid, "account %q is not twelve digits: say --account 000000000000", c.Account)
	}
	if !regionPattern.MatchString(c.Region) {
		return attune.Errorf(attune.Invalid, "region %q does not look like us-east-1: say --region us-east-1", c.Region)
	}
	if err := new(resource.Rates).Set(c.Rates); err != nil {
		return err
	}
	if err := c.maintained(); err != nil {
		return err
	}
	if c.SMTP != "" {
		if err := notify.CheckMailServer(c.SMTP); err != nil {
			return err
		}
	}
	if err := c.Embeddings.Check(); err != nil {
		return err
	}
	if c.TrainMemory < 0 {
		return attune.Errorf(attune.Invalid, "training may take %d bytes, which is less than none: say --train-memory 4GiB", c.TrainMemory)
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return attune.Errorf(attune.Invalid, "listen address %q is not HOST:PORT: say --listen 127.0.0.1:8787", c.Listen)
	}
	if c.AuthOff && !loopback(host) {
		return attune.Errorf(attune.Invalid, "--auth=off is for this machine only, and %q can be reached from others: listen on 127.0.0.1 or leave authentication on", c.Listen)
	}
	return nil
}

// limits are the quotas and rates of the node's mode.
func (c *Config) limits() resource.Limits {
	var l resource.Limits
	if c.Strict {
		l = resource.Strict()
	}
	_ = l.Rates.Set(c.Rates) // check has refused what it cannot take
	return l
}

// trainMemory is how many bytes a training may take.
func (c *Config) trainMemory() int64 {
	if c.TrainMemory > 0 {
		return c.TrainMemory
	}
	return recipe.DefaultMemory(machine.Memory())
}

// loopback reports whether only this machine reaches host.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

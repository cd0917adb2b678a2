package node

import (
	"context"
	"net"
	"net/url"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/maintain/plan"
	"github.com/attune-io/attune/notify"
)

// maintained checks what the node shall maintain instead of itself.
func (c *Config) maintained() error {
	p := c.Maintain
	if p == nil {
		return nil
	}
	if u, err := url.Parse(p.Endpoint); p.Endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return attune.Errorf(attune.Invalid, "%q is no URL of a node to maintain: say --maintain-endpoint http://host:8787, or aws", p.Endpoint)
	}
	if !regionPattern.MatchString(p.Region) {
		return attune.Errorf(attune.Invalid, "region %q of what is maintained does not look like us-east-1: say --maintain-region us-east-1", p.Region)
	}
	if (p.KMSKey == "") != (p.KMSRole == "") {
		return attune.Errorf(attune.Invalid, "a KMS key needs a role that may use it: say both --maintain-kms-key and --maintain-kms-role")
	}
	return nil
}

// openMaintain builds the room of standing orders: over this node, reached as
// any client reaches it, or over another place.
func (n *Node) openMaintain(ctx context.Context) error {
	place := maintain.Place{Endpoint: n.loopURL(), Region: n.cfg.Region, Itself: true, KeyID: n.root.ID, Secret: n.root.Secret}
	if n.cfg.Maintain != nil {
		place = *n.cfg.Maintain
	}
	dialect := ledger.Dialect(n.sql.Dialect())
	store, err := maintain.OpenStore(ctx, n.sql.Client(), dialect)
	if err != nil {
		return err
	}
	n.schedules, err = maintain.NewSchedules(ctx, maintain.ScheduleDeps{
		DB: n.sql.Client(), Dialect: dialect, Temporal: n.temporal.Client(), Clock: n.cfg.Clock, Driven: n.cfg.Strict,
		Logger: n.log, Queue: maintain.Queue, Workflow: maintain.TaskWorkflowName, Metrics: n.metrics,
	})
	if err != nil {
		return err
	}
	n.maintain = maintain.New(maintain.Deps{
		Store: store, Temporal: n.temporal.Client(), Place: place, Clock: n.cfg.Clock, Logger: n.log,
		Notify: n.notices.Put, Schedules: n.schedules, Build: n.cfg.Build, Metrics: n.metrics,
	})
	return nil
}

// triggers are the purposes of runs that events may start; that of taking
// everything away is not among them.
var triggers = []string{string(plan.ForApply), string(plan.ForImport), string(plan.ForFull), string(plan.ForUpdate),
	string(plan.ForInference), string(plan.ForSegment), string(plan.ForRefresh)}

// startRun starts a run because of an event, or finds the one that it started.
func (n *Node) startRun(ctx context.Context, s notify.Start) (string, error) {
	kind := maintain.ByEvent
	if strings.HasPrefix(s.Event.Source, "hook.") {
		kind = maintain.ByWebhook
	}
	run, err := n.maintain.Start(ctx, maintain.StartInput{Configuration: s.Config, Purpose: plan.Purpose(s.Purpose), Solution: s.Solution,
		BaseDate: s.Date, Cause: maintain.Cause{Kind: kind, ID: s.Key}})
	if err != nil {
		return "", err
	}
	return run.ID, nil
}

// dropped applies a configuration that appeared in the bucket. A node that
// maintains another place leaves what is dropped here alone: its data is there.
func (n *Node) dropped(ctx context.Context, o notify.Object) error {
	if n.cfg.Maintain != nil {
		return nil
	}
	_, err := n.maintain.Dropped(ctx, o.Bucket, o.Key, o.ID())
	return err
}

// loopURL is where this process reaches itself: a listener on all addresses is
// on the loopback too.
func (n *Node) loopURL() string {
	host, port, err := net.SplitHostPort(n.listener.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return "http://" + net.JoinHostPort("127.0.0.1", port)
	}
	return n.URL()
}

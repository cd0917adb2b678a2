package temporal

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/grpc"

	"github.com/attune-io/attune"
)

const (
	// Namespace is the one that an embedded server has.
	Namespace = "attune"

	// defaultPort is Temporal's own; a URL may leave it out.
	defaultPort = "7233"

	// dialTimeout bounds the first contact with a server: a wrong address
	// should be told at start, not after minutes of retries.
	dialTimeout = 15 * time.Second
)

// Engine is an open connection to Temporal, and the server behind it when that
// runs in this process.
type Engine struct {
	client    client.Client
	namespace string
	server    *server // nil when dialled
	release   func()

	closing  sync.Once
	closeErr error
	closed   chan struct{}
}

// Open starts a server under dir when url is empty, and else dials
// temporal://host[:port]/namespace. The namespace of a dialled server must
// exist. Errors are attune.Invalid for a URL that cannot be understood,
// attune.NotFound for a missing namespace, attune.Unavailable when nobody
// answers. reg may be nil.
func Open(ctx context.Context, url, dir string, log *slog.Logger, reg prometheus.Registerer) (*Engine, error) {
	began := time.Now()
	nameBuild()
	e := &Engine{namespace: Namespace, closed: make(chan struct{}), release: func() {}}
	var err error
	if url == "" {
		err = e.embed(ctx, dir, log)
	} else {
		err = e.dial(ctx, url, log)
	}
	if err != nil {
		return nil, err
	}
	e.release = register(reg, time.Since(began))
	return e, nil
}

func (e *Engine) embed(ctx context.Context, dir string, log *slog.Logger) error {
	srv, err := startServer(ctx, dir, log)
	if err != nil {
		return err
	}
	c, err := connect(ctx, srv.frontend, e.namespace, srv.secret.client(), log)
	if err != nil {
		return errors.Join(err, srv.stop())
	}
	e.server, e.client = srv, c
	return nil
}

func (e *Engine) dial(ctx context.Context, raw string, log *slog.Logger) error {
	host, namespace, secure, err := parseURL(raw)
	if err != nil {
		return err
	}
	var conf *tls.Config
	if secure {
		conf = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c, err := connect(ctx, host, namespace, conf, log)
	if err != nil {
		return err
	}
	e.client, e.namespace = c, namespace
	if err := e.Ready(ctx); err != nil {
		c.Close()
		return err
	}
	return nil
}

// parseURL reads temporal://host[:port]/namespace[?tls=true].
func parseURL(raw string) (host, namespace string, secure bool, err error) {
	const want = "give temporal://host:7233/namespace, or nothing to run the server in this process"
	u, err := url.Parse(raw)
	if err != nil {
		return "", "", false, attune.Errorf(attune.Invalid, "temporal url: %w; %s", err, want)
	}
	if u.Scheme != "temporal" {
		return "", "", false, attune.Errorf(attune.Invalid, "temporal url %q has the unknown scheme %q; %s", u.Redacted(), u.Scheme, want)
	}
	namespace = strings.Trim(u.Path, "/")
	if u.Hostname() == "" || namespace == "" || strings.Contains(namespace, "/") {
		return "", "", false, attune.Errorf(attune.Invalid, "temporal url %q names no host or no namespace; %s", u.Redacted(), want)
	}
	if u.User != nil {
		return "", "", false, attune.Errorf(attune.Invalid, "temporal url %q holds a user name, which temporal has no use for; %s", u.Redacted(), want)
	}
	query := u.Query()
	if v := query.Get("tls"); v != "" {
		if secure, err = strconv.ParseBool(v); err != nil {
			return "", "", false, attune.Errorf(attune.Invalid, "temporal url %q: tls must be true or false", u.Redacted())
		}
	}
	query.Del("tls")
	if len(query) > 0 {
		return "", "", false, attune.Errorf(attune.Invalid, "temporal url %q: the only option is tls=true", u.Redacted())
	}
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	return net.JoinHostPort(u.Hostname(), port), namespace, secure, nil
}

func connect(ctx context.Context, host, namespace string, conf *tls.Config, log *slog.Logger) (client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := client.DialContext(ctx, client.Options{
		HostPort:  host,
		Namespace: namespace,
		Logger:    sdklog.NewStructuredLogger(slog.New(quietHandler{log.Handler()})),
		ConnectionOptions: client.ConnectionOptions{
			TLS:         conf,
			DialOptions: []grpc.DialOption{grpc.WithNoProxy()},
		},
	})
	if err != nil {
		return nil, attune.Errorf(attune.Unavailable, "temporal at %s does not answer: %w", host, err)
	}
	return c, nil
}

// Client returns the SDK client; it is good until Close, and the caller does
// not close it.
func (e *Engine) Client() client.Client { return e.client }

// Namespace names the one that Client works in.
func (e *Engine) Namespace() string { return e.namespace }

// Ready returns nil when the server answers and knows the namespace. The
// errors are attune.Unavailable, and attune.NotFound for the namespace.
func (e *Engine) Ready(ctx context.Context) error {
	select {
	case <-e.closed:
		return attune.Errorf(attune.Unavailable, "temporal is closed")
	default:
	}
	if e.server != nil {
		if err := e.server.failure(); err != nil {
			return err
		}
	}
	_, err := e.client.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: e.namespace})
	var missing *serviceerror.NamespaceNotFound
	switch {
	case errors.As(err, &missing):
		return attune.Errorf(attune.NotFound, "temporal has no namespace %q; create it with: temporal operator namespace create -n %s", e.namespace, e.namespace)
	case err != nil:
		return attune.Errorf(attune.Unavailable, "temporal does not answer: %w", err)
	}
	return nil
}

// Close ends the connection and stops the server, waiting at most stopTimeout
// for it. What a running workflow has not finished is taken up by the next
// start. A second Close does nothing.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		close(e.closed)
		e.release()
		e.client.Close()
		if e.server != nil {
			e.closeErr = e.server.stop()
		}
	})
	return e.closeErr
}

// register publishes how long the engine took to open, the part of a node's
// start that varies most. It returns what takes it back.
func register(reg prometheus.Registerer, took time.Duration) func() {
	if reg == nil {
		return func() {}
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "attune_temporal_open_seconds",
		Help: "Time that starting or dialling Temporal took, in seconds.",
	})
	g.Set(took.Seconds())
	if err := reg.Register(g); err != nil {
		return func() {}
	}
	return func() { reg.Unregister(g) }
}

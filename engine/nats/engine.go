package nats

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune"
)

const (
	// MinPayload is the largest message, in bytes, that a writer to the log
	// may count on. It is NATS's own default; a server that takes less is
	// refused at Open rather than at the first large append.
	MinPayload = 1 << 20

	// dialTimeout bounds the first contact with a server.
	dialTimeout = 5 * time.Second

	// reconnectWait is the pause between attempts to get a lost server back.
	// They never end: a log that is away is away, not given up.
	reconnectWait = 500 * time.Millisecond

	// clientName is what the server's own monitoring shows.
	clientName = "attune"
)

// Engine is an open connection to NATS, and the server behind it when that
// runs in this process.
type Engine struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	server  *server // nil when dialled
	release func()

	closing  sync.Once
	closeErr error
}

// Open starts a server under dir when url is empty, and else dials url. The
// server must have JetStream. Errors are attune.Invalid for a URL or a server
// that cannot serve, attune.Unavailable when nobody answers. reg may be nil.
func Open(ctx context.Context, url, dir string, log *slog.Logger, reg prometheus.Registerer) (*Engine, error) {
	e := &Engine{release: func() {}}
	log = log.With("engine", "nats")
	if url != "" {
		if err := checkURL(url); err != nil {
			return nil, err
		}
	}
	opts := options(log)
	if url == "" {
		srv, err := startServer(ctx, dir, log)
		if err != nil {
			return nil, err
		}
		e.server = srv
		opts = append(opts, nats.InProcessServer(srv.ns))
	}
	var err error
	if e.conn, err = nats.Connect(url, opts...); err != nil {
		return nil, errors.Join(attune.Errorf(attune.Unavailable, "nats does not answer: %w", err), e.Close())
	}
	if e.js, err = jetstream.New(e.conn); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if err := e.check(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if e.server != nil {
		e.release = e.server.register(reg)
	}
	return e, nil
}

// checkURL accepts what nats.go can dial: one URL or several with commas.
func checkURL(raw string) error {
	const want = "give nats://host:4222 (or tls://, ws://, wss://; several separated by commas), or nothing to run the server in this process"
	for part := range strings.SplitSeq(raw, ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil {
			return attune.Errorf(attune.Invalid, "nats url: cannot be read; %s", want) // the cause would quote a password
		}
		switch u.Scheme {
		case "nats", "tls", "ws", "wss":
		default:
			return attune.Errorf(attune.Invalid, "nats url %q has the unknown scheme %q; %s", u.Redacted(), u.Scheme, want)
		}
		if u.Hostname() == "" {
			return attune.Errorf(attune.Invalid, "nats url %q names no host; %s", u.Redacted(), want)
		}
	}
	return nil
}

func options(log *slog.Logger) []nats.Option {
	return []nats.Option{
		nats.Name(clientName),
		nats.Timeout(dialTimeout),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("nats is away; reconnecting until it is back", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("nats is back") }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			log.Warn("nats reported an error", "subject", subject, "error", err)
		}),
	}
}

// check refuses a server that the log could not live on.
func (e *Engine) check(ctx context.Context) error {
	if max := e.conn.MaxPayload(); max < MinPayload {
		return attune.Errorf(attune.Invalid, "nats takes messages of %d bytes, attune needs %d; raise max_payload in the server's configuration", max, MinPayload)
	}
	err := e.Ready(ctx)
	if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
		return attune.Errorf(attune.Invalid, "nats runs without JetStream; start it with -js: %w", err)
	}
	return err
}

// Client returns the connection; it is good until Close, and the caller does
// not close it.
func (e *Engine) Client() *nats.Conn { return e.conn }

// Ready returns nil when JetStream answers, and attune.Unavailable otherwise.
func (e *Engine) Ready(ctx context.Context) error {
	if s := e.conn.Status(); s != nats.CONNECTED {
		return attune.Errorf(attune.Unavailable, "nats is %s", strings.ToLower(s.String()))
	}
	if _, err := e.js.AccountInfo(ctx); err != nil {
		return attune.Errorf(attune.Unavailable, "jetstream does not answer: %w", err)
	}
	return nil
}

// Close ends the connection and stops the server, waiting at most stopTimeout
// for it. What JetStream acknowledged is on disk already. A second Close does
// nothing.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		e.release()
		if e.conn != nil {
			e.conn.Close()
		}
		if e.server != nil {
			e.closeErr = e.server.stop()
		}
	})
	return e.closeErr
}

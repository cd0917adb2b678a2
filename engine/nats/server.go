package nats

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune"
)

const (
	// maxPayload is the largest message the embedded server takes, in bytes.
	// A group commit is a quarter of a MiB and one request at most a MiB; the
	// rest is room for both in one message.
	maxPayload = 4 << 20

	// startTimeout bounds the start, most of which is reading back streams.
	startTimeout = 60 * time.Second

	// stopTimeout bounds Close.
	stopTimeout = 10 * time.Second

	// startPoll is how often a cancelled start is noticed.
	startPoll = 50 * time.Millisecond
)

// server is a NATS server in this process, without a listener: only
// connections made in the process reach it.
type server struct {
	ns  *natsserver.Server
	dir string
}

func startServer(ctx context.Context, dir string, log *slog.Logger) (*server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the embedded nats: %w", err)
	}
	if err := sweep(dir, log); err != nil {
		return nil, err
	}
	ns, err := natsserver.NewServer(&natsserver.Options{
		ServerName:             clientName,
		DontListen:             true,
		NoSigs:                 true, // signals belong to the process, not to a part of it
		JetStream:              true,
		StoreDir:               dir,
		MaxPayload:             maxPayload,
		DisableJetStreamBanner: true,
		// An acknowledgement means that the message is on disk. By default it
		// would be there within two minutes.
		SyncAlways: true,
	})
	if err != nil {
		return nil, fmt.Errorf("configure the embedded nats: %w", err)
	}
	ns.SetLoggerV2(logger{log}, false, false, false)
	ns.Start()
	s := &server{ns: ns, dir: dir}
	for deadline := time.Now().Add(startTimeout); !ns.ReadyForConnections(startPoll); {
		if ctx.Err() != nil || time.Now().After(deadline) {
			if err := s.stop(); err != nil {
				log.Warn("the embedded nats did not stop after its failed start", "error", err)
			}
			return nil, attune.Errorf(attune.Unavailable, "the embedded nats did not start within %s; its log lines say why", startTimeout)
		}
	}
	return s, nil
}

func (s *server) stop() error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ns.Shutdown()
		s.ns.WaitForShutdown()
	}()
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return fmt.Errorf("the embedded nats did not stop within %s", stopTimeout)
	}
}

// register publishes how much the streams hold. It returns what takes it back.
func (s *server) register(reg prometheus.Registerer) func() {
	if reg == nil {
		return func() {}
	}
	g := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "attune_nats_storage_bytes",
		Help: "Bytes on disk that the streams of the embedded NATS use.",
	}, func() float64 {
		info, err := s.ns.Jsz(nil)
		if err != nil {
			return 0 // it is stopping
		}
		return float64(info.Store)
	})
	if err := reg.Register(g); err != nil {
		return func() {}
	}
	return func() { reg.Unregister(g) }
}

// logger carries the server's log lines to slog. Its notices narrate the start,
// which is not news to whoever runs Attune.
type logger struct{ log *slog.Logger }

// Noticef implements the server's logger.
func (l logger) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

// Warnf implements the server's logger.
func (l logger) Warnf(format string, v ...any) { l.log.Warn(fmt.Sprintf(format, v...)) }

// Errorf implements the server's logger.
func (l logger) Errorf(format string, v ...any) { l.log.Error(fmt.Sprintf(format, v...)) }

// Fatalf implements the server's logger; the server goes on to shut down.
func (l logger) Fatalf(format string, v ...any) { l.log.Error(fmt.Sprintf(format, v...)) }

// Debugf implements the server's logger.
func (l logger) Debugf(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

// Tracef implements the server's logger.
func (l logger) Tracef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

package temporal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"

	"github.com/attune-io/attune"
)

const (
	// loopback is the only address that the embedded server listens at.
	loopback = "127.0.0.1"

	// shards is how many lines of work the history service has. SQLite has one
	// writer, so more would only be more timers. The database keeps the number for ever.
	shards = 1

	// startTries bounds how often other free ports are tried when somebody
	// took one between our looking and the server's listening.
	startTries = 5

	// stopTimeout bounds Close. Everything that matters is in SQLite already;
	// a server that hangs must not keep the process from ending.
	stopTimeout = 10 * time.Second

	// scheduleStartsPerSecond is how many workflows a second the schedules of
	// the namespace may start; Temporal's own 30 delays a tenant that wakes
	// everything at midnight.
	scheduleStartsPerSecond = 200.0

	// schedulePollers is how many tasks of schedules the server's own worker asks
	// for at a time. Two, its default, keep one core half idle at midnight.
	schedulePollers = 8

	// scheduleSticky is how long a schedule that is due waits for the worker that
	// has it in its cache. When thousands are due at once many wait longer than
	// Temporal's own 5 s; they then change to another queue, at which that worker
	// does not look until its polls of the first end, a minute later.
	scheduleSticky = time.Minute
)

// server is a Temporal server with all its services in this process.
type server struct {
	frontend string // host:port
	ports    []int
	secret   *secret
	fate     *fate

	srv      temporal.Server
	stopping sync.Once
	stopErr  error
}

// startServer prepares the database under dir and starts the server on free
// loopback ports.
func startServer(ctx context.Context, dir string, log *slog.Logger) (*server, error) {
	db, err := prepare(dir)
	if err != nil {
		return nil, err
	}
	var last error
	for range startTries {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("start the embedded temporal: %w", err)
		}
		ports, err := freePorts(len(temporal.DefaultServices))
		if err != nil {
			return nil, err
		}
		srv, err := start(db, ports, log)
		if err == nil {
			return srv, nil
		}
		last = err
		if !errors.Is(err, syscall.EADDRINUSE) {
			break // the ports were not the reason, so others would not help
		}
	}
	return nil, attune.Errorf(attune.Unavailable, "the embedded temporal did not start: %w", last)
}

func start(db *config.SQL, ports []int, log *slog.Logger) (*server, error) {
	key, err := newSecret()
	if err != nil {
		return nil, err
	}
	f := &fate{}
	conf := configure(db, ports)
	s := &server{frontend: conf.PublicClient.HostPort, ports: ports, secret: key, fate: f}
	out := &logger{log: slog.New(quietHandler{log.With("engine", "temporal").Handler()}), fate: f}
	err = attempt(f, func() error {
		s.srv, err = temporal.NewServer(
			temporal.WithConfig(conf),
			temporal.ForServices(temporal.DefaultServices),
			temporal.WithStaticHosts(hosts(ports)),
			temporal.WithLogger(out),
			temporal.WithNamespaceLogger(out),
			temporal.WithTLSConfigFactory(key),
			// Who holds the certificate may do everything; nobody else gets
			// as far as an authorizer. See secret.
			temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
			temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
			temporal.WithDynamicConfigClient(settings()),
			temporal.WithCustomMetricsHandler(metrics.NoopMetricsHandler),
		)
		if err != nil {
			return err
		}
		f.build()
		return s.srv.Start()
	})
	if err != nil {
		if s.srv != nil {
			err = errors.Join(err, s.stop())
		}
		return nil, err
	}
	return s, nil
}

// attempt runs fn in a goroutine, because the server's Fatal may end it.
func attempt(f *fate, fn func() error) error {
	err := errors.New("the server ended its own goroutine")
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				if _, ok := p.(fatalError); !ok {
					panic(p)
				}
			}
		}()
		err = fn()
	}()
	<-done
	if fatal := f.err(); fatal != nil {
		return fatal
	}
	return err
}

// failure says why the server is of no more use; nil while it is.
func (s *server) failure() error { return s.fate.err() }

func (s *server) stop() error {
	s.stopping.Do(func() {
		s.fate.hush()
		done := make(chan error, 1)
		go func() { done <- attempt(&fate{}, s.srv.Stop) }()
		timer := time.NewTimer(stopTimeout)
		defer timer.Stop()
		select {
		case err := <-done:
			if err != nil {
				s.stopErr = fmt.Errorf("stop the embedded temporal: %w", err)
			}
		case <-timer.C:
			s.stopErr = fmt.Errorf("the embedded temporal did not stop within %s", stopTimeout)
		}
	})
	return s.stopErr
}

// freePorts asks the machine for n ports. They are all held until all are
// known, so that they differ.
func freePorts(n int) ([]int, error) {
	ports := make([]int, 0, n)
	for range n {
		l, err := net.Listen("tcp", loopback+":0")
		if err != nil {
			return nil, attune.Errorf(attune.Unavailable, "no free loopback port for the embedded temporal: %w", err)
		}
		defer l.Close() //nolint:errcheck // it served to reserve the number
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

// hosts says where each service is, so that no membership protocol is needed.
// ports are in the order of temporal.DefaultServices.
func hosts(ports []int) map[primitives.ServiceName]static.Hosts {
	m := make(map[primitives.ServiceName]static.Hosts, len(ports))
	for i, name := range temporal.DefaultServices {
		m[primitives.ServiceName(name)] = static.SingleLocalHost(address(ports[i]))
	}
	return m
}

func configure(db *config.SQL, ports []int) *config.Config {
	services := make(map[string]config.Service, len(ports))
	frontend := ""
	for i, name := range temporal.DefaultServices {
		services[name] = config.Service{RPC: config.RPC{GRPCPort: ports[i], BindOnIP: loopback}}
		if primitives.ServiceName(name) == primitives.FrontendService {
			frontend = address(ports[i])
		}
	}
	off := config.ArchivalNamespaceDefaults{
		History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
		Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
	}
	return &config.Config{
		Global: config.Global{Membership: config.Membership{BroadcastAddress: loopback}},
		Persistence: config.Persistence{
			DefaultStore:     sqliteplugin.PluginName,
			VisibilityStore:  sqliteplugin.PluginName,
			NumHistoryShards: shards,
			DataStores:       map[string]config.DataStore{sqliteplugin.PluginName: {SQL: db}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            services,
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		PublicClient:      config.PublicClient{HostPort: frontend},
		NamespaceDefaults: config.NamespaceDefaults{Archival: off},
	}
}

// timerShift is how far ahead of the clock timers are read, and so how late one
// may fire: the server's second is for clocks of many machines that differ.
const timerShift = 20 * time.Millisecond

// settings are the server's dynamic configuration, where its defaults are meant
// for a cluster.
func settings() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		// The check reports to the outside which version runs here.
		dynamicconfig.EnableServerVersionCheck.Key(): false,
		// Nexus calls other namespaces over HTTP; nobody here does.
		dynamicconfig.EnableNexus.Key(): false,
		// Four partitions of a queue are four times the pollers and timers.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// The scanners look for what a lost cluster node leaves behind, and
		// their workers go on polling after the server has stopped.
		dynamicconfig.TaskQueueScannerEnabled.Key():            false,
		dynamicconfig.HistoryScannerEnabled.Key():              false,
		dynamicconfig.TimerProcessorMaxTimeShift.Key():         timerShift,
		dynamicconfig.SchedulerNamespaceStartWorkflowRPS.Key(): scheduleStartsPerSecond,
		dynamicconfig.WorkerPerNamespaceWorkerOptions.Key(): worker.Options{
			MaxConcurrentWorkflowTaskPollers: schedulePollers, StickyScheduleToStartTimeout: scheduleSticky,
		},
	}
}

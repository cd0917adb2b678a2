package node

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/api"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/api/verb"
)

// probeTimeout bounds one look at all engines.
const probeTimeout = 2 * time.Second

// doors builds the handler of the one listener: probes, and behind signatures
// the Personalize services, the object door and our own verbs.
func (n *Node) doors() (http.Handler, error) {
	token, err := n.tokenKey()
	if err != nil {
		return nil, err
	}
	token = append(token, n.cfg.Account+"/"+n.cfg.Region...) // another account's tokens do not open here
	personalize := awsjson.New(n.log, n.metrics, &awsjson.Options{TokenKey: token, Admit: api.NewAdmission(n.registry, n.cfg.Clock, n.faults).Admit})
	api.NewPersonalize(n.registry, n.events).Register(personalize)
	n.runtime.Register(personalize)

	doors := &api.Doors{
		Personalize: personalize,
		Objects:     n.objects,
		Query:       &api.Query{Account: n.cfg.Account, Server: personalize},
		Verbs: verb.New(verb.Rooms{Registry: n.registry, Jobs: n.jobs, Profiles: n.profiles, Artifacts: n.artifacts, Schedules: n.schedules, Maintain: n.maintain, Notify: n.notices,
			Clock: n.clock, Faults: n.faults}, personalize),
	}
	doors.Events = &api.EventBridge{Desk: n.notices, Server: personalize}
	doors.Hooks = &api.Hooks{Desk: n.notices, Server: personalize}
	if !n.cfg.AuthOff {
		doors.Verifier = access.NewVerifier(access.NewRing(n.root), n.cfg.Region, n.wall, nil)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", n.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.metrics, promhttp.HandlerOpts{}))
	return probesFirst(mux, doors), nil
}

// probesFirst sends the three probe paths to probes when they come unsigned,
// and everything else to doors: an S3 bucket may be called metrics.
func probesFirst(probes, doors http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, signed := access.Scope(r); !signed {
			switch r.URL.Path {
			case "/healthz", "/readyz", "/metrics":
				probes.ServeHTTP(w, r)
				return
			}
		}
		doors.ServeHTTP(w, r)
	})
}

// readyz answers 200 when every part works, 503 with the parts that do not.
func (n *Node) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
	defer cancel()
	waits := n.Ready(ctx)
	w.Header().Set("Content-Type", "application/json")
	if len(waits) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"ready": len(waits) == 0, "waiting": waits})
}

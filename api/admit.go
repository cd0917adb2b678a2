package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/double"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

// Admission decides whether a request that is signed well may pass: by the
// request rates of the registry's limits, and by the script of faults.
type Admission struct {
	rows    *resource.Registry
	rates   resource.Rates
	buckets *buckets
	faults  *double.Faults // nil: there is no script
}

// NewAdmission makes an admission by the limits of rows. faults may be nil.
func NewAdmission(rows *resource.Registry, clock attune.Clock, faults *double.Faults) *Admission {
	return &Admission{rows: rows, rates: rows.Limits().Rates, buckets: newBuckets(clock), faults: faults}
}

// Admit fits awsjson.Options.Admit.
func (a *Admission) Admit(ctx context.Context, op *wire.Operation, input any) (context.Context, error) {
	members, _ := input.(map[string]any) // what is no object is refused after this
	ctx, err := a.script(ctx, op.Name, members)
	if err != nil {
		return nil, err
	}
	if empty, ok := a.buckets.take(a.charges(ctx, op, members)...); !ok {
		return nil, attune.Errorf(attune.Throttled, "Rate exceeded: %s takes %g requests per second; slow down and try again", empty.key.what, empty.rate)
	}
	return ctx, nil
}

// script does what the script of faults says of this request.
func (a *Admission) script(ctx context.Context, operation string, members map[string]any) (context.Context, error) {
	if a.faults == nil {
		return ctx, nil
	}
	var names []string
	for name, v := range members {
		if text, ok := v.(string); ok && (strings.HasSuffix(name, "Arn") || strings.HasSuffix(name, "Id")) {
			names = append(names, text)
		}
	}
	fault := a.faults.Next(operation, names)
	if fault.Wait > 0 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(fault.Wait):
		}
	}
	switch e := fault.Error; {
	case fault.Drop:
		panic(http.ErrAbortHandler) // net/http cuts the connection
	case fault.Throttle:
		return nil, attune.Errorf(attune.Throttled, "Rate exceeded (by the script of faults)")
	case e != nil:
		message := e.Message
		if message == "" {
			message = fmt.Sprintf("%s by the script of faults", e.Name)
		}
		return nil, &awsjson.Named{Name: e.Name, Status: e.Status, Message: message}
	case fault.FailJob != "":
		return resource.WithFailure(ctx, fault.FailJob), nil
	}
	return ctx, nil
}

// charges are the buckets that a request takes from.
func (a *Admission) charges(ctx context.Context, op *wire.Operation, members map[string]any) []charge {
	text := func(name string) string { s, _ := members[name].(string); return s }
	r := a.rates
	switch op.Name {
	case "PutEvents", "PutActionInteractions":
		find := a.rows.ByTracker
		if op.Name == "PutActionInteractions" {
			find = a.rows.ByActionTracker
		}
		to, err := find(ctx, text("trackingId"))
		if err != nil { // refused after this
			return nil
		}
		return []charge{{rateKey{op.Name + " to a dataset group", to.Group}, r.Events}}
	case "PutItems":
		return []charge{{rateKey{op.Name + " to a dataset", text("datasetArn")}, r.Items}}
	case "PutUsers":
		return []charge{{rateKey{op.Name + " to a dataset", text("datasetArn")}, r.Users}}
	case "PutActions":
		return []charge{{rateKey{op.Name + " to a dataset", text("datasetArn")}, r.Actions}}
	}
	if op.Service != wire.PersonalizeRuntime {
		return []charge{{rateKey{"the control plane", ""}, r.Control}}
	}
	of := text("campaignArn") + text("recommenderArn")
	return []charge{{rateKey{"the runtime", ""}, r.Runtime}, {rateKey{"one campaign or recommender", of}, r.RuntimeResource}}
}
